"""Files of the host that runs the emulator, by Arm semihosting. For tests and benches; no real board has any.

Operation numbers and argument blocks: Arm, "Semihosting for AArch32 and AArch64", section 5.
"""

import io
import sys
from array import array

import micropython
import uctypes

_OPEN = 0x01
_CLOSE = 0x02
_WRITE = 0x05
_READ = 0x06
_SEEK = 0x0A
_FLEN = 0x0C
_REMOVE = 0x0E

_MODES = {"rb": 1, "r": 0, "r+b": 3, "wb": 5, "w": 4, "w+b": 7, "ab": 9, "a": 8}
_DIRECTORY = 0x4000
_FILE = 0x8000


@micropython.asm_thumb
def _call(r0, r1):
    data(2, 0xBEAB)  # bkpt 0xAB: the host answers in r0


class HostFile(io.IOBase):
    """One open file of the host; `readinto`, `write` of bytes and `seek_to` allocate nothing."""

    def __init__(self, path: str, mode: str = "r+b"):
        name = path.encode() + b"\0"
        self._block = array("I", (uctypes.addressof(name), _MODES[mode], len(name) - 1))
        self._at = uctypes.addressof(self._block)
        self._is_text = "b" not in mode
        self._handle = _call(_OPEN, self._at)
        if self._handle < 0:
            raise OSError(2)  # ENOENT

    def size(self) -> int:
        self._block[0] = self._handle
        return _call(_FLEN, self._at)

    def seek_to(self, offset: int) -> None:
        self._block[0] = self._handle
        self._block[1] = offset
        if _call(_SEEK, self._at):
            raise OSError(5)  # EIO

    def readinto(self, buffer) -> int:
        return self._transfer(_READ, buffer)

    def read(self, size: int = -1):
        """The next `size` bytes, or the whole file; text of a file opened without `b`."""
        buffer = bytearray(self.size() if size < 0 else size)
        found = bytes(memoryview(buffer)[: self.readinto(buffer)])
        return found.decode() if self._is_text else found

    def write(self, buffer) -> int:
        return self._transfer(_WRITE, buffer.encode() if isinstance(buffer, str) else buffer)

    def close(self) -> None:
        if self._handle >= 0:
            self._block[0] = self._handle
            _call(_CLOSE, self._at)
            self._handle = -1

    def __enter__(self):
        return self

    def __exit__(self, *_reason):
        self.close()

    def _transfer(self, operation, buffer):
        block = self._block
        block[0] = self._handle
        block[1] = uctypes.addressof(buffer)
        block[2] = len(buffer)
        return len(buffer) - _call(operation, self._at)  # the host answers with what is left over

    def ioctl(self, request: int, _argument: int) -> int:
        if request == 4:  # MP_STREAM_CLOSE
            self.close()
        return 0


class HostBlocks:
    """An image file of the host as a block device; os.AbstractBlockDev, simple and extended interface."""

    def __init__(self, path: str, block_bytes: int = 512):
        self._file = HostFile(path, "r+b")
        self._block_bytes = block_bytes
        self._count = self._file.size() // block_bytes

    def readblocks(self, block: int, buffer, offset: int = 0) -> None:
        self._file.seek_to(block * self._block_bytes + offset)
        if self._file.readinto(buffer) != len(buffer):
            raise OSError(5)  # EIO

    def writeblocks(self, block: int, buffer, offset: int = 0) -> None:
        self._file.seek_to(block * self._block_bytes + offset)
        if self._file.write(buffer) != len(buffer):
            raise OSError(5)  # EIO

    def ioctl(self, operation: int, _argument: int):
        return {4: self._count, 5: self._block_bytes}.get(operation, 0)


class HostTree:
    """A folder of the host as a file system, to import modules from and to write results into."""

    def __init__(self, root: str):
        self._root = root

    def mount(self, _readonly: bool, _mkfs: bool) -> None:
        pass

    def umount(self) -> None:
        pass

    def open(self, path: str, mode: str):
        return HostFile(self._root + "/" + path.lstrip("/"), mode)

    def stat(self, path: str) -> tuple:
        name = self._root + "/" + path.lstrip("/")
        if _exists(name + "/."):
            return (_DIRECTORY, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        with HostFile(name, "rb") as opened:
            size = opened.size()
        return (_FILE, 0, 0, 0, 0, 0, size, 0, 0, 0)

    def remove(self, path: str) -> None:
        name = (self._root + "/" + path.lstrip("/")).encode() + b"\0"
        block = array("I", (uctypes.addressof(name), len(name) - 1))
        if _call(_REMOVE, uctypes.addressof(block)):
            raise OSError(2)  # ENOENT


def _exists(name):
    try:
        HostFile(name, "rb").close()
    except OSError:
        return False
    return True


def run(path: str, arguments: list) -> None:
    """Run one script of the host as `__main__`."""
    with HostFile(path, "r") as opened:
        source = opened.read()
    sys.argv[:] = [path] + arguments
    exec(compile(source, path, "exec"), {"__name__": "__main__", "__file__": path})
