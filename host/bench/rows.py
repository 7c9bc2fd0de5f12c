"""link.efficiency and dock.bays: what a docking says on the line, and a row of bays beside one bay.

Cameras, cables and host share the cores of this machine. One after another is the function of a bay, eight
times in a row with nothing in between; all at once is the whole row of `dock --watch`, from its start to the
last camera that is safe to take, with its looks and its questions.
"""

import contextlib
import json
import threading
import time
from collections.abc import Iterator

import cameras
from figures import Entry, alternating, entry
from sealhost import watch
from sealhost.bays import Shown, State
from sealhost.cli import watching

EFFICIENCY, BAYS = "link.efficiency", "dock.bays"
NAMES = (EFFICIENCY, BAYS)
ROUNDS = 3
_SAID = {
    EFFICIENCY: "bytes of a 64 MiB recording, over all bytes both ways, from connect to safe to take",
    BAYS: "docking eight cameras of this desk one after another, over all at once",
}
_PATIENCE_S = 600.0


def efficiency() -> Entry:
    """One docking, every byte of it counted by the cable; no time, so that once is enough."""
    run = cameras.fresh([cameras.LONG])
    camera = cameras.on(run / cameras.LONG)
    try:
        before = camera.cable.passed
        answer = json.loads(cameras.told(run / "home", "dock", camera.port))
        passed = camera.cable.passed - before
    finally:
        camera.kill()
    (size,) = [found["size"] for found in answer["recordings"] if found["kind"] == "recording"]
    if not answer["wipes"] or size < cameras.LONG_BYTES:
        raise SystemExit(f"the bench recording was not wiped, or is too short: {size} bytes")
    return {**entry([size / passed], ">=", 0.97, size, passed, _SAID[EFFICIENCY]), "unit": "bytes"}


class Row:
    """What a row told: whose card was wiped, and of these who is safe to take."""

    def __init__(self) -> None:
        self.wiped, self.safe, self.news = set[str](), set[str](), threading.Condition()

    def bay(self, shown: Shown) -> None:
        """A bay changed."""
        with self.news:
            if shown.state is State.WIPED:
                self.wiped.add(shown.bay)
            if shown.state is State.SAFE and shown.bay in self.wiped:
                self.safe.add(shown.bay)
                self.news.notify_all()

    def late(self, _issue: object) -> None:
        """Nothing is issued here."""


@contextlib.contextmanager
def eight() -> Iterator[tuple[str, list[str]]]:
    """(home, lines) of eight cameras that are on and full."""
    names = [str(number) for number in range(cameras.BAYS)]
    run = cameras.fresh(names)
    with contextlib.ExitStack() as held:
        lines = [held.enter_context(cameras.bay(run / name)) for name in names]
        ports = run / "ports"
        ports.mkdir()
        for name, line in zip(names, lines, strict=True):
            (ports / name).symlink_to(line.resolve())
        yield str(run / "home"), [str(ports / name) for name in names]


def one_after_another() -> float:
    """Seconds."""
    with eight() as (home, lines):
        start = time.perf_counter()
        for line in lines:
            if not watching.dock(home, line, "", lambda *_: None).wipes:
                raise SystemExit("a camera of the bench was not wiped")
        return time.perf_counter() - start


def all_at_once() -> float:
    """Seconds."""
    with eight() as (home, lines):
        told = Row()
        row = watch.Row(watching.parts(home, None, told, None), [], lines)
        thread = threading.Thread(target=row.run, daemon=True)
        start = time.perf_counter()
        thread.start()
        with told.news:
            if not told.news.wait_for(lambda: len(told.safe) == len(lines), _PATIENCE_S):
                raise SystemExit(f"only {sorted(told.safe)} of the bench became safe to take")
        took = time.perf_counter() - start
        row.stop.set()
        thread.join()
        return took


def bays() -> Entry:
    """Rounds of both, which of them begins in turn."""
    rounds = []
    for number in range(ROUNDS):
        print(f"bench: round {number + 1} of {ROUNDS} with eight cameras", flush=True)
        rounds.append(alternating(number, [one_after_another, all_at_once]))
    ratios = [one / other for one, other in rounds]
    middle = [sorted(side)[len(rounds) // 2] for side in zip(*rounds, strict=True)]
    return entry(ratios, ">=", 1.3, *middle, _SAID[BAYS])


def run(wanted: set[str]) -> dict[str, Entry]:
    """Those asked for."""
    cameras.ready()
    figures = {EFFICIENCY: efficiency, BAYS: bays}
    return {name: figures[name]() for name in NAMES if name in wanted}
