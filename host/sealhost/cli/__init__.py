"""The command `sealcam`: turns words into calls on *work*, and introduces the parts to one another. It holds
no rule of its own.
"""

import resource
import sys

import click

from sealhost import __version__
from sealhost.cli import (
    cards,
    custody,
    enrolling,
    firmware,
    founding,
    hands,
    holdings,
    keying,
    lending,
    losses,
    quarantine,
)
from sealhost.cli.console import tell_failure
from sealhost.errors import BadUsage, InternalFault, SealcamError, Stopped

_FILES = 65536
_HELP = """Take sealed recordings off cameras: verify, store twice, receipt, wipe.

\b
A first shift:
  sealcam init ~/sealcam --demo
  sealcam --home ~/sealcam enrol /mnt/exchange --wait
  sealcam --home ~/sealcam dock /mnt/card
  sealcam --home ~/sealcam dock /dev/ttyACM0 /mnt/card
  sealcam --home ~/sealcam ls
  sealcam --home ~/sealcam view 3f2a -o clip.mp4 --reason "request 17"

\b
Exit codes:
   0 done                       8 something stays on the card
   1 a fault of sealcam itself  9 the custody log is broken
   2 a word was misread        10 not found
   3 refused                   11 not encrypted (prove-encrypted)
   4 card or file unreadable   12 cannot tell (prove-encrypted)
   5 a store failed            20 altered
   6 configuration             21 cut short
   7 keys and passphrases      22 not judged
                              130 stopped by Ctrl-C
"""


@click.group(help=_HELP, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option(
    "--home",
    envvar="SEALCAM_HOME",
    type=click.Path(),
    help="The pack to work from (default: $SEALCAM_HOME, then here).",
)
@click.version_option(__version__, prog_name="sealcam")
@click.pass_context
def sealcam(context: click.Context, home: str | None) -> None:
    context.obj = home


_DOORS = (
    founding,
    enrolling,
    hands,
    cards,
    holdings,
    lending,
    quarantine,
    losses,
    keying,
    firmware,
    custody,
)
for _door in _DOORS:
    for _command in _door.COMMANDS:
        sealcam.add_command(_command)


def main(arguments: list[str] | None = None) -> None:
    """Run one command and leave with its exit code; one of the two outermost loops."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """As `main`, answering the exit code."""
    _allow_many_files()
    as_json = "--json" in (sys.argv[1:] if arguments is None else arguments)
    try:
        return sealcam.main(arguments, prog_name="sealcam", standalone_mode=False) or 0
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.exceptions.NoArgsIsHelpError as asked:
        click.echo(asked.format_message(), err=True)
        return BadUsage.exit_code
    except click.Abort:
        return tell_failure(Stopped(), as_json)
    except click.ClickException as misread:
        where = (
            misread.ctx.command_path if isinstance(misread, click.UsageError) and misread.ctx else "sealcam"
        )
        fault = BadUsage(misread.format_message())
        fault.hint = f"see `{where} --help`"
        return tell_failure(fault, as_json)
    except SealcamError as fault:
        return tell_failure(fault, as_json)
    except Exception as fault:  # noqa: BLE001 - the outermost loop: a person gets a message, never a trace
        return tell_failure(InternalFault(f"{type(fault).__name__}: {fault}"), as_json)


def _allow_many_files() -> None:
    """A card may hold thousands of files, each of which is held open while it is judged."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
