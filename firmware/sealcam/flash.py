"""The device's own flash: raw sectors, a region for littlefs, and small files in it.

Programs erased bytes only and reads every write back. Never knows what a sector or a file means.
"""

from sealcam.errors import FlashFault

_IOCTL_COUNT, _IOCTL_SIZE, _IOCTL_ERASE = 4, 5, 6
_EIO, _ENOENT = 5, 2
_PIECE = 256
_BLANK = b"\xff" * _PIECE


class NotThere(Exception):
    """There is no file of this name. Only this, never a failed read, may begin an empty one."""


class Flash:
    """Raw sectors of a block device with the extended interface (byte offsets, erase by ioctl)."""

    def __init__(self, device):
        self._device = device
        self.sector_size = device.ioctl(_IOCTL_SIZE, 0)
        self.sectors = device.ioctl(_IOCTL_COUNT, 0)
        self._echo = memoryview(bytearray(_PIECE))

    def read(self, sector: int, offset: int, buffer) -> None:
        self._bound(sector, offset, len(buffer))
        try:
            result = self._device.readblocks(sector, buffer, offset)
        except OSError:
            result = -_EIO
        if result:
            raise FlashFault  # the chip did not answer

    def write(self, sector: int, offset: int, data) -> None:
        """Program erased bytes and read them back; a cut leaves some of them programmed."""
        self._bound(sector, offset, len(data))
        if not self._is(sector, offset, len(data), None):
            raise FlashFault  # programmed before: flash only clears bits, the result would be neither
        try:
            self._device.writeblocks(sector, data, offset)
        except OSError:
            raise FlashFault from None  # the chip refused
        if not self._is(sector, offset, len(data), data):
            raise FlashFault  # the write was lost and nobody said so

    def erase(self, sector: int) -> None:
        """Set a whole sector to FF and read it back; a cut leaves anything in it."""
        self._bound(sector, 0, 0)
        try:
            result = self._device.ioctl(_IOCTL_ERASE, sector)
        except OSError:
            result = -_EIO
        if result or not self.is_erased(sector):
            raise FlashFault  # the sector did not let go of what it held

    def is_erased(self, sector: int, offset: int = 0) -> bool:
        """Whether everything in the sector from `offset` on is FF."""
        return self._is(sector, offset, self.sector_size - offset, None)

    def _is(self, sector, offset, size, data):
        if data is None and size % _PIECE == 0:
            return self._is_blank(sector, offset, size)
        source = None if data is None else memoryview(data)
        for at in range(0, size, _PIECE):
            piece = min(_PIECE, size - at)
            echo = self._echo[:piece]
            self.read(sector, offset + at, echo)
            if echo != (_BLANK[:piece] if source is None else source[at : at + piece]):
                return False
        return True

    def _is_blank(self, sector, offset, size):
        """Whole pieces, without a slice for each: a sector has sixteen."""
        self._bound(sector, offset, size)
        echo, readblocks = self._echo, self._device.readblocks
        try:
            for at in range(offset, offset + size, _PIECE):
                if readblocks(sector, echo, at):
                    raise FlashFault  # the chip did not answer
                if echo != _BLANK:
                    return False
        except OSError:
            raise FlashFault from None
        return True

    def _bound(self, sector, offset, size):
        if not 0 <= sector < self.sectors or offset < 0 or offset + size > self.sector_size:
            raise FlashFault  # outside the chip, or over a sector's border


