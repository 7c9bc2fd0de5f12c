"""`dock`, `verify` and `prove-encrypted`: what is done with a card."""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import click

from sealhost import config, proving, score, statements, words
from sealhost.cli import telling, wired, wiring
from sealhost.cli.console import Answer, Progress, answers, clear_progress, printable
from sealhost.errors import BadStatement, BadUsage, NotFound
from sealhost.ingest import Options, ingest
from sealhost.keys import Opener
from sealhost.layout import ROLE_OPEN, SLOT_AREA, STATE_CUT, STATE_ENDED
from sealhost.reader import Place, file_part, hold, open_place
from sealhost.records import Judgement, Part, Word, worst
from sealhost.salvage import Salvage
from sealhost.verify import group, judge, read_core
from sealhost.viewing import secret_in

_PLACES = click.argument("places", metavar="[PLACE]...", nargs=-1)


@click.command(short_help="Empty a card: verify, store twice, receipt, wipe.")
@_PLACES
@click.option(
    "--inventory",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The camera's signed journal.",
)
@click.option(
    "--unconfirmed-stays",
    is_flag=True,
    help="Keep what is cut short and unconfirmed on the card, whatever the policy says.",
)
@click.option(
    "--carve", is_flag=True, help="The file system is gone: look at every sector, and wipe nothing."
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Verify everything and say what would happen; store, sign and wipe nothing.",
)
@click.option(
    "--over-the-wire", is_flag=True, help="Read the card in the camera however long it takes over the wire."
)
@click.option(
    "--watch", "keeps_on", is_flag=True, help="Wait for cameras and cards, and serve as many as come."
)
@answers
def dock(
    places: tuple[str, ...],
    inventory: Path | None,
    unconfirmed_stays: bool,
    carve: bool,
    dry_run: bool,
    over_the_wire: bool,
    keeps_on: bool,
) -> Answer:
    """Take every recording off a card: verify, store twice, read back, receipt, and only then wipe.

    A PLACE is a mounted folder, a block device or a card image, or the serial port of a camera; which one is
    found by looking. Stopped at any moment and run again, it ends in the same state. What is altered, or
    cannot be judged, goes to quarantine and stays on the card.

    With a camera on its port, the camera judges first and signs for every wipe: of the card in it, or of
    cards of it in readers beside. What takes more than ten minutes by wire is refused: hand me the card.

    \b
    Example:
      sealcam --home ~/sealcam dock /mnt/card
      sealcam --home ~/sealcam dock /dev/ttyACM0
      sealcam --home ~/sealcam dock /dev/ttyACM0 /dev/sdb1
      sealcam --home ~/sealcam dock /dev/sdb1 --inventory camera-7.inventory
      sealcam --home ~/sealcam dock --watch
    """
    if keeps_on:
        _watch(places, bool(inventory or unconfirmed_stays or carve or dry_run or over_the_wire))
    if not places:
        raise BadUsage("name a card, or several; or --watch")
    home, progress = wiring.home(), Progress()

    def tell(what: str, fraction: float) -> None:
        progress.stage(what)
        progress(fraction)

    ports = [place for place in places if wired.is_port(place)]
    cards = [place for place in places if place not in ports]
    if len(ports) > 1 or (ports and (inventory or carve)):
        raise BadUsage("one camera at a time, which gives its own journal; `--watch` serves as many as come")
    options = Options(dry_run, unconfirmed_stays)
    with contextlib.ExitStack() as held:
        for place in cards if not dry_run else ():
            held.enter_context(hold(place))
        opened = [_open(place, carve, home, progress) for place in cards]
        if ports:
            docked = wired.dock(home, ports[0], opened, options, tell, _say, over_the_wire)
        else:
            journal = read_inventory(inventory, home) if inventory else None
            docked = ingest(opened, home.desk(), journal, options, tell)
    return telling.docked(docked, dry_run)


def _say(line: str) -> None:
    """A line for the person at the dock; an alarm in red."""
    clear_progress()
    click.secho(f"  {printable(line)}", err=True, fg="red" if line.startswith("ALARM") else None)


def _watch(patterns: Sequence[str], has_more: bool) -> NoReturn:
    """The bays of the pack, and what these patterns find, until somebody ends it."""
    from sealhost.cli import watching  # MQTT takes as long to load as a card takes to be listed

    if has_more:
        raise BadUsage("--watch goes with places only")
    context = click.get_current_context().find_root()
    watching.run(context.obj, patterns, context.meta.get("sealcam.json", False))
    raise click.exceptions.Exit(0)


def _open(place: str, carve: bool, home: wiring.Home, progress: Progress) -> Place:
    """The card at a place; carved, where its file system is gone."""
    if not carve:
        return open_place(place)
    progress.stage("looking at every sector")
    return Salvage(Path(place), _openers(home), lambda read, size: progress(read / (size or 1)))


