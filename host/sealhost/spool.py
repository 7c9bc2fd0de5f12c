"""Sealed files of cards, kept by the dock while the vault is away.

What lies on the card is copied as it is, flushed, and named by card and digest. It holds no key, judges
nothing, and never changes a card; a copy goes only when its caller says that the vault holds what is in it.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from sealhost import layout
from sealhost.durable import rename, sync_file, sync_folder
from sealhost.errors import PlaceBusy, PlaceUnreadable, StoreFull, StoreUnavailable
from sealhost.reader import FilePart, Place
from sealhost.verify import read_core

MANIFEST = "card.json"
_PIECE = 1 << 20  # a multiple of every chunk size
_HEAD = 512


@dataclass(frozen=True)
class Spooled:
    """One copy of a card: `listing` tells whether the card still shows the same files."""

    folder: Path
    card: bytes
    listing: str
    devices: tuple[bytes, ...]
    files: tuple[tuple[str, int, str], ...]  # name on the card, size there, name here
    since: int  # UTC ms


class SpoolPlace(Place):
    """A copy as a card that can be read and is never wiped; its serial is its own, so that no plan made for
    the card is carried out on it.
    """

    is_read_only = True
    never_wiped = "a copy the dock made while the vault was away; the card itself is wiped when it is docked"

    def __init__(self, spooled: Spooled) -> None:
        super().__init__(spooled.folder)
        self.serial = hashlib.sha256(b"sealcam spool\0" + spooled.folder.name.encode()).digest()[:16]
        self._files = [FilePart(spooled.folder / here, name, size) for name, size, here in spooled.files]

    @property
    def name(self) -> str:
        return f"spool {self.path.name[:16]}"

    def every_file(self) -> list[FilePart]:
        return list(self._files)

    def wipe(self, part: FilePart) -> dict[str, object]:
        """Never: `Spool.free` lets the copy go as a whole."""
        raise PlaceUnreadable(part.name, self.never_wiped)

    def sample(self) -> list[dict[str, object]]:
        """Nothing was wiped."""
        return []

    def leave(self, name: str, content: bytes) -> None:
        """Never: no camera reads it."""
        raise PlaceUnreadable(name, self.never_wiped)

    def sync(self) -> None:
        """Nothing was written."""


class Spool:
    """One folder, bounded; one dock works in it at a time, several bays of it at once."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        """Sweep what a killed dock left; PlaceBusy where another one is at work."""
        self.folder, self._most = Path(folder), most_bytes
        self._guard = threading.Lock()
        with self._trouble():
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = open(self.folder / "lock", "ab")  # noqa: SIM115 - held as long as this is
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise PlaceBusy(self.folder, "another dock spools there") from None
            for path in [*self.folder.glob("*.new"), *self.folder.glob("*.gone")]:
                shutil.rmtree(path)
            self._used = sum(_on_disk(path) for path in self.folder.rglob("*"))

    @contextlib.contextmanager
    def _trouble(self) -> Iterator[None]:
        try:
            yield
        except OSError as fault:
            raise StoreUnavailable(self.folder, fault.strerror or fault) from None

    def entries(self) -> list[Spooled]:
        """Every whole copy, oldest first; one whose list cannot be read is left for a person to look at."""
        with self._trouble():
            found = [entry for path in self.folder.glob("*-*") if (entry := _read(path))]
        return sorted(found, key=lambda entry: (entry.since, entry.folder.name))

    def find(self, place: Place) -> Spooled | None:
        """The copy of this very card as it is now, if there is one."""
        listing = _listing(place.parts())
        same = (entry for entry in self.entries() if (entry.card, entry.listing) == (place.serial, listing))
        return next(same, None)

    def take(self, place: Place, utc_ms: int, tell: Callable[[float], None] = lambda done: None) -> Spooled:
        """Copy what is ours on a card; the same card again is there already.

        Order of writes: files and their list aside, each flushed, then one rename. A cut leaves what the next
        start sweeps away, or the whole copy. StoreFull beyond the bound; StoreUnavailable; card errors pass.
        """
        parts = place.parts()
        if found := self.find(place):
            return found
        aside = self.folder / f"{secrets.token_hex(16)}.new"
        try:
            with self._trouble():
                aside.mkdir(mode=0o700)
                return self._take(place, parts, aside, utc_ms, tell)
        finally:
            if aside.exists():
                self._remove(aside)

    def _take(
        self, place: Place, parts: Sequence[FilePart], aside: Path, utc_ms: int, tell: Callable[[float], None]
    ) -> Spooled:
        whole, done, files = sum(part.size for part in parts) or 1, 0, []
        for number, part in enumerate(parts):
            digest = self._copy(part, aside / f"{number:05d}")
            files.append({"name": part.name, "size": part.size, "file": f"{number:05d}", "sha256": digest})
            part.close()
            done += part.size
            tell(done / whole)
        cores = [core for part in parts if (core := read_core(part))]
        listed = {
            "card": place.serial.hex(),
            "devices": sorted({core.device_id.hex() for core in cores}),
            "files": files,
            "listing": _listing(parts),
            "utc_ms": utc_ms,
        }
        content = json.dumps(listed, sort_keys=True).encode()
        with open(aside / MANIFEST, "xb") as file:
            self._write(file, content)
            _flush(file, "spool list")
        sync_folder(aside, "spool files")
        target = self.folder / f"{place.serial.hex()}-{hashlib.sha256(content).hexdigest()[:32]}"
        rename(aside, target, "name the spooled card")
        spooled = _read(target)
        assert spooled is not None, "what was written a moment ago is a copy"
        return spooled

    def _copy(self, part: FilePart, target: Path) -> str:
        """Heads, then everything up to the last chunk of the recording: what lies behind it was there
        before. The copy has the size of the file, its end a hole. Returns the digest of what was copied.
        """
        buffer, digest, end = memoryview(bytearray(_PIECE)), hashlib.sha256(), 0
        with open(target, "xb") as file:
            for reach in _reaches(part, buffer):
                while end < reach:
                    got = part.read_into(end, buffer[: min(_PIECE, reach - end)])
                    if not got:
                        raise PlaceUnreadable(part.name, "it is shorter than its card says")
                    digest.update(buffer[:got])
                    self._write(file, buffer[:got])
                    end += got
            file.flush()
            os.truncate(file.fileno(), part.size)
            _flush(file, "spool file")
        return digest.hexdigest()

    def _write(self, file: BinaryIO, view: memoryview | bytes) -> None:
        """Within the bound: what several bays write at once is counted before it is written."""
        with self._guard:
            if self._used + len(view) > self._most:
                raise StoreFull(self.folder, f"its bound is {self._most} bytes")
            self._used += len(view)
        file.write(view)

    def free(self, spooled: Spooled) -> None:
        """The vault holds what is in it: let the copy go. A cut leaves it, or what a start sweeps away."""
        gone = spooled.folder.with_suffix(".gone")
        with self._trouble():
            rename(spooled.folder, gone, "free the spool")
            self._remove(gone)

    def _remove(self, folder: Path) -> None:
        freed = sum(_on_disk(path) for path in folder.rglob("*"))
        with self._trouble():
            shutil.rmtree(folder)
        with self._guard:
            self._used = max(0, self._used - freed)

    def close(self) -> None:
        """Let another dock work here."""
        self._lock.close()


def _reaches(part: FilePart, buffer: memoryview) -> Iterator[int]:
    """How far to copy, rising: the heads, then the end of the last chunk of each stretch that has one."""
    core = read_core(part)
    if core is None:
        yield part.size  # nobody can say what of it counts
        return
    start, size = 2 * core.block_size, core.chunk_size
    yield min(start, part.size)
    mark = core.recording_id[:8]
    for at in range(start, part.size, _PIECE):
        got = part.read_into(at, buffer)
        ours = [cell for cell in range(0, got, size) if _is_chunk(buffer[cell : cell + 24], mark)]
        if ours:
            yield min(at + ours[-1] + size, part.size)


def _is_chunk(header: memoryview, mark: bytes) -> bool:
    return header[:4] == layout.CHUNK_MAGIC and header[16:24] == mark


def _listing(parts: Sequence[FilePart]) -> str:
    """A digest of names, sizes and first sectors: a card that was recorded on shows another."""
    digest = hashlib.sha256()
    for part in parts:
        head = bytearray(_HEAD)
        got = part.read_into(0, memoryview(head))
        digest.update(json.dumps([part.name, part.size, got]).encode() + bytes(head))
    return digest.hexdigest()


def _flush(file: Any, step: str) -> None:
    file.flush()
    sync_file(file.fileno(), step)


def _on_disk(path: Path) -> int:
    """Bytes a file takes, holes apart; what another bay has just moved takes none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return 0
    return min(found.st_size, found.st_blocks * 512) if path.is_file() else 0


def _read(folder: Path) -> Spooled | None:
    """What a copy is of; nothing where it is none."""
    try:
        told = json.loads((folder / MANIFEST).read_bytes())
        files = tuple((str(f["name"]), int(f["size"]), f"{int(f['file']):05d}") for f in told["files"])
        devices = tuple(bytes.fromhex(device) for device in told["devices"])
        card, listing = bytes.fromhex(told["card"]), str(told["listing"])
        return Spooled(folder, card, listing, devices, files, int(told["utc_ms"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