class Region:
    """A run of sectors as a block device for littlefs; every program is read back, as littlefs trusts its
    writes.
    """

    def __init__(self, device, first: int, count: int):
        self._device, self._first, self._count = device, first, count
        self._size = device.ioctl(_IOCTL_SIZE, 0)
        self._echo = memoryview(bytearray(_PIECE))
        self.dead = False

    def readblocks(self, block, buffer, offset=0):
        if self.dead:
            return -_EIO
        try:
            return self._device.readblocks(self._first + block, buffer, offset) or 0
        except OSError:
            return -_EIO

    def writeblocks(self, block, buffer, offset=0):
        if self.dead or self._program(block, buffer, offset):
            self.dead = True  # until the next boot: nothing more may be built on what is not there
            return -_EIO
        return 0

    def _program(self, block, buffer, offset):
        data = memoryview(buffer)
        try:
            self._device.writeblocks(self._first + block, buffer, offset)
            for at in range(0, len(data), _PIECE):
                echo = self._echo[: min(_PIECE, len(data) - at)]
                self._device.readblocks(self._first + block, echo, offset + at)
                if echo != data[at : at + len(echo)]:
                    return True
        except OSError:
            return True
        return False

    def ioctl(self, op, argument):
        if op == _IOCTL_COUNT:
            return self._count
        if op == _IOCTL_SIZE:
            return self._size
        if op == _IOCTL_ERASE:
            return self._erase(self._first + argument)
        return 0

    def _erase(self, sector):
        if self.dead or not self._is_let_go(sector):
            self.dead = True
            return -_EIO
        return 0

    def _is_let_go(self, sector):
        try:
            if self._device.ioctl(_IOCTL_ERASE, sector):
                return False
            for at in range(0, self._size, _PIECE):
                if self._device.readblocks(sector, self._echo, at) or self._echo != _BLANK:
                    return False
        except OSError:
            return False  # the chip refused
        return True


class Files:
    """Small files in a mounted littlefs, by way of its own object; names without folders.

    `replace` writes aside, flushes, reads back, then renames: littlefs renames over an existing file in one
    step, so a cut leaves the old file whole or the new one whole.
    """

    def __init__(self, filesystem):
        self._fs = filesystem

    def names(self) -> list:
        try:
            return [entry[0] for entry in self._fs.ilistdir("/")]
        except OSError:
            raise FlashFault from None  # a list that cannot be read is not an empty one

    def read(self, name: str) -> bytes:
        """The whole file; NotThere if there is none, FlashFault if it cannot be read."""
        try:
            with self._fs.open("/" + name, "rb") as file:
                return file.read()
        except OSError as fault:
            if fault.args[0] == _ENOENT:
                raise NotThere from None
            raise FlashFault from None  # a failed read never becomes an empty start

    def size_of(self, name: str) -> int:
        """Bytes of a file; NotThere as in `read`."""
        try:
            return self._fs.stat("/" + name)[6]
        except OSError as fault:
            if fault.args[0] == _ENOENT:
                raise NotThere from None
            raise FlashFault from None

    def read_at(self, name: str, offset: int, buffer) -> int:
        """Fill `buffer` from `offset` on; how many bytes there were, fewer at the end of the file."""
        try:
            with self._fs.open("/" + name, "rb") as file:
                file.seek(offset)
                return file.readinto(buffer)
        except OSError:
            raise FlashFault from None

    def room(self) -> int:
        """Bytes that no file holds."""
        try:
            facts = self._fs.statvfs("/")
        except OSError:
            raise FlashFault from None
        return facts[0] * facts[3]

    def find(self, name: str) -> "bytes | None":
        """The whole file, None if there is none; FlashFault if it cannot be read."""
        try:
            return self.read(name)
        except NotThere:
            return None

    def replace(self, name: str, *parts) -> None:
        aside = name + ".new"
        try:
            with self._fs.open("/" + aside, "wb") as file:
                for part in parts:
                    file.write(part)
        except OSError:
            raise FlashFault from None  # full, or a write was lost
        if self.read(aside) != b"".join([bytes(part) for part in parts]):
            raise FlashFault  # read back differs
        try:
            self._fs.rename("/" + aside, "/" + name)  # here the old content stops being true
        except OSError:
            raise FlashFault from None

    def append(self, name: str, entry) -> None:
        """Add to the end; littlefs shows the new length with the close or not at all. The end is read back.
        """
        try:
            with self._fs.open("/" + name, "ab") as file:
                file.write(entry)
            with self._fs.open("/" + name, "rb") as file:
                file.seek(-len(entry), 2)
                echo = file.read()
        except OSError:
            raise FlashFault from None  # full, or a write was lost
        if echo != bytes(entry):
            raise FlashFault  # read back differs

    def remove(self, name: str) -> None:
        try:
            self._fs.remove("/" + name)
        except OSError as fault:
            if fault.args[0] != _ENOENT:
                raise FlashFault from None
