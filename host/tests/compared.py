"""A film held against the reel it was filmed from: every picture, every millisecond, the sound. For the demo
and its test.
"""

import itertools
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pictures
import reel

LEAST_SSIM, MOST_MS = 0.95, 40.0
Found = tuple[bool, str]


def fed(path: Path) -> Iterator[tuple[int, int, bytes]]:
    """(track, ms, payload) of a reel."""
    source = reel.Reel(str(path))
    buffer = bytearray(source.longest)
    while entry := source.next_into(buffer):
        track, ms, length = entry
        yield track, ms, bytes(buffer[:length])
    source.close()


def fed_pictures(path: Path) -> Iterator[tuple[int, bytes]]:
    return ((ms, payload) for track, ms, payload in fed(path) if track == reel.PICTURE)


def _likeness(pair: tuple[bytes, np.ndarray]) -> float:
    return pictures.ssim(pictures.jpeg_luma(pair[0]), pair[1])


def _likenesses(film: Path, source: Path, processes: int = 2) -> tuple[list[float], list[float], list[int]]:
    """SSIM of every picture shown to the one fed at its place, the stamps shown, the stamps fed."""
    shown_ms: list[float] = []
    fed_ms: list[int] = []

    def pairs() -> Iterator[tuple[bytes, np.ndarray]]:
        for (ms, payload), (shown, luma) in zip(fed_pictures(source), pictures.shown(film), strict=False):
            fed_ms.append(ms)
            shown_ms.append(shown)
            yield payload, luma

    with ProcessPoolExecutor(processes) as pool:
        found: list[float] = []
        todo = pairs()
        while batch := list(itertools.islice(todo, 16)):  # a few pictures at a time: the memory stays small
            found += pool.map(_likeness, batch, chunksize=4)
    return found, shown_ms, fed_ms


def _sound_offset(film: Path, source: Path, until_ms: float) -> float:
    """By how many ms the film's sound is off."""
    heard, rate = pictures.heard(film)
    rate_fed = reel.Reel(str(source)).sound_rate
    blocks = [(ms, payload) for track, ms, payload in fed(source) if track == reel.SOUND and ms < until_ms]
    given = pictures.wave(blocks, rate_fed)
    if rate != rate_fed:
        raise ValueError(f"the film's sound has {rate} Hz, the reel's {rate_fed}")
    return pictures.sound_offset_ms(given, heard, rate)


def whole(source: Path, film: Path) -> Found:
    """Every picture fed is shown, at its own millisecond, alike; the sound is where it was."""
    likeness, shown_ms, fed_ms = _likenesses(film, source)
    count, wanted = sum(1 for _ in pictures.shown(film)), reel.Reel(str(source)).pictures
    begun = fed_ms[0] if fed_ms else 0
    exact = sum(abs((a - shown_ms[0]) - (b - begun)) < 0.5 for a, b in zip(shown_ms, fed_ms, strict=True))
    offset = _sound_offset(film, source, float("inf"))
    good = count == wanted == exact and min(likeness) >= LEAST_SSIM and abs(offset) <= MOST_MS
    line = f"whole.mp4: {count} of {wanted} pictures, {exact} at their own millisecond"
    return good, f"{line}, SSIM {min(likeness):.3f} or better, sound off by {offset:.1f} ms"


def cut(source: Path, film: Path, end_ms: int) -> Found:
    """What is shown of the cut one is alike, picture by picture, and none comes after its end."""
    likeness, shown_ms, _ = _likenesses(film, source)
    good = bool(likeness) and min(likeness) >= LEAST_SSIM and max(shown_ms) <= end_ms
    line = f"cut.mp4: {len(likeness)} pictures, SSIM {min(likeness, default=0):.3f} or better"
    return good, f"{line}, ends at {end_ms / 1000:.3f} s with the last proved chunk"
