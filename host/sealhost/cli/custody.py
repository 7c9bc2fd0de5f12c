"""`custody`: the host's own log, shown, verified, exported."""

import json
from collections.abc import Mapping
from pathlib import Path

import click

from sealhost.cli import wiring
from sealhost.cli.console import Answer, answers, clock


@click.group(short_help="Who did what, and when: show, verify, export.")
def custody() -> None:
    """Who saw, stored, exported or wiped what, and when: a log that cannot be rewritten unseen."""


@custody.command()
@click.option(
    "--subject", default="", help="Only entries about this recording, camera or receipt (any prefix)."
)
@click.option("--last", type=int, help="Only the last so many entries.")
@answers
def show(subject: str, last: int | None) -> Answer:
    """List entries.

    \b
    Example:
      sealcam --home ~/sealcam custody show --last 20
      sealcam --home ~/sealcam custody show --subject 3f2a
    """
    entries = [entry for entry in wiring.home().custody.entries() if entry.subject.startswith(subject)]
    entries = entries[-last:] if last else entries
    lines = [
        f"{entry.n:6}  {clock(entry.at)}  {entry.event:<22} {entry.actor.role}/{entry.actor.id}  "
        f"{entry.subject[:16]:<16}  {_details(entry.detail)}".rstrip()
        for entry in entries
    ]
    data = [
        {
            "n": e.n,
            "at": e.at,
            "event": e.event,
            "actor": vars(e.actor),
            "subject": e.subject,
            "detail": e.detail,
        }
        for e in entries
    ]
    return Answer({"entries": data}, lines)


def _details(detail: Mapping[str, object]) -> str:
    return " ".join(f"{name}={_short(value)}" for name, value in sorted(detail.items()))


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 40 else text[:16] + "..."


@custody.command()
@answers
def verify() -> Answer:
    """Recompute every hash and check every checkpoint; exit code 9 names the first entry that does not fit.

    \b
    Example:
      sealcam --home ~/sealcam custody verify
    """
    home = wiring.home()
    home.custody.checkpoint()
    report = home.custody.verify()
    data = {"size": report.size, "root": report.root.hex(), "signed": report.signed}
    return Answer(
        data,
        [
            f"{report.size} entries, every hash fits; root {report.root.hex()[:16]}, "
            f"signed up to entry {report.signed}"
        ],
    )


@custody.command()
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="A folder to make.")
@click.option("--entry", "entries", type=int, multiple=True, help="Prove these entries (default: all).")
@click.option("--dry-run", is_flag=True, help="Say what would be written, and write nothing.")
@answers
def export(output: Path, entries: tuple[int, ...], dry_run: bool) -> Answer:
    """Write the log, its checkpoint and its proofs, for a stranger to check with the standard library.

    \b
    Example:
      sealcam --home ~/sealcam custody export -o custody-2026-11
    """
    home = wiring.home()
    size = home.custody.size()
    if dry_run:
        return Answer({"entries": size}, [f"would write {size} entries to {output}"])
    home.custody.note("custody.exported", home.actor("vault"), "", size=size)
    home.custody.export(output, entries or None)
    return Answer(
        {"entries": size + 1, "folder": str(output)},
        [f"{size + 1} entries in {output}; README.txt there says how to check them"],
    )


COMMANDS = (custody,)
