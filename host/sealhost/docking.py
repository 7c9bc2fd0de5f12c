"""One camera docked over the wire: its own card, or cards of it in readers, then time, lists and the lamp.

`sealcam dock PORT` and every bay of `dock --watch` do exactly this. Cut anywhere and run again, it ends the
same. It holds no key that opens a recording, and the camera is handed in by the doors.
"""

import contextlib
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sealhost import rekeying, statements
from sealhost.bays import State
from sealhost.consent import Beside
from sealhost.desk import Desk, Tell, tell_nobody
from sealhost.errors import CableGone, CameraRefused, HandMeTheCard, NotOurCamera, SealcamError, Stopped
from sealhost.ingest import Docked, Options, ingest
from sealhost.keys import SoftKey
from sealhost.layout import LOG_ENTRY_SIZE

LONGEST_S = 600.0  # of a transfer over the wire; beyond it a card in a reader is far quicker
ALARMS = {
    1: "a card of it was emptied without a receipt",
    2: "its flash is older than its card: somebody put an old one back",
    4: "its usage log or its journal was damaged",
}
_NO_CARD = 0x30
_A_DAY_MS = 86_400_000
_VAULT_CODES = {1, 5, 6, 7, 9}  # exit codes of what is wrong on our side: the camera waits for it


@dataclass(frozen=True)
class Errands:
    """What the doors introduce: `own_card` gives the place of the card in a camera, `say` is heard."""

    time_key: SoftKey
    owed: rekeying.Owed
    own_card: Callable[[Any], Any]
    say: Callable[[str], None] = lambda line: None
    over_the_wire: bool = False


@dataclass
class Told:
    """What the camera itself told, and was told, at a docking."""

    device_id: bytes
    alarms: tuple[str, ...] = ()
    issue_ended: bool = False
    seconds: float = 0.0  # that its transfer was to take
    clock_ms: int | None = None  # change of its clock
    delivered: tuple[str, ...] = ()
    has_card: bool = True
    is_lost: bool = False  # reported, and not found: nobody knows in whose hands it was


def dock_camera(
    camera: Any,
    cards: Sequence[Any],
    desk: Desk,
    errands: Errands,
    options: Options = Options(),  # noqa: B008 - frozen
    tell: Tell = tell_nobody,
) -> Docked:
    """Empty what is docked: `cards` in readers, else the card in the camera itself.

    What `tell` hears begins, in this order, with verifying, reading, stored twice, wiping, wiped; the lamp of
    the camera shows the same, at last *safe to take* or *keep*.
    """
    lamp = _Lamp(camera, tell)
    try:
        docked = _dock(camera, cards, desk, errands, options, lamp)
    except HandMeTheCard:
        camera.undock()
        raise
    except (CableGone, Stopped):
        raise  # nobody there to be shown anything; or taken up again at the next start
    except SealcamError as fault:
        with contextlib.suppress(SealcamError):
            lamp.show(State.LEAVE if fault.exit_code in _VAULT_CODES else State.KEEP)
        raise
    with contextlib.suppress(CameraRefused):  # one that let go by itself is undocked
        lamp.show(state_of(docked))
        camera.undock()
    return docked


def _dock(
    camera: Any, cards: Sequence[Any], desk: Desk, errands: Errands, options: Options, lamp: "_Lamp"
) -> Docked:
    device = desk.register.get(camera.device_id)
    told = Told(camera.device_id, is_lost=device is not None and device.state == rekeying.LOST)
    beside, journal = _meet(camera, desk, errands, options, told)
    places = list(cards) or _own_card(camera, errands, told)
    _refuse_slow(camera, places, errands, told)
    docked = ingest(places, desk, journal, options, lamp, beside)
    docked.told = told
    docked.charging = bool(camera.health().get("charging", False))
    if not options.dry_run:
        _see_off(camera, desk, errands, told)
    return docked


def state_of(docked: Docked) -> State:
    """*Safe to take* where nothing stays for a reason and its camera is not a lost one, else *keep*."""
    stays = any(taking.stays for taking in docked.takings)
    refused = any(wiped.refused for wiped in (*docked.resumed, *docked.wipes))
    is_lost = docked.told is not None and docked.told.is_lost
    return State.KEEP if stays or refused or is_lost else State.SAFE


