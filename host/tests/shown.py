"""What stands on the desk camera's screen, read from its PNG files: words, numbers, pictures. For the demo.

A reader of its own: it draws with the device's letters and compares dot by dot.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import reel

ROOT = Path(__file__).resolve().parents[2]
for _folder in ("firmware", "firmware/shim", "boards/unix"):
    if str(ROOT / _folder) not in sys.path:
        sys.path.append(str(ROOT / _folder))

import framebuf  # noqa: E402 - only reachable from here on
import screen  # noqa: E402
from sealcam import letters  # noqa: E402

WIDTH, HEIGHT, SCALE = 320, 240, 2
_WHITE = 0xFFFF
_LINE = (letters.HIGH + 3) * SCALE
_BARE = slice(2 * WIDTH * 30, 2 * WIDTH * 95)  # rows on which nothing is drawn over a picture


def pixels(png: Path) -> bytes:
    """One frame as the device held it: RGB565, in the machine's order."""
    with av.open(str(png)) as file:
        colours = next(file.decode(video=0)).to_ndarray(format="rgb24").astype(np.uint16)
    red, green, blue = (colours[:, :, place] for place in range(3))
    return bytes((red >> 3 << 11 | green >> 2 << 5 | blue >> 3).tobytes())


def words(frame: bytes) -> list[str]:
    """The lines of a screen of words, from the top."""
    canvas = framebuf.FrameBuffer(bytearray(frame), WIDTH, HEIGHT, framebuf.RGB565)
    count = (WIDTH - 3 * SCALE) // (letters.STEP * SCALE)
    return [
        letters.read(canvas, count, 3 * SCALE, y, _WHITE, SCALE).rstrip()
        for y in range(4 * SCALE, HEIGHT - _LINE, _LINE)
    ]


def has_number(frame: bytes, number: str) -> bool:
    """Whether the number stands in both of its corners, every dot of it white on black."""
    wide, high = letters.width(number, SCALE) + 2 * SCALE, (letters.HIGH + 2) * SCALE
    box = framebuf.FrameBuffer(bytearray(2 * wide * high), wide, high, framebuf.RGB565)
    letters.draw(box, number, SCALE, SCALE, _WHITE, SCALE)
    found = framebuf.FrameBuffer(bytearray(frame), WIDTH, HEIGHT, framebuf.RGB565)
    corners = [(SCALE, SCALE), (WIDTH - wide - SCALE, HEIGHT - high)]
    return all(_same(box, found, x, y) for x, y in corners)


def _same(box: framebuf.FrameBuffer, frame: framebuf.FrameBuffer, x: int, y: int) -> bool:
    dots = ((column, row) for row in range(box.height) for column in range(box.width))
    return all(box.pixel(column, row) == frame.pixel(x + column, y + row) for column, row in dots)


def bare(frame: bytes) -> bytes:
    """The rows of a picture over which nothing is drawn."""
    return frame[_BARE]


def fed(source: Path) -> Iterator[bytes]:
    """The same rows of every picture of a reel, as the screen's decoder gives them."""
    film = reel.Reel(str(source))
    buffer = bytearray(film.longest)
    while entry := film.next_into(buffer):
        track, _, length = entry
        if track == reel.PICTURE:
            decoded = screen.decode(bytes(buffer[:length]), WIDTH, HEIGHT)
            yield bare(decoded or b"")
    film.close()
