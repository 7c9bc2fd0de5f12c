"""Numbers and tails in flash, spent before they are used: what the camera knows of every sealed file it began.

A ring of raw sectors of entries (docs/format/statements.md, *Inventory file*). Never touches the card, a key or the
clock, and never begins anew on a failed read. A sector that has to make room is copied first: what lives in it goes
to a blank sector, is read back, gets a header that names the sector it replaces, and only then is the old one erased.
"""

import struct
from hashlib import sha256

from sealcam.errors import FlashFault, JournalFault, JournalFull, OutOfOrder
from sealcam.layout import STATE_CUT, STATE_ENDED, STATE_VOID, closing_digest

OPENED, PROGRESS, CLOSED, VOID, RECEIPTED = 1, 2, 3, 4, 5
ENTRY_SIZE = 128
_FIELDS = ">4sBB2xQQ16sQ32s16x"  # and then the check
_MAGIC, _CHECKED = b"SKJ1", 96
_HEAD_FIELDS = ">4sIIQQ68x"  # magic, number of the sector, number it replaces, next entry, next sequence
_HEAD_MAGIC = b"SKJS"
_NOTHING, _NO_ID, _NO_TAG = bytes(32), bytes(16), bytes(32)


class Unclosed:
    """A file that was opened and has no closing entry."""

    def __init__(self, seq, kind, recording_id, card_serial):
        self.seq, self.kind = seq, kind
        self.recording_id, self.card_serial = recording_id, card_serial
        self.index, self.tag = 0, _NO_TAG
        self.place = None  # ring sector that holds its newest progress


class _Sector:
    def __init__(self, number, replaces):
        self.number, self.replaces = number, replaces
        self.slot = 1  # the next free one; slot 0 is the header
        self.live = 0


