"""The emulated boards' display: a frame in memory, and no decoder. Imports nothing of ours.

Where a board's driver would decode a picture, the bytes of the JPEG stand in its place, over and over: what
is drawn over it, and what is refused, is the same.
"""

WIDTH, HEIGHT = 160, 120
_SHORTEST = 4  # bytes of the two markers that any JPEG begins and ends with
_START = b"\xff\xd8"


class Screen:
    """`width` times `height` pixels of RGB565; `shown` counts frames."""

    width, height = WIDTH, HEIGHT

    def __init__(self):
        self.shown = 0

    def decode(self, jpeg, frame) -> bool:
        """The picture's bytes into the whole frame; False for what is no JPEG."""
        size = len(jpeg)
        if size < _SHORTEST or bytes(jpeg[:2]) != _START:
            return False
        for at in range(0, len(frame), size):
            piece = memoryview(frame)[at : at + size]
            piece[:] = jpeg[: len(piece)]
        return True

    def show(self, frame) -> None:
        self.shown += 1
