"""What a bay's thread does: ask whose it is, dock it, copy the card where the vault is away.

Parts are handed in by the doors; nothing here is kept, and what it tells goes to the bay alone.
"""

import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sealhost.bays import Shown, State
from sealhost.desk import Tell
from sealhost.errors import SealcamError, Stopped
from sealhost.watch.spot import Spot, is_vault_away, teller

_NOBODY = bytes(32)  # the device id of a camera that belongs to no organisation


@dataclass(frozen=True)
class Parts:
    """What the doors introduce. `dock` opens the vault anew each time, so that one that was away is found."""

    find: Callable[[Sequence[str]], list[Any]]  # arrivals.Arrived
    look: Callable[[str], Any]
    owners: Callable[[str], set[bytes]]  # of a card
    who: Callable[[str], bytes]  # of a line; zeros for a camera that belongs to nobody
    dock: Callable[[str, str, Tell], Any]  # line, card, either may be "" -> ingest.Docked
    spool: Callable[[str, Tell], Any] | None  # copy a card
    waiting: Callable[[], list[Any]]  # copies that wait for the vault
    take_in: Callable[[Any, Tell], None]  # one copy, into the vault; then it is gone
    overdue: Callable[[int], Iterable[Any]]  # issues that should have ended: device_id, issue
    changed: Callable[[Shown], None]  # every change of a bay
    late: Callable[[Any], None]  # an issue that should have ended, once


@dataclass(frozen=True)
class Ended:
    """How a docking ended: what came of it and the marks it left; or why the vault was away, and the copy
    made meanwhile, or why there is none.
    """

    docked: Any = None
    marks: tuple[str, str] = ("", "")
    away: SealcamError | None = None
    copy: Any = None
    no_copy: str = ""


def identify(parts: Parts, spot: Spot) -> frozenset[bytes]:
    """Device ids: of the camera on the line, or in the heads of the card."""
    if spot.port:
        return frozenset({parts.who(spot.port.path)} - {_NOBODY})
    return frozenset(parts.owners(spot.card.path))


def dock(parts: Parts, spot: Spot, stop: threading.Event) -> Ended:
    """One docking; faults of card and camera pass, those of the vault are answered with a copy."""
    port, card = spot.port, spot.card
    paths = (port.path if port else "", card.path if card else "")
    try:
        docked = parts.dock(*paths, teller(spot, stop))
    except SealcamError as fault:
        if not is_vault_away(fault):
            raise
        return _copied(parts, spot, paths[1], fault, stop)
    left = parts.look(paths[1]) if paths[1] else None
    return Ended(docked, (port.mark if port else "", left.mark if left else ""))


def _copied(parts: Parts, spot: Spot, card: str, away: SealcamError, stop: threading.Event) -> Ended:
    if not card or parts.spool is None:
        return Ended(away=away)

    def copying(what: str, fraction: float) -> None:
        _go_on(stop)
        spot.show(State.LEAVE, what, progress=fraction)

    try:
        return Ended(away=away, copy=parts.spool(card, copying))
    except Stopped:
        raise
    except SealcamError as why:
        return Ended(away=away, no_copy=str(why))


def take_in(parts: Parts, held: Collection[Path], stop: threading.Event) -> None:
    """Every copy whose card is not here. One that cannot be taken in stays and keeps no other waiting; a
    vault that is away ends it until the next time.
    """
    faults = []
    for copy in parts.waiting():
        if copy.folder in held:
            continue
        try:
            parts.take_in(copy, lambda *_: _go_on(stop))
        except SealcamError as fault:
            if isinstance(fault, Stopped) or is_vault_away(fault):
                raise
            faults.append(fault)
    if faults:
        raise faults[0]


def _go_on(stop: threading.Event) -> None:
    if stop.is_set():
        raise Stopped