class Journal:
    """`count` sectors of a `Flash` from `first_sector` on; `load` or `format` before anything else."""

    def __init__(self, flash, first_sector: int, count: int):
        self._flash, self._first, self._count = flash, first_sector, count
        self._slots = flash.sector_size // ENTRY_SIZE
        self._buffer = bytearray(ENTRY_SIZE)
        self._view = memoryview(self._buffer)
        self._copy = bytearray(ENTRY_SIZE)
        self._trusted = False

    def format(self) -> None:
        """Begin at 1: for a camera that is being enrolled, and for no other. A cut leaves one that is no journal."""
        self._trusted = False
        for place in range(self._count):
            self._flash.erase(self._first + place)
        self._forget()
        self._begin_sector(0, 0)
        self._trusted = True

    def load(self, may_be_empty: bool = False) -> None:
        """Read the ring; JournalFault if it contradicts itself or, unless it `may_be_empty`, says nothing."""
        self._trusted = False
        self._forget()
        try:
            self._find_sectors()
            self._read_sectors()
        except FlashFault:
            raise JournalFault  # a failed read never becomes an empty start
        if self._next_entry == 1 and not may_be_empty:
            raise JournalFault  # an enrolled camera has opened a file
        self._trusted = True

    def next_sequence(self) -> int:
        return self._next_sequence

    def unclosed(self) -> list:
        """What has no closing entry, log segments first, then by number."""
        return sorted(self._open.values(), key=lambda file: (file.kind != 2, file.seq))

    def newest_closing(self) -> bytes:
        """SHA-256 of the newest closing entry: the next header's `prev`. Zeros if there is none."""
        return self._closing

    def live(self) -> int:
        return sum([sector.live for sector in self._ring.values()])

    def has_room(self) -> bool:
        """Whether one more file can be opened, signed for and closed, beside those that are open."""
        return self.live() + 1 + 2 * (len(self._open) + 1) < (self._count - 1) * (self._slots - 1)

    def open_file(self, seq: int, kind: int, recording_id: bytes, card_serial: bytes) -> None:
        """Spend `seq`: written before the core is. A cut after it leaves a number to be closed, or void."""
        self._ready()
        if seq != self._next_sequence:
            raise OutOfOrder  # every number is spent once, in order
        if not self.has_room():
            raise JournalFull  # nothing may be dropped: answered like a full card
        self._append(OPENED, kind, seq, recording_id, 0, card_serial + _NO_ID)

    def progress(self, seq: int, index: int, tag: bytes) -> None:
        """What a signature that is on the card, read back, covers."""
        self._ready()
        file = self._opened(seq)
        if index < file.index:
            raise OutOfOrder
        self._append(PROGRESS, 0, seq, file.recording_id, index, tag)

    def close_file(self, seq: int, recording_id: bytes, index: int, tag: bytes, state: int) -> None:
        self._ready()
        if self._opened(seq).recording_id != recording_id or state not in (STATE_ENDED, STATE_CUT):
            raise OutOfOrder
        self._append(CLOSED, state, seq, recording_id, index, tag)

    def void(self, seq: int) -> None:
        """A number spent on nothing: no card shows a core for it."""
        self._ready()
        self._opened(seq)
        self._append(VOID, STATE_VOID, seq, _NO_ID, 0, _NO_TAG)

    def entries(self):
        """Every entry once, as 128 bytes, in order of entry number."""
        self._ready()
        found = {}
        for place, sector in self._ring.items():
            for slot in range(1, sector.slot):
                if self._read(place, slot) and self._is_entry():
                    found[self._fields()[3]] = (place, slot)
        for number in sorted(found):
            self._read(*found[number])
            if self._is_live(*found[number]):
                yield bytes(self._buffer)

    def _ready(self):
        if not self._trusted:
            raise JournalFault  # not loaded, or a write before this one failed

    def _opened(self, seq):
        if seq not in self._open:
            raise OutOfOrder  # never opened, or over
        return self._open[seq]

    # Writing

    def _append(self, kind, state, seq, recording_id, index, tag):
        self._trusted = False  # until the entry stands: after a fault only a new reading can tell
        place = self._place_with_room()
        sector = self._ring[place]
        struct.pack_into(
            _FIELDS, self._buffer, 0, _MAGIC, kind, state, self._next_entry, seq, recording_id, index, tag
        )
        self._seal()
        self._put(place, sector.slot)
        sector.slot += 1
        self._learn(place)
        self._trusted = True

    def _seal(self):
        self._view[_CHECKED:] = sha256(self._view[:_CHECKED]).digest()

    def _put(self, place, slot):
        try:
            self._flash.write(self._first + place, slot * ENTRY_SIZE, self._buffer)
        except FlashFault:
            raise JournalFault  # lost in silence, refused, or written over something

    def _place_with_room(self):
        place = self._newest_place()
        for _ in range(self._count):
            if self._ring[place].slot < self._slots:
                return place
            place = self._next_place()
        raise JournalFull

    def _newest_place(self):
        return max(self._ring, key=lambda place: self._ring[place].number)

    def _next_place(self):
        """A blank sector, or one made of what lives in the sector that has least of it; one always stays blank."""
        blank = [place for place in range(self._count) if place not in self._ring]
        if len(blank) > 1:
            self._begin_sector(blank[0], 0)
            return blank[0]
        victim = min(self._ring, key=lambda place: (self._ring[place].live, self._ring[place].number))
        if self._ring[victim].live >= self._slots - 1:
            raise JournalFull
        return self._compact(victim, blank[0])

    def _compact(self, victim, fresh):
        """A cut before the header leaves copies that are erased at the next boot; one after it, the same for `victim`."""
        waiting = bytes(self._buffer)
        old = self._ring[victim]
        slot = 1
        for source in range(1, old.slot):
            if self._read(victim, source) and self._is_entry() and self._is_live(victim, source):
                self._put(fresh, slot)
                slot += 1
        self._begin_sector(fresh, old.number)  # from here on `victim` counts for nothing
        self._ring[fresh].slot = slot
        self._ring[fresh].live = slot - 1
        for file in self._open.values():
            if file.place == victim:
                file.place = fresh
        del self._ring[victim]
        self._erase(victim)
        self._view[:] = waiting
        return fresh

    def _begin_sector(self, place, replaces):
        number = self._last_sector + 1
        struct.pack_into(
            _HEAD_FIELDS, self._buffer, 0, _HEAD_MAGIC, number, replaces, self._next_entry, self._next_sequence
        )
        self._seal()
        self._put(place, 0)
        self._last_sector = number
        self._ring[place] = _Sector(number, replaces)

    def _erase(self, place):
        try:
            self._flash.erase(self._first + place)
        except FlashFault:
            raise JournalFault  # the sector did not let go

    # Reading

    def _forget(self):
        self._ring = {}  # place in the ring -> _Sector
        self._open = {}
        self._last_sector = 0
        self._next_entry = self._next_sequence = 1
        self._closing, self._closing_number = _NOTHING, 0

    def _read(self, place, slot):
        """Read one slot into the buffer; False if it is blank."""
        self._flash.read(self._first + place, slot * ENTRY_SIZE, self._buffer)
        return self._buffer != _BLANK

    def _is_entry(self):
        return self._buffer[:4] == _MAGIC and self._checks()

    def _checks(self):
        return self._view[_CHECKED:] == sha256(self._view[:_CHECKED]).digest()

    def _fields(self):
        return struct.unpack_from(_FIELDS, self._buffer)

    def _find_sectors(self):
        """Sectors with a header, less those that a later one replaces; the rest are made blank again."""
        for place in range(self._count):
            self._read(place, 0)
            if self._buffer[:4] == _HEAD_MAGIC and self._checks():
                _, number, replaces, entry, seq = struct.unpack_from(_HEAD_FIELDS, self._buffer)
                self._ring[place] = _Sector(number, replaces)
                self._last_sector = max(self._last_sector, number)
                self._next_entry = max(self._next_entry, entry)
                self._next_sequence = max(self._next_sequence, seq)
        if not self._ring:
            raise JournalFault  # no journal at all
        replaced = [sector.replaces for sector in self._ring.values()]
        for place in [place for place in self._ring if self._ring[place].number in replaced]:
            del self._ring[place]

    def _read_sectors(self):
        seen = set()
        for place in sorted(self._ring, key=lambda place: self._ring[place].number):
            self._read_sector(place, seen)
        self._replay(seen)
        for place in range(self._count):
            if place not in self._ring:
                self._clear_leftover(place, seen)

    def _read_sector(self, place, seen):
        """Find the end of the entries. One that is torn is passed over in the last place, and nothing follows it."""
        sector = self._ring[place]
        for slot in range(1, self._slots):
            if not self._read(place, slot):
                if not self._flash.is_erased(self._first + place, slot * ENTRY_SIZE):
                    raise JournalFault  # something stands behind a blank slot
                return
            if not self._is_entry():
                if slot + 1 < self._slots and not self._flash.is_erased(
                    self._first + place, (slot + 1) * ENTRY_SIZE
                ):
                    raise JournalFault  # an entry in the middle does not prove
                sector.slot = self._slots  # torn: closed for writing, and copied when its turn comes
                return
            seen.add((self._fields()[3], place, slot))
            sector.slot = slot + 1

    def _replay(self, seen):
        last = 0
        for number, place, slot in sorted(seen):
            self._read(place, slot)
            if number != last:
                self._learn(place)
            last = number

    def _clear_leftover(self, place, seen):
        """Erase what a cut left in a sector without a header, once all that must last stands elsewhere as well."""
        if self._flash.is_erased(self._first + place):
            return
        known = set([number for number, _, _ in seen])
        for slot in range(1, self._slots):
            if self._read(place, slot) and self._is_entry():
                fields = self._fields()
                if fields[3] not in known and fields[1] != PROGRESS:
                    raise JournalFault  # a header is gone, and what stood under it is nowhere else
        self._erase(place)

    def _learn(self, place):
        """Take the entry in the buffer into account, in whichever order they come."""
        _, kind, state, number, seq, recording_id, index, tag = self._fields()
        self._next_entry = max(self._next_entry, number + 1)
        self._next_sequence = max(self._next_sequence, seq + 1)
        self._ring[place].live += 1
        if kind == OPENED:
            self._open[seq] = Unclosed(seq, state, recording_id, tag[:16])
        elif kind == PROGRESS:
            self._learn_progress(place, seq, index, tag)
        elif kind in (CLOSED, VOID):
            self._learn_end(seq)
            self._closing = closing_digest(seq, recording_id, index, tag, state)

    def _learn_progress(self, place, seq, index, tag):
        file = self._open.get(seq)
        if file is None:  # its file was closed before this copy was made: dead
            self._ring[place].live -= 1
            return
        if file.place is not None:
            self._ring[file.place].live -= 1
        file.index, file.tag, file.place = index, tag, place

    def _learn_end(self, seq):
        file = self._open.pop(seq, None)
        if file is not None and file.place is not None:
            self._ring[file.place].live -= 1

    def _is_live(self, place, slot):
        _, kind, _, _, seq, _, index, tag = self._fields()
        if kind != PROGRESS:
            return True
        file = self._open.get(seq)
        return file is not None and file.index == index and file.tag == tag


_BLANK = b"\xff" * ENTRY_SIZE
