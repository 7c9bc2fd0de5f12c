"""The camera's word on a judgement that is there already, without reading the recording again."""

from sealhost.records import Judgement, Verdict, Word
from sealhost.verify.judge import with_tag


def with_word(judgement: Judgement, word: Word | None) -> Judgement | None:
    """Section 3.4 applied to a judgement made without a word; None where only `judge` can tell.

    Tags are known of the last chunk, of ends, and of what signatures cover. A journal or a later header speaks of
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
