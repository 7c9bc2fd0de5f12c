"""What is missing here and the command that mends it. It looks, and changes nothing."""

import importlib.metadata
import os
import shutil
import sys
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
    "pyfatfs",
    "shamir-mnemonic",
    "SQLAlchemy",
)
_ROOM = 1 << 30  # less than this in a store and the next card may not fit


@dataclass(frozen=True)
class Check:
    """One thing looked at; `mend` is the command, where there is something to mend."""

    what: str
    good: bool
    mend: str = ""


def examine(home: str | None) -> list[Check]:
    """Everything that can be seen without a passphrase."""
    return [*_program(), *_home(home)]


def _program() -> Iterator[Check]:
    new_enough = sys.version_info >= (3, 11)
    yield Check(
        f"Python {sys.version.split()[0]}", new_enough, "" if new_enough else "install Python 3.11 or newer"
    )
    for name in _LIBRARIES:
        try:
            yield Check(f"{name} {importlib.metadata.version(name)}", True)
        except importlib.metadata.PackageNotFoundError:
            yield Check(f"{name} is not installed", False, "make setup")


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
        for role, path in pack.keys.items():
            yield _key(role, path)
    if config.VAULT in loaded.packs:
        yield from (_store(place) for place in loaded.stores)
        yield _apart(loaded.stores)


def _signed(loaded: Any) -> Iterator[Check]:
    for name, kind in (("keylist", statements.KeyList), ("policy", statements.Policy)):
        try:
            found = kind.parse(loaded.file(name).read_bytes(), loaded.file("root_point").read_bytes())
            yield Check(f"{name} version {found.version}, signed by the root", True)
        except (SealcamError, OSError) as fault:
            yield Check(f"{name}: {fault}", False, "bring it again from the root pack")


def _key(role: str, path: Path) -> Check:
    if not path.is_file():
        return Check(
            f"the {role} key is not at {path}",
            False,
            "bring the pack back from its backup; a lost key is not made again",
        )
    if path.stat().st_mode & 0o077:
        return Check(f"the {role} key can be read by others", False, f"chmod 600 {path}")
    if path.suffix == ".pem" and role != "checkpoint":
        try:
            keys.load(path)
        except SealcamError as fault:
            return Check(str(fault), False, fault.hint)
    return Check(f"the {role} key is there", True)


def _store(place: Path) -> Check:
    if not (place / config.STORE_MARKER).is_file():
        return Check(f"the store {place} is not there", False, "mount its disk, then run this again")
    if not os.access(place, os.W_OK):
        return Check(
            f"the store {place} cannot be written",
            False,
            f"mount -o remount,rw, or chown it to uid {os.getuid()}",
        )
    free = shutil.disk_usage(place).free
    if free < _ROOM:
        return Check(
            f"the store {place} has {free >> 20} MiB left",
            False,
            "make room there, or name a larger disk in sealcam.toml",
        )
    return Check(f"the store {place} has {free >> 30} GiB left", True)


def _apart(stores: tuple[Path, ...]) -> Check:
    """A warning that keeps nobody from working: two folders of one disk are lost together."""
    devices = {place.stat().st_dev for place in stores if place.exists()}
    if len(devices) < len(stores):
        return Check("note: stores share a disk, so one failure takes both; put them on different ones", True)
    return Check("every store is on a disk of its own", True)
