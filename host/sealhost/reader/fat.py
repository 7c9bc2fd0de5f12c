"""A FAT card as a device or an image: pyfatfs reads directory and table, the bytes are read where they lie.

The boot sector is bounded before the library believes it, and whatever the library meets in a broken table
becomes one clear error: then there is `carve`.
"""

import contextlib
import io
import os
import struct
import warnings
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import Any

from pyfatfs._exceptions import PyFATException
from pyfatfs.EightDotThree import EightDotThree
from pyfatfs.FATDirectoryEntry import FATDirectoryEntry, make_lfn_entry
from pyfatfs.PyFat import PyFat

from sealhost.durable import sync_file
from sealhost.errors import PlaceUnreadable
from sealhost.reader import entries
from sealhost.reader.parts import FilePart, discard, wipe_heads
from sealhost.reader.place import Place
from sealhost.reader.tables import Bounded, bounds

_DEEP, _MANY = 4, 20_000
_BROKEN = (
    PyFATException, struct.error, ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError,
    AssertionError, ZeroDivisionError, RecursionError, OSError,
)  # fmt: skip


class Fat(Place):
    """A FAT12, FAT16 or FAT32 file system at an offset of a file or a device."""

    def __init__(self, path: Path, offset: int = 0) -> None:
        super().__init__(path)
        self._offset = offset
        self._entries: dict[str, Any] = {}
        self._wiped: list[FilePart] = []
        self._writing: tuple[Bounded, Any] | None = None
        with self._guard():
            with open(path, "rb") as file:
                boot = os.pread(file.fileno(), 512, offset)
                self._length = os.lseek(file.fileno(), 0, os.SEEK_END)
            if not bounds(boot):
                raise PyFATException("its first sector is no boot sector")
            sector, entries = int.from_bytes(boot[11:13], "little"), int.from_bytes(boot[17:19], "little")
            self._root_sectors = (entries * 32 + sector - 1) // sector
            self.serial = bytes(12) + (boot[39:43] if boot[22:24] != b"\0\0" else boot[67:71])
            self._fat = self._mount(open(path, "rb"))  # noqa: SIM115 - the library closes it

    def _mount(self, file: Any) -> Bounded:
        fat = Bounded(offset=self._offset)
        # the library counts clusters without the root directory, and takes some FAT12 for FAT16
        fat.root_dir_sectors = self._root_sectors
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a card that was pulled is what we are here for
            fat.set_fp(file)
        return fat

    @contextlib.contextmanager
    def _guard(self) -> Iterator[None]:
        try:
            yield
        except PyFATException as trouble:
            raise PlaceUnreadable(self.name, f"its file system is broken: {trouble}") from trouble
        except _BROKEN as trouble:
            raise PlaceUnreadable(
                self.name, f"its file system is broken ({type(trouble).__name__})"
            ) from trouble

    def every_file(self) -> list[FilePart]:
        """All files, by name."""
        found: list[FilePart] = []
        with self._guard():
            fat = self._writing[0] if self._writing else self._fat
            for name, entry in self._walk(fat.root_dir, "", _DEEP, set()):
                found.append(FilePart(self.path, name, entry.filesize, self._extents(entry)))
                if len(found) > _MANY:
                    raise PyFATException(f"more than {_MANY} files")
        return sorted(found, key=lambda part: part.name)

    def _walk(self, folder: Any, before: str, deep: int, seen: set[int]) -> Iterator[tuple[str, Any]]:
        dirs, files, _ = folder.get_entries()
        for entry in files:
            yield before + _name(entry), entry
        for entry in dirs:
            if deep and entry.get_cluster() not in seen:
                seen.add(entry.get_cluster())
                yield from self._walk(entry, before + _name(entry) + "/", deep - 1, seen)

    def _extents(self, entry: Any) -> tuple[tuple[int, int], ...]:
        """Where the bytes of a file lie; nothing beyond the end of the card is believed."""
        size, left = self._fat.bytes_per_cluster, entry.filesize
        found: list[tuple[int, int]] = []
        for cluster, count in self._fat.runs(entry.get_cluster(), -(-left // size)):
            at = self._offset + self._fat.get_data_cluster_address(cluster)
            if at + count * size > self._length + 512 * 128:
                raise PyFATException("a file lies beyond the end of the card")
            found.append((at, min(count * size, left)))
            left -= found[-1][1]
        if left:
            raise PyFATException("a file is longer than its chain of clusters")
        return tuple(found) or ((0, 0),)

    def wipe(self, part: FilePart) -> dict[str, object]:
        """Heads, then the directory, then the extents. The table is written by `sync`.

        A cut after the directory leaves clusters that belong to nobody until the card is formatted.
        """
        heads = wipe_heads(part)
        with self._guard():
            fat, file = self._to_write()
            folder, entry = self._find(fat, part.name)
            if not entries.strike(file, self._runs_of(fat, folder), bytes(entry.name.name)):
                raise PyFATException("its name is not where the directory has it")
            folder.remove_dir_entry(_key(entry))
            if entry.get_cluster():
                fat.free_cluster_chain(entry.get_cluster())
            self._flush(file)
        self._wiped.append(part)
        return {
            "file": part.name,
            "heads": heads,
            "removed": True,
            "discarded": discard(self.path, part.extents),
        }

    def _forget_free_count(self, fat: PyFat, file: Any) -> None:
        """FAT32 keeps a count of free clusters that the library does not mend: all ones mean, count anew."""
        if (
            fat.fat_type == PyFat.FAT_TYPE_FAT32
            and 0 < fat.bpb_header["BPB_FSInfo"] < fat.bpb_header["BPB_RsvdSecCnt"]
        ):
            at = self._offset + fat.bpb_header["BPB_FSInfo"] * fat.bpb_header["BPB_BytsPerSec"]
            file.seek(at)
            if file.read(4) == b"RRaA":
                file.seek(at + 488)
                file.write(b"\xff" * 8)

    def _to_write(self) -> tuple[Bounded, Any]:
        if self._writing is None:
            file = open(self.path, "rb+")  # noqa: SIM115 - closed by sync
            self._writing = self._mount(file), file
        return self._writing

    def _find(self, fat: PyFat, name: str) -> tuple[Any, Any]:
        folder = fat.root_dir
        *folders, last = name.split("/")
        for step in folders:
            folder = next(entry for entry in folder.get_entries()[0] if _same(entry, step))
        found = [entry for entry in folder.get_entries()[1] if _same(entry, last)]
        if not found:
            raise PyFATException("the file is not there any more")
        return folder, found[0]

    def _runs_of(self, fat: Bounded, folder: Any) -> list[tuple[int, int]]:
        """Where the entries of a folder lie: its clusters, or the fixed place of a root that has none."""
        if folder is fat.root_dir and fat.fat_type != PyFat.FAT_TYPE_FAT32:
            sector = fat.bpb_header["BPB_BytsPerSec"]
            return [(self._offset + fat.root_dir_sector * sector, fat.root_dir_sectors * sector)]
        clusters = fat.get_cluster_chain(folder.get_cluster())
        size = fat.bytes_per_cluster
        return [(self._offset + fat.get_data_cluster_address(cluster), size) for cluster in clusters]

    def _flush(self, file: Any) -> None:
        file.flush()
        sync_file(file.fileno(), "card directory")

    def leave(self, name: str, content: bytes) -> None:
        """Data, then the table, then the name. A cut leaves clusters that belong to nobody, or the whole
        file.
        """
        self.sample()
        with self._guard():
            fat, file = self._to_write()
            folder, last = self._folder_for(fat, name)
            if any(_same(entry, last) for entry in folder.get_entries()[1]):
                return  # left there by the run before this one
            short = EightDotThree(encoding=fat.encoding)
            short.set_str_name(short.make_8dot3_name(last, folder))
            entry = FATDirectoryEntry.new(name=short, tz=UTC, encoding=fat.encoding, attr=0)
            entry.set_lfn_entry(make_lfn_entry(last, short))
            first = fat.allocate_bytes(max(1, len(content)))[0]
            fat.write_data_to_cluster(content, first, extend_cluster=False)
            entry.set_cluster(first)
            entry.filesize = len(content)
            fat.flush_fat()
            self._flush(file)
            folder.add_subdirectory(entry)
            if not entries.add(file, self._runs_of(fat, folder), bytes(entry)):
                fat.update_directory_entry(folder)  # it has to grow
            self._flush(file)

    def _folder_for(self, fat: PyFat, name: str) -> tuple[Any, str]:
        """The folder a name asks for, the root where the card has none of that name."""
        *folders, last = name.split("/")
        wanted = [entry for entry in fat.root_dir.get_entries()[0] if folders and _same(entry, folders[0])]
        return (wanted[0] if wanted else fat.root_dir), last

    def sample(self) -> list[dict[str, object]]:
        """Four places of every file wiped, read from the card before anything else was written there."""
        while self._wiped:
            part = self._wiped.pop(0)
            part.close()
            for offset in sorted({0, part.size // 3, 2 * part.size // 3, max(0, part.size - 512)}):
                piece = bytearray(512)
                got = part.read_into(offset, memoryview(piece))
                self._samples.append({"file": part.name, "at": offset, "zero": not any(piece[:got])})
        return list(self._samples)

    def sync(self) -> None:
        """Write the table; everything is on the card when this returns, and the card is looked at anew."""
        if self._writing is None:
            return
        with self._guard():
            fat, file = self._writing
            self._writing = None
            fat.flush_fat()
            self._forget_free_count(fat, file)
            self._flush(file)
            fat.close()
            self._fat.close()
            self._fat = self._mount(io.open(self.path, "rb"))  # noqa: SIM115, UP020


def _name(entry: Any) -> str:
    """The long name where there is one, else the short one in the case its two flags give it."""
    if entry.lfn_entry is not None:
        return str(entry.get_long_name())
    base, dot, ending = str(entry.get_short_name()).partition(".")
    base = base.lower() if entry.ntres & 0x08 else base
    return base + dot + (ending.lower() if entry.ntres & 0x10 else ending)


def _key(entry: Any) -> str:
    """The name the library itself looks for."""
    return str(entry.get_long_name() if entry.lfn_entry is not None else entry.get_short_name())


def _same(entry: Any, name: str) -> bool:
    """Names on FAT differ in more than case, or not at all."""
    return _name(entry).lower() == name.lower()
