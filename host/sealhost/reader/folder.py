"""A card that is mounted: a folder of files."""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from sealhost.durable import sync_file
from sealhost.errors import PlaceReadOnly, PlaceUnreadable
from sealhost.reader.parts import FilePart, wipe_heads
from sealhost.reader.place import Place

_DEEP, _MANY = 4, 100_000


_FAT_IOCTL_GET_VOLUME_ID = 0x80047213  # linux/msdos_fs.h


def _volume_id(path: Path) -> bytes | None:
    """The serial of a mounted FAT card, the same that its device shows; None where it is no FAT."""
    answer = bytearray(4)
    try:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.ioctl(handle, _FAT_IOCTL_GET_VOLUME_ID, answer)
        finally:
            os.close(handle)
    except OSError:
        return None
    return bytes(12) + bytes(answer)


class Folder(Place):
    """Files below one folder, symbolic links apart."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.serial = _volume_id(path) or hashlib.sha256(os.fsencode(path.resolve())).digest()[:16]

    def every_file(self) -> list[FilePart]:
        """All regular files, by name."""
        found = []
        for path in self._walk(self.path, _DEEP):
            found.append(FilePart(path, str(path.relative_to(self.path)), self._size(path)))
            if len(found) > _MANY:
                raise PlaceUnreadable(self.name, f"there are more than {_MANY} files there")
        return sorted(found, key=lambda part: part.name)

    def _walk(self, folder: Path, deep: int) -> Iterator[Path]:
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_file(follow_symlinks=False):
                        yield Path(entry.path)
                    elif deep and entry.is_dir(follow_symlinks=False):
                        yield from self._walk(Path(entry.path), deep - 1)
        except OSError as trouble:
            raise PlaceUnreadable(folder, trouble.strerror) from trouble

    def _size(self, path: Path) -> int:
        try:
            return path.stat().st_size
        except OSError as trouble:
            raise PlaceUnreadable(path, trouble.strerror) from trouble

    def wipe(self, part: FilePart) -> dict[str, object]:
        """Heads, then the name. A cut between leaves a file without a head, which is no recording."""
        heads = wipe_heads(part)
        part.close()
        try:
            part.path.unlink()
            self._sync_folder(part.path.parent)
        except OSError as trouble:
            raise PlaceReadOnly(part.name, trouble.strerror) from trouble
        self._samples.append({"file": part.name, "heads": heads, "zero": True})
        return {"file": part.name, "heads": heads, "removed": True, "discarded": False}

    def leave(self, name: str, content: bytes) -> None:
        """Write a file aside, sync, rename. A cut leaves the whole file or none of that name."""
        target = self.path / name
        if target.parent.is_symlink():  # what lies behind it is not on the card
            target = self.path / target.name
        aside = target.with_name(target.name + ".new")
        try:
            target.parent.mkdir(exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
            with os.fdopen(os.open(aside, flags, 0o644), "wb") as file:
                file.write(content)
                file.flush()
                sync_file(file.fileno(), "card file")
            aside.replace(target)
            self._sync_folder(target.parent)
        except OSError as trouble:
            raise PlaceReadOnly(target, trouble.strerror) from trouble

    def sample(self) -> list[dict[str, object]]:
        """What was read back of the files wiped: a folder shows nothing of them any more."""
        return list(self._samples)

    def sync(self) -> None:
        """Everything is on the card when this returns."""
        self._sync_folder(self.path)

    def _sync_folder(self, path: Path) -> None:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            sync_file(handle, "card folder")
        finally:
            os.close(handle)
