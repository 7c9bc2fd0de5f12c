"""`init` and `doctor`: the first two words a newcomer types."""

from pathlib import Path

import click

from sealhost import config, founding
from sealhost import doctor as doctoring
from sealhost.cli import wiring
from sealhost.cli.console import Answer, answers
from sealhost.custody import open_custody
from sealhost.custody.diary import open_diary
from sealhost.errors import SealcamError
from sealhost.records import Actor


@click.command(short_help="Found an organisation: three packs.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--demo",
    is_flag=True,
    help="Three packs side by side with passphrases in files, marked as a demonstration.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be made, and make nothing.")
@answers
def init(folder: Path, demo: bool, dry_run: bool) -> Answer:
    """Found an organisation: DIR/root, DIR/office and DIR/vault, with two stores.

    Run twice it changes nothing. Passphrases are shown once; write them down.

    \b
    Example:
      sealcam init ~/sealcam --demo      something to play with
      sealcam init /media/usb/sealcam    the real thing; then move each pack to where it belongs
    """
    if dry_run:
        return Answer({"would_make": str(folder)}, [f"would make root, office and vault in {folder}"])
    founded = founding.init(folder, demo, show=_show_nobody if demo else _show)
    _note_founded(founded)
    data = {
        "home": str(founded.home),
        "organisation": founded.organisation.hex(),
        "new": founded.is_new,
        "demo": founded.demo,
    }
    if not founded.is_new:
        return Answer(data, [f"{folder}: an organisation is there already; nothing was changed"])
    return Answer({**data, "passphrases": {} if demo else founded.passphrases}, _told(founded, folder))


def _show_nobody(passphrases: dict[str, str]) -> None:
    """Those of a demonstration lie in files."""


def _show(passphrases: dict[str, str]) -> None:
    """Before the last copy on the disk goes: a run that is killed here shows them again."""
    as_json = click.get_current_context().find_root().meta.get("sealcam.json", False)
    for pack, words in passphrases.items():
        click.echo(f"passphrase of {pack}: {words}", err=as_json)
    click.echo("write both down now, each where its pack will be: they are shown this once", err=as_json)


def _note_founded(founded: founding.Founded) -> None:
    """The first entry of custody and of the office's diary."""
    loaded = config.as_founded(founded.home)
    for pack, open_log in ((config.VAULT, open_custody), (config.OFFICE, open_diary)):
        if pack == config.OFFICE and founded.demo:
            continue  # a demonstration notes everything in one log
        path = loaded.pack(pack).databases.get("custody")
        if path is None or (path.exists() and not founded.is_new):
            continue
        log = open_log(loaded)
        if log.size() == 0:
            log.note("founded", Actor(pack, wiring.actor_id()), founded.organisation, demo=int(founded.demo))


def _told(founded: founding.Founded, folder: Path) -> list[str]:
    lines = [
        f"{folder}: organisation {founded.organisation.hex()[:16]} founded",
        "  root/    the root key and the escrow shares",
        "  office/  opens recordings, certifies cameras",
        "  vault/   proves, stores twice, receipts and wipes; opens nothing",
    ]
    if founded.demo:
        return [*lines, "  a demonstration: nothing in it is protected from whoever reads this folder"]
    return [
        *lines,
        "now move each to its own place: root/ offline, its shares in sealed envelopes; office/; vault/",
        "the vault does not start while it can read a key of the other two",
    ]


@click.command(short_help="What is missing here, and the command that mends it.")
@answers
def doctor() -> Answer:
    """What is missing here, and the command that mends it. Changes nothing; exit code 6 where something is.

    \b
    Example:
      sealcam --home ~/sealcam doctor
      sealcam --home ~/sealcam doctor --json
    """
    home = click.get_current_context().find_root().obj
    found = doctoring.examine(home, _newest(home))
    lines = [f"{'ok  ' if check.good else 'MEND'}  {check.what}" for check in found]
    lines = [
        line
        for check, text in zip(found, lines, strict=True)
        for line in (text, *([f"      {check.mend}"] if check.mend else []))
    ]
    return Answer(
        {"checks": [vars(check) for check in found]}, lines, 0 if all(check.good for check in found) else 6
    )


def _newest(home: str | None) -> int:
    """When custody was last written, UTC milliseconds; 0 where nobody can say."""
    try:
        loaded = config.load(home)
        if config.VAULT not in loaded.packs or not loaded.database("custody").is_file():
            return 0
        log = open_custody(loaded)
        size = log.size()
        return log.entry(size - 1).at if size else 0
    except SealcamError:
        return 0  # what is wrong there is the examination's to say


COMMANDS = (init, doctor)
