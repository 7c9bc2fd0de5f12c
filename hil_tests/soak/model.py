"""What a camera's numbers must come to: a counter and a dictionary that know no format.

`Book` is one camera's. It is told what a hand saw the camera do, and asked whether what the vault, the
quarantine, the journal and the kept cards say of a number may be true.
"""

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum


class SoakFault(AssertionError):
    """What did not come out as the model says."""


class End(Enum):
    """How a recording ended, as whoever wore the camera saw it."""

    RUNNING = "still runs"
    STOPPED = "stopped, and the camera said so"
    CUT = "the power went, or the card did"


@dataclass
class Film:
    """One recording. `heard` is the newest chunk the camera told of; at most one more is lost by a cut."""

    number: int
    end: End = End.RUNNING
    heard: int = 0


@dataclass
class Fate:
    """Where a number is in the end: stored, quarantined, void, kept, enrolled, lost or nowhere."""

    where: str
    verdict: str = ""
    chunks: int = 0
    copies: int = 0


@dataclass
class Book:
    """The numbers of one camera. `doubtful` are runs of numbers written while a write was lost in silence;
    `forked` is the first number that an older flash may have spent twice.
    """

    films: dict[int, Film] = field(default_factory=dict)
    last: int = 0
    doubtful: list[tuple[int, int | None]] = field(default_factory=list)
    forked: int = 0

    def begin(self, number: int) -> Film:
        """A recording was begun; a number is spent once."""
        if number <= self.last:
            raise SoakFault(f"number {number} was begun after {self.last}")
        if self.doubtful and self.doubtful[-1][1] is None and self._closing:
            self.doubtful[-1] = (self.doubtful[-1][0], number)
            self._closing = False
        self.last = number
        self.films[number] = Film(number)
        return self.films[number]

    _closing = False

    def doubt(self) -> None:
        """From here on a write to the card may be lost in silence."""
        self.doubtful.append((self.last, None))

    def trust(self) -> None:
        """No more, from the next recording on."""
        self._closing = True

    def go_back(self, last: int) -> None:
        """An older flash is in it: it will spend these numbers again."""
        self.forked, self.last = last + 1, last

    def is_doubtful(self, number: int) -> bool:
        """Whether a write that was lost in silence may have been one of this file's."""
        return any(low < number and (high is None or number < high) for low, high in self.doubtful)

    def is_forked(self, number: int) -> bool:
        """Whether there may be two of it."""
        return bool(self.forked) and number >= self.forked

    def judge(self, number: int, fate: Fate) -> None:
        """SoakFault where this may not have become of it."""
        if wrong := self._wrong(number, fate):
            film = self.films.get(number)
            raise SoakFault(f"number {number} ({film or 'no recording'}): {wrong}; it is {fate}")

    def _wrong(self, number: int, fate: Fate) -> str:
        spoiled = self.is_doubtful(number) or self.is_forked(number)
        if fate.where == "nowhere":
            return "" if self.is_forked(number) else "nobody accounts for it"
        if fate.where in ("lost", "quarantined"):
            return "" if spoiled else "nothing was done to it"
        if fate.where == "stored" and fate.copies < 2:
            return "it is not stored twice"
        if spoiled or fate.where in ("kept", "enrolled"):
            return ""
        return _not_as_seen(self.films.get(number), fate)


def _not_as_seen(film: Film | None, fate: Fate) -> str:
    if film is None:
        return ""  # a segment of its log, or a trial: any end will do
    if fate.where == "void":
        return "" if film.end is not End.STOPPED and film.heard <= 1 else "it held chunks"
    if film.end is End.STOPPED and fate.verdict != "INTACT":
        return "it was stopped in order"
    if fate.chunks < film.heard - 1:
        return f"more than one chunk of {film.heard} is gone"
    return ""


class Tally:
    """Counts of faults, of ways to dock and of ends."""

    def __init__(self) -> None:
        self.faults: Counter[str] = Counter()
        self.ways: Counter[str] = Counter()
        self.fates: Counter[str] = Counter()
        self.notes: Counter[str] = Counter()

    def add(self, other: dict[str, dict[str, int]]) -> None:
        """Those of another run."""
        for name, counts in other.items():
            getattr(self, name).update(counts)

    def plain(self) -> dict[str, dict[str, int]]:
        """For JSON."""
        return {name: dict(counts) for name, counts in vars(self).items()}
