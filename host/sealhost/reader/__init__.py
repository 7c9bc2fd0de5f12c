"""A card in a reader: a folder, a block device or an image; list, read, wipe. What it is, is found by
looking.
"""

import contextlib
import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from sealhost.errors import NotFound, PlaceBusy, PlaceUnreadable
from sealhost.reader.fat import Fat
from sealhost.reader.folder import Folder
from sealhost.reader.parts import FilePart
from sealhost.reader.place import Place
from sealhost.reader.tables import fat_offset

__all__ = ["FilePart", "Place", "file_part", "hold", "open_place"]


@contextlib.contextmanager
def hold(path: Path | str) -> Iterator[None]:
    """Keep every other dock off a card while it is looked at and wiped; PlaceBusy where one is at it already.

    A device that is mounted is busy too: its file system would be changed behind the kernel's back.
    """
    try:
        is_device = stat.S_ISBLK(os.stat(path).st_mode)
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | (os.O_EXCL if is_device else 0))
    except (OSError, ValueError) as trouble:
        if getattr(trouble, "errno", None) == errno.EBUSY:
            raise PlaceBusy(path, "it is mounted, or another program has it") from None
        yield  # whoever opens it says what is wrong with it
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise PlaceBusy(path, "another dock is at work on it") from None
    finally:
        os.close(handle)


def open_place(path: Path | str) -> Place:
    """The card at a path; PlaceUnreadable, with what to do next, for what is none."""
    path = Path(path)
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            return Folder(path)
        if not (stat.S_ISREG(mode) or stat.S_ISBLK(mode)):
            raise PlaceUnreadable(path, "it is neither a folder, nor a device, nor an image")
        with open(path, "rb") as file:
            head = os.pread(file.fileno(), 512, 0)
    except FileNotFoundError:
        raise NotFound(path) from None
    except (OSError, ValueError) as trouble:
        raise PlaceUnreadable(path, getattr(trouble, "strerror", None) or "not a path") from trouble
    offset = fat_offset(head)
    if head[3:11] == b"EXFAT   ":
        raise PlaceUnreadable(path, "it is formatted as exFAT; mount it and name the folder")
    if offset is None:
        raise PlaceUnreadable(path, "there is no FAT file system on it; `--carve` looks for what is left")
    return Fat(path, offset)


def file_part(path: Path | str) -> FilePart:
    """One sealed file by its path, for `verify FILE`."""
    path = Path(path)
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        raise NotFound(path) from None
    except (OSError, ValueError) as trouble:
        raise PlaceUnreadable(path, getattr(trouble, "strerror", None) or "not a path") from trouble
    return FilePart(path, path.name, size)
