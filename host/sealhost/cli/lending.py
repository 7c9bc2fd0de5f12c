"""`lend`: what the evidence office needs to look at, from a vault that stands apart from it."""

import click

from sealhost import config, lending, loans
from sealhost.cli import wiring
from sealhost.cli.console import Answer, answers
from sealhost.cli.holdings import find
from sealhost.errors import BadUsage
from sealhost.layout import KIND_LOG


@click.command(short_help="Lend recordings to the evidence office.")
@click.argument("which", metavar="ID...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every recording; usage logs stay here.")
@click.option("--dry-run", is_flag=True, help="Say what would be lent; write nothing.")
@answers
def lend(which: tuple[str, ...], everything: bool, dry_run: bool) -> Answer:
    """Lend recordings to the evidence office: signed rows, and their slots, sealed to the evidence key.

    A loan is one small file in the vault's folder `loans`, which the office sees read-only beside a store.
    Custody knows of it first. Erasing the vault's copy later does not reach a loan: lend what is asked for.

    \b
    Example:
      sealcam --home /mnt/vault lend 3f2a 0c6b6f2a/3
    """
    home = wiring.home()
    home.config.pack(config.VAULT)
    if bool(which) == everything:
        raise BadUsage("name recordings to lend, or --all")
    named = home.catalogue.all() if everything else [find(one, home) for one in which]
    rows = [row for row in named if row.kind != KIND_LOG]
    data = {"recordings": [row.h_core for row in rows]}
    if dry_run:
        return Answer(data, [f"would lend {len(rows)} recordings"])
    desk, folder = home.desk(), loans.Desk(home.config.file("loans"))
    paths = lending.lend(rows, desk, lambda *loan: folder.put(loans.Loan(*loan), desk.certificate_key))
    return Answer({**data, "files": [str(path) for path in paths]}, [f"lent: {path}" for path in paths])


COMMANDS = (lend,)
