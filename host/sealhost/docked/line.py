"""The serial line of one port: bytes out, bytes in, and a clear word when it is gone. It knows no frame."""

import contextlib
import errno
import os
import select
from pathlib import Path

import serial

from sealhost.errors import NotFound, PlaceBusy, PlaceUnreadable

BAUD = 115_200  # a board with its own USB does not look at it
_WRITE_S = 10.0
_NOT_YET = (errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.EIO)


class Lost(Exception):
    """The session or the line is gone; whoever asks may begin again."""


class SerialLine:
    """A port for us alone. `open` may be called again after the cable was pulled."""

    def __init__(self, port: Path | str) -> None:
        self.name = str(port)
        self._serial: serial.Serial | None = None

    def open(self) -> None:
        """Lost while the port is not there; PlaceBusy where another dock has it."""
        self.close()
        try:
            opened = serial.Serial(
                self.name, BAUD, timeout=0, write_timeout=_WRITE_S, exclusive=True, dsrdtr=False, rtscts=False
            )
            opened.reset_input_buffer()
        except (OSError, ValueError) as trouble:  # SerialException is an OSError
            raise _why_not(self.name, trouble) from None
        self._serial = opened

    def read(self, most: int, wait_s: float) -> bytes:
        """At most so many bytes, as soon as there are some; nothing when none came for `wait_s`."""
        handle = self._opened().fileno()
        try:
            if not select.select([handle], [], [], max(0.0, wait_s))[0]:
                return b""
            got = os.read(handle, most)
        except OSError:
            got = b""
        if not got:
            self.close()
            raise Lost("the cable was pulled")
        return got

    def write(self, content: bytes) -> None:
        """All of it, or Lost."""
        port = self._opened()
        try:
            port.write(content)
        except (OSError, TypeError) as trouble:
            self.close()
            raise Lost("the cable was pulled") from trouble

    def close(self) -> None:
        """Let go of the port."""
        if self._serial is not None:
            with contextlib.suppress(OSError):
                self._serial.close()
        self._serial = None

    def _opened(self) -> serial.Serial:
        if self._serial is None:
            raise Lost("the port is closed")
        return self._serial


def _why_not(name: str, trouble: Exception) -> Exception:
    """Lost for what may come back, else an error for a person."""
    number = getattr(trouble, "errno", None)
    if number in (errno.EAGAIN, errno.EBUSY, errno.EACCES) and "lock" in str(trouble):
        return PlaceBusy(name, "another dock is at work on it")
    if number == errno.EBUSY:
        return PlaceBusy(name, "another program has it")
    if number in _NOT_YET:
        gone = number == errno.ENOENT and _never_was(name)
        return NotFound(name) if gone else Lost("the port is not there")
    return PlaceUnreadable(name, os.strerror(number) if number else "it is no serial port")


def _never_was(name: str) -> bool:
    """Whether not even the folder of that port is there: a misspelt name, not a pulled cable."""
    return not Path(name).parent.is_dir()
