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


@micropython.asm_thumb
def _copy(r0, r1, r2, r3):
    """To the buffer r0, from r3 bytes behind r1, r2 bytes: a multiple of 32, four-aligned both. Checks no
    bounds: `_at` has kept within them.
    """
    add(r1, r1, r3)
    add(r2, r2, r0)
    label(NEXT)
    data(2, 0xC9F0, 0xC0F0, 0xC9F0, 0xC0F0)  # twice ldmia(r1, {r4-r7}), stmia(r0, {r4-r7}), which go on
    cmp(r0, r2)
    bcc(NEXT)


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
        _copy(buffer, self._memory, len(buffer), self._at(block) + offset)
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
