"""`quarantine`: what was refused, and the evidence office's word that it may leave its card."""

from pathlib import Path

import click

from sealhost import config, durable, receipts
from sealhost.cli import wiring
from sealhost.cli.console import Answer, answers, size
from sealhost.errors import BadUsage, OutputExists, OutputRefused, ReleaseRefused
from sealhost.quarantine import Case
from sealhost.statements import RELEASE_KEY


@click.group(short_help="What was altered or not judged; releases.")
def quarantine() -> None:
    """Recordings that were altered, or that nobody here can judge. They are kept for good; a release frees
    the card.
    """


@quarantine.command()
@answers
def ls() -> Answer:
    """List what is in quarantine.

    \b
    Example:
      sealcam --home ~/sealcam quarantine ls
    """
    cases = wiring.home().quarantine.cases()
    lines = [line for case in cases for line in _told(case)] or ["nothing is in quarantine"]
    return Answer({"cases": [_plain(case) for case in cases]}, lines)


def _told(case: Case) -> list[str]:
    state = "released" if case.released else "held"
    whole = sum(length for _, _, length in case.parts)
    first = f"{case.digest.hex()[:12]}  {state:<8}  {case.device_id.hex()[:8]}/{case.sequence}  {size(whole)}"
    return [first, f"              {case.strip}", f"              {case.reason}"]


def _plain(case: Case) -> dict[str, object]:
    parts = [{"sha256": digest.hex(), "name": name, "size": length} for digest, name, length in case.parts]
    return {**vars(case), "verdict": case.verdict.name.lower(), "parts": parts}


@quarantine.command()
@click.argument("which", metavar="ID")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Where an office without its vault leaves the signed release.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be released, and sign nothing.")
@answers
def release(which: str, output: Path | None, dry_run: bool) -> Answer:
    """Let a quarantined recording leave its card: the next `dock` wipes it there. What is in quarantine
    stays.

    Signed with the release key of the evidence office, over verdict and digest. ID is a prefix of the case or
    of the recording. An office that only reads the vault writes the release into a file, and the vault takes
    it with `quarantine accept`.

    \b
    Example:
      sealcam --home ~/sealcam quarantine release 9d2e
      sealcam --home /mnt/office quarantine release 9d2e -o 9d2e.release
    """
    home = wiring.home()
    if config.VAULT not in home.config.packs and output is None and not dry_run:
        raise BadUsage("here is no vault to tell: name a file for the release with -o")
    case = home.quarantine.find(which)
    if dry_run:
        return Answer(_plain(case), ["would release:", *_told(case)])
    statement = receipts.release(case.entry(home.quarantine.copies), case.digest, home.key("release"))
    if output is not None:
        _refuse_taken(output)
        _note_released(home, case, "evidence")
        durable.write_file(output, statement, 0o640)
        return Answer(
            {**_plain(case), "file": str(output)},
            [f"{output} releases {case.digest.hex()[:12]}; the vault takes it with `quarantine accept`"],
        )
    return _accepted(home, case, statement, "evidence")


def _refuse_taken(output: Path) -> None:
    if output.exists():
        raise OutputExists(output)
    if not output.parent.is_dir():
        raise OutputRefused(output, "its folder is not there")


def _note_released(home: wiring.Home, case: Case, role: str) -> None:
    about = {"verdict": case.verdict.name, "case": case.digest.hex()}
    home.custody.note("quarantine.released", home.actor(role), case.h_core, **about)
    home.custody.witness()


def _accepted(home: wiring.Home, case: Case, statement: bytes, role: str) -> Answer:
    """Take a release into custody and quarantine; the same again changes nothing."""
    if not case.released:
        _note_released(home, case, role)
        home.quarantine.release(case, statement, home.keylist.point(RELEASE_KEY) or b"")
    return Answer(
        {**_plain(case), "released": True},
        [f"{case.digest.hex()[:12]} is released; the next dock wipes it from its card"],
    )


@quarantine.command()
@click.argument("file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Check it and say what it releases; take nothing.")
@answers
def accept(file: Path, dry_run: bool) -> Answer:
    """Take a release that the evidence office signed elsewhere: the next `dock` wipes what it names.

    \b
    Example:
      sealcam --home /mnt/vault quarantine accept 9d2e.release
    """
    home = wiring.home()
    home.config.pack(config.VAULT)
    statement = file.read_bytes()
    entry, digest = receipts.check_release(statement, home.keylist.point(RELEASE_KEY) or b"")
    case = home.quarantine.find(digest.hex())
    if entry.h_core != case.h_core or entry.verdict != case.verdict:
        raise ReleaseRefused(digest.hex()[:16], "the statement speaks of something else")
    if dry_run:
        return Answer(_plain(case), ["would take a release of:", *_told(case)])
    return _accepted(home, case, statement, "vault")


COMMANDS = (quarantine,)
