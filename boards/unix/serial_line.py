"""The dock line of the desk camera: a tty by its path, raw, with the calls of a board's serial line.

Knows bytes, never a frame. A line that the other side hung up reads as nothing and swallows what is written;
it is opened again, under the same path, when somebody is there once more.
"""

import select
import termios
import time

_VTIME, _VMIN = 5, 6  # places in c_cc, asm-generic/termbits.h
_PIECE = 256
_GIVE_UP_MS = 1000
_RETRY_MS = 200


class SerialLine:
    """`read_into` never waits; `write` waits until the tty takes what it is given, or nobody takes anything
    for a second.
    """

    def __init__(self, path: str):
        self._path = path
        self._file = None
        self._poll = select.poll()
        self._tried = time.ticks_ms()
        self._open()

    def _open(self):
        try:
            self._file = open(self._path, "r+b")
            _make_raw(self._file.fileno())
        except OSError:
            self._file = None  # nobody there; asked again later
            return
        self._poll.register(self._file, select.POLLIN | select.POLLOUT)

    def _is_open(self):
        if self._file is None and time.ticks_diff(time.ticks_ms(), self._tried) >= _RETRY_MS:
            self._tried = time.ticks_ms()
            self._open()
        return self._file is not None

    def _hung_up(self):
        self._poll.unregister(self._file)
        self._file.close()
        self._file = None
        self._tried = time.ticks_ms()

    def any(self) -> bool:
        return self._is_open() and self._is_ready(select.POLLIN, 0)

    def _is_ready(self, event, wait_ms):
        self._poll.modify(self._file, event)
        for _, found in self._poll.ipoll(wait_ms):
            if found & (select.POLLHUP | select.POLLERR):
                self._hung_up()
                return False
            return bool(found & event)
        return False

    def wait(self, milliseconds: int) -> None:
        """Until something comes, or so long."""
        if not self._is_open():
            time.sleep_ms(milliseconds)
            return
        self._is_ready(select.POLLIN, milliseconds)

    def read_into(self, view) -> int:
        """What has come, up to the length of `view`; 0 for nothing."""
        if not self._is_open():
            return 0
        try:
            size = self._file.readinto(view) or 0
        except OSError:
            self._hung_up()
            return 0
        if size == 0:
            self._is_ready(select.POLLIN, 0)  # a line that was hung up reads as empty, for ever
        return size

    def write(self, view) -> int:
        """All of `view`; how much of it went, less where the other side is gone or takes nothing more."""
        view, at = memoryview(view), 0
        while at < len(view) and self._is_open() and self._is_ready(select.POLLOUT, _GIVE_UP_MS):
            try:
                at += self._file.write(view[at : at + _PIECE]) or 0
            except OSError:
                self._hung_up()
        return at


def _make_raw(descriptor):
    """Raw, and a read that comes back at once with what there is (termios(3): VMIN and VTIME zero)."""
    termios.setraw(descriptor)
    attributes = termios.tcgetattr(descriptor)
    attributes[6][_VMIN] = attributes[6][_VTIME] = 0
    termios.tcsetattr(descriptor, termios.TCSANOW, attributes)
