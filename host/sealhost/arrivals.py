"""What stands in the bays of a dock: lines and cards, as they come and go.

It looks at names, and at heads to see whose card it is; it opens no recording and changes nothing.
"""

import errno
import glob
import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sealhost.reader import open_place
from sealhost.verify import read_core

_FIRST = 64 << 10  # of a device: boot sector, and tables that change when anything on it does


@dataclass(frozen=True)
class Arrived:
    """A line or a card that is there now. `mark` changes when another one is, or when it was written to."""

    path: str
    is_port: bool
    mark: str

    @property
    def real(self) -> str:
        """Its path without symbolic links: one thing may have several names."""
        return os.path.realpath(self.path)


def find(patterns: Sequence[str]) -> list[Arrived]:
    """What the patterns find, each thing once however many names it has; what it is, is found by looking."""
    found: dict[str, Arrived] = {}
    for pattern in patterns:
        for path in sorted(glob.glob(pattern)):
            arrived = look(path)
            if arrived is not None:
                found.setdefault(arrived.real, arrived)
    return list(found.values())


def look(path: str) -> Arrived | None:
    """What is at a path; None where nothing is, or a reader without a card."""
    try:
        seen = os.stat(path)
        if stat.S_ISCHR(seen.st_mode):
            return Arrived(path, True, f"{seen.st_rdev:x}.{seen.st_ino:x}.{seen.st_ctime_ns:x}")
        if stat.S_ISDIR(seen.st_mode):
            return _folder(path, seen)
        if stat.S_ISREG(seen.st_mode):
            return Arrived(path, False, f"{seen.st_ino:x}.{seen.st_size:x}.{seen.st_mtime_ns:x}")
        return _device(path, seen) if stat.S_ISBLK(seen.st_mode) else None
    except OSError:
        return None  # gone, or gone between two looks: the next one sees


def _folder(path: str, seen: os.stat_result) -> Arrived:
    """A mounted card, or a folder on a desk: what is in it counts, two levels deep."""
    names = hashlib.sha256()
    for name, size, changed in sorted(_names(path, 1)):
        names.update(f"{name}\0{size}\0{changed}\0".encode("utf-8", "surrogateescape"))
    return Arrived(path, False, f"{seen.st_dev:x}.{seen.st_ino:x}.{names.hexdigest()[:16]}")


def _names(folder: str, deep: int) -> Iterator[tuple[str, int, int]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _names(entry.path, deep - 1) if deep else ()
            elif entry.is_file(follow_symlinks=False):
                seen = entry.stat(follow_symlinks=False)
                yield entry.path, seen.st_size, seen.st_mtime_ns


def _device(path: str, seen: os.stat_result) -> Arrived | None:
    """A block device with a card in it, by its first sectors; a reader that is empty says so when opened."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as fault:
        if fault.errno in (errno.ENOMEDIUM, errno.ENXIO, errno.ENODEV, errno.ENOENT):
            return None
        return Arrived(path, False, f"{seen.st_rdev:x}.{fault.errno}")  # docking it says what is wrong
    try:
        os.posix_fadvise(handle, 0, _FIRST, os.POSIX_FADV_DONTNEED)
        first = hashlib.sha256(os.pread(handle, _FIRST, 0)).hexdigest()[:16]
        return Arrived(path, False, f"{seen.st_rdev:x}.{first}")
    except OSError as fault:
        return Arrived(path, False, f"{seen.st_rdev:x}.{fault.errno}")
    finally:
        os.close(handle)


def owners(path: str) -> set[bytes]:
    """Device ids in the heads of a card. A head proves nothing: this says only which line to join it to."""
    place = open_place(Path(path))
    cores = []
    for part in place.parts():
        cores.append(read_core(part))
        part.close()
    return {core.device_id for core in cores if core}
