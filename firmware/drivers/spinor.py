"""A SPI NOR flash chip as raw sectors of 4 KiB: read anywhere, program erased bytes, erase a sector.

Knows the common commands (JEDEC JESD216 names them) and a bus like `machine.SPI`; nothing of the firmware.
Every wait ends. What was programmed is read back by whoever writes; here only the chip's own word is asked.
"""

from micropython import const

_EIO, _ENODEV, _EINVAL, _ETIMEDOUT = const(5), const(19), const(22), const(110)
SECTOR = const(4096)
_PAGE = const(256)
_IOCTL_COUNT, _IOCTL_SIZE, _IOCTL_ERASE = const(4), const(5), const(6)

_READ_ID, _READ_STATUS, _WRITE_ENABLE = const(0x9F), const(0x05), const(0x06)
_READ, _PROGRAM, _ERASE = const(0x03), const(0x02), const(0x20)
_READ_4, _PROGRAM_4, _ERASE_4 = const(0x13), const(0x12), const(0x21)  # the same, addresses of four bytes
_BUSY, _WRITABLE = const(1), const(2)
_PROGRAM_MS, _ERASE_MS = const(20), const(2000)
_SMALL = const(1 << 24)
_PERIOD = const(0x3FFFFFFF)  # of time.ticks_ms()


class SpiNor:
    """The first `sectors` of the chip behind `spi` (init, write, readinto) and `cs`; ENODEV where none
    answers, or one that is smaller.
    """

    def __init__(self, spi, cs, ticks_ms, sectors: int, baudrate: int = 20000000):
        self._spi, self._cs, self._ticks, self._sectors = spi, cs, ticks_ms, sectors
        self._one = bytearray(1)
        spi.init(baudrate=baudrate, polarity=0, phase=0)
        cs(1)
        size = self._read_size()
        if size < sectors * SECTOR:
            raise OSError(_ENODEV)
        self._is_small = size <= _SMALL
        self._frame = bytearray(4 if self._is_small else 5)

    def _read_size(self):
        """Maker, kind, and the size as a power of two."""
        found = bytearray(3)
        self._one[0] = _READ_ID
        self._cs(0)
        self._spi.write(self._one)
        self._spi.readinto(found, 0)
        self._cs(1)
        if found[0] in (0, 0xFF) or not 16 <= found[2] <= 30:
            raise OSError(_ENODEV)
        return 1 << found[2]

    def readblocks(self, block: int, buffer, offset: int = 0) -> int:
        at = self._place(block, offset, len(buffer))
        self._command(_READ if self._is_small else _READ_4, at)
        self._spi.readinto(buffer, 0)
        self._cs(1)
        return 0

    def writeblocks(self, block: int, buffer, offset: int = 0) -> int:
        """A cut leaves whole pages, one in part, and the rest as it was."""
        at = self._place(block, offset, len(buffer))
        view, done = memoryview(buffer), 0
        while done < len(view):
            size = min(len(view) - done, _PAGE - (at + done) % _PAGE)
            self._enable()
            self._command(_PROGRAM if self._is_small else _PROGRAM_4, at + done)
            self._spi.write(view[done : done + size])
            self._cs(1)
            self._await_done(_PROGRAM_MS)
            done += size
        return 0

    def ioctl(self, operation: int, argument: int) -> int:
        if operation == _IOCTL_COUNT:
            return self._sectors
        if operation == _IOCTL_SIZE:
            return SECTOR
        if operation == _IOCTL_ERASE:
            at = self._place(argument, 0, SECTOR)
            self._enable()
            self._command(_ERASE if self._is_small else _ERASE_4, at)
            self._cs(1)
            self._await_done(_ERASE_MS)
        return 0

    def _place(self, block, offset, size):
        at = block * SECTOR + offset
        if block < 0 or offset < 0 or at + size > self._sectors * SECTOR:
            raise OSError(_EINVAL)
        return at

    def _enable(self):
        self._one[0] = _WRITE_ENABLE
        self._cs(0)
        self._spi.write(self._one)
        self._cs(1)
        if not self._status() & _WRITABLE:
            raise OSError(_EIO)  # protected, or gone

    def _command(self, command, at):
        frame = self._frame
        last = len(frame) - 1
        frame[0] = command
        for place in range(last):
            frame[last - place] = at >> 8 * place & 0xFF
        self._cs(0)
        self._spi.write(frame)

    def _await_done(self, milliseconds):
        began = self._ticks()
        while self._status() & _BUSY:
            if (self._ticks() - began) & _PERIOD > milliseconds:
                raise OSError(_ETIMEDOUT)

    def _status(self):
        self._one[0] = _READ_STATUS
        self._cs(0)
        self._spi.write(self._one)
        self._spi.readinto(self._one, 0)
        self._cs(1)
        return self._one[0]
