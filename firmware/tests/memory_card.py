"""The card edge in memory: the same calls as `sealcam.card.Card`, for tests under CPython and MicroPython
alike.

Holds files as bytearrays and counts writes from 1; `fails_at` and `loses_at` name the write it happens to.
Passes the same suite (`card_suite.py`) as the real edge.
"""

from sealcam.errors import CardFault, CardFull, NoCard


class MemoryPart:
    def __init__(self, card, name):
        self._card, self.name = card, name
        self._content = card.files[name]
        self.size = len(self._content)
        self._at = 0

    def write(self, view, whole=False):
        self.write_at(self._at, view)

    def write_at(self, offset, view):
        if offset + len(view) > self.size:
            raise CardFault
        self._card.count()
        memoryview(self._content)[offset : offset + len(view)] = view
        self._at = offset + len(view)

    def seek(self, offset):
        self._at = offset

    def read_at(self, offset, view):
        self._card.check()
        found = self._content[offset : offset + len(view)]
        memoryview(view)[: len(found)] = found
        self._at = offset + len(found)
        return len(found)

    def flush(self):
        self._card.check()

    def close(self):
        self._content = None


class MemoryCard:
    """`capacity` bytes for files."""

    def __init__(self, capacity=1 << 20, fails_at=0, loses_at=0):
        self.files, self._capacity = {}, capacity
        self._fails_at, self._loses_at = fails_at, loses_at
        self.writes = 0
        self.dead = self.mounted = False
        self.serial = b"memory card 0001"

    def check(self):
        if self.dead:
            raise CardFault
        if not self.mounted:
            raise NoCard

    def count(self):
        """One write. What fails and what is lost both kill the card: it reads back what it writes."""
        self.check()
        self.writes += 1
        if self.writes in (self._fails_at, self._loses_at):
            self.dead = True
            raise CardFault

    def mount(self):
        if self.dead:
            raise NoCard
        self.mounted = True

    def unmount(self):
        self.mounted = False

    def has_room(self, size):
        self.check()
        return sum([len(content) for content in self.files.values()]) + size <= self._capacity

    def allocate(self, name, size, head=None):
        if not self.has_room(size):
            raise CardFull
        if name in self.files:
            raise CardFault
        self.count()
        self.files[name] = bytearray(size)
        part = MemoryPart(self, name)
        if head is not None:
            part.write_at(0, head)
            part.write_at(len(head), head)
        return part

    def open(self, name):
        self.size_of(name)
        return MemoryPart(self, name)

    def size_of(self, name):
        self.check()
        if name not in self.files:
            raise CardFault
        return len(self.files[name])

    def has(self, name):
        self.check()
        return name in self.files

    def rename(self, old, new):
        self.size_of(old)
        if new in self.files:
            raise CardFault
        self.count()
        self.files[new] = self.files.pop(old)

    def remove(self, name):
        self.size_of(name)
        self.count()
        del self.files[name]

    def list(self):
        self.check()
        return list(self.files)
