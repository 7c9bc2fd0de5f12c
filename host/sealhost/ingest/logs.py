"""Usage logs and sequence numbers: what the camera says it did, and whether every number is accounted for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sealhost import usagelog
from sealhost.consent import Beside
from sealhost.desk import Desk
from sealhost.ingest.taking import Taking
from sealhost.layout import KIND_LOG, TRACK_LOG
from sealhost.verify import open_secret, records


@dataclass(frozen=True)
class Log:
    """The chain of one camera, as far as the cards at hand show it."""

    device_id: bytes
    entries: int
    gaps: tuple[tuple[int, int], ...]
    broken_at: int | None
    reason: str


def read_logs(takings: Sequence[Taking], desk: Desk, beside: Beside | None = None) -> list[Log]:
    """Open the stored log segments with the vault's key, check their chains, and keep their entries in the
    catalogue; of the camera that is beside them also what its flash still holds.
    """
    flash = {beside.device_id: list(beside.log)} if beside and beside.log else {}
    segments: dict[bytes, list[Taking]] = {}
    for taking in sorted(takings, key=lambda t: t.sequence):
        if taking.fate == "stored" and taking.kind == KIND_LOG:
            segments.setdefault(taking.device_id, []).append(taking)
    cameras = dict.fromkeys([*segments, *flash])
    return [_read(camera, segments.get(camera, ()), flash.get(camera), desk) for camera in cameras]


def _read(device_id: bytes, segments: Sequence[Taking], flash: list[bytes] | None, desk: Desk) -> Log:
    before = usagelog.runs(desk.catalogue.log_tail(device_id))
    told = usagelog.check(device_id, before).gaps  # before now
    raw = [list(_entries(taking, desk)) for taking in segments]
    raw += [flash] if flash else []
    checked = usagelog.check(device_id, [*before, *raw])
    desk.catalogue.put_log(device_id, checked.entries)
    gaps = tuple(gap for gap in checked.gaps if gap not in told)
    log = Log(device_id, len(checked.entries), gaps, checked.broken_at, checked.reason)
    desk.note("log.read", device_id.hex(), entries=log.entries, broken_at=log.broken_at or 0)
    for after, missing in log.gaps:
        desk.note("gap.found", device_id.hex(), log_entry=after + 1, missing=missing)
    return log


def _entries(taking: Taking, desk: Desk) -> Any:
    secret = open_secret(taking.judgement, desk.openers)
    for track, _, _, payload in records(taking.parts, taking.judgement, secret):
        if track == TRACK_LOG:
            yield payload


def find_gaps(takings: Sequence[Taking], inventory: Any, desk: Desk) -> dict[bytes, list[range]]:
    """Sequence numbers up to the highest seen that neither the card, the vault, quarantine, the trial nor the
    journal accounts for, now or before: what was receipted is stored; of a void the camera tells until then.
    """
    found = {}
    told = [inventory.device_id] if inventory is not None else []
    for device_id in dict.fromkeys([t.device_id for t in takings if t.device_id] + told):
        known = set(desk.catalogue.sequences(device_id)) | set(desk.register.accounted(device_id))
        known |= set(desk.register.voids(device_id))
        known |= {case.sequence for case in desk.quarantine.cases() if case.device_id == device_id}
        known |= {t.sequence for t in takings if t.device_id == device_id}
        if inventory is not None and inventory.device_id == device_id:
            spoken_of = inventory.sequences
            known |= set(spoken_of)
            desk.register.keep_voids(device_id, [seq for seq, what in spoken_of.items() if what == "void"])
        missing = holes(sorted(known))
        if missing:
            found[device_id] = missing
            for hole in missing:
                desk.note("gap.found", device_id.hex(), first=hole.start, missing=len(hole))
    return found


def holes(numbers: Sequence[int]) -> list[range]:
    """The runs of numbers from 1 that are not there."""
    before = [0, *numbers]
    return [range(a + 1, b) for a, b in zip(before, numbers, strict=False) if b > a + 1]
