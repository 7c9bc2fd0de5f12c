"""Find a key that repeats: XOR with a short key, whatever its length up to 4096 bytes.

Count coincidences (Friedman, *The Index of Coincidence*, 1922): where bytes a whole number of keys apart
agree more often than chance allows, the same key went over both. Random bytes and any good cipher agree once
in 256. Bytes in, findings out.
"""

import math
import os
from collections import Counter
from dataclasses import dataclass

from sealhost.proving.structure import find

LONGEST_KEY = 4096
_SIGMAS = 9  # some 70,000 counts are made a file: by chance, one in 10^13 files
_BLOCK = 16
_CHOSEN = (*range(1, 65), 128, 256, 512, 1024, 2048, 4096)


@dataclass(frozen=True)
class Repeat:
    """`period` bytes apart, bytes agree; `shown` is what the bytes are once the key is taken off, if that was
    found.
    """

    period: int
    shown: str = ""


def find_repeat(window: bytes) -> Repeat | None:
    """The shortest period at which a window of some 32 KiB agrees with itself; None where nothing does."""
    if len(window) < 1024:
        return None
    number, excess = int.from_bytes(window, "little"), {}
    for period in range(1, min(LONGEST_KEY, len(window) // 2) + 1):
        count = len(window) - period
        agreed = _agreeing(number, period, count)
        if agreed > _beyond_chance(count) and _is_key(window, period):
            excess[period] = agreed - count / 256
    if not excess:
        return None
    period = min(p for p in excess if excess[p] * 2 >= max(excess.values()))
    return Repeat(period, _shown(window, period))


def find_faint_repeat(window: bytes) -> Repeat | None:
    """The same in packed media, where little agrees: count every pair of each column, in a window of half a
    mebibyte.

    Only for lengths people choose: up to 64 bytes, and powers of two.
    """
    if len(window) < 8 * LONGEST_KEY:
        return None
    window = _without_equal_blocks(window)
    strength = {period: _column_sigmas(window, period) for period in _CHOSEN}
    best = max(strength, key=strength.__getitem__)
    return Repeat(best) if strength[best] > _SIGMAS else None


def _without_equal_blocks(window: bytes) -> bytes:
    """Noise where a whole cipher block came before: AES in its weakest mode repeats them, and it is AES all
    the same.
    """
    blocks = [window[i : i + _BLOCK] for i in range(0, len(window), _BLOCK)]
    seen = Counter(blocks)
    return b"".join(block if seen[block] == 1 else os.urandom(len(block)) for block in blocks)


def _column_sigmas(window: bytes, period: int) -> float:
    """By how many standard deviations equal pairs within columns exceed one in 256; the pairs are pairwise
    independent.
    """
    pairs = equal = 0
    for c in range(period):
        column = window[c::period]
        pairs += len(column) * (len(column) - 1) // 2
        equal += sum(n * (n - 1) // 2 for n in Counter(column).values())
    return (equal - pairs / 256) / math.sqrt(pairs / 256)


def _agreeing(number: int, period: int, count: int) -> int:
    """How many of `count` bytes equal the byte `period` later; long integers do it at a gigabyte a second."""
    shifted = number >> (8 * period)
    return ((number ^ shifted) & ((1 << (8 * count)) - 1)).to_bytes(count, "little").count(0)


def _beyond_chance(count: int) -> float:
    mean = count / 256
    return mean + _SIGMAS * math.sqrt(max(mean, 1))


def _is_key(window: bytes, period: int) -> bool:
    """Not whole cipher blocks that come back (AES in its weakest mode), nor a short header that does."""
    single = [i for i in _matches(window, period) if not _in_equal_block(window, i, period)]
    if len(single) <= _beyond_chance(len(window) - period):
        return False
    constant = _constant_columns(window, period)
    if len(constant) * 4 > period:
        return True
    spread = [i for i in single if i % period not in constant]
    return len(spread) > _beyond_chance(len(window) - period)


def _matches(window: bytes, period: int) -> list[int]:
    return [i for i, (a, b) in enumerate(zip(window, window[period:], strict=False)) if a == b]


def _in_equal_block(window: bytes, i: int, period: int) -> bool:
    if period % _BLOCK:
        return False
    start = i - i % _BLOCK
    return window[start : start + _BLOCK] == window[start + period : start + period + _BLOCK]


def _constant_columns(window: bytes, period: int) -> set[int]:
    if len(window) < 4 * period:
        return set()
    return {c for c in range(period) if len(set(window[c::period])) == 1}


def _shown(window: bytes, period: int) -> str:
    """Take the likeliest key off: in media the commonest byte of a column is nearly always 0 (else FF)."""
    common = bytes(Counter(window[c::period]).most_common(1)[0][0] for c in range(period))
    for plain in (0, 0xFF):
        found = find(unmask(window, bytes(c ^ plain for c in common)))
        if found:
            return found[0]
    return ""


def unmask(window: bytes, key: bytes) -> bytes:
    """The window with a repeating key taken off."""
    whole = (key * (len(window) // len(key) + 1))[: len(window)]
    return (int.from_bytes(window, "big") ^ int.from_bytes(whole, "big")).to_bytes(len(window), "big")


_OPENINGS = (
    *(
        bytes((0, 0, 0, size)) + b"ftyp" + brand
        for size in (20, 24, 28, 32, 36)
        for brand in (b"isom", b"mp42", b"qt  ")
    ),
    b"\xff\xd8\xff\xe0\0\x10JFIF\0\1",
)


def guess_opening(start: bytes) -> Repeat | None:
    """A key no longer than a file's first bytes, which anybody knows: take it off and look further on."""
    for opening in _OPENINGS:
        mask = unmask(start[: len(opening)], opening)
        for period in range(1, len(opening) + 1):
            key = mask[:period]
            if len(mask) - period < 3 and period > 8:
                break
            if mask == (key * len(mask))[: len(mask)]:
                found = find(unmask(start, key)[len(opening) :])
                if found:
                    return Repeat(period, found[0])
    return None
