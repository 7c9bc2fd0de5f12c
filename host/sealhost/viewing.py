"""A working copy for the evidence office: one recording to MP4, with a reason, on the record before the first
picture.

The sealed original is read and never changed. Only what proves is decrypted; a recording that was cut ends
where its last proved chunk ends, and the copy says so.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sealhost import layout
from sealhost.errors import (
    BadUsage,
    CopyDamaged,
    NotFound,
    OutputExists,
    OutputRefused,
    SealBroken,
    SealcamError,
    SlotClosed,
)
from sealhost.ingest import sealed_ms
from sealhost.keys import Opener, open_slot_as
from sealhost.records import Actor, Core, Judgement, KeyRow, Part, Recording, Verdict
from sealhost.verify import judge, read_core, records

_MIN_REASON = 3


@dataclass(frozen=True)
class Viewed:
    """What was written, and what is to be said with it."""

    path: Path
    judgement: Judgement
    rendered: Any  # media.Rendered
    end_ms: int
    note: str


@dataclass(frozen=True)
class Room:
    """What viewing needs, introduced by the doors."""

    openers: Sequence[Opener]
    actor: Actor
    vault: Any
    keytables: Any
    custody: Any
    device_point: Callable[[bytes], bytes | None]
    write_mp4: Callable[..., Any]


def view(
    recording: Recording, out: Path, reason: str, room: Room, progress: Callable[[float], None] | None = None
) -> Viewed:
    """Write `out`. The entry in custody is durable before one picture is decoded (C1); the reason itself
    stays out of it.

    Raises SlotClosed where no key here opens it, SealBroken where the stored body does not prove any more.
    """
    if len(reason.strip()) < _MIN_REASON:
        raise BadUsage('a reason is needed, in a few words: --reason "request 17"')
    if out.exists() or out.is_symlink():
        raise OutputExists(out)
    if not out.parent.is_dir():
        raise OutputRefused(out, "its folder is not there")
    body, judgement, secret = proved(recording, room)
    end_ms = sealed_ms(body, judgement)
    room.custody.note(
        "recording.viewed", room.actor, recording.h_core.hex(), last_index=judgement.last_index, to_ms=end_ms
    )
    room.custody.witness()
    note = said(recording, judgement, end_ms)
    rendered = room.write_mp4(
        records([body], judgement, secret),
        None,
        out,
        end_ms=end_ms,
        title=title(recording),
        comment=note,
        progress=progress,
    )
    return Viewed(out, judgement, rendered, end_ms, note)


def proved(recording: Recording, room: Room) -> tuple[Part, Judgement, bytes]:
    """The first copy that still proves, and what opens it; a spoilt one does not hide a whole one.

    SealBroken or NotFound where no place has one.
    """
    row = room.keytables.get(recording.h_core)
    trouble: SealcamError = NotFound(recording.body_sha256.hex())
    for store in room.vault.stores:
        try:
            body = store.open(recording.body_sha256)
            return body, *prove(body, recording, row, room.openers, room.device_point)
        except (SealBroken, NotFound, CopyDamaged) as spoilt:
            trouble = spoilt if not isinstance(trouble, SealBroken) else trouble
    raise trouble


def prove(
    body: Part,
    recording: Recording,
    row: KeyRow,
    openers: Sequence[Opener],
    device_point: Callable[[bytes], bytes | None],
) -> tuple[Judgement, bytes]:
    """The stored body, proved again from its first byte, and the secret that opens it."""
    core = read_core(body)
    if core is None or core.h_core != recording.h_core:
        raise SealBroken(recording.h_core.hex(), 0)
    secret = secret_of(core, row, openers)
    judgement = judge([body], secret=secret, device_point=device_point)
    if not judgement.verdict.may_store or judgement.last_tag != recording.last_tag:
        raise SealBroken(recording.h_core.hex(), judgement.place or 0)
    return judgement, secret


def secret_of(core: Core, row: KeyRow, openers: Sequence[Opener]) -> bytes:
    """S, from the slots that were kept apart; SlotClosed where no key here opens one."""
    role, payload = secret_in(core, row, openers)
    if role != layout.ROLE_OPEN:
        raise SlotClosed(core.name)
    return payload


def secret_in(core: Core, row: KeyRow, openers: Sequence[Opener]) -> tuple[int, bytes]:
    """What the first slot addressed to one of these keys holds, and the role our own key gives it (M12)."""
    for slot in layout.slots_of(row.slot_area):
        for opener in openers:
            if slot.recipient == opener.key_id:
                return open_slot_as(opener, core, slot)
    raise SlotClosed(core.name)


def title(recording: Recording) -> str:
    """Camera and number: nothing that says who or where."""
    return f"Sealcam {recording.device_id.hex()[:16]}/{recording.sequence}"


def said(recording: Recording, judgement: Judgement, end_ms: int) -> str:
    """The words that go with the copy."""
    name = recording.h_core.hex()
    if recording.verdict is Verdict.INTACT:
        chunks = f"all {judgement.last_index} chunks proved"
        return f"Working copy of {name}: intact, {chunks}, the end signed by the camera."
    return (
        f"Working copy of {name}: CUT SHORT. It ends at {end_ms / 1000:.3f} s, where the last proved chunk, "
        f"number {judgement.last_index}, ends; the camera signed up to chunk {judgement.signed_to}. "
        "What was filmed after that is not in it."
    )
