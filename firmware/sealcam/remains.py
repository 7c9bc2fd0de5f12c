"""What stands on the card of each recording: its parts by their heads, the tag at an index; and how a part
goes.

Reads heads and the outside of chunks, and holds no key: it finds what a receipt names, and proves nothing.
"""

import struct

from sealcam.crypto import sha256
from sealcam.errors import CardFault
from sealcam.layout import (
    CHUNK_FIELDS,
    CHUNK_MAGIC,
    CORE_SIZE,
    MAGIC,
    TAG_SIZE,
    block_size,
    clear,
    unpack_core,
)

_SECTOR = 512
_COPIES = (0, 2048, 4096, 16384)  # where a head may lie
_HEADS = 2 * 16384  # wherever heads and slot areas of a part lie, they lie before this
_PIECE = 2048


class Found:
    """One recording on the card: what its head says, its parts in order of their chunks, and its end."""

    def __init__(self, fields):
        self.device_id, self.seq = fields["device_id"], fields["sequence"]
        self.recording_id, self.chunk_size = fields["recording_id"], fields["chunk_size"]
        self.names = []
        self.tag = None  # stored at the index that was asked for
        self.goes_on = False  # more than one chunk stands behind it


def cores(card, name: str) -> set:
    """The cores of a file's heads, at most two; empty where none has the magic."""
    found, size = set(), card.size_of(name)
    part = card.open(name)
    try:
        for at in _COPIES:
            sector = _read(part, at, _SECTOR) if at + _SECTOR <= size else b""
            if sector[: len(MAGIC)] == MAGIC:
                found.add(sector[:CORE_SIZE])
                if len(found) == 2 or at:
                    break
    finally:
        part.close()
    return found


def _read(part, at, size):
    buffer = bytearray(size)
    if part.read_at(at, buffer) != size:
        raise CardFault
    return bytes(buffer)


def find(card, wanted) -> dict:
    """{H(core): Found} of those `wanted` that stand on the card, whatever their names."""
    found = {}
    for name in card.list():
        if name.lower().endswith(".rcp"):
            continue
        for core in cores(card, name):
            h_core, fields = sha256(core), unpack_core(core)
            if fields is not None and h_core in wanted:
                found.setdefault(h_core, Found(fields)).names.append(name)
    return found


def own_numbers(card, device_id: bytes) -> dict:
    """{sequence: [names]} of everything on the card that bears our own head."""
    found = {}
    for name in card.list():
        for core in cores(card, name):
            fields = unpack_core(core)
            if fields is not None and fields["device_id"] == device_id:
                names = found.setdefault(fields["sequence"], [])
                if name not in names:
                    names.append(name)
    return found


def look_at_end(card, found: Found, index: int) -> None:
    """Read the stored tag at `index`, and whether it goes on behind it; parts are put in order.

    One chunk head behind the end may be that of the chunk in flight when the power went; two are a later end.
    """
    parts = sorted([(_first_index(card, found, name), name) for name in found.names])
    found.names = [name for _, name in parts]
    found.tag = _chunk(card, found, parts, index)
    behind = [_chunk(card, found, parts, index + ahead) for ahead in (1, 2)]
    found.goes_on = None not in behind


def _first_index(card, found, name):
    return _chunk_at(card, found, name, 0)[0]


def _chunk(card, found, parts, index):
    """The stored tag of chunk `index`, None if it is not where it belongs."""
    for first, name in parts:
        if 0 < first <= index:
            stated, tag = _chunk_at(card, found, name, index - first)
            if stated == index:
                return tag
    return None


def _chunk_at(card, found, name, position):
    """(index, tag) of what stands at a chunk position of a part; (0, None) for no chunk of this recording."""
    at = 2 * block_size(found.chunk_size) + position * found.chunk_size
    if at + found.chunk_size > card.size_of(name):
        return 0, None
    part = card.open(name)
    try:
        head = _read(part, at, struct.calcsize(CHUNK_FIELDS))
        magic, _, _, _, index, short_id, _, _ = struct.unpack(CHUNK_FIELDS, head)
        if magic != CHUNK_MAGIC or short_id != found.recording_id[:8]:
            return 0, None
        return index, _read(part, at + found.chunk_size - TAG_SIZE, TAG_SIZE)
    finally:
        part.close()


def overwrite_heads(card, name: str) -> int:
    """Zeros over both heads and slot areas, read back; answers the sector the first lies in, 0 where no
    block was written (a file system that keeps its files elsewhere).

    A cut in between leaves a file of which some heads are gone: nothing of it can be opened once both are.
    """
    zeros = memoryview(bytearray(_PIECE))
    clear(zeros)
    size, card.blocks.newest = min(card.size_of(name), _HEADS), 0
    part = card.open(name)
    try:
        part.write_at(0, zeros[: min(_SECTOR, size)])  # alone, for then the newest write is where it lies
        first = card.blocks.newest
        for at in range(_SECTOR, size, _PIECE):
            part.write_at(at, zeros[: min(_PIECE, size - at)])
        part.flush()
    finally:
        part.close()
    return first


def blank_names(card) -> list:
    """Names of files that begin with a sector of zeros: a wipe has begun there, or nothing was ever written.
    """
    names = []
    for name in card.list():
        if card.size_of(name) >= _SECTOR:
            part = card.open(name)
            try:
                if not any(_read(part, 0, _SECTOR)):
                    names.append(name)
            finally:
                part.close()
    return names
