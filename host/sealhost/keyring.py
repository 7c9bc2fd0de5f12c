"""The keys, key lists and drills that a pack holds: those in use, and those before them.

A key that follows another lies beside it under its own id, and nothing is ever written over: what was sealed
under an old list stays readable. Which key is in use the key list says. It opens no key and signs nothing.
"""

from collections.abc import Iterator
from pathlib import Path

from sealhost import durable
from sealhost.errors import NotFound
from sealhost.keys import key_id_of
from sealhost.statements import KeyList

ROLES = ("evidence", "escrow", "verify", "receipt", "time", "certificate", "release", "link", "enrolment")
NUMBERS = {role: number for number, role in enumerate(ROLES, 1)}  # in a key list; statements.md
_HISTORY = "keylists"
_DIGITS = 16


def named(path: Path, key_id: bytes) -> Path:
    """Where a key that follows the one at `path` lies."""
    return path.with_name(f"{path.stem}-{key_id.hex()[:_DIGITS]}{path.suffix}")


def current(path: Path, point: bytes | None) -> Path:
    """The file of the key in use: that of the listed point, else the first one."""
    newer = named(path, key_id_of(point)) if point else path
    return newer if newer.exists() else path


def held(path: Path) -> list[Path]:
    """Every key file of a role, the first one first."""
    return [path, *sorted(path.parent.glob(f"{path.stem}-*{path.suffix}"))]


def keep_list(path: Path, keylist: KeyList) -> None:
    """Put a newer key list into use. Order of writes: among those that were, then the one in use.

    A cut leaves the old one in use, or the new one.
    """
    folder = path.parent / _HISTORY
    folder.mkdir(mode=0o700, exist_ok=True)
    durable.write_file(folder / f"{keylist.version:04d}.seal", keylist.raw, 0o600)
    durable.write_file(path, keylist.raw, 0o600)


def list_of(path: Path, version: int, root_point: bytes) -> KeyList:
    """The key list of a version, as it was; NotFound."""
    for known in lists(path, root_point):
        if known.version == version:
            return known
    raise NotFound(f"key list {version}")


def lists(path: Path, root_point: bytes) -> Iterator[KeyList]:
    """Every key list that was in use here, the one in use first."""
    yield KeyList.parse(path.read_bytes(), root_point)
    for other in sorted((path.parent / _HISTORY).glob("*.seal"), reverse=True):
        yield KeyList.parse(other.read_bytes(), root_point)


class Drills:
    """Drill files that wait for their cameras, one for each trial recording that was opened twice."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)

    def put(self, device_id: bytes, version: int, h_core: bytes, raw: bytes) -> Path:
        """Durable at return; the same again is written anew."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        path = self.folder / f"{device_id.hex()}-{version:04d}-{h_core.hex()}.drill"
        durable.write_file(path, raw, 0o600)
        return path

    def of(self, device_id: bytes, version: int) -> list[tuple[bytes, bytes]]:
        """(h_core, file) of everything that waits for a camera under a key list."""
        found = sorted(self.folder.glob(f"{device_id.hex()}-{version:04d}-*.drill"))
        return [(bytes.fromhex(path.stem.rsplit("-", 1)[1]), path.read_bytes()) for path in found]

    def drop(self, device_id: bytes, version: int) -> None:
        """Whatever waited for a camera up to this key list: it has switched."""
        for path in self.folder.glob(f"{device_id.hex()}-*.drill"):
            if int(path.stem.split("-")[1]) <= version:
                path.unlink(missing_ok=True)
