"""The strip of marks, for people.

`.` signed for, `,` proved by its tag only, `!` altered, `-` missing, `~` torn, `|` the signed end.
"""

from sealhost.records import Judgement, Verdict

WORST_FIRST = b"!-~|,."
_NAMES = {
    Verdict.INTACT: "INTACT",
    Verdict.CUT_SHORT: "CUT SHORT",
    Verdict.ALTERED: "ALTERED",
    Verdict.NOT_JUDGED: "NOT JUDGED",
}


def strip(judgement: Judgement, name: str = "", width: int = 64) -> str:
    """One line: name, verdict, marks, and where to look. A long strip is folded to at most `width` marks."""
    marks, each = fold(judgement.marks, width)
    shown = [name, _NAMES[judgement.verdict], marks.decode(), where(judgement)]
    if each > 1:
        shown.append(f"(one mark for {each} chunks)")
    return "  ".join(piece for piece in shown if piece)


def fold(marks: bytes, width: int) -> tuple[bytes, int]:
    """At most `width` marks, each the worst of `each` that follow one another."""
    each = max(1, -(-len(marks) // max(1, width)))
    if each == 1:
        return marks, 1
    pieces = (marks[at : at + each] for at in range(0, len(marks), each))
    return bytes(next(mark for mark in WORST_FIRST if mark in piece) for piece in pieces), each


def where(judgement: Judgement) -> str:
    """What a person points at."""
    total = max(judgement.last_index, len(judgement.marks))
    if judgement.verdict is Verdict.ALTERED:
        return f"chunk {judgement.place} of {total}" if judgement.place else "the head"
    if judgement.verdict is Verdict.NOT_JUDGED:
        return judgement.reason
    if judgement.verdict is Verdict.INTACT:
        return f"{judgement.last_index} chunks"
    confirmed = "" if judgement.confirmed else ", unconfirmed"
    return f"signed to {judgement.signed_to} of {judgement.last_index}{confirmed}"


def as_json(judgement: Judgement) -> dict[str, object]:
    """The same for a machine."""
    return {
        "name": judgement.name,
        "verdict": judgement.verdict.name.lower(),
        "confirmed": judgement.confirmed,
        "strip": judgement.marks.decode(),
        "last_index": judgement.last_index,
        "signed_to": judgement.signed_to,
        "place": judgement.place,
        "reason": judgement.reason,
        "ended": judgement.ended,
    }
