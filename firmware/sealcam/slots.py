"""Wrap a recording's keys for its readers, ahead of time.

Makes secrets, slot areas and the pool they wait in. Never touches the card: laying the slots into a head
block is somebody else's work (`layout.pack_head`), and a ready secret is never stored.
"""

import struct

from sealcam.crypto import hkdf_expand, sha256
from sealcam.errors import FormatFault, OutOfOrder
from sealcam.hpke import HpkeJob
from sealcam.layout import (
    ALGORITHM_HPKE,
    LABEL_SLOT,
    LABEL_VERIFY,
    MAX_SLOTS,
    ROLE_OPEN,
    ROLE_VERIFY,
    SLOT_FIELDS,
    SLOT_INFO_FIELDS,
    SLOT_SIZE,
    SLOTS_AT,
    SUITE,
    clear,
)

_ZEROS = bytes(SLOT_SIZE)


class Ready:
    """A secret that waits for its recording: serves one header, once."""

    def __init__(self, secret, recording_id, slot_area, slot_digest, keylist_version, kind):
        self.secret = secret
        self.recording_id = recording_id
        self.slot_area = (
            slot_area  # four slots, 768 bytes; the rest of the area, up to the block's end, is zeros
        )
        self.slot_digest = slot_digest  # of the whole area
        self.keylist_version = keylist_version
        self.kind = kind

    def forget(self) -> None:
        """Overwrite the secret as far as the interpreter lets us."""
        clear(memoryview(self.secret))


class SlotMaker:
    """Makes ready secrets for one key list; `rand(n) -> bytes` is the generator.

    `more(kind) -> [(role, point)]` names who reads besides those of the list: the wearer, if any.
    """

    def __init__(self, keylist, device_id: bytes, rand, more=None):
        self._keylist = keylist
        self._device_id = bytes(device_id)
        self._rand = rand
        self._more = more

    def job(self, kind: int, block_size: int) -> "ReadyJob":
        """`block_size` is B of the file's chunk size (`layout.block_size`)."""
        more = self._more(kind) if self._more else []
        return ReadyJob(self._keylist, self._device_id, self._rand, kind, block_size, more)


class ReadyJob:
    """Draw one secret and wrap it, in slices to be run between two chunks."""

    def __init__(self, keylist, device_id, rand, kind, block_size, more=()):
        self._recipients = keylist.recipients(kind) + list(more)
        if not 0 < len(self._recipients) <= MAX_SLOTS or block_size < SLOTS_AT + MAX_SLOTS * SLOT_SIZE:
            raise ValueError
        self._version, self._device_id, self._rand = keylist.version, device_id, rand
        self._kind, self._block_size = kind, block_size
        self._secret, self._recording_id = bytearray(rand(32)), bytes(rand(16))
        if len(self._secret) != 32 or len(self._recording_id) != 16:
            raise ValueError  # a generator that gives less than it was asked for
        self._area = bytearray(MAX_SLOTS * SLOT_SIZE)
        self._count = 0
        self._work = None
        self.ready = None

    def step(self) -> bool:
        """Run one slice; True when `ready` is there. OutOfOrder after that."""
        if self.ready is not None:
            raise OutOfOrder  # one job, one secret
        if self._count == len(self._recipients):
            self._finish()
        elif self._work is None:
            self._start_slot()
        elif self._work.step():
            self._keep_slot()
        return self.ready is not None

    def _start_slot(self):
        role, point = self._recipients[self._count]
        payload = self._secret if role == ROLE_OPEN else hkdf_expand(self._secret, LABEL_VERIFY, 32)
        info = slot_info(role, self._kind, self._device_id, self._recording_id, sha256(point))
        self._work = HpkeJob(point, info, bytes(payload), self._rand)

    def _keep_slot(self):
        role, point = self._recipients[self._count]
        enc, sealed = self._work.enc, self._work.sealed
        if len(enc) != 65 or len(sealed) != 48:
            raise FormatFault
        at = self._count * SLOT_SIZE
        struct.pack_into(
            SLOT_FIELDS, self._area, at, role, ALGORITHM_HPKE, self._version, sha256(point), enc, sealed
        )
        self._work = None
        self._count += 1

    def _finish(self):
        found = parse_slots(self._area)
        stated = [(role, sha256(point)) for role, point in self._recipients]
        if [(slot[0], slot[2]) for slot in found] != stated:
            raise FormatFault  # what was made is not what was asked for: nobody could open it
        digest = sha256(*_area_pieces(self._area, self._block_size))
        self.ready = Ready(self._secret, self._recording_id, self._area, digest, self._version, self._kind)


def _area_pieces(area, block_size):
    """The slot area of a block piece by piece: it is mostly zeros, and there is no room to hold them."""
    yield area
    left = block_size - SLOTS_AT - len(area)
    while left >= SLOT_SIZE:
        yield _ZEROS
        left -= SLOT_SIZE
    yield _ZEROS[:left]


def slot_info(role: int, kind: int, device_id: bytes, recording_id: bytes, key_id: bytes) -> bytes:
    """What HPKE binds a slot to (docs/format/recording.md, section 1.2)."""
    return LABEL_SLOT + struct.pack(SLOT_INFO_FIELDS, SUITE, role, kind, device_id, recording_id, key_id)


def parse_slots(area) -> list:
    """(role, key-list version, key id, enc, sealed) of each slot; FormatFault for an area that breaks section
    1.1.
    """
    view = memoryview(area)
    slots = []
    for at in range(0, min(len(view), MAX_SLOTS * SLOT_SIZE), SLOT_SIZE):
        if not view[at]:
            break
        slot = bytes(view[at : at + SLOT_SIZE])
        role, algorithm, version, key_id, enc, sealed = struct.unpack(SLOT_FIELDS, slot)
        if (
            role not in (ROLE_OPEN, ROLE_VERIFY)
            or algorithm != ALGORITHM_HPKE
            or any(slot[2:4])
            or any(slot[153:])
        ):
            raise FormatFault
        slots.append((role, version, key_id, enc, sealed))
    if any(view[len(slots) * SLOT_SIZE :]):
        raise FormatFault  # something follows the end of the list
    return slots


class Pool:
    """Ready secrets, one for a kind. In RAM alone; dropped at boot, docking, issue and a new key list."""

    def __init__(self):
        self._ready = {}

    def offer(self, ready: Ready) -> None:
        if ready.kind in self._ready:
            raise OutOfOrder  # there is one already
        self._ready[ready.kind] = ready

    def has(self, kind: int) -> bool:
        return kind in self._ready

    def take(self, kind: int) -> "Ready | None":
        """The ready secret of this kind, which is in the pool no more; None if there is none."""
        return self._ready.pop(kind, None)

    def drop(self) -> None:
        """Forget every ready secret."""
        for ready in self._ready.values():
            ready.forget()
        self._ready.clear()
