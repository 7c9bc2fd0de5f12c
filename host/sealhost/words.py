"""What later headers and the journal say of a recording; forks. docs/format/recording.md, sections 3.5 and
3.6.

Works on judgements alone; it never reads a recording.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Protocol

from sealhost import layout
from sealhost.records import Core, Judgement, Verdict, Word
from sealhost.verify import with_word
from sealhost.verify.weigh import tail_removed as tail_removed_from


class Inventory(Protocol):
    """What a camera's signed journal says."""

    @property
    def device_id(self) -> bytes:
        """Whose journal it is."""

    def word_on(self, sequence: int, recording_id: bytes) -> Word | None:
        """The journal's word on one file, None where it is silent."""


def settle(
    judgements: Sequence[Judgement],
    inventory: Inventory | None = None,
    again: Callable[[int, Word], Judgement] | None = None,
) -> list[Judgement]:
    """The judgements, made without a word, after journal, later headers and forks have spoken.

    `again(number, word)` judges one anew where its tags are needed; without it such a recording stays as it
    was.
    """
    said, split = words(judgements, inventory), forks(judgements)
    settled = []
    for number, judgement in enumerate(judgements):
        word = said.get(judgement.core.h_core) if judgement.core else None
        found = with_word(judgement, word)
        if found is None and word is not None and again is not None:
            found = again(number, word)
        settled.append(found or judgement)
    settled = tail_removed(settled, inventory)
    return [forked(found) if found.core and found.core.h_core in split else found for found in settled]


def words(judgements: Iterable[Judgement], inventory: Inventory | None = None) -> dict[bytes, Word]:
    """The camera's word by `h_core`: the journal's where it speaks, else that of the first header that
    names it.
    """
    files = _files(judgements)
    found = {}
    for judgement, core in files:
        word = _from_journal(core, inventory) or _from_header(judgement, core, files)
        if word is not None:
            found[core.h_core] = word
    return found


def _files(judgements: Iterable[Judgement]) -> list[tuple[Judgement, Core]]:
    """Those whose head proved, by rising sequence."""
    proved = [
        (judgement, judgement.core) for judgement in judgements if judgement.core and judgement.verify_secret
    ]
    return sorted(proved, key=lambda pair: pair[1].sequence)


def _from_journal(core: Core, inventory: Inventory | None) -> Word | None:
    if inventory is None or inventory.device_id != core.device_id:
        return None
    return inventory.word_on(core.sequence, core.recording_id)


def _from_header(judgement: Judgement, core: Core, files: list[tuple[Judgement, Core]]) -> Word | None:
    could = closings(judgement)
    named = (could[later.prev] for _, later in _after(core, files) if later.prev in could)
    return next(named, None)


def _after(core: Core, files: list[tuple[Judgement, Core]]) -> list[tuple[Judgement, Core]]:
    """Files of the same camera with a higher sequence."""
    return [
        pair for pair in files if pair[1].device_id == core.device_id and pair[1].sequence > core.sequence
    ]


def closings(judgement: Judgement) -> dict[bytes, Word]:
    """Digest of every closing entry that could be this recording's, and the word it would be (3.5)."""
    core = judgement.core
    if core is None:
        return {}
    could = [(layout.STATE_CUT, 0, bytes(32))]
    could += [(layout.STATE_CUT, index, tag) for index, tag in judgement.covered if index]
    could += [(layout.STATE_ENDED, index, tag) for index, tag in judgement.ends]
    return {
        layout.closing_digest(core.sequence, core.recording_id, index, tag, state): Word(
            state, index, tag, "header"
        )
        for state, index, tag in could
    }


def tail_removed(judgements: Sequence[Judgement], inventory: Inventory | None = None) -> list[Judgement]:
    """The judgements, those altered of which a later header shows that the journal knew more than the card
    (3.5).
    """
    files = _files(judgements)
    gone = {
        core.h_core
        for judgement, core in files
        if not (judgement.ended or judgement.confirmed)
        and _from_journal(core, inventory) is None
        and _from_header(judgement, core, files) is None
        and _knew_more(core, files)
    }
    return [
        without_tail(found) if found.core and found.core.h_core in gone else found for found in judgements
    ]


def _knew_more(core: Core, files: list[tuple[Judgement, Core]]) -> bool:
    later = next((pair[1] for pair in _after(core, files) if pair[1].prev != core.prev), None)
    if later is None:
        return False
    own = [pair for pair in files if pair[1].device_id == core.device_id]
    below = [pair for pair in own if pair[1].sequence < later.sequence]
    if any(later.prev in closings(judgement) for judgement, _ in below):
        return False
    between = [judgement for judgement, other in below if other.sequence > core.sequence]
    logs = [
        other.sequence
        for _, other in below
        if other.kind == layout.KIND_LOG and other.sequence < core.sequence
    ]
    at_hand = {other.sequence for _, other in own}
    first = max(logs, default=core.sequence)
    # counted, not enumerated: a sequence is 64 bits and comes from a card
    whole = sum(first <= number <= later.sequence for number in at_hand) == later.sequence - first + 1
    return whole and all(judgement.ended for judgement in between)


def forks(judgements: Iterable[Judgement]) -> set[bytes]:
    """`h_core` of recordings that share device and sequence with another one (M16)."""
    names: dict[tuple[bytes, int], set[bytes]] = {}
    for _, core in _files(judgements):
        names.setdefault((core.device_id, core.sequence), set()).add(core.h_core)
    return {name for same in names.values() if len(same) > 1 for name in same}


def without_tail(judgement: Judgement) -> Judgement:
    """Altered after the last chunk; how many are missing nobody knows, one is marked."""
    return tail_removed_from(judgement, 1, "the tail was removed: a later header knows of more")


def forked(judgement: Judgement) -> Judgement:
    """Altered at the head: another recording bears the same number."""
    reason = "fork: another recording of this camera bears the same number"
    return replace(judgement, verdict=Verdict.ALTERED, place=0, reason=reason)
