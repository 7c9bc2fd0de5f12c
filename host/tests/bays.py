"""A row of bays at work in a thread, and what it told; a camera on paper whose cable goes from bay to bay."""

import os
import pty
import select
import threading
import time
import tty
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from paper_line import PaperCamera
from sealhost import watch
from sealhost.bays import Bay, Shown, State
from sealhost.cli import watching
from sealhost.spool import Spool
from shift import Shift

PATIENCE_S = 30.0  # only how long a broken row is waited for


@dataclass
class Heard:
    """Every change a row told of."""

    shown: list[Shown] = field(default_factory=list)
    overdue: list[Any] = field(default_factory=list)
    news: threading.Condition = field(default_factory=threading.Condition)

    def bay(self, shown: Shown) -> None:
        with self.news:
            self.shown.append(shown)
            self.news.notify_all()

    def late(self, issue: Any) -> None:
        with self.news:
            self.overdue.append(issue)
            self.news.notify_all()

    def states(self, bay: str) -> list[State]:
        """Of one bay, each once in a row."""
        own = [shown.state for shown in self.shown if shown.bay == bay]
        return [state for n, state in enumerate(own) if not n or own[n - 1] is not state]

    def last(self, bay: str) -> Shown | None:
        return next((shown for shown in reversed(self.shown) if shown.bay == bay), None)

    def until(self, holds: Callable[[], object]) -> None:
        """Wait for something that is told."""
        with self.news:
            assert self.news.wait_for(holds, PATIENCE_S), self.shown[-3:]

    def comes_to(self, bay: str, *states: State) -> Shown:
        self.until(lambda: (last := self.last(bay)) and last.state in states)
        last = self.last(bay)
        assert last is not None
        return last


def eventually(holds: Callable[[], object]) -> None:
    """Wait for something that is done."""
    until = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.02)


@contextmanager
def row_of(
    shift: Shift,
    patterns: Sequence[object],
    bays: Sequence[Bay] = (),
    spool: Spool | None = None,
    meet_s: float = 0.0,
) -> Iterator[Heard]:
    """`dock --watch` of a home, without the screen."""
    heard = Heard()
    row = watch.Row(
        watching.parts(str(shift.home), spool, heard, None), bays, [str(p) for p in patterns], meet_s
    )
    with running(row):
        yield heard


@contextmanager
def running(row: watch.Row) -> Iterator[None]:
    """The row in a thread; it has ended when the block is left."""
    thread = threading.Thread(target=row.run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        row.stop.set()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


class Plug:
    """The end of a cable: each time it is plugged in there is another pty behind the name of the bay."""

    def __init__(self, camera: PaperCamera) -> None:
        self.camera, self._guard = camera, threading.RLock()
        self._link: Path | None = None
        self._ends: tuple[int, int] = (-1, -1)
        self._left = -1
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def plug(self, link: Path, until: int = -1) -> None:
        """Into the bay of that name; it is pulled by itself once so many bytes have passed."""
        with self._guard:
            self._ends = pty.openpty()
            tty.setraw(self._ends[1])
            os.set_blocking(self._ends[0], False)
            self._link, self._left = link, until
            self.camera.out.clear()
            link.symlink_to(os.ttyname(self._ends[1]))

    def pull(self) -> None:
        """What has not arrived is lost."""
        with self._guard:
            if self._link is not None:
                self._link.unlink()
                self._link = None
                for end in self._ends:
                    os.close(end)

    @property
    def is_plugged(self) -> bool:
        return self._link is not None

    def _carry(self) -> None:
        while not self._stop.is_set():
            with self._guard:
                moved = self._move() if self._link is not None else False
            if not moved:
                time.sleep(0.002)

    def _move(self) -> bool:
        master, moved = self._ends[0], 0
        if select.select([master], [], [], 0)[0]:
            heard = os.read(master, 4096)
            moved += len(heard)
            self.camera.hear(heard)
        if self.camera.out:
            count = min(4096, len(self.camera.out), self._left if self._left >= 0 else 4096)
            try:
                count = os.write(master, bytes(self.camera.out[:count])) if count else 0
            except BlockingIOError:
                count = 0
            del self.camera.out[:count]
            moved += count
        if self._left >= 0:
            self._left = max(0, self._left - moved)
            if not self._left:
                self.pull()
        return moved > 0

    def __enter__(self) -> "Plug":
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self.pull()