def read_inventory(path: Path, home: wiring.Home) -> statements.Inventory:
    """The journal of a camera we know, its signature checked."""
    raw = path.read_bytes()
    label = statements.INVENTORY.encode() + b"\0"
    point = home.device_point(raw[len(label) : len(label) + 32]) if raw.startswith(label) else None
    if point is None:
        raise BadStatement(f"{path} is not the inventory of a camera of ours")
    return statements.read_inventory(raw, point)


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--inventory",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The camera's signed journal.",
)
@click.option("--carve", is_flag=True, help="The file system is gone: look at every sector.")
@click.option("--jobs", default=1, show_default=True, help="Processes to share the work.")
@answers
def verify(files: tuple[str, ...], inventory: Path | None, carve: bool, jobs: int) -> Answer:
    """Judge recordings, and show one mark a chunk.

    A FILE is a part of a recording, a card (folder, device, image) or a stored body. Marks: `.` signed for,
    `,` proved by its tag only, `!` altered, `-` missing, `~` torn, `|` the signed end. Under a recording
    without an end stands what the camera itself says of it: in the head of a later file, or in its journal.
    The exit code is that of the worst: 0 intact, 21 cut short, 22 not judged, 20 altered.

    \b
    Example:
      sealcam --home ~/sealcam verify /mnt/card
      sealcam --home ~/sealcam verify 0c6b6f2a-0000000003-0000.skr
    """
    home, progress = wiring.home(), Progress("verifying")
    openers = _openers(home)
    places = [_open(file, True, home, progress) for file in files] if carve else []
    groups = group([part for place in places for part in place.parts()] or _parts(files), openers)
    if not groups:
        raise NotFound("a recording in " + ", ".join(files))
    judgements = [_judged(parts, openers, home, jobs, progress) for parts in groups]
    journal = read_inventory(inventory, home) if inventory else None
    said = words.words(judgements, journal)
    judgements = words.settle(judgements, journal)
    found = [_shown(parts, j, said) for parts, j in zip(groups, judgements, strict=True)]
    return Answer(
        {"recordings": found},
        [line for one in found for line in _lines(one)],
        worst([j.verdict for j in judgements]).exit_code,
    )


def _shown(parts: Sequence[Part], judgement: Judgement, said: dict[bytes, Word]) -> dict[str, Any]:
    line, word = score.strip(judgement, name_of(parts, judgement)), said.get(bytes.fromhex(judgement.name))
    return {
        **score.as_json(judgement),
        "line": line,
        "word": told(word),
        "files": [part.name for part in parts],
    }


def _lines(shown: dict[str, Any]) -> list[str]:
    """The strip, and under what has no end what the camera says of it."""
    return [shown["line"], *([f"{'':14}{shown['word']}"] if shown["verdict"] == "cut_short" else [])]


def told(word: Word | None) -> str:
    """The camera's word on a recording, in words."""
    if word is None:
        return "the camera has not had its word on it yet"
    where = "the camera's journal" if word.source == "journal" else "the head of a later file"
    state = {STATE_ENDED: "ended with", STATE_CUT: "cut; last signed for"}.get(
        word.state, "spent on nothing, at"
    )
    return f"{where} says: {state} chunk {word.last_index}"


def _openers(home: wiring.Home) -> list[Opener]:
    """The vault's verify key, or in the evidence office the evidence key."""
    return list(home.openers("verify" if config.VAULT in home.config.packs else "evidence"))


def _parts(files: Sequence[str]) -> list[Part]:
    """A sealed file stands for itself; whatever else is there is looked at as a card."""
    found: list[Part] = []
    for file in files:
        lone = [file_part(file)] if Path(file).is_file() else []
        found += lone if group(lone) else open_place(file).parts()
    return found


def _secrets(parts: Sequence[Part], home: wiring.Home) -> dict[str, Any]:
    """A stored body has no slots: what opens it lies in the key table, if it is ours."""
    core = read_core(parts[0])
    if core is None or config.VAULT not in home.config.packs:
        return {}
    head = bytearray(core.block_size)
    parts[0].read_into(0, memoryview(head))
    if any(head[SLOT_AREA:]):
        return {}
    try:
        role, payload = secret_in(core, home.keytables.get(core.h_core), home.openers("verify"))
    except NotFound:
        return {}
    return {"secret" if role == ROLE_OPEN else "verify_secret": payload}


def _judged(
    parts: Sequence[Part], openers: Sequence[Opener], home: wiring.Home, jobs: int, progress: Progress
) -> Judgement:
    whole = sum(part.size for part in parts) or 1
    return judge(
        parts,
        openers,
        device_point=home.device_point,
        jobs=jobs,
        progress=lambda read, _: progress(read / whole),
        **_secrets(parts, home),
    )


def name_of(parts: Sequence[Any], judgement: Judgement) -> str:
    """What a person calls it: the file, without the part's number where there are several."""
    name = printable(Path(parts[0].name).name)
    return f"{name} +{len(parts) - 1}" if len(parts) > 1 else name


@click.command("prove-encrypted", short_help="Say whether a card is sealed.")
@click.argument("places", metavar="CARD...", nargs=-1, required=True)
@answers
def prove_encrypted(places: tuple[str, ...]) -> Answer:
    """Say whether a card is sealed: `sealed and proved`, `not encrypted` with the reason, or `cannot tell`.

    Only what our keys prove is called sealed; nothing is ever called encrypted because it looks random. It
    looks for the marks of media files and for XOR keys that repeat. Exit code 0, 11 or 12.

    \b
    Example:
      sealcam --home ~/sealcam prove-encrypted /mnt/card
    """
    home, progress = wiring.home(), Progress("looking")
    openers, findings = _openers(home), []
    for place in map(open_place, places):
        groups = group(place.parts(), openers)
        judged = [(p, _judged(p, openers, home, 1, progress)) for p in groups]
        named = [(name_of(p, j), j) for p, j in judged]
        findings += proving.prove(named, place.strangers(), progress)
    lines = [f"{finding.answer.value}: {printable(finding.name)}: {finding.reason}" for finding in findings]
    data = [{"name": f.name, "answer": f.answer.value, "reason": f.reason} for f in findings]
    return Answer(
        {"findings": data}, lines or ["cannot tell: there is no file on it"], proving.exit_code(findings)
    )


COMMANDS = (dock, verify, prove_encrypted)
