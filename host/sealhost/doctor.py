"""What is missing here and the command that mends it. It looks, and changes nothing."""

import importlib.metadata
import os
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sealhost import config, keys, statements
from sealhost.errors import SealcamError

_LIBRARIES = (
    "av",
    "alembic",
    "click",
    "construct",
    "cryptography",
    "paho-mqtt",
    "pyfatfs",
    "shamir-mnemonic",
    "SQLAlchemy",
)
_TOOLS = {
    "mkfs.vfat": ("dosfstools", "makes and checks card images"),
    "mcopy": ("mtools", "reads card images without mounting them"),
}
_PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
_ROOM = 1 << 30  # less than this in a store and the next card may not fit
_RELEASED = 1793491200  # 2026-11-01: no clock is right that is before this program
_ED25519 = ("checkpoint", "diary")


@dataclass(frozen=True)
class Check:
    """One thing looked at; `mend` is the command, where there is something to mend."""

    what: str
    good: bool
    mend: str = ""


def examine(home: str | None, newest_ms: int = 0) -> list[Check]:
    """Everything that can be seen without a passphrase. `newest_ms` is when custody was last written."""
    return [*_program(), *map(_tool, _TOOLS), *_desk_camera(), _clock(newest_ms), *_home(home)]


def _program() -> Iterator[Check]:
    new_enough = sys.version_info >= (3, 11)
    yield Check(
        f"Python {sys.version.split()[0]}",
        new_enough,
        "" if new_enough else "sudo apt-get install python3.11, then make setup PYTHON=python3.11",
    )
    for name in _LIBRARIES:
        try:
            yield Check(f"{name} {importlib.metadata.version(name)}", True)
        except importlib.metadata.PackageNotFoundError:
            yield Check(f"{name} is not installed", False, "make setup")


def _tool(name: str) -> Check:
    package, why = _TOOLS[name]
    if shutil.which(name, path=_PATH):
        return Check(f"{name} is there: it {why}", True)
    return Check(
        f"{name} is not there: it {why}", False, f"sudo apt-get install --no-install-recommends {package}"
    )


def _desk_camera() -> Iterator[Check]:
    """The MicroPython that the camera on a desk runs in; only a checkout of the project has one."""
    root = Path(__file__).resolve().parents[2]
    if not (root / "firmware" / "simulator.py").is_file():
        return
    for path in (root / "build" / "micropython" / name for name in ("ctr", "stock")):
        there = os.access(path, os.X_OK)
        what = f"MicroPython for the camera on a desk, {path.name}"
        yield Check(what if there else f"{what}: not at {path}", there, "" if there else "make setup")


def _clock(newest_ms: int) -> Check:
    """Receipts, certificates and the clocks of cameras are dated by this one."""
    now = time.time()
    told = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(now))
    mend = "sudo timedatectl set-ntp true, or sudo date -u -s 'YYYY-MM-DD HH:MM'"
    if now < _RELEASED:
        return Check(f"the clock says {told}, before this program was made", False, mend)
    if now * 1000 < newest_ms - 2000:
        return Check(f"the clock says {told}, before the newest entry of custody", False, mend)
    return Check(f"the clock says {told}; it dates receipts and sets cameras", True)


def _home(home: str | None) -> Iterator[Check]:
    try:
        loaded = config.load(home)
    except SealcamError as fault:
        yield Check(str(fault), False, fault.hint)
        return
    kinds = ", ".join(loaded.packs)
    yield Check(f"{loaded.home}: {kinds}{' (a demonstration)' if loaded.demo else ''}", True)
    yield from _signed(loaded)
    for pack in loaded.packs.values():
        yield _writable(f"the {pack.kind} pack", pack.folder)
        for role, path in pack.keys.items():
            yield _key(role, path)
    if config.VAULT in loaded.packs:
        yield from (_store(place) for place in loaded.stores)
        yield _apart(loaded.stores)
    elif "vault" in loaded.packs.get(config.OFFICE, _NO_PACK).files:
        yield from _seen(loaded.file("vault"))


_NO_PACK = config.Pack("", Path(), b"", False)


def _signed(loaded: Any) -> Iterator[Check]:
    for name, kind in (("keylist", statements.KeyList), ("policy", statements.Policy)):
        try:
            found = kind.parse(loaded.file(name).read_bytes(), loaded.file("root_point").read_bytes())
            yield Check(f"{name} version {found.version}, signed by the root", True)
        except (SealcamError, OSError) as fault:
            yield Check(f"{name}: {fault}", False, f"cp ROOT_PACK/{name}.seal {loaded.home}")


def _writable(what: str, folder: Path) -> Check:
    if os.access(folder, os.W_OK):
        return Check(f"{what} can be written", True)
    return Check(f"{what} cannot be written: {folder}", False, _mend_mode(folder))


def _mend_mode(folder: Path) -> str:
    return f"sudo mount -o remount,rw its disk, or sudo chown -R {os.getuid()} {folder}"


def _key(role: str, path: Path) -> Check:
    if not path.is_file():
        return Check(
            f"the {role} key is not at {path}",
            False,
            f"cp BACKUP/{path.name} {path}; a lost key is not made again",
        )
    if path.stat().st_mode & 0o077:
        return Check(f"the {role} key can be read by others", False, f"chmod 600 {path}")
    if path.suffix == ".pem" and role not in _ED25519:
        try:
            keys.load(path)
        except SealcamError as fault:
            return Check(str(fault), False, fault.hint)
    return Check(f"the {role} key is there", True)


def _store(place: Path) -> Check:
    if not (place / config.STORE_MARKER).is_file():
        return Check(f"the store {place} is not there", False, f"sudo mount {place}")
    if not os.access(place, os.W_OK):
        return Check(f"the store {place} cannot be written", False, _mend_mode(place))
    free = shutil.disk_usage(place).free
    if free < _ROOM:
        return Check(
            f"the store {place} has {free >> 20} MiB left",
            False,
            f"make room on the disk of {place}, or name a larger one under [stores] in sealcam.toml",
        )
    return Check(f"the store {place} can be written and has {free >> 30} GiB left", True)


def _apart(stores: tuple[Path, ...]) -> Check:
    """A warning that keeps nobody from working: two folders of one disk are lost together."""
    devices = {place.stat().st_dev for place in stores if place.exists()}
    if len(devices) < len(stores):
        return Check("note: stores share a disk, so one failure takes both; put them on different ones", True)
    return Check("every store is on a disk of its own", True)


def _seen(folder: Path) -> Iterator[Check]:
    """What an office that stands apart sees of its vault."""
    stores = sorted(path.parent for path in folder.glob(f"*/{config.STORE_MARKER}"))
    mount = f"sudo mount -o ro VAULT_HOST:STORE {folder}/store-1"
    yield Check(
        f"the office sees {len(stores)} store(s) of the vault in {folder}",
        bool(stores),
        "" if stores else mount,
    )
    bare = [path for path in folder.glob("**/keys/*") if os.access(path, os.R_OK)]
    if bare:
        what = f"keys of the vault can be read from the office: {bare[0]}"
        yield Check(what, False, f"sudo umount {folder}")
