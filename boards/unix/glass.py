"""The desk camera's side of its screen: two FIFOs to `screen.py`, which decodes and shows.

Knows pixels and a JPEG's length, never what is on it. OSError where nobody answers.
"""

import struct

_ASK = ">BHHI"
_DECODE, _SHOW = 1, 2
_EIO = 5


class Glass:
    """`width` times `height` pixels of RGB565; waits at the start until `screen.py` serves the folder."""

    width, height = 320, 240

    def __init__(self, folder: str):
        self._ask = open(folder + "/ask", "wb")
        self._answer = open(folder + "/answer", "rb")

    def decode(self, jpeg, frame) -> bool:
        """The picture's pixels into `frame`; False for what is no picture."""
        if not self._asked(_DECODE, jpeg):
            return False
        self._read_into(frame)
        return True

    def show(self, frame) -> None:
        if not self._asked(_SHOW, frame):
            raise OSError(_EIO)

    def _asked(self, what, body):
        self._write(struct.pack(_ASK, what, self.width, self.height, len(body)))
        self._write(body)
        said = bytearray(1)
        self._read_into(said)
        return said[0] == 1

    def _write(self, content):
        view = memoryview(content)
        while len(view):
            view = view[self._ask.write(view) :]

    def _read_into(self, buffer):
        view = memoryview(buffer)
        while len(view):
            count = self._answer.readinto(view)
            if not count:
                raise OSError(_EIO)  # it is gone
            view = view[count:]
