"""A card in a reader: a folder, a block device or an image; list, read, wipe. What it is, is found by
looking.
"""

import os
import stat
from pathlib import Path

from sealhost.errors import NotFound, PlaceUnreadable
from sealhost.reader.fat import Fat, fat_offset
from sealhost.reader.folder import Folder
from sealhost.reader.parts import FilePart
from sealhost.reader.place import Place

__all__ = ["FilePart", "Place", "file_part", "open_place"]


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
