"""One recording: read once, judged while its body goes to every store, then settled. Nothing on the card
changes here.
"""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from sealhost import layout, score
from sealhost.desk import Desk
from sealhost.errors import InternalFault
from sealhost.records import Core, Judgement, KeyRow, Part, ReceiptEntry, Recording
from sealhost.verify import judge


@dataclass
class Taking:
    """What is known of one recording while its card is docked. `place` is the card it lies on."""

    place: Any
    parts: Sequence[Part]
    judgement: Judgement
    body: bytes = b""  # digest of the body, once it is in every store
    size: int = 0
    reading: Future[Any] | None = None  # of every copy, past the cache; begun once it is in every store
    stored_at: int = 0  # what custody says: an audit that builds the catalogue anew says the same
    copies: int = 0  # of the body, read back past the cache
    slot_copies: int = 0
    fate: str = "judged"  # then: stored, quarantined, kept; at last: wiped
    why: str = ""
    quarantine: bytes = b""
    stays: str = ""  # why it stays on the card, where it does
    release: str = ""  # hex of the evidence office's release, where there is one
    files: tuple[str, ...] = field(default=())

    @property
    def core(self) -> Core:
        """The core of a recording that proved; whoever asks has seen a verdict that may be stored."""
        if self.judgement.core is None:
            raise InternalFault("a recording without a head was to be stored")
        return self.judgement.core

    @property
    def h_core(self) -> bytes:
        return self.judgement.core.h_core if self.judgement.core else b""

    @property
    def device_id(self) -> bytes:
        return self.judgement.core.device_id if self.judgement.core else b""

    @property
    def sequence(self) -> int:
        return self.judgement.core.sequence if self.judgement.core else 0

    @property
    def kind(self) -> int:
        return self.judgement.core.kind if self.judgement.core else 0

    @property
    def may_be_receipted(self) -> bool:
        """Stored and read back, or released by the evidence office."""
        return self.fate == "stored" or bool(self.release)

    @property
    def strip(self) -> str:
        return score.strip(self.judgement)


class _Counted:
    """Feeds a draft and counts."""

    def __init__(self, draft: Any) -> None:
        self.draft, self.size = draft, 0

    def write(self, view: memoryview) -> None:
        self.draft.write(view)
        self.size += len(view)


def take(place: Any, parts: Sequence[Part], desk: Desk, dry_run: bool, progress: Any) -> Taking:
    """Judge a recording in one pass over the card; what it proves is written to every store as it goes.

    A body that was committed and turns out to belong in quarantine after all is bytes that nothing refers to.
    """
    files = tuple(part.name for part in parts)
    if dry_run:
        judgement = judge(parts, desk.openers, device_point=desk.device_point, progress=progress)
        return Taking(place, parts, judgement, files=files)
    draft = desk.vault.draft()
    counted = _Counted(draft)
    try:
        judgement = judge(
            parts, desk.openers, device_point=desk.device_point, take=counted.write, progress=progress
        )
        body = draft.commit() if judgement.verdict.may_store else b""
    finally:
        draft.discard()  # nothing is left of it unless it was committed
    return Taking(place, parts, judgement, body, counted.size, files=files)


def keep(taking: Taking, desk: Desk) -> None:
    """To the vault or to quarantine, for good; every copy is read back past the cache."""
    if taking.judgement.verdict.may_store:
        _store(taking, desk)
    else:
        _quarantine(taking, desk)


