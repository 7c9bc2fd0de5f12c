"""Whether a card is sealed: *sealed and proved* only for what our keys prove, *not encrypted* with the
reason, else *cannot tell*.

Entropy proves nothing, so it is never asked: compressed video looks as random as a cipher. It reads and
changes nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from sealhost.errors import CannotTell, NotSealed
from sealhost.proving.periods import find_faint_repeat, find_repeat, guess_opening
from sealhost.proving.structure import find, overlap
from sealhost.records import Judgement, Part, Verdict

_WINDOW = 32 << 10
_WINDOWS = 16
_FAINT = 512 << 10
_SEARCHED = 64 << 20  # bytes looked through for marks, spread evenly over a longer file
_PIECE = 1 << 20


class Answer(Enum):
    """What may be said of a file; nothing is ever called encrypted because it looks random."""

    SEALED = "sealed and proved"
    PLAIN = "not encrypted"
    UNKNOWN = "cannot tell"


@dataclass(frozen=True)
class Finding:
    """One file, or one recording of several files."""

    name: str
    answer: Answer
    reason: str

    @property
    def exit_code(self) -> int:
        return {Answer.SEALED: 0, Answer.PLAIN: NotSealed.exit_code, Answer.UNKNOWN: CannotTell.exit_code}[
            self.answer
        ]


def of_judgement(name: str, judgement: Judgement) -> Finding:
    """What a verdict says about sealing: only what is proved from its first chunk to its last is sealed."""
    if judgement.verdict.may_store:
        return Finding(name, Answer.SEALED, f"{judgement.last_index} chunks prove under our keys")
    why = judgement.reason or judgement.verdict.value
    return Finding(
        name,
        Answer.UNKNOWN,
        f"it bears our head, and is {judgement.verdict.name.lower().replace('_', ' ')}: {why}",
    )


def examine(part: Part, progress: Callable[[float], None] | None = None) -> Finding:
    """Look at one file that is not ours. Reads at most 64 MiB of it, in pieces."""
    if part.size == 0:
        return Finding(part.name, Answer.UNKNOWN, "there is nothing in it")
    empty = True
    for offset, piece in _pieces(part):
        empty = empty and not piece.strip(b"\0")
        if found := find(piece):
            return Finding(
                part.name, Answer.PLAIN, f"{found[0]} stands in the clear at byte {offset + found[1]}"
            )
        if progress:
            progress(offset / part.size)
    if empty:
        return Finding(part.name, Answer.UNKNOWN, "nothing but zeros was found in it")
    return _look_for_keys(part)


def _look_for_keys(part: Part) -> Finding:
    windows = list(_windows(part))
    repeat = guess_opening(windows[0]) or next(filter(None, map(find_repeat, windows)), None)
    repeat = repeat or find_faint_repeat(_middle(part))
    if repeat is None:
        return Finding(
            part.name,
            Answer.UNKNOWN,
            "no mark of ours and none of media; random bytes and a cipher look alike",
        )
    what = (
        f": with it taken off, {repeat.shown} shows"
        if repeat.shown
        else ", as nothing that was encrypted does"
    )
    if repeat.period == 1 and not repeat.shown:
        return Finding(part.name, Answer.PLAIN, "its bytes repeat as bytes in the clear do")
    size = "one byte" if repeat.period == 1 else f"{repeat.period} bytes"
    return Finding(part.name, Answer.PLAIN, f"XOR with a key of {size} that comes back over and over{what}")


def _pieces(part: Part) -> Iterator[tuple[int, bytes]]:
    """The file, or an even spread of it, in pieces that overlap by the longest mark."""
    count = max(1, -(-part.size // _PIECE))
    stride = max(1, -(-count * _PIECE // _SEARCHED))
    chosen = sorted({*range(0, count, stride), count - 1})
    for number in chosen:
        yield number * _PIECE, read(part, number * _PIECE, _PIECE + overlap())


def _windows(part: Part) -> Iterator[bytes]:
    last = max(0, part.size - _WINDOW)
    starts = sorted({last * i // (_WINDOWS - 1) for i in range(_WINDOWS)})
    return (read(part, start, _WINDOW) for start in starts)


def _middle(part: Part) -> bytes:
    return read(part, max(0, part.size // 2 - _FAINT // 2), _FAINT)


def read(part: Part, offset: int, size: int) -> bytes:
    """At most `size` bytes at `offset`."""
    buffer = bytearray(min(size, max(0, part.size - offset)))
    return bytes(buffer[: part.read_into(offset, memoryview(buffer))]) if buffer else b""


def prove(
    groups: Iterable[tuple[str, Judgement]],
    strangers: Sequence[Part],
    progress: Callable[[float], None] | None = None,
) -> list[Finding]:
    """Every recording as judged, every other file as found."""
    findings = [of_judgement(name, judgement) for name, judgement in groups]
    return findings + [examine(part, progress) for part in strangers]


def exit_code(findings: Sequence[Finding]) -> int:
    """Of several the worst: not encrypted, cannot tell, sealed. A card with nothing on it proves nothing."""
    answers = {finding.answer for finding in findings}
    if Answer.PLAIN in answers:
        return NotSealed.exit_code
    return 0 if answers == {Answer.SEALED} else CannotTell.exit_code


__all__ = ["Answer", "Finding", "Verdict", "examine", "exit_code", "of_judgement", "prove"]
