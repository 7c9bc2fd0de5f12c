"""Whoever serves a camera's screen and shows nothing: the two FIFOs of `boards/unix/glass.py`, answered."""

import contextlib
import os
import select
import struct
import threading
from pathlib import Path

_ASK = struct.Struct(">BHHI")
_SHOW = 2
_PIECE = 65536


class Glass:
    """Answers every frame shown, and takes no picture: there is nobody to look."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._ends = []
        for name in ("ask", "answer"):
            os.mkfifo(folder / name)
            self._ends.append(os.open(folder / name, os.O_RDWR | os.O_NONBLOCK))
        self._stop = os.pipe()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """The camera behind it is off."""
        os.write(self._stop[1], b"!")
        self._thread.join()
        for end in (*self._ends, *self._stop):
            os.close(end)

    def _serve(self) -> None:
        with contextlib.suppress(EOFError):
            while True:
                what, _, _, length = _ASK.unpack(self._take(_ASK.size))
                self._take(length)
                os.write(self._ends[1], b"\1" if what == _SHOW else b"\0")

    def _take(self, count: int) -> bytes:
        taken = b""
        while len(taken) < count:
            ready, _, _ = select.select([self._ends[0], self._stop[0]], [], [])
            if self._stop[0] in ready:
                raise EOFError
            taken += os.read(self._ends[0], min(_PIECE, count - len(taken)))
        return taken
