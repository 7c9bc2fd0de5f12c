"""`ls`, `show`, `view`, `index`, `audit`: what the vault holds, and a look at it."""

import json
from pathlib import Path

import click

from sealhost import audit as auditing
from sealhost import indexing, viewing
from sealhost.cli import wiring
from sealhost.cli.console import Answer, Progress, answers, clock, duration, printable, size
from sealhost.cli.telling import KINDS
from sealhost.errors import Ambiguous, NotFound, Refused
from sealhost.layout import KIND_LOG
from sealhost.records import Recording

_CLOCKS = {0: "clock never set", 1: "clock set by the vault", 2: "clock kept by the board"}
_ID = click.argument("which", metavar="ID")


def find(which: str, home: wiring.Home) -> Recording:
    """A recording by any unambiguous prefix of its name, or `camera/sequence`."""
    camera, _, sequence = which.partition("/")
    rows = list(home.catalogue.all())
    if sequence.isdigit():
        found = [r for r in rows if r.device_id.hex().startswith(camera) and r.sequence == int(sequence)]
    else:
        found = [r for r in rows if r.h_core.hex().startswith(which.lower())]
    if not found:
        raise NotFound(which)
    if len(found) > 1:
        raise Ambiguous(which)
    return found[0]


@click.command()
@click.option("--camera", default="", help="Only of this camera (any prefix of its id).")
@click.option("--logs", is_flag=True, help="Usage-log segments too.")
@answers
def ls(camera: str, logs: bool) -> Answer:
    """List what is stored.

    \b
    Example:
      sealcam --home ~/sealcam ls
      sealcam --home ~/sealcam ls --camera 0c6b --json
    """
    rows = [
        r
        for r in wiring.home().catalogue.all()
        if r.device_id.hex().startswith(camera) and (logs or r.kind != KIND_LOG)
    ]
    lines = [_line(row) for row in rows] or ["nothing is stored yet; dock a card"]
    return Answer({"recordings": [_plain(row) for row in rows]}, lines)


def _line(row: Recording) -> str:
    where = f"{row.device_id.hex()[:8]}/{row.sequence}"
    verdict = row.verdict.name.replace("_", " ") + ("" if row.confirmed or row.ended else " (unconfirmed)")
    place = f"  {printable(row.place)}" if row.place else ""
    when = f"{clock(row.start_utc_ms):<27} {duration(row.duration_ms):>9}"
    return f"{row.h_core.hex()[:12]}  {where:<14} {when}  {verdict}{place}"


def _plain(row: Recording) -> dict[str, object]:
    return {**vars(row), "verdict": row.verdict.name.lower()}


@click.command(short_help="Everything known of one recording.")
@_ID
@answers
def show(which: str) -> Answer:
    """Everything known of one recording, and what custody says of it. ID is any prefix of its name, or
    camera/number.

    \b
    Example:
      sealcam --home ~/sealcam show 3f2a
      sealcam --home ~/sealcam show 0c6b6f2a/3
    """
    home = wiring.home()
    row = find(which, home)
    entries = [entry for entry in home.custody.entries() if entry.subject == row.h_core.hex()]
    log = home.catalogue.log_of(row.device_id, row.sequence)
    lines = [
        f"recording    {row.h_core.hex()}",
        f"camera       {row.device_id.hex()}, number {row.sequence}, {KINDS.get(row.kind, 'file')}",
        f"started      {clock(row.start_utc_ms)} ({_CLOCKS.get(row.clock_source, 'clock not known')})",
        f"length       {duration(row.duration_ms)}, muted {duration(row.muted_ms)}",
        f"pictures     {row.pictures}, dropped {row.dropped}, as far as the camera signed",
        f"verdict      {row.marks}",
        f"             {row.verdict.value}; signed to chunk {row.signed_to} of {row.last_index}",
        f"stored       {clock(row.stored_at)}, {size(row.size)} in {row.copies} places, "
        f"slots in {row.slot_copies}",
        f"body         {row.body_sha256.hex()}",
        f"description  {_described(row)}",
    ]
    lines += [f"camera log   {clock(e.utc_ms)}  {e.name} {e.detail or ''}".rstrip() for e in log]
    lines += [
        f"custody      {clock(entry.at)}  {entry.event} by {entry.actor.role}/{entry.actor.id}"
        for entry in entries
    ]
    data = {
        "log": [{"event": e.name, "detail": e.detail, "utc_ms": e.utc_ms, "number": e.number} for e in log]
    }
    data["custody"] = [{"n": e.n, "at": e.at, "event": e.event, "detail": e.detail} for e in entries]
    return Answer({**_plain(row), **data}, lines)


