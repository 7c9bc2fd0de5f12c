"""MicroPython's `vfs` for CPython, as far as the firmware needs it: a tree of files kept beside a block
device.

Stands in for VfsFat and VfsLfs2 where what counts is what the firmware does with files. It writes no block:
what blocks go through, power cuts above all, is tested on real MicroPython. Never part of an image.
"""

import errno
import io

_FREE = 64 << 20


class _File(io.RawIOBase):
    """FAT's way: seeking behind the end of a file open for writing makes it that long."""

    def __init__(self, content, writes, at):
        self._content, self._writes, self._at = content, writes, at

    def seek(self, offset, whence=0):
        self._at = offset + (0, self._at, len(self._content))[whence]
        if self._writes and self._at > len(self._content):
            self._content.extend(bytes(self._at - len(self._content)))
        return self._at

    def read(self, size=-1):
        end = len(self._content) if size < 0 else self._at + size
        found = bytes(self._content[self._at : end])
        self._at += len(found)
        return found

    def readinto(self, buffer):
        found = self.read(len(buffer))
        memoryview(buffer)[: len(found)] = found
        return len(found)

    def write(self, data):
        data = bytes(data)
        self._content[self._at : self._at + len(data)] = data
        self._at += len(data)
        return len(data)

    def readable(self):
        return True

    def writable(self):
        return self._writes

    def seekable(self):
        return True


class _Tree:
    def __init__(self, device, **options):
        if device.ioctl(4, 0) == 0:
            raise OSError(errno.ENODEV)  # an empty slot
        held = _deepest(device)
        if not hasattr(held, "shim_files"):
            self.mkfs(device)
        self._files, self._folders = held.shim_files, held.shim_folders

    def open(self, path, mode):
        if "x" in mode and path in self._files:
            raise OSError(errno.EEXIST, path)
        if "w" in mode or "x" in mode:
            self._files[path] = bytearray()
        elif "a" in mode:
            self._files.setdefault(path, bytearray())
        content = self._found(path)
        return _File(content, mode != "rb", len(content) if "a" in mode else 0)

    def _found(self, path):
        if path not in self._files:
            raise OSError(errno.ENOENT, path)
        return self._files[path]

    def stat(self, path):
        return (0x8000, 0, 0, 0, 0, 0, len(self._found(path)), 0, 0, 0)

    def statvfs(self, path):
        free = _FREE - sum(len(content) for content in self._files.values())
        return (512, 512, _FREE // 512, free // 512, free // 512, 0, 0, 0, 0, 255)

    def mkdir(self, path):
        if path in self._folders:
            raise OSError(errno.EEXIST, path)
        self._folders.add(path)

    def remove(self, path):
        self._found(path)
        del self._files[path]

    def rename(self, old, new):
        if old in self._folders:
            self._folders.remove(old)
            self._folders.add(new)
        else:
            self._files[new] = self._files.pop(old) if old in self._files else self._found(old)

    def ilistdir(self, folder):
        if folder not in self._folders:
            raise OSError(errno.ENOENT, folder)
        start = folder.rstrip("/") + "/"
        for kind, paths in ((0x8000, list(self._files)), (0x4000, list(self._folders))):
            for path in paths:
                name = path[len(start) :]
                if path.startswith(start) and name and "/" not in name:
                    yield (name, kind, 0, 0)

    @staticmethod
    def mkfs(device, **options):
        held = _deepest(device)
        held.shim_files, held.shim_folders = {}, {"/", "/sealcam"}  # how folders are made, blocks must show


def _deepest(device):
    """What outlives a restart of the camera: the store under the devices that are made anew each time."""
    while hasattr(device, "_device") or hasattr(device, "_store"):
        device = device._device if hasattr(device, "_device") else device._store
    return device


class VfsFat(_Tree):
    pass


class VfsLfs2(_Tree):
    pass


_mounted = {}


def mount(filesystem, point, readonly=False):
    if point in _mounted:
        raise OSError(errno.EPERM, point)
    _mounted[point] = filesystem


def umount(point):
    if point not in _mounted:
        raise OSError(errno.EINVAL, point)
    del _mounted[point]
