"""Bytes of one file of a card: in a folder, or at extents of a device or an image. Reads; wipes heads;
never parses.
"""

import contextlib
import ctypes
import errno
import fcntl
import os
import stat
import struct
from dataclasses import dataclass, field
from pathlib import Path

from sealhost import layout
from sealhost.durable import sync_file
from sealhost.errors import CardUnreadable, PlaceReadOnly

HEADS = 2 * max(layout.BLOCK_SIZES)  # what a wipe overwrites first: both copies of the largest head
_PROBE = HEADS + 4
_BLKDISCARD = 0x1277  # linux/fs.h
_PUNCH_HOLE, _KEEP_SIZE = 2, 1  # linux/falloc.h


@dataclass(frozen=True)
class FilePart:
    """A file; `extents` are (offset, length) in it, or none for all of it."""

    path: Path
    name: str
    size: int
    extents: tuple[tuple[int, int], ...] = ()
    _handle: list[int] = field(default_factory=list, repr=False, compare=False)

    def read_into(self, offset: int, view: memoryview) -> int:
        """See `records.Part`."""
        wanted = max(0, min(len(view), self.size - offset))
        done = 0
        for at, length in self.pieces(offset, wanted):
            got = self._read(at, view[done : done + length])
            done += got
            if got < length:
                break
        return done

    def pieces(self, offset: int, length: int) -> list[tuple[int, int]]:
        """Where bytes offset..offset+length-1 of this part lie."""
        if not self.extents:
            return [(offset, length)] if length else []
        found, before = [], 0
        for start, size in self.extents:
            low, high = max(offset, before), min(offset + length, before + size)
            if low < high:
                found.append((start + low - before, high - low))
            before += size
            if before >= offset + length:
                break
        return found

    def _read(self, at: int, view: memoryview) -> int:
        done = 0
        try:
            handle = self._open()
            while done < len(view):
                got = os.preadv(handle, [view[done:]], at + done)
                if not got:
                    break
                done += got
        except OSError as trouble:
            raise CardUnreadable(self.name, f"byte {at + done} ({trouble.strerror})") from trouble
        return done

    def _open(self) -> int:
        """One handle a part, shared by processes that are forked: reads name their own offset."""
        if not self._handle:
            self._handle.append(os.open(self.path, os.O_RDONLY | os.O_CLOEXEC))
        return self._handle[0]

    def close(self) -> None:
        """Give the handle back."""
        while self._handle:
            os.close(self._handle.pop())

    def __del__(self) -> None:
        """Give the handle back."""
        with contextlib.suppress(OSError):
            self.close()

    def __reduce__(self) -> tuple[object, ...]:
        """A process that is spawned opens the file itself."""
        return FilePart, (self.path, self.name, self.size, self.extents)


def could_be_ours(part: FilePart) -> bool:
    """Whether a head of ours, or a chunk where one would stand, is there: 32 KiB are read, whatever the
    size.
    """
    probe = bytearray(_PROBE)
    got = part.read_into(0, memoryview(probe))
    heads = any(probe.startswith(layout.MAGIC, offset) for offset in (0, *layout.BLOCK_SIZES))
    return got > 0 and (
        heads or any(probe.startswith(layout.CHUNK_MAGIC, 2 * size) for size in layout.BLOCK_SIZES)
    )


def wipe_heads(part: FilePart) -> int:
    """Overwrite slot areas and heads in place, then read them back; returns bytes overwritten.

    A cut leaves heads that are zero in part: what stands behind them can be opened by nobody once the slots
    are gone,
    and the wipe is run again.
    """
    pieces = part.pieces(0, min(HEADS, part.size))
    handle = _open_to_write(part)
    try:
        for at, length in pieces:
            os.pwrite(handle, bytes(length), at)
        sync_file(handle, "card heads")
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)  # the echo is to come from the card
        if any(any(os.pread(handle, length, at)) for at, length in pieces):
            raise CardUnreadable(part.name, "its head: what was overwritten reads back as it was")
    except OSError as trouble:
        if trouble.errno in (errno.EPERM, errno.EROFS):  # a device that was locked says so at the first write
            raise PlaceReadOnly(part.name, trouble.strerror) from trouble
        raise CardUnreadable(part.name, f"its head ({trouble.strerror})") from trouble
    finally:
        os.close(handle)
    return sum(length for _, length in pieces)


def _open_to_write(part: FilePart) -> int:
    try:
        return os.open(part.path, os.O_RDWR | os.O_CLOEXEC)
    except OSError as trouble:
        raise PlaceReadOnly(part.name, trouble.strerror) from trouble


def discard(path: Path, extents: tuple[tuple[int, int], ...]) -> bool:
    """Ask the driver to forget extents; False where it cannot. What a cut leaves is forgotten in part."""
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            return all([_discard_one(handle, at, length) for at, length in extents])
        finally:
            os.close(handle)
    return False


def _discard_one(handle: int, at: int, length: int) -> bool:
    if stat.S_ISBLK(os.fstat(handle).st_mode):
        try:
            fcntl.ioctl(handle, _BLKDISCARD, struct.pack("QQ", at, length))
        except OSError:  # most card readers cannot
            return False
        return True
    library = ctypes.CDLL(None, use_errno=True)
    call = getattr(library, "fallocate64", None)
    if call is None:
        return False
    call.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
    return bool(call(handle, _PUNCH_HOLE | _KEEP_SIZE, at, length) == 0)
