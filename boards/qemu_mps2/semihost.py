"""Files of the host that runs the emulator, by semihosting, on Arm and RISC-V alike. For tests and benches;
no real board has any.

Operation numbers: Arm, "Semihosting for AArch32 and AArch64", section 5. The calls themselves are in the
usermod `qemu_clock`.
"""

import io
import sys

import _semihosting as host

_OPEN = 0x01
_CLOSE = 0x02
_WRITE = 0x05
_READ = 0x06
_SEEK = 0x0A
_FLEN = 0x0C
_REMOVE = 0x0E
_EXIT = 0x20
_APPLICATION_EXIT = 0x20026

_MODES = {"rb": 1, "r": 0, "r+b": 3, "wb": 5, "w": 4, "w+b": 7, "ab": 9, "a": 8}
_DIRECTORY = 0x4000
_FILE = 0x8000


class HostFile(io.IOBase):
    """One open file of the host; `readinto`, `write` of bytes and `seek_to` allocate nothing."""

    def __init__(self, path: str, mode: str = "r+b"):
        self._is_text = "b" not in mode
        self._handle = host.name(_OPEN, _name(path), _MODES[mode])
        if self._handle < 0:
            raise OSError(2)  # ENOENT

    def size(self) -> int:
        return host.call(_FLEN, self._handle, 0)

    def seek_to(self, offset: int) -> None:
        if host.call(_SEEK, self._handle, offset):
            raise OSError(5)  # EIO

    def seek(self, offset: int, whence: int = 0) -> int:
        """From the start, or with 2 from the end; where that is."""
        at = offset + (self.size() if whence == 2 else 0)
        self.seek_to(at)
        return at

    def readinto(self, buffer) -> int:
        return self._transfer(_READ, buffer)

    def read(self, size: int = -1):
        """The next `size` bytes, or the whole file; text of a file opened without `b`."""
        whole = self.size()
        buffer = bytearray(whole if size < 0 else min(size, whole))
        found = bytes(memoryview(buffer)[: self.readinto(buffer)])
        return found.decode() if self._is_text else found

    def write(self, buffer) -> int:
        return self._transfer(_WRITE, buffer.encode() if isinstance(buffer, str) else buffer)

    def close(self) -> None:
        if self._handle >= 0:
            host.call(_CLOSE, self._handle, 0)
            self._handle = -1

    def __enter__(self):
        return self

    def __exit__(self, *_reason):
        self.close()

    def flush(self) -> None:
        pass

    def _transfer(self, operation, buffer):
        left_over = host.transfer(operation, self._handle, buffer)
        return len(buffer) - left_over

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


class HostFlash(HostBlocks):
    """An image file of the host as raw flash: sectors of 4 KiB, erased by ioctl; the first MiB of it."""

    def __init__(self, path: str, most: int = 256):
        super().__init__(path, 4096)
        self._count = min(self._count, most)
        self._erased = b"\xff" * 4096

    def ioctl(self, operation: int, argument: int):
        if operation == 6:
            self.writeblocks(argument, self._erased)
            return 0
        return super().ioctl(operation, argument)


class NoBlocks:
    """An empty slot."""

    def readblocks(self, block: int, buffer, offset: int = 0):
        raise OSError(19)  # ENODEV

    writeblocks = readblocks

    def ioctl(self, operation: int, _argument: int):
        return 512 if operation == 5 else 0


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
        if host.name(_REMOVE, _name(self._root + "/" + path.lstrip("/")), 0):
            raise OSError(2)  # ENOENT

    def rename(self, old: str, new: str) -> None:
        old, new = (_name(self._root + "/" + path.lstrip("/")) for path in (old, new))
        if host.rename(old, new):
            raise OSError(5)  # EIO


def _name(path):
    return path.encode() + b"\0"


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


def leave(code: int = 0) -> None:
    """End the emulator."""
    host.call(_EXIT, _APPLICATION_EXIT, code)
