"""Sealed bytes in, `Judgement` out; recording.md, section 3.

Two readers must agree on verdict, strip, k, n and place, so every rule here follows the page, sentence by
sentence.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from sealhost import keys, layout
from sealhost.records import Judgement, Part, Verdict, Word
from sealhost.verify import heads, shares, signatures
from sealhost.verify.chunks import Found, Index, Order, Scanner, Take, positions_of
from sealhost.verify.state import State
from sealhost.verify.weigh import TORN, with_tag

Progress = Callable[[int, int], None]


def judge(
    parts: Sequence[Part],
    openers: Sequence[keys.Opener] = (),
    *,
    verify_secret: bytes | None = None,
    secret: bytes | None = None,
    device_point: Callable[[bytes], bytes | None],
    word: Word | None = None,
    jobs: int = 1,
    take: Take | None = None,
    progress: Progress | None = None,
) -> Judgement:
    """Judge the parts of one recording, streaming.

    `take` is given the body form (M14) as it proves: the head block twice, then views of one or more whole
    chunks;
    whoever takes them throws them away when the verdict is neither intact nor cut short. `progress` is
    given bytes
    read and bytes in all. `jobs` > 1 shares the positions over processes where nothing is taken.
    """
    hand = heads.Hand(openers, verify_secret, secret)
    head, opened = _head(parts, hand, device_point)
    if opened is None:
        return head
    core = opened.copy.core
    point = device_point(core.device_id) or b""
    if take is not None:
        take(memoryview(opened.copy.zeroed))
        take(memoryview(opened.copy.zeroed))
    walk = _Walk(parts, opened, jobs, take, progress)
    state = State(Index(opened.copy.tag_0))
    walk.go(state)
    _mark_heads(parts, walk, opened.copy, state)
    _mark_links(state)
    said = signatures.weigh(_special(state), state.index, core, point)
    _mark_signatures(state, said)
    if walk.torn_at(state.last + 1):
        state.marks.shown.append(TORN)
    return with_tag(_base(head, state, said), word, state.index.tag)


def _head(
    parts: Sequence[Part], hand: heads.Hand, device_point: Callable[[bytes], bytes | None]
) -> tuple[Judgement, heads.Opened | None]:
    """Section 3.1: the proving copy, or the judgement that there is none."""
    openings = heads.Openings(hand)
    fronts = [heads.read_front(part) for part in parts]
    copies = [copy for front in fronts for copy in heads.copies_of(front)]
    if not copies:
        known = any(heads.has_magic(front) for front in fronts)
        why = "made by a newer Sealcam, or its heads are broken" if known else "no recording of ours"
        return Judgement(Verdict.NOT_JUDGED, reason=why), None
    opened = heads.proving(copies, openings)
    if opened is None and openings.addressed:
        return Judgement(Verdict.ALTERED, core=copies[0].core, place=0, reason="no head opens"), None
    if opened is None and not any(copy.slots_are_sound for copy in copies):
        return Judgement(
            Verdict.ALTERED, core=copies[0].core, place=0, reason="no slots as they were sealed"
        ), None
    if opened is None:
        return Judgement(Verdict.NOT_JUDGED, core=copies[0].core, reason="sealed for other keys"), None
    core, area = opened.copy.core, opened.copy.slot_area
    base = Judgement(
        Verdict.INTACT, core=core, slot_area=area if any(area) else None, verify_secret=opened.keys.v
    )
    point = device_point(core.device_id)
    if point is None or keys.key_id_of(point) != core.device_id:
        return replace(base, verdict=Verdict.NOT_JUDGED, reason="the camera is not known here"), None
    return base, opened


class _Walk:
    """Positions of all parts in the order of section 3.2."""

    def __init__(
        self,
        parts: Sequence[Part],
        opened: heads.Opened,
        jobs: int,
        take: Take | None,
        progress: Progress | None,
    ) -> None:
        self._core, self._k_mac = opened.copy.core, opened.keys.k_mac
        self._jobs = jobs
        self._scanner = Scanner(self._core, self._k_mac)
        self._parts = parts
        self._order = Order(take, 1, opened.copy.tag_0) if take else None
        self._progress, self._done = progress, 0
        self._next = parts[0], 0  # part and position after the last proved chunk
        self.proved: list[Part] = []

    def go(self, state: State) -> None:
        """Meet every run of every part that holds one."""
        firsts = {number: self._first(part) for number, part in enumerate(self._parts)}
        state.odd = next((found.odd for found in firsts.values() if found.odd), "")
        numbers = sorted((n for n in firsts if firsts[n].first_index), key=lambda n: firsts[n].first_index)
        between = 0
        for number, found in zip(numbers, self._all(numbers, firsts), strict=True):
            part = self._parts[number]
            self.proved.append(part)
            state.odd = state.odd or found.odd
            position = 0
            for run in found.runs:
                between += run.position - position
                between, position = state.met(run, between), run.position + run.count
                self._next = (part, position) if run.last else self._next
            between += positions_of(part, self._core) - position

    def _first(self, part: Part) -> Found:
        """What position 0 proves; where it does not, all that the part proves."""
        found = self._scanner.scan(part, 0, min(1, positions_of(part, self._core)))
        return found if found.runs else self._scanner.scan(part, 1, positions_of(part, self._core))

    def _all(self, numbers: list[int], firsts: dict[int, Found]) -> list[Found]:
        """Everything the parts prove, in their order."""
        stretches = [(self._parts[n], 0, positions_of(self._parts[n], self._core)) for n in numbers]
        if self._jobs > 1 and self._order is None:
            return shares.scan(stretches, self._core, self._k_mac, self._jobs, self._advance)
        return [
            self._one(*stretch) if not firsts[n].runs[0].position else self._broken(firsts[n])
            for n, stretch in zip(numbers, stretches, strict=True)
        ]

    def _one(self, part: Part, start: int, stop: int) -> Found:
        return self._scanner.scan(part, start, stop, self._order, self._advance)

    def _broken(self, found: Found) -> Found:
        """A part whose first position does not prove was gone over already, and ends the body."""
        if self._order is not None:
            self._order.whole = False
        return found

    def _advance(self, size: int) -> None:
        self._done += size
        if self._progress is not None:
            self._progress(self._done, sum(part.size for part in self._parts))

    def torn_at(self, index: int) -> bool:
        """Whether the position after the last proved chunk holds the torn chunk of this index."""
        part, position = self._next
        block = self._scanner.block(part, position)
        if len(block) < self._core.chunk_size:
            return False
        header = layout.HEADER.parse(block)
        ours = header.magic == layout.CHUNK_MAGIC and header.recording_id_start == self._core.recording_id[:8]
        return bool(ours and header.index == index)


def _mark_heads(parts: Sequence[Part], walk: _Walk, copy: heads.Copy, state: State) -> None:
    """The last two bullets of section 3.1."""
    first = heads.first_of(parts, copy)
    held = walk.proved or [part for part in [first] if heads.both_cores_stand(part, copy)]
    if any(copy.between) or not all(heads.heads_agree(part, copy) for part in held):
        state.spoil(0, "a head block was changed")


def _mark_links(state: State) -> None:
    """Section 3.2, chain; chunks after an end."""
    for index in state.index.heads():
        if state.index.tag(index - 1) is not None and not state.index.links(index):
            state.flag(index, "does not link to the one before it")
    ends = [index for run in state.runs for index, kind, _ in run.special if kind == layout.TYPE_END]
    if ends and (after := _next_proved(state, min(ends))):
        state.flag(after, "comes after the end")


def _next_proved(state: State, index: int) -> int | None:
    """The lowest proved index above this one."""
    above = [stray for stray in state.index.strays if stray > index]
    above += [max(first, index + 1) for first, last, _ in state.index.stretches if last > index][:1]
    return min(above, default=None)


def _special(state: State) -> list[tuple[int, int, bytes]]:
    """Statement chunks by rising index; of two with one index the first counts."""
    kept: dict[int, tuple[int, int, bytes]] = {}
    for run in state.runs:
        for special in run.special:
            if special[0] > 0:
                kept.setdefault(special[0], special)
    return [kept[index] for index in sorted(kept)]


def _mark_signatures(state: State, said: signatures.Statements) -> None:
    """Section 3.3: the marks."""
    for index in said.refused:
        state.flag(index, "bears a signature that is not valid")
    for first, last in signatures.signed_for(said.reaches, state.index):
        state.marks.sign(first, last)
    for index in said.valid_ends:
        state.marks.end(index)


def _base(head: Judgement, state: State, said: signatures.Statements) -> Judgement:
    """Section 3.4, without the camera's word."""
    ended = state.last > 0 and state.last in said.valid_ends
    found = replace(
        head,
        marks=bytes(state.marks.shown),
        last_index=state.last,
        last_tag=(state.index.tag(state.last) if state.last else None) or bytes(32),
        signed_to=max(said.reaches, default=0),
        ended=ended,
        covered=tuple(said.covered),
        totals=said.totals,
        ends=tuple((index, state.index.tag(index) or b"") for index in said.ends),
    )
    if state.place is not None:
        return replace(found, verdict=Verdict.ALTERED, place=state.place, reason=state.reason)
    if state.odd:
        return replace(found, verdict=Verdict.NOT_JUDGED, reason=state.odd)
    if ended:
        return replace(found, verdict=Verdict.INTACT, confirmed=True)
    return replace(found, verdict=Verdict.CUT_SHORT, reason="no end was signed; the camera has not said why")
