"""Prove again everything that is stored, say what does not hold, and build the catalogue anew.

Custody and the key table say what must be there; every body is read back past the cache in every place and
judged from its first byte under the vault's own key, which opens no recording. Changes nothing but the
catalogue.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sealhost import keys, layout, score, usagelog
from sealhost.desk import Desk, Tell, tell_nobody
from sealhost.errors import SealcamError
from sealhost.ingest import sealed_ms
from sealhost.records import Judgement, KeyRow, Recording
from sealhost.verify import judge, read_core, records


@dataclass
class Checked:
    """One recording: what was found, and in what it does not hold."""

    h_core: bytes
    recording: Recording | None = None
    copies: int = 0
    slot_copies: int = 0
    troubles: list[str] = field(default_factory=list)
    entries: list[bytes] = field(default_factory=list, repr=False)  # of a usage log


@dataclass
class Audited:
    """All of it. `unnamed` bodies belong to no recording: what an interrupted run leaves, harmless."""

    checked: list[Checked]
    custody_size: int
    custody_trouble: str
    differing: list[bytes]
    missing_rows: list[bytes]
    unnamed: int
    rebuilt: bool

    @property
    def exit_code(self) -> int:
        """0; 9 when custody does not hold, 5 when a copy does not."""
        if self.custody_trouble:
            return 9
        return 5 if any(one.troubles for one in self.checked) else 0


@dataclass(frozen=True)
class _Told:
    """What custody says of a stored recording."""

    body: bytes
    stored_at: int
    confirmed: bool


def run(desk: Desk, rebuild: bool = True, tell: Tell = tell_nobody) -> Audited:
    """Prove everything; with `rebuild` the catalogue is built from what was proved. Noted in custody."""
    size, trouble = _custody(desk)
    told = {} if trouble else _told(desk)
    names = sorted(set(told) | desk.keytables.names())
    checked = []
    for number, h_core in enumerate(names):
        tell(f"proving {h_core.hex()[:16]}", number / len(names))
        checked.append(_check(h_core, told.get(h_core), desk))
    rows = {one.h_core: one.recording for one in checked if one.recording is not None}
    known = {row.h_core: row for row in desk.catalogue.all()}
    differing = [name for name, row in rows.items() if name in known and not _same(known[name], row)]
    named = {one.body for one in told.values()}
    unnamed = {digest for store in desk.vault.stores for digest in store.digests()} - named
    bad = sum(bool(one.troubles) for one in checked)
    desk.note("audit.run", "", recordings=len(checked), troubled=bad, custody=int(not trouble))
    may_rebuild = rebuild and not trouble
    if may_rebuild:
        desk.catalogue.replace_all(rows.values(), _logs(checked))
        desk.note("catalogue.rebuilt", "", recordings=len(rows))
    if not trouble:
        desk.custody.witness()
    missing = [name for name in rows if name not in known]
    return Audited(checked, size, trouble, differing, missing, len(unnamed), may_rebuild)


def _custody(desk: Desk) -> tuple[int, str]:
    """(entries, what does not hold)."""
    try:
        return desk.custody.verify().size, ""
    except SealcamError as broken:
        return desk.custody.size(), str(broken)


def _told(desk: Desk) -> dict[bytes, _Told]:
    """The newest word of custody on every stored recording."""
    told: dict[bytes, _Told] = {}
    confirmed: set[str] = set()
    for entry in desk.custody.entries():
        if entry.event == "recording.verified" and entry.detail.get("confirmed"):
            confirmed.add(entry.subject)
        if entry.event == "recording.stored":
            body = bytes.fromhex(str(entry.detail["body"]))
            told[bytes.fromhex(entry.subject)] = _Told(body, entry.at, False)
    return {name: _Told(one.body, one.stored_at, name.hex() in confirmed) for name, one in told.items()}


def _check(h_core: bytes, told: _Told | None, desk: Desk) -> Checked:
    """Copies, slots and every chunk of one recording; a trouble in one does not hide the others."""
    checked = Checked(h_core)
    row = _caught(checked, partial(_slots, checked, h_core, desk))
    if told is None:
        checked.troubles.append("its slots are kept, and custody knows no body of it")
        return checked
    sound: list[Any] = []
    for store in desk.vault.stores:
        if _caught(checked, partial(store.read_back, told.body)) is not None:
            sound.append(store)
    checked.copies = len(sound)
    if row is not None and sound:
        _caught(checked, partial(_prove, checked, row, told, sound[0], desk))
    return checked


def _caught(checked: Checked, step: Callable[[], Any]) -> Any:
    try:
        return step()
    except SealcamError as trouble:
        checked.troubles.append(str(trouble))
        return None


def _slots(checked: Checked, h_core: bytes, desk: Desk) -> KeyRow | None:
    """The row, counted in every place."""
    row = None
    for table in desk.keytables.tables:
        found = _caught(checked, partial(table.get, h_core))
        checked.slot_copies += found is not None
        row = row or found
    return row


def _prove(checked: Checked, row: KeyRow, told: _Told, store: Any, desk: Desk) -> None:
    with store.open(told.body) as body:
        core = read_core(body)
        if core is None or core.h_core != row.h_core:
            checked.troubles.append("its body has another head")
            return
        if hashlib.sha256(row.slot_area).digest() != core.slot_digest:
            checked.troubles.append("its slots are not those it was sealed with")
        role, payload = keys.open_area_by(desk.openers, core, row.slot_area)
        secret, verify_secret = (payload, None) if role == layout.ROLE_OPEN else (None, payload)
        judgement = judge([body], secret=secret, verify_secret=verify_secret, device_point=desk.device_point)
        if not judgement.verdict.may_store:
            checked.troubles.append(f"{judgement.verdict.name.lower()}: {judgement.reason}")
        checked.recording = _recording(judgement, told, body.size, sealed_ms(body, judgement), checked)
        if core.kind == layout.KIND_LOG and role == layout.ROLE_OPEN:
            found = records([body], judgement, payload)
            checked.entries = [bytes(data) for track, _, _, data in found if track == layout.TRACK_LOG]


def _recording(
    judgement: Judgement, told: _Told, size: int, duration_ms: int, checked: Checked
) -> Recording | None:
    core, totals = judgement.core, judgement.totals
    if core is None:
        return None
    return Recording(
        h_core=core.h_core,
        device_id=core.device_id,
        sequence=core.sequence,
        recording_id=core.recording_id,
        kind=core.kind,
        start_utc_ms=core.start_utc_ms,
        duration_ms=duration_ms,
        verdict=judgement.verdict,
        confirmed=judgement.confirmed or told.confirmed,
        ended=judgement.ended,
        marks=score.strip(judgement),
        signed_to=judgement.signed_to,
        last_index=judgement.last_index,
        last_tag=judgement.last_tag,
        size=size,
        body_sha256=told.body,
        copies=checked.copies,
        slot_copies=checked.slot_copies,
        stored_at=told.stored_at,
        keylist=core.keylist,
        clock_source=core.clock_source,
        pictures=totals.pictures,
        dropped=totals.dropped,
        muted_ms=totals.muted_ms,
        reason=judgement.reason,
    )


def _same(known: Recording, row: Recording) -> bool:
    """Whether the catalogue said of it what was proved now."""
    names = ("device_id", "sequence", "verdict", "last_index", "last_tag", "body_sha256", "size", "signed_to")
    return all(getattr(known, name) == getattr(row, name) for name in names)


def _logs(checked: list[Checked]) -> dict[bytes, list[usagelog.Entry]]:
    """Every camera's log, as far as its segments are stored."""
    segments: dict[bytes, list[Checked]] = {}
    for one in checked:
        if one.recording is not None and one.entries:
            segments.setdefault(one.recording.device_id, []).append(one)
    return {device_id: list(_entries(device_id, own)) for device_id, own in segments.items()}


def _entries(device_id: bytes, segments: list[Checked]) -> Iterator[usagelog.Entry]:
    in_order = sorted(segments, key=lambda one: one.recording.sequence if one.recording else 0)
    yield from usagelog.check(device_id, [one.entries for one in in_order]).entries
