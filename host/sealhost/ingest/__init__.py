"""One docking: every recording off the cards, proved, stored twice and read back; only then a receipt, and
only then the wipe.

Resumable: killed anywhere and run again, it ends in the same state. It holds keys that verify, never one that
opens a recording.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from sealhost import words
from sealhost.consent import Beside, is_in_camera, settle
from sealhost.desk import Desk, Tell, tell_nobody
from sealhost.ingest.emptying import Options, empty
from sealhost.ingest.logs import Log, find_gaps, read_logs
from sealhost.ingest.shelves import shelved
from sealhost.ingest.taking import Taking, keep, sealed_ms, take
from sealhost.records import Judgement, Part, Receipt, Verdict, Word
from sealhost.verify import group, judge
from sealhost.wiping import Wiped, carry_out


@dataclass
class Docked:
    """What became of it all."""

    takings: list[Taking] = field(default_factory=list)
    logs: list[Log] = field(default_factory=list)
    gaps: dict[bytes, list[range]] = field(default_factory=dict)  # device id: numbers nobody accounts for
    receipts: list[Receipt] = field(default_factory=list)
    wipes: list[Wiped] = field(default_factory=list)
    resumed: list[Wiped] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    unknown: list[bytes] = field(default_factory=list)  # device ids this vault does not know
    told: Any = None  # docking.Told: what a camera on the line told, and was told
    charging: bool = False  # as far as its board knows


def ingest(
    places: Sequence[Any],
    desk: Desk,
    inventory: Any = None,
    options: Options = Options(),  # noqa: B008 - frozen
    tell: Tell = tell_nobody,
    beside: Beside | None = None,
) -> Docked:
    """Take every recording off the cards; wipe only what is safely stored, and of the camera that is beside
    them only what it agrees to.
    """
    docked = Docked()
    for place in places:
        _arrive(place, desk, options, docked, tell)
    if beside is not None and not options.dry_run:
        _settle(places, beside, desk, docked, tell)
    reading = ThreadPoolExecutor(1)
    try:
        for place in places:
            docked.takings += _take_all(place, desk, options, tell, reading)
        _hear_words(docked.takings, inventory, desk)
        if options.dry_run:
            return docked
        _report_forks(docked.takings, desk)
        for number, taking in enumerate(docked.takings):
            tell("reading both copies back", number / len(docked.takings))
            keep(taking, desk)
    finally:
        reading.shutdown(cancel_futures=True)
    if docked.takings:
        tell("stored twice", 1.0)
    docked.logs = read_logs(docked.takings, desk, beside)
    docked.gaps = find_gaps(docked.takings, inventory, desk)
    _empty(docked, desk, options, tell, beside)
    desk.custody.witness()
    return docked


def _settle(places: Sequence[Any], beside: Beside, desk: Desk, docked: Docked, tell: Tell) -> None:
    """What the camera owes of dockings that were cut."""
    docked.resumed += settle(beside, desk, tell)
    for place in filter(is_in_camera, places):
        place.look_again()  # a wipe that was taken up may have emptied it


def _empty(docked: Docked, desk: Desk, options: Options, tell: Tell, beside: Beside | None) -> None:
    """Sign for what is stored, camera by camera, and wipe what may go."""
    ours = [taking for taking in docked.takings if taking.may_be_receipted]
    for device_id in dict.fromkeys(taking.device_id for taking in ours):
        own = [taking for taking in ours if taking.device_id == device_id]
        signed, wiped = empty(own, desk, options, tell, beside)
        docked.receipts += signed
        docked.wipes += wiped
    if docked.wipes:
        tell("wiped", 1.0)


def _arrive(place: Any, desk: Desk, options: Options, docked: Docked, tell: Tell) -> None:
    """Note the card, and finish what a kill left unfinished on it."""
    docked.strangers += [part.name for part in place.strangers()]
    if options.dry_run:
        return
    desk.note("card.seen", place.serial.hex())
    if is_in_camera(place):
        return  # what is left of a wipe there is the camera's word to give
    docked.resumed += [carry_out(plan, place, desk, {}, tell) for plan in desk.wipebook.pending(place.serial)]


def _take_all(
    place: Any, desk: Desk, options: Options, tell: Tell, reading: ThreadPoolExecutor
) -> list[Taking]:
    """Take what is on a card; while one recording is taken, the copies of those before are read back."""
    groups = group(place.parts(), desk.openers)
    whole = sum(part.size for parts in groups for part in parts) or 1
    done, takings = 0, []
    for parts in groups:

        def progress(read: int, _total: int, before: int = done) -> None:
            tell(f"verifying and storing {place.name}", (before + read) / whole)

        taking = take(place, parts, desk, options.dry_run, progress)
        if taking.body:
            taking.reading = reading.submit(desk.vault.read_back, taking.body)
        takings.append(taking)
        done += sum(part.size for part in parts)
        _let_go(parts)
    return takings


def _let_go(parts: Sequence[Part]) -> None:
    """Give files back; they are opened again when they are looked at again."""
    for part in parts:
        if close := getattr(part, "close", None):
            close()


def _hear_words(takings: Sequence[Taking], inventory: Any, desk: Desk) -> None:
    """The camera's word on each recording, from its inventory or the heads of later files; then forks."""

    known = [taking.judgement for taking in takings]
    held = shelved(takings, desk)

    def again(number: int, word: Word) -> Judgement:
        if number >= len(takings):
            return held[number - len(takings)]
        return judge(takings[number].parts, desk.openers, device_point=desk.device_point, word=word)

    settled = words.settle(known + held, inventory, again)
    for taking, judgement in zip(takings, settled, strict=False):
        taking.judgement = _as_heard_before(judgement, desk)


def _as_heard_before(judgement: Judgement, desk: Desk) -> Judgement:
    """A word that was heard at an earlier docking is not forgotten when the file that bore it was wiped."""
    stored = desk.catalogue.get(judgement.core.h_core) if judgement.core else None
    if stored is None or judgement.verdict is not Verdict.CUT_SHORT or not stored.confirmed:
        return judgement
    same = (stored.last_index, stored.last_tag) == (judgement.last_index, judgement.last_tag)
    return replace(judgement, confirmed=True) if same else judgement


def _report_forks(takings: Sequence[Taking], desk: Desk) -> None:
    """Two cores under one number: the camera may not go on until somebody has looked (M16)."""
    split = words.forks(taking.judgement for taking in takings)
    for taking in takings:
        stored = desk.catalogue.of_sequence(taking.device_id, taking.sequence) if taking.device_id else None
        if taking.h_core in split or (stored and stored.h_core != taking.h_core):
            taking.judgement = words.forked(taking.judgement)
            desk.note(
                "fork.found", taking.h_core.hex(), sequence=taking.sequence, device=taking.device_id.hex()
            )
            desk.suspend(taking.device_id)


__all__ = ["Docked", "Log", "Options", "Taking", "ingest", "sealed_ms"]
