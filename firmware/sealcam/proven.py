"""A block device that believes nothing it has not read back.

Stands between FAT and the card's driver. Knows blocks; never a file, a chunk or a key. Allocates nothing for
a block.
"""

_EIO = 5
_IOCTL_SYNC, _IOCTL_COUNT, _IOCTL_SIZE = 3, 4, 5
_TRIES = 3


class ProvenBlocks:
    """Reads every write back: all of it, or with `last_only` set the last sector of it.

    `last_only` is for chunk writes, whose loss in the middle the reader finds by the tag; heads, tables and
    directory are read back whole. An error the driver reports is answered by writing the same bytes again; a
    write that differs when read back, or fails three times, makes the card `dead` for good: a file that is
    closed later must not put old tables on a card that was taken out and came back.
    """

    def __init__(self, device, largest: int = 16384, read_back: str = "all"):
        self._device = device
        self._block = 512
        self._one = memoryview(bytearray(self._block))
        self._most = self._one if largest <= self._block else memoryview(bytearray(largest))
        self.last_only = read_back == "last"
        self.unproved = read_back == "off"  # for the bench's ceiling alone
        self.dead = False
        self.newest = 0  # the block that the newest write began at: where a file lies, FAT tells nobody

    def readblocks(self, block, buffer, offset=0):
        if self.dead:
            return -_EIO
        try:
            result = self._device.readblocks(block, buffer)
        except OSError:
            result = -_EIO
        if result:  # None and 0 are an answer; False would be 0 too, and reads are proved by whoever asked
            return -_EIO
        return 0

    def writeblocks(self, block, buffer, offset=0):
        if self.dead:
            return -_EIO
        for _ in range(_TRIES):
            if self._put(block, buffer):
                if self.unproved or self._proves(block, buffer):
                    self.newest = block
                    return 0
                break  # lost in silence: such a card is not asked again
        self.dead = True
        return -_EIO

    def _put(self, block, buffer):
        try:
            result = self._device.writeblocks(block, buffer)
        except OSError:
            return False
        return not result

    def _proves(self, block, buffer):
        size = len(buffer)
        try:
            if size == self._block:
                return self._same(block, self._one, buffer)
            if self.last_only:
                last = memoryview(buffer)[size - self._block :]
                return self._same(block + size // self._block - 1, self._one, last)
            if size == len(self._most):
                return self._same(block, self._most, buffer)
            return self._proves_in_pieces(block, memoryview(buffer))
        except OSError:
            return False

    def _proves_in_pieces(self, block, view):
        at, most = 0, len(self._most)
        while at < len(view):
            size = min(most, len(view) - at)
            if not self._same(block + at // self._block, self._most[:size], view[at : at + size]):
                return False
            at += size
        return True

    def _same(self, block, echo, buffer):
        return not self._device.readblocks(block, echo) and echo == buffer

    @property
    def can_erase(self) -> bool:
        """Whether the driver knows how to let go of blocks."""
        return hasattr(self._device, "erase_blocks")

    def erase_blocks(self, first: int, count: int) -> int:
        """Let go of blocks, where the driver can; what they read as afterwards is the card's own affair."""
        if self.dead:
            return -_EIO
        try:
            return self._device.erase_blocks(first, count) or 0
        except OSError:
            return -_EIO

    def ioctl(self, op, argument):
        if op in (_IOCTL_COUNT, _IOCTL_SIZE):
            return self._device.ioctl(op, argument)
        if self.dead:
            return -_EIO
        if op == _IOCTL_SYNC:
            return self._device.ioctl(op, argument) or 0
        return 0
