"""One place that keeps bodies: a folder of write-once files named by their SHA-256.

A draft is written aside, flushed, made read-only and renamed: a cut leaves a draft nobody sees or the whole
body. A folder without its marker is a disk that is not mounted, and nothing is written there. Knows no
recording, no key and no catalogue.
"""

import errno
import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sealhost.config import STORE_MARKER
from sealhost.durable import rename, sync_file, sync_folder, write_file
from sealhost.errors import CopyDamaged, NotFound, StoreFull, StoreUnavailable
from sealhost.vault.uncached import digest_past_cache, go_cached, go_direct

BODIES, QUARANTINE = "bodies", "quarantine"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FLUSH_EVERY = 32 << 20  # so that the last flush does not wait for a whole card


@contextmanager
def trouble_at(place: Path) -> Iterator[None]:
    """What the disk says, as an error that names the place."""
    try:
        yield
    except OSError as fault:
        kind = StoreFull if fault.errno in _FULL else StoreUnavailable
        raise kind(place, fault.strerror or fault) from None


@dataclass(frozen=True)
class ReadBack:
    """A copy that read back the same: where, how large, and how the page cache was passed by."""

    place: Path
    size: int
    how: str  # "direct" or "cache dropped"


class StoredPart:
    """One stored file as a Part."""

    def __init__(self, place: Path, path: Path) -> None:
        self._place = place
        with trouble_at(place):
            self._handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            self.size = os.fstat(self._handle).st_size
        self.name = path.name

    def read_into(self, offset: int, view: memoryview) -> int:
        """Fill `view` from `offset`; fewer bytes only at the end; StoreUnavailable when it cannot."""
        done = 0
        with trouble_at(self._place):
            while done < len(view):
                got = os.preadv(self._handle, [view[done:]], offset + done)
                if got == 0:
                    break
                done += got
        return done

    def close(self) -> None:
        """Let go of the file."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def __enter__(self) -> "StoredPart":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()


class Draft:
    """A body on its way: written aside, named when it is whole."""

    def __init__(self, place: Path, room: Path) -> None:
        self._place, self._room = place, room
        self._hash = hashlib.sha256()
        self._unflushed = 0
        with trouble_at(place):
            self._path, self._handle = _new_draft(room / "drafts")
            self._is_direct = go_direct(self._handle)

    def write(self, view: memoryview | bytes) -> None:
        """Append; the bytes are taken before this returns."""
        self._hash.update(view)
        self.write_unhashed(view)

    def write_unhashed(self, view: memoryview | bytes) -> None:
        """Append bytes whose digest somebody else keeps."""
        rest = memoryview(view)
        with trouble_at(self._place):
            while rest:
                rest = rest[self._write(rest) :]
            self._unflushed += 0 if self._is_direct else len(view)
            if self._unflushed >= _FLUSH_EVERY:
                os.fdatasync(self._handle)
                self._unflushed = 0

    def _write(self, view: memoryview) -> int:
        """Past the page cache, at a third of the cost, until the disk refuses: an end is no whole block."""
        if self._is_direct:
            try:
                return os.write(self._handle, view)
            except OSError as fault:
                if fault.errno != errno.EINVAL:
                    raise
            self._is_direct = go_cached(self._handle)
        return os.write(self._handle, view)

    def commit(self, digest: bytes | None = None) -> bytes:
        """Flush and name it; what is there already under that name stays, and the answer is the same."""
        digest = digest or self._hash.digest()
        target = path_of(self._room, digest)
        with trouble_at(self._place):
            if target.exists():
                self.discard()
                return digest
            os.fchmod(self._handle, 0o440)
            sync_file(self._handle, "vault body")
            if not target.parent.exists():
                target.parent.mkdir(exist_ok=True)
                sync_folder(self._room, "vault room")
            rename(self._path, target, "vault name")  # before this nobody sees it; after it, it is whole
        self._close()
        return digest

    def discard(self) -> None:
        """Forget it."""
        if self._handle >= 0:
            with trouble_at(self._place):
                try:
                    self._path.unlink(missing_ok=True)
                finally:
                    self._close()

    def _close(self) -> None:
        os.close(self._handle)
        self._handle = -1


def _new_draft(folder: Path) -> tuple[Path, int]:
    """A new file and its handle, locked: while the lock is held, nobody sweeps it away."""
    folder.mkdir(parents=True, exist_ok=True)
    while True:
        path = folder / f"{secrets.token_hex(16)}.draft"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(handle, fcntl.LOCK_EX)
        if os.fstat(handle).st_nlink:
            return path, handle
        os.close(handle)  # another dock swept between the two steps


def path_of(room: Path, digest: bytes) -> Path:
    """Where a digest lies: two digits, then all of it."""
    return room / digest.hex()[:2] / digest.hex()


class Store:
    """One place, one room in it (bodies, or quarantine)."""

    def __init__(self, path: Path, room: str = BODIES, is_ours: bool = True) -> None:
        self.path = Path(path)
        self._room = self.path / room
        self._refuse_unless_there()
        if is_ours:  # a guest of the place leaves drafts alone: they may be of a vault at work
            with trouble_at(self.path):
                self._sweep()

    def _refuse_unless_there(self) -> None:
        if not (self.path / STORE_MARKER).is_file():
            raise StoreUnavailable(self.path, "its marker is not there; is the disk mounted?")

    def _sweep(self) -> None:
        """Remove drafts a killed process left; a living one holds its lock."""
        drafts = self._room / "drafts"
        for path in list(drafts.iterdir()) if drafts.is_dir() else []:
            try:
                handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                continue  # another dock has just named it
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink(missing_ok=True)
            except BlockingIOError:
                continue
            finally:
                os.close(handle)

    def draft(self) -> Draft:
        """A body to be."""
        self._refuse_unless_there()
        return Draft(self.path, self._room)

    def has(self, digest: bytes) -> bool:
        """Whether a whole body of that name is here; StoreUnavailable when the place is not."""
        self._refuse_unless_there()
        with trouble_at(self.path):
            return path_of(self._room, digest).is_file()

    def open(self, digest: bytes) -> StoredPart:
        """A body as a Part; NotFound when it is not here."""
        if not self.has(digest):
            raise NotFound(digest.hex())
        return StoredPart(self.path, path_of(self._room, digest))

    def read_back(self, digest: bytes) -> ReadBack:
        """Read a body from the medium, past the page cache, and prove its name; CopyDamaged otherwise."""
        if not self.has(digest):
            raise NotFound(digest.hex())
        with trouble_at(self.path):
            found, size, how = digest_past_cache(path_of(self._room, digest))
        if found != digest:
            raise CopyDamaged(self.path, digest.hex())
        return ReadBack(self.path, size, how)

    def mark(self, list_name: str, name: str, content: bytes = b"") -> None:
        """Put a name on a list of this room, with a few bytes; there already is well."""
        self._refuse_unless_there()
        with trouble_at(self.path):
            folder = self._room / list_name
            folder.mkdir(parents=True, exist_ok=True)
            if not (folder / name).exists():
                write_file(folder / name, content, 0o440)

    def marks(self, list_name: str) -> list[str]:
        """The names on a list of this room."""
        self._refuse_unless_there()
        with trouble_at(self.path):
            folder = self._room / list_name
            return sorted(p.name for p in folder.iterdir() if p.suffix != ".new") if folder.is_dir() else []

    def marked(self, list_name: str, name: str) -> bytes | None:
        """The bytes of a name on a list, None when it is not on it."""
        with trouble_at(self.path):
            path = self._room / list_name / name
            return path.read_bytes() if path.is_file() else None

    def digests(self) -> Iterator[bytes]:
        """The names of all bodies here, in order."""
        self._refuse_unless_there()
        with trouble_at(self.path):
            for folder in sorted(self._room.glob("[0-9a-f][0-9a-f]")):
                yield from (
                    bytes.fromhex(path.name) for path in sorted(folder.iterdir()) if len(path.name) == 64
                )
