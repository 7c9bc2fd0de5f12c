"""What the camera's word does to a judgement; recording.md, section 3.4."""

from collections.abc import Callable
from dataclasses import replace

from sealhost import layout
from sealhost.records import Judgement, Verdict, Word

ALTERED, MISSING, TORN, SIGNED, PROVED, END = b"!-~.,|"
TAIL_MARKS = 4096  # of a removed tail at most so many are shown


def with_word(judgement: Judgement, word: Word | None) -> Judgement | None:
    """Section 3.4 applied to a judgement made without a word; None where only `judge` can tell.

    Tags are known of the last chunk, of ends, and of what signatures cover. A journal or a later header
    speaks of
    these; of any other index the recording has to be gone over again.
    """
    if word is None or (judgement.verdict is Verdict.NOT_JUDGED and not judgement.last_index):
        return judgement
    known = _known(judgement)
    if 0 < word.last_index <= judgement.last_index and word.last_index not in known:
        return None
    return with_tag(judgement, word, known.get)


def _known(judgement: Judgement) -> dict[int, bytes]:
    """Tags by index, of chunks that nothing is held against."""
    proved = {index: tag for index, tag in judgement.covered if 0 < index <= len(judgement.marks)}
    sound = {index: tag for index, tag in proved.items() if judgement.marks[index - 1] in b".,|"}
    return {**sound, **dict(judgement.ends), judgement.last_index: judgement.last_tag}


def with_tag(found: Judgement, word: Word | None, tag: Callable[[int], bytes | None]) -> Judgement:
    """Section 3.4, the camera's word; `tag` gives the tag of a proved index, None where nothing is proved."""
    if word is None or found.core is None:
        return found
    if word.state == layout.STATE_VOID:
        return _altered(found, 0, "the camera spent this number on nothing")
    k, named, says_ended = found.last_index, word.last_index, word.state == layout.STATE_ENDED
    known = tag(named) if 0 < named <= k else None
    if known is not None and known != word.last_tag:
        found = _altered(_mark(found, named), named, f"the camera names another chunk {named}")
    if named > k or (says_ended and not found.ended):
        found = tail_removed(found, max(named - k, 1), "the tail was removed: the camera knows of more")
    elif says_ended and named < k:
        found = _altered(_mark(found, named + 1), named + 1, f"the camera says it ended at chunk {named}")
    if found.verdict is Verdict.CUT_SHORT:
        return replace(
            found, confirmed=True, reason=f"no end was signed; the camera says the same ({word.source})"
        )
    return replace(found, confirmed=found.verdict is not Verdict.NOT_JUDGED)


def _mark(found: Judgement, index: int) -> Judgement:
    if found.marks[index - 1 : index] == bytes([MISSING]):
        return found
    return replace(found, marks=found.marks[: index - 1] + bytes([ALTERED]) + found.marks[index:])


def tail_removed(found: Judgement, missing: int, reason: str) -> Judgement:
    """Altered after the last chunk; at most so many of the missing are marked, in place of a torn one."""
    k = found.last_index
    kept = found.marks.removesuffix(bytes([TORN]))
    found = replace(found, marks=kept + bytes([MISSING]) * min(missing, TAIL_MARKS))
    return _altered(found, k + 1, reason)


def _altered(found: Judgement, place: int, reason: str) -> Judgement:
    """Altered here too; the lowest place and its reason stand."""
    if found.verdict is Verdict.ALTERED and found.place is not None and found.place <= place:
        return found
    return replace(found, verdict=Verdict.ALTERED, place=place, reason=reason)
