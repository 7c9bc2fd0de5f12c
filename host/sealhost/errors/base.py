"""What every error is: a message made printable, a hint, an exit code; and those about the command itself."""


class SealcamError(Exception):
    """{}"""

    exit_code = 1
    hint = ""

    def __str__(self) -> str:
        template = (type(self).__doc__ or "{}").splitlines()[0]
        return template.format(*[_printable(argument) for argument in self.args])


def _printable(argument: object) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(argument))


class InternalFault(SealcamError):
    """something in sealcam itself is wrong: {}"""

    hint = "nothing was wiped; send the message above with the command you ran"


class Stopped(SealcamError):
    """stopped"""

    exit_code = 130
    hint = "run the same command again to go on"


class BadUsage(SealcamError):
    """{}"""

    exit_code = 2
    hint = "see --help"
