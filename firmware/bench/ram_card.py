"""A 2 GiB card in 12 MiB of memory outside the heap: its tables and first files stay, the rest wraps around.

For the benches and for the run in which nothing may grow; runs on the emulated Cortex-M3. Allocates
32 bytes for a write, nothing for a read.
"""

import board
import micropython
import semihost
from sealcam.layout import ALL

BLOCK = 512
_KEPT = 6 << 20  # reserved sectors, both tables, the directory and the first parts' heads
_WINDOW = 4 << 20


@micropython.viper
def _copy(into: ptr8, out_of: ptr8, to: int, start: int, size: int):
    """`size` bytes, a multiple of 32; both places four-aligned. Checks no bounds: `_at` has kept within
    them.
    """
    d = int(into) + to
    s = int(out_of) + start
    end = d + size
    while d < end:
        p = ptr32(d)
        q = ptr32(s)
        p[0] = q[0]
        p[1] = q[1]
        p[2] = q[2]
        p[3] = q[3]
        p[4] = q[4]
        p[5] = q[5]
        p[6] = q[6]
        p[7] = q[7]
        d += 32
        s += 32


class RamCard:
    """`image` is an empty file system made on the host; only its first `_KEPT` bytes are read."""

    def __init__(self, image: str):
        self._memory = memoryview(board.spare_ram(_KEPT + _WINDOW))
        with semihost.HostFile(image, "rb") as file:
            self._count = file.size() // BLOCK
            file.readinto(self._memory[:_KEPT])

    def _at(self, block):
        at = block * BLOCK
        return at if at < _KEPT else _KEPT + (at - _KEPT) % _WINDOW

    def readblocks(self, block, buffer, offset=0):
        _copy(buffer, self._memory, 0, self._at(block) + offset, len(buffer))
        return 0

    def writeblocks(self, block, buffer, offset=0):
        at = self._at(block) + offset
        self._memory[at : at + len(buffer)][ALL] = buffer  # a card's driver moves a chunk by DMA, or in C
        return 0

    def ioctl(self, op, argument):
        if op == 4:
            return self._count
        return BLOCK if op == 5 else 0


_FRAMES_AT = _KEPT + _WINDOW
_FLASH_AT = _FRAMES_AT + (1 << 20)
_SECTOR = 4096
_SECTORS = 64
_ERASED = b"\xff" * 256


def frame_buffers(count: int, size: int) -> list:
    """Frame buffers of a camera, outside the heap; each with bytes of its own."""
    views = []
    for i in range(count):
        view = memoryview(board.spare_ram(size, _FRAMES_AT + i * size))
        for j in range(0, size, 64):
            view[j] = (i + j // 64) & 255
        views.append(view)
    return views


class RamFlash:
    """Erased raw flash in the same memory: os.AbstractBlockDev with byte offsets and erase."""

    def __init__(self):
        self._memory = memoryview(board.spare_ram(_SECTORS * _SECTOR, _FLASH_AT))
        for sector in range(_SECTORS):
            self.ioctl(6, sector)

    def readblocks(self, sector, buffer, offset=0):
        at = sector * _SECTOR + offset
        buffer[:] = self._memory[at : at + len(buffer)]
        return 0

    def writeblocks(self, sector, buffer, offset=0):
        at = sector * _SECTOR + offset
        self._memory[at : at + len(buffer)][:] = buffer
        return 0

    def ioctl(self, op, argument):
        if op == 6:
            for at in range(argument * _SECTOR, (argument + 1) * _SECTOR, len(_ERASED)):
                self._memory[at : at + len(_ERASED)][ALL] = _ERASED
            return 0
        return {4: _SECTORS, 5: _SECTOR}.get(op, 0)
