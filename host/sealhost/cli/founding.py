"""`init` and `doctor`: the first two words a newcomer types."""

from pathlib import Path

import click

from sealhost import doctor as doctoring
from sealhost import founding
from sealhost.cli.console import Answer, answers


@click.command()
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
    founded = founding.init(folder, demo)
    data = {
        "home": str(founded.home),
        "organisation": founded.organisation.hex(),
        "new": founded.is_new,
        "demo": founded.demo,
    }
    if not founded.is_new:
        return Answer(data, [f"{folder}: an organisation is there already; nothing was changed"])
    lines = [f"{folder}: organisation {founded.organisation.hex()[:16]} founded"]
    lines += [
        "  root/    the root key and the escrow shares: take it offline",
        "  office/  opens recordings, certifies cameras",
    ]
    lines += ["  vault/   proves, stores twice, receipts and wipes; opens nothing"]
    if demo:
        lines.append("  a demonstration: nothing in it is protected from whoever reads this folder")
    else:
        lines += [f"  passphrase of {pack}: {words}" for pack, words in founded.passphrases.items()]
        lines.append("  write the passphrases down now: they are shown this once")
    return Answer({**data, "passphrases": {} if demo else founded.passphrases}, lines)


@click.command()
@answers
def doctor() -> Answer:
    """What is missing here, and the command that mends it.

    \b
    Example:
      sealcam --home ~/sealcam doctor
    """
    found = doctoring.examine(click.get_current_context().find_root().obj)
    lines = [f"{'ok  ' if check.good else 'MEND'}  {check.what}" for check in found]
    lines = [
        line
        for check, text in zip(found, lines, strict=True)
        for line in (text, *([f"      {check.mend}"] if check.mend else []))
    ]
    return Answer(
        {"checks": [vars(check) for check in found]}, lines, 0 if all(check.good for check in found) else 6
    )


COMMANDS = (init, doctor)
