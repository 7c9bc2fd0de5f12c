"""What a dock knows of its bays: their states, which mean the same as the lamp of a camera, and the tables
`[dock]` and `[announce]` of a vault's file. It opens nothing and finds nothing.
"""

import re
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from sealhost.errors import ConfigBroken

GIB = 1 << 30
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_HOST = re.compile(r"[A-Za-z0-9.:-]{1,253}")


class State(Enum):
    """What a person is told of a bay; `lamp` is how the camera shows it (dock-protocol.md, 0x04)."""

    WAITING = (0, "waiting")
    VERIFYING = (1, "verifying")
    STORED = (2, "stored twice")
    WIPED = (3, "wiped")
    SAFE = (4, "safe to take")
    KEEP = (5, "keep: see the evidence office")
    LEAVE = (6, "leave here: waiting for the vault")

    def __init__(self, lamp: int, words: str) -> None:
        self.lamp, self.words = lamp, words


@dataclass(frozen=True)
class Bay:
    """One place of the dock: a line, a card slot, or both; what a pattern finds has one made for it."""

    name: str
    port: str = ""
    card: str = ""


@dataclass(frozen=True)
class Shown:
    """What a person, a program and a broker are told of a bay. Ids only; `detail` stays on this host."""

    bay: str
    state: State
    detail: str = ""
    progress: float = 0.0
    device: bytes = b""
    charging: bool = False
    at: int = 0  # UTC ms of the last change of state


@dataclass(frozen=True)
class DockSettings:
    """`[dock]`: patterns of lines and cards, bays that name both, where sealed files wait for the vault."""

    name: str = "dock"
    ports: tuple[str, ...] = ()
    cards: tuple[str, ...] = ()
    bays: tuple[Bay, ...] = ()
    spool: Path | None = None
    spool_bytes: int = 64 * GIB


@dataclass(frozen=True)
class AnnounceSettings:
    """`[announce]`: a broker, reached over TLS with a client certificate and in no other way."""

    host: str
    ca: Path
    certificate: Path
    key: Path = field(repr=False)
    port: int = 8883
    prefix: str = "sealcam"


def dock_settings(path: Path, table: Any) -> DockSettings:
    """The table `[dock]` of the file at `path`; ConfigBroken names the line."""
    asked = _table(path, "dock", table, {"name", "ports", "cards", "bays", "spool", "spool_gib"})
    gib = asked.get("spool_gib", 64)
    if isinstance(gib, bool) or not isinstance(gib, int | float) or not 0 < gib <= 1 << 20:
        raise ConfigBroken(path, "`dock.spool_gib` must be a number above zero")
    spool = asked.get("spool")
    return DockSettings(
        name=_id(path, "dock.name", asked.get("name", "dock")),
        ports=_words(path, "dock.ports", asked.get("ports", [])),
        cards=_words(path, "dock.cards", asked.get("cards", [])),
        bays=_bays(path, asked.get("bays", [])),
        spool=path.parent / _word(path, "dock.spool", spool) if spool is not None else None,
        spool_bytes=int(gib * GIB),
    )


def _bays(path: Path, listed: Any) -> tuple[Bay, ...]:
    if not isinstance(listed, list):
        raise ConfigBroken(path, "`dock.bays` must be a list of tables")
    bays = []
    for one in listed:
        named = _table(path, "dock.bays", one, {"name", "port", "card"})
        spots = {
            spot: _word(path, f"dock.bays.{spot}", named[spot]) for spot in ("port", "card") if spot in named
        }
        if not spots:
            raise ConfigBroken(path, "a bay of `dock.bays` names a port, a card or both")
        bays.append(Bay(_id(path, "dock.bays.name", named.get("name")), **spots))
    every = [spot for bay in bays for spot in (bay.name, bay.port, bay.card) if spot]
    if len(every) != len(set(every)):
        raise ConfigBroken(path, "two bays of `dock.bays` share a name, a port or a card")
    return tuple(bays)


def announce_settings(path: Path, table: Any) -> AnnounceSettings | None:
    """The table `[announce]`, None where there is none; there is no plain MQTT to be asked for."""
    if table is None:
        return None
    known = {"host", "port", "ca", "certificate", "key", "prefix"}
    asked = _table(path, "announce", table, known)
    missing = sorted({"host", "ca", "certificate", "key"} - set(asked))
    if missing:
        raise ConfigBroken(
            path, f"[announce] needs `{missing[0]}`: TLS with a client certificate, or nothing"
        )
    port, host = asked.get("port", 8883), _word(path, "announce.host", asked["host"])
    if isinstance(port, bool) or not isinstance(port, int) or not 0 < port < 65536:
        raise ConfigBroken(path, "`announce.port` must be a port")
    if not _HOST.fullmatch(host):
        raise ConfigBroken(path, "`announce.host` must be the name in the broker's certificate")
    files = {
        name: path.parent / _word(path, f"announce.{name}", asked[name])
        for name in ("ca", "certificate", "key")
    }
    levels = str(asked.get("prefix", "sealcam")).split("/")
    prefix = "/".join(_id(path, "announce.prefix", level) for level in levels)
    return AnnounceSettings(host=host, port=port, prefix=prefix, **files)


def _table(path: Path, name: str, table: Any, known: set[str]) -> dict[str, Any]:
    if table is None:
        return {}
    if not isinstance(table, dict):
        raise ConfigBroken(path, f"[{name}] must be a table")
    unknown = sorted(set(table) - known)
    if unknown:
        raise ConfigBroken(path, f"`{name}.{unknown[0]}` is not known")
    return table


def _words(path: Path, name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ConfigBroken(path, f"`{name}` must be a list of patterns in quotes")
    return tuple(_word(path, name, one) for one in value)


def _word(path: Path, name: str, value: Any) -> str:
    if not isinstance(value, str) or not value or "\0" in value:
        raise ConfigBroken(path, f"`{name}` must be a word in quotes")
    return value


def _id(path: Path, name: str, value: Any) -> str:
    """A name that may stand in a topic and on a line: it tells nobody's name and no place."""
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise ConfigBroken(path, f"`{name}` must be a word of a-z, 0-9 and -, at most 32 of them")
    return value