def _store(taking: Taking, desk: Desk) -> None:
    judgement, core = taking.judgement, taking.core
    if reason := _knows_better(taking, desk):
        taking.fate, taking.why, taking.stays = "kept", reason, reason
        desk.note("card.kept", core.name, reason=reason)
        return
    row = KeyRow(core.h_core, core.device_id, core.sequence, core.recording_id, judgement.slot_area or b"")
    desk.note(
        "recording.verified",
        core.name,
        verdict=judgement.verdict.name,
        last_index=judgement.last_index,
        confirmed=int(judgement.confirmed),
    )
    desk.keytables.insert(row)
    number = desk.note("recording.stored", core.name, body=taking.body.hex())
    taking.stored_at = desk.custody.entry(number).at
    taking.copies = len(taking.reading.result() if taking.reading else desk.vault.read_back(taking.body))
    taking.slot_copies = desk.keytables.read_back(row)
    desk.note("recording.readback", core.name, copies=taking.copies, slot_copies=taking.slot_copies)
    desk.catalogue.put(recording_of(taking, desk))
    taking.fate = "stored"


def sealed_ms(body: Part, judgement: Judgement) -> int:
    """Milliseconds from the start to the sealing of the last proved chunk of a body: where the recording
    ends.
    """
    core = judgement.core
    if core is None or not judgement.last_index:
        return 0
    header = bytearray(layout.CHUNK_HEADER)
    body.read_into(2 * core.block_size + (judgement.last_index - 1) * core.chunk_size, memoryview(header))
    return int(layout.HEADER.parse(bytes(header)).ms)


def _knows_better(taking: Taking, desk: Desk) -> str:
    """Why this copy may not replace what is stored already: the card shows less than it once did."""
    stored = desk.catalogue.get(taking.h_core)
    if stored is None or stored.last_index <= taking.judgement.last_index:
        return ""
    return f"the vault holds {stored.last_index} chunks of it, the card shows {taking.judgement.last_index}"


def recording_of(taking: Taking, desk: Desk) -> Recording:
    """The row of the catalogue."""
    judgement, core, totals = taking.judgement, taking.core, taking.judgement.totals
    return Recording(
        h_core=core.h_core,
        device_id=core.device_id,
        sequence=core.sequence,
        recording_id=core.recording_id,
        kind=core.kind,
        start_utc_ms=core.start_utc_ms,
        duration_ms=sealed_ms(desk.vault.open(taking.body), judgement),
        verdict=judgement.verdict,
        confirmed=judgement.confirmed,
        ended=judgement.ended,
        marks=taking.strip,
        signed_to=judgement.signed_to,
        last_index=judgement.last_index,
        last_tag=judgement.last_tag,
        size=taking.size,
        body_sha256=taking.body,
        copies=taking.copies,
        slot_copies=taking.slot_copies,
        stored_at=taking.stored_at,
        keylist=core.keylist,
        clock_source=core.clock_source,
        pictures=totals.pictures,
        dropped=totals.dropped,
        muted_ms=totals.muted_ms,
        reason=judgement.reason,
    )


def _quarantine(taking: Taking, desk: Desk) -> None:
    judgement = taking.judgement
    taking.quarantine = desk.quarantine.keep(taking.parts, judgement)
    desk.note(
        "recording.quarantined",
        judgement.name,
        verdict=judgement.verdict.name,
        place=-1 if judgement.place is None else judgement.place,
        sha256=taking.quarantine.hex(),
    )
    taking.fate, taking.why = "quarantined", judgement.reason
    taking.stays = "in quarantine until the evidence office releases it"
    statement = desk.quarantine.statement(desk.quarantine.get(taking.quarantine))
    if statement is not None and judgement.core is not None:
        taking.release, taking.stays = statement.hex(), ""
        taking.copies = taking.slot_copies = desk.quarantine.copies


def entry_of(taking: Taking) -> ReceiptEntry:
    """What the receipt will say of it."""
    judgement, core = taking.judgement, taking.core
    return ReceiptEntry(
        sequence=core.sequence,
        recording_id=core.recording_id,
        h_core=core.h_core,
        last_index=judgement.last_index,
        last_tag=judgement.last_tag,
        verdict=judgement.verdict,
        ended=judgement.ended,
        copies=taking.copies,
        slot_copies=taking.slot_copies,
        body_sha256=taking.body or taking.quarantine,
    )


__all__ = ["Taking", "entry_of", "keep", "recording_of", "sealed_ms", "take"]
