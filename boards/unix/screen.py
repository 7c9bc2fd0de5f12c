"""The desk camera's display and its decoder: a program beside the camera, as a board's driver would be.

    python boards/unix/screen.py DIR [--window]

Makes two FIFOs in DIR, `ask` and `answer`, and serves one camera after another. Asked to decode, it answers a
JPEG as RGB565, fitted into the screen; asked to show, it writes the frame to DIR as `frame-000001.png` and so
on, or shows it in a window. Runs with CPython and PyAV; knows nothing of a recording.

Ask: what u8 (1 decode, 2 show), width u16, height u16, length u32, then the bytes, big-endian; pixels as the
machine has them. Answer: u8, 1 done, 0 not; after a picture that was decoded, its pixels.
"""

import argparse
import os
import signal
import struct
import sys
from fractions import Fraction
from pathlib import Path

import av
from av.error import FFmpegError

DECODE, SHOW = 1, 2
ASK = ">BHHI"
_MOST_BYTES, _MOST_PIXELS = 1 << 24, 4096


def decode(jpeg: bytes, width: int, height: int) -> bytes | None:
    """RGB565 pixels of the whole screen, black where the picture does not reach; None for no picture."""
    decoder = av.CodecContext.create("mjpeg", "r")
    try:
        frames = [*decoder.decode(av.Packet(jpeg)), *decoder.decode(None)]
    except FFmpegError:
        return None
    if not frames:
        return None
    wide, high = _fitted(frames[0].width, frames[0].height, width, height)
    picture = frames[0].reformat(wide, high, format="rgb565le")
    return _placed(picture, width, height)


def _fitted(wide: int, high: int, width: int, height: int) -> tuple[int, int]:
    if wide * height > high * width:
        return width, max(1, high * width // wide)
    return max(1, wide * height // high), height


def _placed(picture: av.VideoFrame, width: int, height: int) -> bytes:
    """In the middle of a black screen."""
    plane, row = picture.planes[0], 2 * picture.width
    pixels, screen = bytes(plane), bytearray(2 * width * height)
    left, top = 2 * ((width - picture.width) // 2), (height - picture.height) // 2
    for line in range(picture.height):
        at = 2 * width * (top + line) + left
        screen[at : at + row] = pixels[line * plane.line_size : line * plane.line_size + row]
    return bytes(screen)


def to_png(pixels: bytes, width: int, height: int) -> bytes:
    """One frame as a PNG."""
    frame = av.VideoFrame(width, height, "rgb565le")
    plane, row = frame.planes[0], 2 * width
    padded = b"".join(
        pixels[at : at + row].ljust(plane.line_size, b"\0") for at in range(0, row * height, row)
    )
    plane.update(padded.ljust(plane.buffer_size, b"\0"))
    encoder = av.CodecContext.create("png", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "rgb24"
    encoder.time_base = Fraction(1, 25)
    packets = [*encoder.encode(frame.reformat(format="rgb24")), *encoder.encode(None)]
    return b"".join(bytes(packet) for packet in packets)


class Folder:
    """Shows a frame by writing it down."""

    def __init__(self, folder: Path):
        self._folder, self._number = folder, 0

    def show(self, png: bytes) -> None:
        self._number += 1
        aside = self._folder / "frame.part"
        aside.write_bytes(png)
        os.replace(aside, self._folder / f"frame-{self._number:06d}.png")


class Window:
    """Shows a frame in a window of its own."""

    def __init__(self) -> None:
        import tkinter  # optional: a machine without a display has none

        self._kit, self._root = tkinter, tkinter.Tk()
        self._root.title("Sealcam")
        self._label = tkinter.Label(self._root)
        self._label.pack()

    def show(self, png: bytes) -> None:
        self._picture = self._kit.PhotoImage(data=png)
        self._label.configure(image=self._picture)
        self._root.update()


def serve(folder: Path, shown: Folder | Window) -> None:
    """One camera after another, until somebody stops us."""
    for name in ("ask", "answer"):
        if not (folder / name).exists():
            os.mkfifo(folder / name)
    while True:
        with open(folder / "ask", "rb") as ask, open(folder / "answer", "wb", buffering=0) as answer:
            while _answer_one(ask, answer, shown):
                pass


def _answer_one(ask, answer, shown) -> bool:  # type: ignore[no-untyped-def]
    """False when the camera is gone, or asks what no camera asks."""
    head = ask.read(struct.calcsize(ASK))
    if len(head) < struct.calcsize(ASK):
        return False
    what, width, height, length = struct.unpack(ASK, head)
    if length > _MOST_BYTES or not (0 < width <= _MOST_PIXELS and 0 < height <= _MOST_PIXELS):
        return False
    body = ask.read(length)
    if len(body) < length:
        return False
    try:
        _write_whole(answer, _answer(what, width, height, body, shown))
    except BrokenPipeError:
        return False
    return True


def _answer(what: int, width: int, height: int, body: bytes, shown: Folder | Window) -> bytes:
    if what == DECODE:
        pixels = decode(body, width, height)
        return b"\0" if pixels is None else b"\1" + pixels
    if what == SHOW and len(body) == 2 * width * height:
        shown.show(to_png(body, width, height))
        return b"\1"
    return b"\0"


def _write_whole(answer, content: bytes) -> None:  # type: ignore[no-untyped-def]
    view = memoryview(content)
    while view:
        view = view[answer.write(view) :]


def main() -> int:
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--window", action="store_true", help="show frames in a window, not as files")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        serve(asked.folder, Window() if asked.window else Folder(asked.folder))
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
