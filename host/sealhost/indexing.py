"""What only the evidence office can tell the catalogue: the description of a recording, and the place in it.

Opens recordings with the evidence key and keeps nothing of picture and sound.
"""

import json
from collections.abc import Callable
from typing import Any

from sealhost.layout import KIND_LOG, TRACK_DESCRIPTION
from sealhost.records import Recording
from sealhost.verify import records
from sealhost.viewing import Room, proved


def index(
    catalogue: Any, room: Room, again: bool = False, progress: Callable[[float], None] | None = None
) -> list[Recording]:
    """Fill in every recording that has no description yet (`again`: all of them); answers those that were."""
    waiting = [row for row in catalogue.all() if row.kind != KIND_LOG and (again or row.description is None)]
    for number, row in enumerate(waiting):
        described = _description(row, room)
        room.custody.note("recording.indexed", room.actor, row.h_core.hex())
        catalogue.describe(row.h_core, described)
        if progress:
            progress((number + 1) / len(waiting))
    if waiting:
        room.custody.witness()
    return [catalogue.get(row.h_core) for row in waiting]


def _description(row: Recording, room: Room) -> dict[str, Any]:
    """All that its description records say; a later one speaks for what an earlier one said."""
    body, judgement, secret = proved(row, room)
    described: dict[str, Any] = {}
    for track, _, _, payload in records([body], judgement, secret):
        if track == TRACK_DESCRIPTION:
            described |= _parsed(payload)
    return described


def _parsed(payload: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(payload)
    except ValueError:  # proved, so the camera wrote it so; the rest can still be found
        return {}
    return parsed if isinstance(parsed, dict) else {}