def _described(row: Recording) -> str:
    if row.description is None:
        return "not known here; the evidence office runs `sealcam index`"
    told = json.loads(row.description)
    return printable(", ".join(f"{name}={value}" for name, value in sorted(told.items())))


@click.command()
@_ID
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="The MP4 to write.")
@click.option(
    "--reason", required=True, help="Why, in a few words. Custody keeps that it was viewed, and when."
)
@click.option("--dry-run", is_flag=True, help="Prove it and say what would be written; open nothing.")
@answers
def view(which: str, output: Path, reason: str, dry_run: bool) -> Answer:
    """Make a working copy to look at. It needs the evidence key, and custody knows of it before the first
    picture is written.

    \b
    Example:
      sealcam --home ~/sealcam view 3f2a -o clip.mp4 --reason "request 17"
    """
    home = wiring.home()
    row = find(which, home)
    if row.kind == KIND_LOG:
        raise Refused("a usage log has no pictures; see `sealcam show`")
    if dry_run:
        return Answer(_plain(row), [f"would write {output} from {row.h_core.hex()[:16]}"])
    viewed = viewing.view(row, output, reason, home.room(), Progress("rendering"))
    rendered = viewed.rendered
    lines = [
        f"{output}: {rendered.pictures} pictures in {duration(viewed.end_ms)}, "
        f"sound {duration(rendered.sound_ms)}",
        viewed.note,
    ]
    if rendered.dropped:
        lines.append(
            f"{rendered.dropped} records inside could not be shown; the sealed recording is unharmed"
        )
    data = {"file": str(output), "note": viewed.note, "end_ms": viewed.end_ms, "rendered": vars(rendered)}
    return Answer({**data, "name": row.h_core.hex(), "last_index": viewed.judgement.last_index}, lines)


@click.command(short_help="Learn place and description, with the evidence key.")
@click.option("--again", is_flag=True, help="Those that are indexed already, too.")
@click.option("--dry-run", is_flag=True, help="Say how many there are; open nothing.")
@answers
def index(again: bool, dry_run: bool) -> Answer:
    """Let the evidence office tell the catalogue what is in recordings: place and description.

    \b
    Example:
      sealcam --home ~/sealcam index
    """
    home = wiring.home()
    if dry_run:
        waiting = [
            row for row in home.catalogue.all() if row.kind != KIND_LOG and (again or row.description is None)
        ]
        return Answer({"waiting": len(waiting)}, [f"{len(waiting)} recordings would be opened"])
    done = indexing.index(home.catalogue, home.room(), again, Progress("indexing"))
    lines = [f"{row.h_core.hex()[:12]}  {_described(row)}" for row in done] or [
        "every recording is indexed already"
    ]
    return Answer({"indexed": [_plain(row) for row in done]}, lines)


@click.command(short_help="Prove everything again; rebuild the catalogue.")
@click.option("--dry-run", is_flag=True, help="Prove everything; rebuild nothing.")
@answers
def audit(dry_run: bool) -> Answer:
    """Prove everything in the vault again, in every place, and rebuild the catalogue from it.

    \b
    Example:
      sealcam --home ~/sealcam audit
    """
    progress = Progress()

    def tell(what: str, fraction: float) -> None:
        progress.stage(what)
        progress(fraction)

    home = wiring.home()
    home.builds_anew = not dry_run
    audited = auditing.run(home.desk(), not dry_run, tell)
    troubled = [one for one in audited.checked if one.troubles]
    lines = [f"{one.h_core.hex()[:12]}  {trouble}" for one in troubled for trouble in one.troubles]
    lines += [f"custody: {audited.custody_trouble}"] if audited.custody_trouble else []
    lines.append(
        f"{len(audited.checked)} recordings proved again in every place, {len(troubled)} with troubles; "
        f"{audited.custody_size} custody entries; "
        f"catalogue {'rebuilt' if audited.rebuilt else 'left as it was'}"
    )
    return Answer(_audited(audited), lines, audited.exit_code)


def _audited(audited: auditing.Audited) -> dict[str, object]:
    checked = [
        {
            "name": one.h_core.hex(),
            "copies": one.copies,
            "slot_copies": one.slot_copies,
            "troubles": one.troubles,
        }
        for one in audited.checked
    ]
    lists = {name: [h.hex() for h in getattr(audited, name)] for name in ("differing", "missing_rows")}
    return {
        "recordings": checked,
        **lists,
        "custody": audited.custody_size,
        "custody_trouble": audited.custody_trouble,
        "unnamed": audited.unnamed,
        "rebuilt": audited.rebuilt,
    }


COMMANDS = (ls, show, view, index, audit)
