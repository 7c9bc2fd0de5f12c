"""What is known while a recording is judged: marks by index, where each chunk stands; recording.md 3.2."""

from dataclasses import dataclass, field

from sealhost.verify.chunks import Index, Run
from sealhost.verify.weigh import ALTERED, END, MISSING, PROVED, SIGNED

ABSENT_MARKS = 1 << 20  # an index is 64 bits and may come from anybody with the verify key (M17)


@dataclass
class Marks:
    """One byte for each index from 1, those left out apart where too many are absent."""

    shown: bytearray = field(default_factory=bytearray)
    room: int = ABSENT_MARKS
    left_out: list[tuple[int, int]] = field(default_factory=list)  # first index, how many

    def absent(self, first: int, count: int, changed: int) -> None:
        """Indices before the next proved one: the first `changed` altered, the others missing."""
        marked = max(0, min(count, self.room))
        changed = min(changed, marked)
        self.shown += bytes([ALTERED]) * changed + bytes([MISSING]) * (marked - changed)
        self.room -= marked
        if marked < count:
            self.left_out.append((first + marked, count - marked))

    def at(self, index: int) -> int:
        """Where the mark of an index stands; one that was left out is given room."""
        before = 0
        for number, (first, count) in enumerate(self.left_out):
            if first <= index < first + count:
                rest = [(first, index - first), (index + 1, first + count - index - 1)]
                self.left_out[number : number + 1] = [piece for piece in rest if piece[1]]
                self.shown.insert(index - 1 - before - (index - first), MISSING)
                return index - 1 - before - (index - first)
            before += count if first < index else 0
        return index - 1 - before

    def set(self, index: int, mark: int) -> None:
        """Mark one index."""
        self.shown[self.at(index)] = mark

    def sign(self, first: int, last: int) -> None:
        """Neighbours that are proved are signed for."""
        at = self.at(first)
        span = self.shown[at : at + last - first + 1]
        self.shown[at : at + last - first + 1] = span.replace(bytes([PROVED]), bytes([SIGNED]))

    def end(self, index: int) -> None:
        """A valid end, where nothing is held against it."""
        if self.shown[self.at(index)] in (PROVED, SIGNED):
            self.set(index, END)


@dataclass
class State:
    """Marks, tags by index, and the lowest place that is altered."""

    index: Index
    marks: Marks = field(default_factory=Marks)
    last: int = 0
    odd: str = ""
    runs: list[Run] = field(default_factory=list)
    place: int | None = None
    reason: str = ""

    def spoil(self, place: int, reason: str) -> None:
        """Altered here; the lowest place and its reason stand."""
        if self.place is None or place < self.place:
            self.place, self.reason = place, reason

    def flag(self, index: int, reason: str) -> None:
        """Mark a proved chunk altered."""
        self.marks.set(index, ALTERED)
        self.spoil(index, f"chunk {index} {reason}")

    def met(self, run: Run, between: int) -> int:
        """A run of proved chunks after `between` unproved positions; returns how many of these count on."""
        if run.last == 0:
            return between  # an index 0 has no place
        self.runs.append(run)
        first = max(1, run.first)
        for index in range(first, min(run.last, self.last) + 1):
            self.index.add_stray(index, run)
            self.flag(index, "stands out of place")
        if first <= self.last < run.last:
            first, between = self.last + 1, 0
        if first > self.last:
            self._goes_on(first, run, between)
        return 0

    def _goes_on(self, first: int, run: Run, between: int) -> None:
        absent = first - self.last - 1
        if absent:
            self.spoil(
                self.last + 1, f"chunk {self.last + 1} " + ("was changed" if between else "is missing")
            )
        self.marks.absent(self.last + 1, absent, between)
        self.marks.shown += bytes([PROVED]) * (run.last - first + 1)
        if between > absent:
            self.flag(first, "comes after something that was put in")
        self.index.add_stretch(first, run.last, run)
        self.last = run.last
