"""The row of bays: looks what came and went, joins a camera and its card, has each bay served, tells of every
change.

One thread moves the bays; each docking has a thread of its own. Killed anywhere and started again it ends the
same: what is stored is known by its digest, and a wipe that was begun is taken up again.
"""

import re
import threading
from collections.abc import Callable, Sequence
from typing import Any

from sealhost.bays import Bay, Shown, State
from sealhost.desk import utc_ms
from sealhost.errors import InternalFault, SealcamError
from sealhost.watch.serving import Ended, Parts, dock, identify, take_in
from sealhost.watch.spot import Spot, Worker, now, says_of, says_of_fault

POLL_S = 0.5
RETRY_S = 10.0
OVERDUE_S = 60.0
MEET_S = 5.0  # how long halves wait for each other where both may come
LEAVE_S = 20.0  # how long a step may take to its end when the dock is closed
_TRIES = 3  # of a card that cannot be read


class Row:
    """Every bay of one dock."""

    def __init__(
        self, parts: Parts, bays: Sequence[Bay], patterns: Sequence[str], meet_s: float = 0.0
    ) -> None:
        """`patterns` find lines and cards; `meet_s` is how long a card waits for its line, or a line for its
        card.
        """
        self._parts, self._patterns, self._meet_s = parts, tuple(patterns), meet_s
        self.stop, self._wake = threading.Event(), threading.Event()
        self.spots = [Spot(bay, True, wake=self._wake.set) for bay in bays]
        self._told: dict[str, Shown] = {}
        self._late: set[tuple[bytes, bytes]] = set()
        self._errands: dict[str, Worker] = {}
        self._due: dict[str, float] = {}

    def run(self) -> None:
        """Until `stop` is set; then every docking ends at its next word, to be taken up another time."""
        while not self.stop.is_set():
            self._wake.clear()
            self.step()
            self._wake.wait(POLL_S)
        until = now() + LEAVE_S
        for worker in [*self._errands.values(), *(spot.worker for spot in self.spots if spot.worker)]:
            worker.join(max(0.0, until - now()))
        self._end_workers()
        self._tell()

    def step(self) -> None:
        """One look at everything."""
        self._end_workers()
        self._look()
        self._join()
        for spot in self.spots:
            if spot.worker is None:
                self._serve(spot)
        self._errand("spool", RETRY_S, self._take_in)
        self._errand("overdue", OVERDUE_S, lambda: list(self._parts.overdue(utc_ms())))
        self._tell()

    # what came and went

    def _look(self) -> None:
        for spot in self.spots:
            if spot.is_fixed:
                self._stands(spot, self._at(spot.bay.port), self._at(spot.bay.card))
        fixed = [spot for spot in self.spots if spot.is_fixed]
        taken = {half.real for spot in fixed for half in (spot.port, spot.card) if half}
        free = {found.path: found for found in self._parts.find(self._patterns) if found.real not in taken}
        for spot in [spot for spot in self.spots if not spot.is_fixed]:
            port, card = (free.pop(path, None) if path else None for path in spot.paths)
            self._stands(spot, port, card)
            if spot.worker is None:
                spot.paths = tuple(half.path if half else "" for half in (spot.port, spot.card))
                if not spot.is_there:
                    self._forget(spot)
        for arrived in free.values():
            self._make(arrived)

    def _at(self, path: str) -> Any:
        return self._parts.look(path) if path else None

    def _stands(self, spot: Spot, port: Any, card: Any) -> None:
        """What stands there now; a bay that is being served is judged when that has ended."""
        spot.port, spot.card = port, card
        if spot.worker is not None or spot.marks == spot.known:
            return
        spot.known, spot.changed_at = spot.marks, now()
        if not spot.is_there:
            spot.clear()
        elif spot.settled and all(
            new in (old, "") for new, old in zip(spot.marks, spot.settled, strict=True)
        ):
            spot.settled = spot.marks  # one half was taken away from what is done with
        else:
            spot.settled, spot.retry_at, spot.failures, spot.owners = None, 0.0, 0, None
            if port and card and not spot.is_fixed:  # one of them is another now: each is asked again
                spot.card, spot.paths = None, (port.path, "")
                self._make(card)

    def _make(self, arrived: Any) -> None:
        """A bay for what a pattern found, named after it."""
        plain = re.sub(r"[^a-z0-9]+", "-", arrived.path.rsplit("/", 1)[-1].lower()).strip("-")[:24] or "bay"
        taken, number, name = {spot.bay.name for spot in self.spots}, 1, plain
        while name in taken:
            number += 1
            name = f"{plain}-{number}"
        spot = Spot(Bay(name), False, wake=self._wake.set)
        spot.port, spot.card = (arrived, None) if arrived.is_port else (None, arrived)
        spot.known, spot.changed_at = spot.marks, now()
        spot.paths = (arrived.path, "") if arrived.is_port else ("", arrived.path)
        self.spots.append(spot)

    def _forget(self, spot: Spot) -> None:
        spot.clear()
        self._tell_one(spot)
        self.spots.remove(spot)
        self._told.pop(spot.bay.name, None)

    # a camera and the card that belongs to it

    def _join(self) -> None:
        """The card goes to the bay of its camera: the bays of both have to be idle."""
        idle = [spot for spot in self.spots if not spot.is_fixed and spot.worker is None and spot.owners]
        for line in [spot for spot in idle if spot.port and not spot.card]:
            for slot in [spot for spot in idle if spot.card and not spot.port]:
                if line.owners and slot.owners and line.owners <= slot.owners:
                    line.card, slot.card = slot.card, None
                    line.settled, line.retry_at, line.spooled = None, 0.0, slot.spooled
                    line.known, line.paths = line.marks, (line.port.path, line.card.path)
                    self._forget(slot)
                    return

    # serving

    def _serve(self, spot: Spot) -> None:
        """Ask who it is; wait a moment for the other half; then dock."""
        if not spot.is_there or spot.settled == spot.marks or now() < spot.retry_at:
            return
        if spot.owners is None and not spot.is_fixed:
            self._work(spot, lambda: identify(self._parts, spot), self._identified)
        elif now() >= spot.changed_at + self._wait_s(spot):
            if spot.shown.state is not State.LEAVE:
                spot.show(State.VERIFYING, "", progress=0.0)
            self._work(spot, lambda: dock(self._parts, spot, self.stop), self._docked)

    def _wait_s(self, spot: Spot) -> float:
        """How long to wait for the other half: not at all where none can come."""
        if spot.port and spot.card:
            return 0.0
        if spot.is_fixed:
            return self._meet_s if spot.bay.port and spot.bay.card else 0.0
        return self._meet_s if spot.owners else 0.0

    def _work(self, spot: Spot, job: Callable[[], Any], ends: Callable[[Spot, Any, Any], None]) -> None:
        spot.worker = Worker(job, lambda answer, fault: ends(spot, answer, fault), self._wake.set)

    def _identified(self, spot: Spot, answer: Any, fault: SealcamError | None) -> None:
        """Who cannot be asked is docked by what it is; docking says what is wrong with it."""
        spot.owners = answer or frozenset()
        if len(spot.owners) == 1:
            spot.show(spot.shown.state, spot.shown.detail, device=min(spot.owners))

    def _docked(self, spot: Spot, ended: Ended | None, fault: SealcamError | None) -> None:
        if ended is None or ended.docked is None:
            self._failed(spot, ended, fault)
            return
        spot.settled, docked = ended.marks, ended.docked
        told = getattr(docked, "told", None)
        device = told.device_id if told else next((t.device_id for t in docked.takings if t.device_id), b"")
        device = device or spot.shown.device
        state, detail = says_of(docked)
        if state is State.SAFE and docked.wipes:
            spot.show(State.WIPED, detail, progress=1.0, device=device)
        charging = bool(getattr(docked, "charging", False))
        spot.show(state, detail, progress=1.0, device=device, charging=charging)
        spot.failures, spot.spooled = 0, None
        self._due["spool"] = 0.0

    def _failed(self, spot: Spot, ended: Ended | None, fault: SealcamError | None) -> None:
        spot.failures += 1
        why = ended.away if ended and ended.away else fault or InternalFault("a docking ended without a word")
        state, detail, pause = says_of_fault(why, spot.failures, _TRIES)
        if ended and ended.copy:
            spot.spooled, detail = ended.copy, "copied to the spool"
        elif ended and ended.no_copy:
            detail = f"{detail}; not copied: {ended.no_copy}"
        spot.show(state, detail, progress=0.0)
        spot.retry_at = now() + pause
        if spot.port and not spot.owners:
            spot.owners = None  # it was not there to be asked who it is
        if not pause:
            spot.settled = spot.marks

    # beside the bays

    def _errand(self, name: str, every_s: float, job: Callable[[], Any]) -> None:
        if name not in self._errands and now() >= self._due.get(name, 0.0):
            self._due[name] = now() + every_s
            self._errands[name] = Worker(
                job, self._reported if name == "overdue" else lambda *_: None, self._wake.set
            )

    def _take_in(self) -> None:
        """Copies of cards that are not here any more; those that are here are docked first."""
        held = {spot.spooled.folder for spot in list(self.spots) if spot.spooled is not None}
        take_in(self._parts, held, self.stop)

    def _reported(self, answer: Any, _fault: SealcamError | None) -> None:
        """Each issue once; the register says when it is back."""
        for issue in answer or ():
            if (issue.device_id, issue.issue) not in self._late:
                self._late.add((issue.device_id, issue.issue))
                self._parts.late(issue)

    def _end_workers(self) -> None:
        for spot in self.spots:
            if spot.worker is not None and spot.worker.is_done:
                worker, spot.worker = spot.worker, None
                worker.ends(worker.answer, worker.fault)
        for name, worker in list(self._errands.items()):
            if worker.is_done:
                del self._errands[name]
                worker.ends(worker.answer, worker.fault)

    def _tell(self) -> None:
        for spot in self.spots:
            self._tell_one(spot)

    def _tell_one(self, spot: Spot) -> None:
        """Every state it went through since the last time, then how it is."""
        while spot.passed:
            self._tell_this(spot.passed.popleft())
        self._tell_this(spot.shown)

    def _tell_this(self, shown: Shown) -> None:
        if self._told.get(shown.bay) != shown:
            self._told[shown.bay] = shown
            self._parts.changed(shown)
