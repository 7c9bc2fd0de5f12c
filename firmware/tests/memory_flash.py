"""Raw flash in memory, with the faults of the real one: power cuts, torn and lost writes, errors.

Runs under CPython and MicroPython alike. Writes and erases are counted together from 0.
"""


class PowerLost(Exception):
    """The supply went; nothing runs until `power_on`."""


class MemoryFlash:
    """`sectors` sectors of 0xFF. `cut_after`, `lose_at`, `fail_at`: which write or erase it happens to.

    A cut one lands to the share `tear` of its bytes (0: none). A lost one reports success, a failed one
    OSError.
    """

    def __init__(self, sectors, sector_size=4096, cut_after=None, tear=0.0, lose_at=None, fail_at=None):
        self.sector_size = sector_size
        self.sectors = [bytearray(b"\xff" * sector_size) for _ in range(sectors)]
        self.power_on(cut_after, tear, lose_at, fail_at)

    def power_on(self, cut_after=None, tear=0.0, lose_at=None, fail_at=None):
        """Start again with what the flash holds, and with the faults of the next run; counts from 0."""
        self.cut_after, self.tear, self.lose_at, self.fail_at = cut_after, tear, lose_at, fail_at
        self.writes = 0
        self.dark = False

    def read(self, sector, offset, buffer):
        self._check(offset, len(buffer))
        memoryview(buffer)[:] = memoryview(self.sectors[sector])[offset : offset + len(buffer)]

    def write(self, sector, offset, data):
        """Clears bits, as flash does: what was not erased before becomes the and of both."""
        self._check(offset, len(data))
        stored = self.sectors[sector]
        for i in range(self._landing(len(data))):
            stored[offset + i] &= data[i]
        self._after()

    def erase(self, sector):
        stored = self.sectors[sector]
        for i in range(self._landing(self.sector_size)):
            stored[i] = 0xFF
        self._after()

    def _check(self, offset, size):
        if self.dark:
            raise PowerLost
        if not 0 <= offset <= offset + size <= self.sector_size:
            raise ValueError("outside the sector")

    def _landing(self, size):
        """How many bytes of this write reach the flash."""
        if self.dark:
            raise PowerLost
        number = self.writes
        if number == self.fail_at:
            self.writes += 1
            raise OSError(5)
        if number == self.cut_after:
            return int(size * self.tear)
        return 0 if number == self.lose_at else size

    def _after(self):
        number = self.writes
        self.writes += 1
        if number == self.cut_after:
            self.dark = True
            raise PowerLost
