"""Lend recordings to the evidence office: what it needs to open them leaves the key table, on the record.

The vault opens nothing here; it copies slots that are sealed to the evidence key.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from sealhost.desk import Desk
from sealhost.errors import NotFound
from sealhost.records import Device, KeyRow, Recording


def lend(
    rows: Sequence[Recording],
    desk: Desk,
    put: Callable[[Recording, KeyRow, bytes], Path],
) -> list[Path]:
    """Write a loan of each; the entry in custody is durable before the file is there (C1)."""
    return [_lend(row, desk, put) for row in rows]


def _lend(row: Recording, desk: Desk, put: Callable[[Recording, KeyRow, bytes], Path]) -> Path:
    device: Device | None = desk.register.get(row.device_id)
    if device is None:
        raise NotFound(f"the camera {row.device_id.hex()}")
    slots = desk.keytables.get(row.h_core)
    desk.note("recording.lent", row.h_core.hex(), body=row.body_sha256.hex())
    return put(row, slots, device.certificate)
