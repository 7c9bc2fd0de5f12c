"""A row of bays at work in a thread, and what it told."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

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
    shift: Shift, patterns: Sequence[object], bays: Sequence[Bay] = (), spool: Spool | None = None
) -> Iterator[Heard]:
    """`dock --watch` of a home, without the screen."""
    heard = Heard()
    row = watch.Row(watching.parts(str(shift.home), spool, heard, None), bays, [str(p) for p in patterns])
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
