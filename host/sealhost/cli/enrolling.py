"""`enrol` and `escrow recover`: a camera into the organisation, and the envelopes opened."""

import time
from pathlib import Path

import click

from sealhost import enrolment, keys
from sealhost.cli import wired, wiring
from sealhost.cli.console import Answer, answers
from sealhost.config import OFFICE, VAULT
from sealhost.errors import BadUsage, KeyTrouble
from sealhost.exchange import Exchange

_PATIENCE = 3600.0


@click.command(short_help="Take a camera in: the next steps of this pack.")
@click.argument("folder", metavar="PORT|EXCHANGE_DIR", type=click.Path(path_type=Path))
@click.option(
    "--exchange", type=click.Path(path_type=Path), help="With a PORT: the folder of packs that stand apart."
)
@click.option("--wait", is_flag=True, help="Stay until the camera is enrolled.")
@click.option(
    "--share",
    "shares",
    multiple=True,
    help="An escrow share: a file or its words. Give as many as are needed.",
)
@click.option("--dry-run", is_flag=True, help="Say which step comes next, and do nothing.")
@answers
def enrol(
    folder: Path, exchange: Path | None, wait: bool, shares: tuple[str, ...], dry_run: bool
) -> Answer:
    """Do the next steps of an enrolment with a camera on its port, and say whose turn it is; or in a folder
    that the camera reaches too.

    The evidence office offers, certifies and opens the trial recording, with the evidence key and with the
    escrow shares; the vault takes the camera into its register and custody and sets its clock. Each runs this
    from its own pack; a demonstration does both at once. Run it again at any time: it goes on where it was.

    With a PORT, one command does all of it where one pack is office and vault; packs that stand apart name
    the folder through which they exchange their files with --exchange.

    \b
    Example:
      sealcam --home ~/sealcam enrol /dev/ttyACM0
      sealcam --home /mnt/office enrol /mnt/exchange --share one.txt --share two.txt --share three.txt
      sealcam --home /mnt/vault enrol /mnt/exchange
      sealcam --home ~/sealcam enrol /mnt/exchange --wait
    """
    is_port = wired.is_port(str(folder))
    if is_port and not dry_run:
        return _by_wire(str(folder), exchange, shares)
    if exchange and not is_port:
        raise BadUsage("--exchange goes with a PORT")
    return _by_folder(Exchange(exchange or folder), wait, shares, dry_run)


def _by_wire(port: str, folder: Path | None, shares: tuple[str, ...]) -> Answer:
    done: list[str] = []

    def say(step: str) -> None:
        done.append(step)
        click.echo(f"  {step}", err=True)

    home = wiring.home()
    if folder is None and not {OFFICE, VAULT} <= home.config.packs.keys():
        raise BadUsage("this pack is not office and vault at once: name their folder with --exchange")
    progress = wired.enrol(home, port, shares, folder, say)
    return _told(progress, done, VAULT in home.config.packs)


def _by_folder(exchange: Exchange, wait: bool, shares: tuple[str, ...], dry_run: bool) -> Answer:
    if dry_run:
        present = [name for name in enrolment.FILES if exchange.has(name)]
        return Answer(
            {"present": present}, [f"there now: {', '.join(present) or 'nothing'}; nothing was done"]
        )
    authority = wiring.home().authority(shares)
    exchange.prepare()
    progress, done, until = enrolment.enrol(exchange, authority), [], time.monotonic() + _PATIENCE
    while True:
        for step in progress.done:
            done.append(step)
            click.echo(f"  {step}", err=True)
        if not progress.waiting_for or not wait or time.monotonic() > until:
            break
        exchange.wait_for_change(5)
        progress = enrolment.enrol(exchange, authority)
    return _told(progress, done, authority.is_vault)


def _told(progress: enrolment.Progress, done: list[str], is_vault: bool) -> Answer:
    camera = progress.device_id.hex()
    data = {"camera": camera, "done": done, "waiting_for": progress.waiting_for, "facts": progress.facts}
    if progress.waiting_for:
        line = f"{progress.whose_turn} is next: waiting for {progress.waiting_for}; then run this again"
    else:
        filmed = progress.facts.get("interpreter", "interpreter not told")
        line = f"camera {camera[:16]} is enrolled ({filmed})"
        line += "" if is_vault else "; the vault is next: it takes note of it by `sealcam enrol`"
    return Answer({**data, "whose_turn": progress.whose_turn}, [line])


@click.group(short_help="The key for when the evidence key is lost.")
def escrow() -> None:
    """The escrow key: what opens recordings when the evidence key is lost."""


@escrow.command()
@click.argument("shares", metavar="SHARE...", nargs=-1, required=True)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Keep the key in this file, under a passphrase."
)
@click.option(
    "--dry-run", is_flag=True, help="Put the shares together and say whose key they give; keep nothing."
)
@answers
def recover(shares: tuple[str, ...], output: Path | None, dry_run: bool) -> Answer:
    """Put the escrow key together from m shares (files, or the words of each in quotes).

    Do it on a machine that is offline, with the people who hold the envelopes. The custody log says that it
    was done.

    \b
    Example:
      sealcam --home ~/sealcam escrow recover share-1.txt share-2.txt share-3.txt -o escrow.p12
    """
    home = wiring.home()
    key = home.escrow_key(shares)
    data = {
        "key_id": key.key_id.hex(),
        "shares": len(shares),
        "kept": str(output) if output and not dry_run else None,
    }
    if output is None or dry_run:
        return Answer(
            data, [f"{len(shares)} shares give the escrow key {key.key_id.hex()[:16]}; it was not kept"]
        )
    words = click.prompt("passphrase for the file", hide_input=True, confirmation_prompt=True, err=True)
    if len(words.split()) < 4:
        raise KeyTrouble(output, "the passphrase is too short: six words are good")
    home.custody.note("escrow.recovered", home.actor("evidence"), key.key_id, shares=len(shares))
    keys.save(output, key, words)
    return Answer(data, [f"escrow key {key.key_id.hex()[:16]} kept in {output}"])


COMMANDS = (enrol, escrow)
