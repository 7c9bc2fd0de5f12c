"""One bay while the dock is open: what stands in it, what is being done with it, what a person is told.

Plain state; the row of bays moves it. A worker does the one thing that may take long, and only fills in what
came of it.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from sealhost.bays import Bay, Shown, State
from sealhost.desk import Tell, utc_ms
from sealhost.errors import (
    CableGone,
    CameraRefused,
    HandMeTheCard,
    InternalFault,
    NotFound,
    NotOurCamera,
    PlaceBusy,
    SealcamError,
    Stopped,
)
from sealhost.ingest import Docked

WAITING = "waiting"  # what a docking tells while its line is lost
VAULT_RETRY_S, AGAIN_S = 10.0, 2.0
_UNREADABLE = 4  # exit code of a card or a camera that cannot be read
_VAULT = {1, 5, 6, 7, 9}  # exit codes of what is wrong with the vault, its keys, its log, or ourselves


@dataclass
class Spot:
    """`port` and `card` are what stands in it now (`arrivals.Arrived`), None where nothing does."""

    bay: Bay
    is_fixed: bool
    port: Any = None
    card: Any = None
    shown: Shown = field(init=False)
    passed: deque[Shown] = field(default_factory=deque)  # states before, not told yet
    wake: Callable[[], None] = lambda: None  # there is something to tell
    owners: frozenset[bytes] | None = None  # device ids, once the line was asked or the card looked at
    paths: tuple[str, ...] = ("", "")  # of what a pattern found for it
    known: tuple[str, str] = ("", "")  # the marks that were judged last
    changed_at: float = 0.0
    settled: tuple[str, str] | None = None  # the marks of what is done with; until another comes
    retry_at: float = 0.0
    failures: int = 0
    worker: "Worker | None" = None
    spooled: Any = None  # the copy of this card, while the vault is away

    def __post_init__(self) -> None:
        self.shown = Shown(self.bay.name, State.WAITING, at=utc_ms())

    @property
    def is_there(self) -> bool:
        """Whether anything stands in it."""
        return self.port is not None or self.card is not None

    @property
    def marks(self) -> tuple[str, str]:
        """What stands in it, told apart from what stood there before."""
        return (self.port.mark if self.port else "", self.card.mark if self.card else "")

    def show(self, state: State, detail: str = "", **fields: Any) -> None:
        """Tell of another state, of each, however short it was; the time is that of the change."""
        if state is self.shown.state:
            self.shown = replace(self.shown, detail=detail, **fields)
            return
        self.passed.append(self.shown)
        self.shown = replace(self.shown, state=state, detail=detail, at=utc_ms(), **fields)
        self.wake()

    def clear(self) -> None:
        """Whatever was there is gone."""
        self.owners, self.settled, self.spooled = None, None, None
        self.retry_at, self.failures = 0.0, 0
        self.show(State.WAITING, "", progress=0.0, device=b"", charging=False)


class Worker(threading.Thread):
    """Does one job; `answer` or `fault` is there when it is not alive any more."""

    def __init__(
        self,
        job: Callable[[], Any],
        ends: Callable[[Any, SealcamError | None], None],
        wake: Callable[[], None],
    ) -> None:
        super().__init__(daemon=True)
        self._job, self.ends, self._wake = job, ends, wake
        self.is_done = False
        self.answer: Any = None
        self.fault: SealcamError | None = InternalFault("a bay's thread ended without a word")
        self.start()

    def run(self) -> None:
        """A fault of another kind ends the thread, with a trace on stderr; the bay shows it."""
        try:
            self.answer = self._job()
            self.fault = None
        except SealcamError as fault:
            self.fault = fault
        finally:
            self.is_done = True
            self._wake()


def teller(spot: Spot, stop: threading.Event) -> Tell:
    """What a docking tells, as the state of its bay; it ends there when the dock is closed."""

    def tell(what: str, fraction: float) -> None:
        if stop.is_set():
            raise Stopped
        state = State.STORED if what.startswith(("stored twice", "wiping")) else State.VERIFYING
        state = State.WIPED if what.startswith("wiped") else state
        state = State.WAITING if what.startswith(WAITING) else state
        spot.show(state, what, progress=min(max(fraction, 0.0), 1.0))

    return tell


def says_of(docked: Docked) -> tuple[State, str]:
    """The state a docking ended in, and why; with a camera on its line the one its lamp was given."""
    stay = [taking for taking in docked.takings if taking.stays]
    refused = [h for wiped in (*docked.resumed, *docked.wipes) for h in wiped.refused]
    quarantined = sum(taking.fate == "quarantined" for taking in stay)
    told = getattr(docked, "told", None)
    if told is not None and told.is_lost:
        return State.KEEP, "it was reported lost: keep it, and see the evidence office"
    if quarantined:
        return State.KEEP, f"{quarantined} in quarantine"
    if refused or any(taking.fate == "kept" for taking in stay):
        return State.KEEP, "the card is not as it was judged"
    if stay and told is not None:
        return State.KEEP, f"{len(stay)} stay on the card: {stay[0].stays}"
    if stay:
        return State.STORED, f"{len(stay)} stay on the card until the camera has had its word"
    wiped = sum(len(wiped.wiped) for wiped in (*docked.resumed, *docked.wipes))
    remarks = [f"{wiped} wiped"] * bool(wiped)
    if told is not None:
        remarks += [f"ALARM: {alarm}" for alarm in told.alarms] + ["no card in it"] * (not told.has_card)
    return State.SAFE, "; ".join(remarks)


def says_of_fault(fault: SealcamError, failures: int, most: int) -> tuple[State, str, float]:
    """State, reason and seconds until it is tried again (0: when something changes)."""
    if isinstance(fault, Stopped):
        return State.WAITING, "stopped", 0.0
    if isinstance(fault, PlaceBusy | NotFound | CableGone):
        return State.WAITING, str(fault), AGAIN_S
    if isinstance(fault, HandMeTheCard | NotOurCamera):
        return State.WAITING, str(fault), 0.0
    if fault.exit_code in _VAULT:
        return State.LEAVE, str(fault), VAULT_RETRY_S
    if (fault.exit_code == _UNREADABLE or isinstance(fault, CameraRefused)) and failures < most:
        return State.WAITING, str(fault), AGAIN_S
    return State.KEEP, str(fault), 0.0


def is_vault_away(fault: SealcamError) -> bool:
    """Whether the card is well and the vault is not: what is on it is to be copied meanwhile."""
    return fault.exit_code in _VAULT and not isinstance(fault, InternalFault)


def now() -> float:
    """Seconds of a clock nobody sets."""
    return time.monotonic()
