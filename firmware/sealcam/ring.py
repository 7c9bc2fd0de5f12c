"""A ring of raw sectors of 128-byte entries that makes room without losing one that lives.

Knows sectors, slots and checks; what an entry says, its keeper knows. A sector that has to make room is
copied first: what lives in it goes to a blank sector and is read back, then a header is written that names
the sector it replaces, and only then is the old one erased. A cut anywhere leaves either one valid.
"""

import struct
from hashlib import sha256

from sealcam.errors import FlashFault, JournalFault, JournalFull

ENTRY_SIZE = 128
CHECKED = 96  # the check over these bytes takes the rest
_MAGIC, _HEAD_MAGIC = b"SKJ1", b"SKJS"
_HEAD_FIELDS = ">4sIIQQ68x"  # magic, number of the sector, number it replaces, next entry, next sequence
_BLANK = b"\xff" * ENTRY_SIZE


class Sector:
    """One that is in use."""

    def __init__(self, number, replaces):
        self.number, self.replaces = number, replaces
        self.slot = 1  # the next free one; slot 0 is the header
        self.live = 0


class Ring:
    """`count` sectors from `first`. `keeper` judges the entry that lies in `buffer`:

    `entry_number()`, `is_live()`, `is_explained()`, `learn(place)`, `let_go()`, `moved(old, new)`, and keeps
    `numbers` (next entry, next sequence), which every header repeats.
    """

    def __init__(self, flash, first: int, count: int, keeper):
        self._flash, self._first, self._count, self._keeper = flash, first, count, keeper
        self.slots = flash.sector_size // ENTRY_SIZE
        self.buffer = bytearray(ENTRY_SIZE)
        self._view = memoryview(self.buffer)
        self.sectors = {}  # place in the ring -> Sector
        self.forget()

    def forget(self) -> None:
        self.sectors.clear()
        self._last_sector = 0

    def format(self) -> None:
        """Erase everything and begin sector 1. A cut leaves what is no journal."""
        for place in range(self._count):
            self._flash.erase(self._first + place)
        self._begin_sector(0, 0)

    @property
    def capacity(self) -> int:
        """Entries that can live at once: one sector always stays blank."""
        return (self._count - 1) * (self.slots - 1)

    def live(self) -> int:
        return sum([sector.live for sector in self.sectors.values()])

    def room(self) -> int:
        """Entries until room has to be made."""
        blank = self._count - len(self.sectors) - 1
        return blank * (self.slots - 1) + self.slots - self.sectors[self._newest()].slot

    # Writing

    def append(self) -> int:
        """Put the entry in `buffer` into the ring, read back; answers its place. JournalFault where flash
        fails.
        """
        place = self._place_with_room()
        self.seal()
        self._put(place, self.sectors[place].slot)
        self.sectors[place].slot += 1
        return place

    def seal(self) -> None:
        self._view[CHECKED:] = sha256(self._view[:CHECKED]).digest()

    def _put(self, place, slot):
        try:
            self._flash.write(self._first + place, slot * ENTRY_SIZE, self.buffer)
        except FlashFault:
            raise JournalFault from None  # lost in silence, refused, or written over something

    def _place_with_room(self):
        place = self._newest()
        for _ in range(self._count):
            if self.sectors[place].slot < self.slots:
                return place
            place = self._next_place()
        raise JournalFull

    def _newest(self):
        return max(self.sectors, key=lambda place: self.sectors[place].number)

    def _next_place(self):
        """A blank sector, or one made of what lives in the sector that has least of it."""
        blank = [place for place in range(self._count) if place not in self.sectors]
        if len(blank) > 1:
            self._begin_sector(blank[0], 0)
            return blank[0]
        victim = min(self.sectors, key=lambda place: (self.sectors[place].live, self.sectors[place].number))
        if self.sectors[victim].live >= self.slots - 1:
            raise JournalFull
        return self._compact(victim, blank[0])

    def _compact(self, victim, fresh):
        """A cut before the header leaves copies, erased at the next boot; one after it, the same for
        `victim`.
        """
        waiting = bytes(self.buffer)
        old = self.sectors[victim]
        slot = 1
        for source in range(1, old.slot):
            if not self.read(victim, source) or not self.is_entry():
                continue
            if self._keeper.is_live():
                self._put(fresh, slot)
                slot += 1
            else:
                self._keeper.let_go()
        self._begin_sector(fresh, old.number)  # from here on `victim` counts for nothing
        self.sectors[fresh].slot = slot
        self.sectors[fresh].live = slot - 1
        self._keeper.moved(victim, fresh)
        del self.sectors[victim]
        self._erase(victim)
        self._view[:] = waiting
        return fresh

    def _begin_sector(self, place, replaces):
        waiting = bytes(self.buffer)
        number = self._last_sector + 1
        struct.pack_into(_HEAD_FIELDS, self.buffer, 0, _HEAD_MAGIC, number, replaces, *self._keeper.numbers)
        self.seal()
        self._put(place, 0)
        self._view[:] = waiting
        self._last_sector = number
        self.sectors[place] = Sector(number, replaces)

    def _erase(self, place):
        try:
            self._flash.erase(self._first + place)
        except FlashFault:
            raise JournalFault from None  # the sector did not let go

    # Reading

    def read(self, place: int, slot: int) -> bool:
        """Read one slot into the buffer; False if it is blank."""
        try:
            self._flash.read(self._first + place, slot * ENTRY_SIZE, self.buffer)
        except FlashFault:
            raise JournalFault from None  # a failed read never becomes an empty start
        return self.buffer != _BLANK

    def is_entry(self) -> bool:
        return self.buffer[:4] == _MAGIC and self._checks()

    def _checks(self):
        return self._view[CHECKED:] == sha256(self._view[:CHECKED]).digest()

    def load(self) -> None:
        """Find what is there and let the keeper learn it in order; JournalFault if it contradicts itself."""
        self.forget()
        self._find_sectors()
        seen = []
        for place in sorted(self.sectors, key=lambda place: self.sectors[place].number):
            self._read_sector(place, seen)
        self._replay(seen)
        known = set([number for number, _, _ in seen])
        for place in range(self._count):
            if place not in self.sectors:
                self._clear_leftover(place, known)

    def _find_sectors(self):
        """Sectors with a header, less those that a later one replaces."""
        for place in range(self._count):
            self.read(place, 0)
            if self.buffer[:4] == _HEAD_MAGIC and self._checks():
                _, number, replaces, entry, seq = struct.unpack_from(_HEAD_FIELDS, self.buffer)
                self.sectors[place] = Sector(number, replaces)
                self._last_sector = max(self._last_sector, number)
                held = self._keeper.numbers
                self._keeper.numbers = (max(held[0], entry), max(held[1], seq))
        if not self.sectors:
            raise JournalFault  # no journal at all
        replaced = [sector.replaces for sector in self.sectors.values()]
        for place in [place for place in self.sectors if self.sectors[place].number in replaced]:
            del self.sectors[place]

    def _read_sector(self, place, seen):
        """Find the end of the entries. One that is torn is passed over in the last place, and nothing follows
        it.
        """
        sector = self.sectors[place]
        for slot in range(1, self.slots):
            if not self.read(place, slot):
                if not self._blank_from(place, slot):
                    raise JournalFault  # something stands behind a blank slot
                return
            if not self.is_entry():
                if slot + 1 < self.slots and not self._blank_from(place, slot + 1):
                    raise JournalFault  # an entry in the middle does not prove
                sector.slot = self.slots  # torn: closed for writing, and copied when its turn comes
                return
            seen.append((self._keeper.entry_number(), place, slot))
            sector.slot = slot + 1

    def _blank_from(self, place, slot):
        try:
            return self._flash.is_erased(self._first + place, slot * ENTRY_SIZE)
        except FlashFault:
            raise JournalFault from None

    def _replay(self, seen):
        last = 0
        for number, place, slot in sorted(seen):
            if number == last:
                raise JournalFault  # two entries under one number
            self.read(place, slot)
            self._keeper.learn(place)
            last = number

    def _clear_leftover(self, place, known):
        """Erase what a cut left in a sector without a header, once all that must last stands elsewhere as
        well.
        """
        if self._blank_from(place, 0):
            return
        for slot in range(1, self.slots):
            if self.read(place, slot) and self.is_entry():
                if self._keeper.entry_number() not in known and not self._keeper.is_explained():
                    raise JournalFault  # a header is gone, and what stood under it is nowhere else
        self._erase(place)
