"""`quarantine`: what was refused, and the evidence office's word that it may leave its card."""

import click

from sealhost import receipts
from sealhost.cli import wiring
from sealhost.cli.console import Answer, answers, size
from sealhost.quarantine import Case


@click.group()
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
@click.option("--dry-run", is_flag=True, help="Say what would be released, and sign nothing.")
@answers
def release(which: str, dry_run: bool) -> Answer:
    """Let a quarantined recording leave its card: the next `dock` wipes it there. What is in quarantine
    stays.

    Signed with the release key of the evidence office, over verdict and digest. ID is a prefix of the case or
    of the recording.

    \b
    Example:
      sealcam --home ~/sealcam quarantine release 9d2e
    """
    home = wiring.home()
    case = home.quarantine.find(which)
    if dry_run:
        return Answer(_plain(case), ["would release:", *_told(case)])
    key = home.key("release")
    if not case.released:
        statement = receipts.release(case.entry(home.quarantine.copies), case.digest, key)
        home.custody.note(
            "quarantine.released",
            home.actor("evidence"),
            case.h_core,
            verdict=case.verdict.name,
            case=case.digest.hex(),
        )
        home.quarantine.release(case, statement, key.point)
    return Answer(
        {**_plain(case), "released": True},
        [f"{case.digest.hex()[:12]} is released; the next dock wipes it from its card"],
    )


COMMANDS = (quarantine,)
