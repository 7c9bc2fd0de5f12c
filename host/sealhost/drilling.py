"""The opening drill: every trial recording under the newest key list, opened by evidence key and by escrow.

What was opened by both is said so in two statements by the release key, for the camera that made it; until a
camera has them it seals for the list before. docs/format/statements.md, Newer lists.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sealhost import keys, statements
from sealhost.errors import BadStatement, EnrolmentRefused, SealcamError
from sealhost.keys import SoftKey
from sealhost.layout import KIND_RECORDING, ROLE_OPEN
from sealhost.records import Recording, Verdict
from sealhost.viewing import Room, proved

_BOTH = EVIDENCE, ESCROW = 1, 2  # `opened_by` of a drill statement
_MAGIC = b"SKDRILL1"


@dataclass(frozen=True)
class Opened:
    """One trial, opened twice; or why it was not."""

    recording: Recording
    raw: bytes = b""
    trouble: str = ""


def waiting(rows: Iterable[Recording], version: int, drilled: Callable[[bytes], int]) -> list[Recording]:
    """Stored recordings under this list of cameras that seal for an older one: their trials.

    `drilled` is the list a camera seals for, as the register knows it.
    """
    return [
        row
        for row in rows
        if row.keylist == version and row.kind == KIND_RECORDING and drilled(row.device_id) < version
    ]


def drill(
    trials: Iterable[Recording], version: int, room: Room, escrow: SoftKey, release: SoftKey
) -> list[Opened]:
    """Open each by every means that must work; what fails is told and has no statement."""
    opened = []
    for row in trials:
        try:
            _open_twice(row, room, escrow)
        except SealcamError as trouble:
            opened.append(Opened(row, trouble=str(trouble)))
            continue
        about = {"device_id": row.device_id, "keylist": version, "h_core": row.h_core}
        made = [statements.make(statements.DRILL, release, opened_by=by, **about) for by in _BOTH]
        opened.append(Opened(row, _MAGIC + b"".join(made)))
    return opened


def _open_twice(row: Recording, room: Room, escrow: SoftKey) -> None:
    """The stored copy, whole, by the evidence key in use; the same secret by escrow."""
    _, judgement, secret = proved(row, room)
    if judgement.verdict is not Verdict.INTACT or judgement.core is None:
        raise EnrolmentRefused("the trial recording", judgement.reason or judgement.verdict.value)
    area: Any = room.keytables.get(row.h_core).slot_area
    role, other = keys.open_area(escrow, judgement.core, area)
    if role != ROLE_OPEN or other != secret:
        raise EnrolmentRefused("the trial recording", "evidence key and escrow key open different secrets")


def read(raw: bytes, point: bytes) -> tuple[bytes, int, bytes]:
    """(camera, key list, h_core) of a drill file by the release key; BadStatement or BadSignature."""
    size = statements.size_of(statements.DRILL)
    if raw[:8] != _MAGIC or len(raw) != 8 + 2 * size:
        raise BadStatement("it does not hold two drill statements")
    said = [statements.read(statements.DRILL, raw[at : at + size], point) for at in (8, 8 + size)]
    about = {(one.device_id, one.keylist, one.h_core) for one in said}
    if len(about) != 1 or tuple(one.opened_by for one in said) != _BOTH:
        raise BadStatement("it does not say that evidence key and escrow have opened one recording")
    device_id, version, h_core = about.pop()
    return bytes(device_id), int(version), bytes(h_core)