def _meet(
    camera: Any, desk: Desk, errands: Errands, options: Options, told: Told
) -> tuple[Beside, statements.Inventory]:
    """Dock it; take its journal over a fresh nonce and what its flash holds of its log."""
    point = desk.device_point(camera.device_id)
    if point is None:
        raise NotOurCamera(f"camera {camera.device_id.hex()[:16]} is not in the register")
    answer = camera.dock()
    if not options.dry_run:
        _note_alarms(answer.alarms, desk, errands, told)
        told.issue_ended = _end_issue(camera.device_id, answer.issue, desk)
        told.delivered += tuple(rekeying.deliver_keylist(camera, errands.owed))
    nonce = os.urandom(16)
    raw = camera.inventory(nonce)
    journal = statements.read_inventory(raw, point, nonce)
    if not options.dry_run:
        desk.register.keep_inventory(camera.device_id, raw)
    known = desk.catalogue.log_tail(camera.device_id)
    log = camera.log(int.from_bytes(known[-1][8:16], "big") + 1 if known else 1)
    entries = tuple(log[at : at + LOG_ENTRY_SIZE] for at in range(0, len(log), LOG_ENTRY_SIZE))
    return Beside(camera, camera.device_id, point, entries), journal


def _note_alarms(alarms: int, desk: Desk, errands: Errands, told: Told) -> None:
    told.alarms = tuple(alarms_of(alarms))
    if alarms:
        desk.note("camera.alarm", told.device_id.hex(), alarms=alarms)
    for alarm in told.alarms:
        errands.say(f"ALARM: camera {told.device_id.hex()[:16]}: {alarm}")


def alarms_of(alarms: int) -> Iterable[str]:
    """The alarms of a camera in words; a bit nobody knows is told as well."""
    known = sum(ALARMS)
    yield from (words for bit, words in ALARMS.items() if alarms & bit)
    if alarms & ~known:
        yield f"an alarm this host does not know (0x{alarms & ~known:02x})"


def _end_issue(device_id: bytes, ended: bytes, desk: Desk) -> bool:
    """Docking ends an issue: the one the camera names, and the one we hold to be with it (a run that was
    killed may have heard the camera's only word on it).
    """
    current = desk.register.current_issue(device_id)
    issues = dict.fromkeys([ended, current.issue if current else bytes(16)])
    return any([desk.register.end_issue(device_id, issue, desk.clock()) for issue in issues if any(issue)])


def _own_card(camera: Any, errands: Errands, told: Told) -> list[Any]:
    try:
        return [errands.own_card(camera)]
    except CameraRefused as refused:
        if refused.status != _NO_CARD:
            raise
        told.has_card = False
        return []


def _refuse_slow(camera: Any, places: Sequence[Any], errands: Errands, told: Told) -> None:
    """Say how long the transfer will take; HandMeTheCard beyond ten minutes."""
    told.seconds = sum(place.seconds() for place in places if hasattr(place, "seconds"))
    if told.seconds:
        errands.say(f"over the wire this takes {minutes(told.seconds)}")
    if told.seconds > LONGEST_S and not errands.over_the_wire:
        raise HandMeTheCard(camera.name, minutes(told.seconds))


def minutes(seconds: float) -> str:
    """A duration a person can plan with."""
    if seconds < 60:
        return "less than a minute"
    return f"about {round(seconds / 60)} minutes" if seconds < 5400 else f"about {seconds / 3600:.1f} hours"


def _see_off(camera: Any, desk: Desk, errands: Errands, told: Told) -> None:
    """Its clock, newer lists and drills; what it refuses of these keeps no docking."""

    def over(nonce: bytes) -> bytes:
        size, root = desk.custody.head()
        now = {"utc_ms": desk.clock(), "tree_size": size, "root": root}
        asked = {"device_id": camera.device_id, "nonce": nonce}
        return statements.make(statements.TIME, errands.time_key, **asked, **now)

    try:
        told.clock_ms = camera.set_clock(over)
        if abs(told.clock_ms) > _A_DAY_MS:
            name = told.device_id.hex()[:16]
            errands.say(f"CLOCK: that of camera {name} moved by more than a day; is this vault's right?")
    except CameraRefused as refused:
        told.delivered += (f"time not taken: {refused}",)
    told.delivered += tuple(rekeying.deliver(camera, errands.owed))


class _Lamp:
    """Shows on the camera what `tell` hears, and keeps it docked meanwhile; never inside a request."""

    def __init__(self, camera: Any, tell: Tell) -> None:
        self._camera, self._tell, self._shown = camera, tell, State.WAITING

    def __call__(self, what: str, fraction: float) -> None:
        self._tell(what, fraction)
        if self._camera.is_busy:
            return
        self.show(_STAGES.get(what.partition(" ")[0], self._shown))
        self._camera.keep()

    def show(self, state: State) -> None:
        """Once for each change."""
        if state is not self._shown and state.lamp:
            self._camera.lamp(state.lamp)
        self._shown = state


_STAGES = {
    "verifying": State.VERIFYING,
    "reading": State.VERIFYING,
    "stored": State.STORED,
    "wiping": State.STORED,
    "wiped": State.WIPED,
}

__all__ = ["ALARMS", "LONGEST_S", "Errands", "Told", "alarms_of", "dock_camera", "minutes", "state_of"]
