"""Every failure a person can be told about: message, hint, exit code.

The docstring of a class is its message, filled in with the arguments it is raised with. Whatever came from a
card, a wire or a person is made printable first, so a file name with line breaks cannot write a message of
its own. Nothing here ever holds a key, a passphrase or what a recording shows.
"""


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


# 3: refused; somebody has to do something first


class Refused(SealcamError):
    """refused: {}"""

    exit_code = 3
    hint = "nothing was changed"


class BadStatement(Refused):
    """not a signed statement we accept: {}"""

    hint = "do not act on it; ask its sender for a fresh one"


class BadSignature(BadStatement):
    """the signature on {} does not verify"""


class VersionFell(BadStatement):
    """{}: version {} is older than the {} already known here"""

    hint = "somebody offered an old file; look for the newest one and tell the evidence office"


class EnrolmentRefused(Refused):
    """{}: not enrolled: {}"""

    hint = "run the step again with the camera's own exchange folder"


class WipeRefused(Refused):
    """{}: not wiped: {}"""

    hint = "the recording stays on the card; see `sealcam show` for what is stored of it"


class ReleaseRefused(Refused):
    """{}: not released: {}"""

    hint = "a release is signed by the evidence office over what is in quarantine now"


class PlaceBusy(Refused):
    """{}: in use: {}"""

    hint = "wait for the other one to end, or unmount it; then run this again"


class OutputExists(Refused):
    """{}: there is something there already"""

    hint = "choose another name; nothing is ever written over"


class OutputRefused(Refused):
    """{}: cannot be written: {}"""

    hint = "name a file in a folder that is there and may be written"


# 4: a card, folder, device or image could not be read


class PlaceUnreadable(SealcamError):
    """{}: cannot be read: {}"""

    exit_code = 4
    hint = "nothing was wiped; try another reader, then set the card aside"


class PlaceReadOnly(PlaceUnreadable):
    """{}: cannot be written: {}"""

    hint = "nothing on it was wiped; open its lock or mount it for writing, and dock it again"


class CardUnreadable(PlaceUnreadable):
    """{}: the card stopped giving bytes at {}"""

    hint = "nothing was wiped; take the card out, put it in another reader and dock it again"


class MediaBroken(PlaceUnreadable):
    """{}: the pictures or sound inside cannot be rendered: {}"""

    hint = "the sealed recording is unharmed; look at it with `sealcam verify`"


# 5: a store


class StoreUnavailable(SealcamError):
    """{}: the store cannot be used: {}"""

    exit_code = 5
    hint = "nothing was wiped; mend the place and dock the card again"


class StoreFull(StoreUnavailable):
    """{}: the store is full ({})"""

    hint = "nothing was wiped; make room there and dock the card again"


class CopyDamaged(StoreUnavailable):
    """{}: what is stored as {} does not read back the same"""

    hint = "nothing was wiped; keep the other copy and have the disk looked at"


# 6: configuration


class ConfigBroken(SealcamError):
    """{}: {}"""

    exit_code = 6
    hint = "mend that line; nothing else of the file was used"


class ConfigMissing(ConfigBroken):
    """{}: no sealcam.toml there"""

    hint = "name the pack with --home or $SEALCAM_HOME, or make one with `sealcam init`"


class FileMissing(ConfigBroken):
    """{}: cannot be read: {}"""

    hint = "bring the pack back from its backup; `sealcam doctor` says what else is missing"


class CatalogueGone(ConfigBroken):
    """{}: the catalogue is gone or broken, {} stored recordings are not in it"""

    hint = "nothing is lost: move what is left of that file away, and `sealcam audit` builds it again"


class KeyExposed(ConfigBroken):
    """{}: a private key of the root or the evidence office can be read from the vault host"""

    hint = "move that pack to where it belongs; the vault does not start beside it"


class ToolMissing(ConfigBroken):
    """{} is missing here"""

    hint = "run `sealcam doctor`"


# 7: keys and passphrases


class KeyTrouble(SealcamError):
    """{}: the key cannot be used: {}"""

    exit_code = 7
    hint = "see that the right pack is named and the file is whole"


class KeyMissing(KeyTrouble):
    """{}: there is no such key here"""

    hint = "name the pack that holds it with --home"


class PassphraseWrong(KeyTrouble):
    """{}: the passphrase does not open it"""

    hint = "six words, one space between each; nothing is locked by trying again"


class SlotClosed(KeyTrouble):
    """{}: none of the keys here opens it"""

    hint = "ask the evidence office; after a loss, `sealcam escrow recover`"


class PointBad(KeyTrouble):
    """{}: not a point of the curve"""


class SharesWrong(KeyTrouble):
    """these shares do not fit together: {}"""

    hint = "take shares of one set only, and look for a mistyped word"


class SharesTooFew(SharesWrong):
    """{} shares given, {} are needed"""

    hint = "open more envelopes of the same set"


# 8: something stays on the card


class Kept(SealcamError):
    """{}: kept on the card: {}"""

    exit_code = 8
    hint = "keep: see the evidence office"


# 9: custody


class CustodyBroken(SealcamError):
    """custody: entry {} does not fit: {}"""

    exit_code = 9
    hint = "stop; keep this database as it is and compare it with the last export"


class CheckpointRefused(CustodyBroken):
    """custody: no checkpoint signed: {}"""

    hint = "the log does not extend what was signed before; keep both and tell the evidence office"


# 10: not found


class NotFound(SealcamError):
    """{}: not found"""

    exit_code = 10
    hint = "`sealcam ls` shows what is here"


class Ambiguous(NotFound):
    """{}: more than one begins like that"""

    hint = "give more of its digits"


# 11, 12: prove-encrypted


class NotSealed(SealcamError):
    """{}: not encrypted: {}"""

    exit_code = 11
    hint = "do not let it leave the building"


class CannotTell(SealcamError):
    """{}: cannot tell: {}"""

    exit_code = 12
    hint = "treat it as not encrypted"


# 20, 21, 22: what was judged


class SealBroken(SealcamError):
    """{}: chunk {} was changed after it was sealed"""

    exit_code = 20
    hint = "do not wipe this card; set it aside and tell the evidence office"


class NotProved(SealBroken):
    """{}: chunk {} does not prove, so it was not decrypted"""


class CutShort(SealcamError):
    """{}: every chunk present is proved; no end was signed"""

    exit_code = 21
    hint = "it may be kept and shown; say how far the camera's signature reaches"


class NotJudged(SealcamError):
    """{}: not judged: {}"""

    exit_code = 22
    hint = "see that this host holds the verify key and knows the camera"
