"""The files on the card as a host is told of them: names, sizes, and how far chunks reach.

Reads; writes nothing and opens nothing that is sealed. A number is a place in the sorted list of names.
"""

import struct

from sealcam.errors import CardFault, FormatFault, NoCard, UnknownFile
from sealcam.layout import CHUNK_FIELDS, CHUNK_MAGIC, CORE_SIZE, STATE_ENDED, block_size, unpack_core

_PROGRESS, _CLOSED = 2, 3  # types of journal entries: docs/format/statements.md, Inventory file
_SECTOR = 512
_BLOCKS = (0, 2048, 4096, 16384)  # where a copy of the head may stand
_CHUNK_HEAD = 32
_HEADS = 64  # looked at between two turns
_MOST_READ = 4 << 20
_LONGEST_NAME = 255


class Listing:
    """`camera` is the introduction of the parts. Holds one file open, the one that is being read."""

    def __init__(self, camera):
        self._camera = camera
        self._names, self._number, self._part = None, -1, None
        self._of = None  # the card all of it was read from

    def forget(self) -> None:
        """Whatever changes the card comes after this."""
        part, self._part, self._number = self._part, None, -1
        self._names = None
        if part is not None:
            try:
                part.close()
            except CardFault:
                pass  # it was read, not written

    def _card(self):
        card = self._camera.card
        if card is None or not card.mounted:
            raise NoCard
        if card is not self._of:
            self.forget()
            self._of = card
        return card

    def _all(self):
        if self._names is None:
            self._names = sorted(self._card().list())
        return self._names

    def entries(self):
        """The body of *list*: the card's serial, then an entry for each file."""
        card, known = self._card(), self._known()
        self.forget()
        yield card.serial
        for number, name in enumerate(self._all()):
            encoded = name.encode()
            if len(encoded) > _LONGEST_NAME:
                continue
            part = card.open(name)
            try:
                used = yield from _used(part, known)
            finally:
                part.close()
            yield struct.pack(">HQQB", number, part.size, used, len(encoded)) + encoded

    def _known(self):
        """{recording id: (whether it has an end, last index)} as the journal knows it."""
        known = {}
        if self._camera.fault is not None:
            return known  # then every file is one it does not know
        for entry in self._camera.journal.entries():
            kind, state, recording_id = entry[4], entry[5], bytes(entry[24:40])
            if kind in (_PROGRESS, _CLOSED):
                index = struct.unpack_from(">Q", entry, 40)[0]
                known[recording_id] = (kind == _CLOSED and state == STATE_ENDED, index)
        return known

    def reading(self, number: int, offset: int, length: int) -> tuple:
        """(open file, how many bytes can be read there); UnknownFile, FormatFault."""
        if not 0 < length <= _MOST_READ:
            raise FormatFault
        self._card()
        if self._part is None or number != self._number:
            self._open(number)
        if offset > self._part.size:
            raise FormatFault
        return self._part, min(length, self._part.size - offset)

    def _open(self, number):
        card, names = self._card(), self._all()
        if number >= len(names):
            raise UnknownFile
        if self._part is not None:
            self._part.close()
            self._part = None
        self._part, self._number = card.open(names[number]), number


def _used(part, known):
    """How far chunks reach in this file, in bytes from its beginning; all of it where it is no recording. A
    generator: a long look yields nothing now and then, for a sign of life (D14).
    """
    fields = _core(part)
    if fields is None:
        return part.size
    size, base = fields["chunk_size"], 2 * block_size(fields["chunk_size"])
    places = max(0, part.size - base) // size
    look = _Look(part, base, size, fields["recording_id"][:8])
    first = look.index_at(0) if places else 0
    if not first:
        return min(base, part.size)
    ended, last = known.get(fields["recording_id"], (False, 0))
    count = min(places, max(0, last - first + 1))
    if not ended:
        count = yield from look.run(first, count, places)
    return base + count * size


def _core(part):
    """The fields of the first head copy that is one of ours; None if there is none."""
    sector = bytearray(_SECTOR)
    for at in _BLOCKS:
        if at + _SECTOR <= part.size:
            if part.read_at(at, sector) != _SECTOR:
                raise CardFault
            fields = unpack_core(bytes(sector[:CORE_SIZE]))
            if fields:
                return fields
    return None


class _Look:
    """The heads of the chunks in one part."""

    def __init__(self, part, base, size, mark):
        self._part, self._base, self._size, self._mark = part, base, size, mark
        self._head = bytearray(_CHUNK_HEAD)

    def index_at(self, place):
        """The index of the chunk at a place, 0 if none of this recording stands there."""
        if self._part.read_at(self._base + place * self._size, self._head) != _CHUNK_HEAD:
            raise CardFault
        magic, _, _, _, index, mark, _, _ = struct.unpack(CHUNK_FIELDS, self._head)
        return index if magic == CHUNK_MAGIC and mark == self._mark else 0

    def run(self, first, known, places):
        """Places that hold one index after the other; the first `known` of them the journal vouches for."""
        if known < places and self.index_at(places - 1) == first + places - 1:
            return places  # full to its last place
        while known < places and self.index_at(known) == first + known:
            known += 1
            if known % _HEADS == 0:
                yield b""
        return known
