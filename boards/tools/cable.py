"""A serial line between a camera on this desk and a pty for the host, which can be pulled and plugged again.

Copies bytes and counts them; knows no frame. A thread of its own reads whatever the camera says at once, as
an emulated UART drops what nobody takes.
"""

import contextlib
import os
import pty
import re
import select
import threading
import time
import tty
from collections.abc import Callable

_PIECE = 65536
_GATHER_S = 0.0005  # an emulated UART says one byte at a time: the rest of them is worth waiting for
_LAST_WORDS_S = 0.5  # of a camera that has ended, on their way through the cable
_MOST_WAITING = 8 << 20  # bytes for a host that does not read; older ones are let go


class Cable:
    """`from_camera` and `to_camera` are descriptors, not blocking; `path` is the pty for pyserial.

    With `keep`, `heard` is everything the camera said. While it is pulled, what either side says is lost and
    the host's pty is hung up; after `plug` there is a new `path`.
    """

    def __init__(self, from_camera: int, to_camera: int, *, keep: bool = False):
        self._from, self._to, self._keep = from_camera, to_camera, keep
        self.heard = bytearray()
        self.passed = 0
        self.path = ""
        self._master = self._slave = -1
        self._left = -1
        self._deaf = False
        self.is_alive: Callable[[], bool] = lambda: True  # whoever starts the camera knows better
        self._to_host, self._to_camera = bytearray(), bytearray()
        self._changed = threading.Condition(threading.RLock())
        self._wake_out, self._wake_in = os.pipe()
        self._is_open = True
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    @property
    def is_plugged(self) -> bool:
        return self._master >= 0

    def plug(self) -> str:
        """Give the host a new pty; its path."""
        with self._changed:
            if self._master < 0:
                self._master, self._slave = pty.openpty()
                tty.setraw(self._slave)
                os.set_blocking(self._master, False)
                self.path = os.ttyname(self._slave)
            self._left = -1
        self._wake()
        return self.path

    def pull(self) -> None:
        """Hang up; what has not arrived is lost."""
        with self._changed:
            if self._master >= 0:
                os.close(self._master)
                os.close(self._slave)
            self._master = self._slave = self._left = -1
            self._to_host.clear()
            self._to_camera.clear()
            self._changed.notify_all()
        self._wake()

    def pull_after(self, count: int) -> None:
        """Hang up once `count` more bytes have passed, both ways together: exactly there."""
        with self._changed:
            self._left = count

    def send(self, words: bytes) -> None:
        """Say something to the camera without a host."""
        with self._changed:
            self._to_camera += words
        self._wake()

    def wait_for(self, pattern: bytes, timeout_s: float, start: int = 0) -> int:
        """The place after `pattern` (as in `re`) in `heard`, from `start` on; TimeoutError with what was
        heard instead, at once when the camera has ended.
        """
        end = time.monotonic() + timeout_s
        with self._changed:
            while not (found := re.compile(pattern).search(self.heard, start)):
                left = end - time.monotonic()
                if left <= 0 or not self._is_open or self._deaf:
                    raise TimeoutError(f"no {pattern!r}, but {bytes(self.heard[start:][-400:])!r}")
                if not self.is_alive():
                    end = min(end, time.monotonic() + _LAST_WORDS_S)
                self._changed.wait(min(left, _LAST_WORDS_S))
            return found.end()

    def close(self) -> None:
        """Let go of everything; the camera has ended."""
        with self._changed:
            self._is_open = False
            self._changed.notify_all()
        self._wake()
        if threading.current_thread() is not self._thread:
            self._thread.join()
        self.pull()
        for descriptor in {self._from, self._to, self._wake_in, self._wake_out}:
            os.close(descriptor)

    def _wake(self) -> None:
        with contextlib.suppress(OSError):
            os.write(self._wake_in, b"!")

    def _carry(self) -> None:
        while self._is_open:
            poll = select.poll()
            poll.register(self._wake_out, select.POLLIN)
            with self._changed:
                for descriptor, events in self._wanted().items():
                    poll.register(descriptor, events)
            ready = dict(poll.poll())
            if self._wake_out in ready:
                os.read(self._wake_out, 4096)
            with self._changed:
                self._copy(ready)
            time.sleep(_GATHER_S)

    def _wanted(self) -> dict[int, int]:
        wanted = {} if self._deaf else {self._from: select.POLLIN}
        if self._to_camera:
            wanted[self._to] = wanted.get(self._to, 0) | select.POLLOUT
        if self._master >= 0:
            wanted[self._master] = select.POLLOUT if self._to_host else 0
            if len(self._to_camera) < _PIECE:
                wanted[self._master] |= select.POLLIN
        return wanted

    def _copy(self, ready: dict[int, int]) -> None:
        if ready.get(self._from, 0):
            self._hear()
        if self._master >= 0 and ready.get(self._master, 0) & select.POLLIN:
            self._to_camera += self._counted(_read(self._master) or b"")
        if self._to_host and self._master >= 0:
            _write(self._master, self._to_host)
        if self._to_camera:
            _write(self._to, self._to_camera)
        if self._left == 0:
            self._settle()
            self.pull()

    def _hear(self) -> None:
        said = _read(self._from)
        if said is None:
            self._deaf = True  # the camera ended; its descriptor would say so for ever
            return
        if self._keep:
            self.heard += said
        if self._master >= 0:
            self._to_host += self._counted(said)
            del self._to_host[: max(0, len(self._to_host) - _MOST_WAITING)]
        self._changed.notify_all()

    def _counted(self, piece: bytes) -> bytes:
        """As much of it as still passes."""
        if self._left >= 0:
            piece = piece[: self._left]
            self._left -= len(piece)
        self.passed += len(piece)
        return piece

    def _settle(self) -> None:
        """What has passed arrives, within a bound, before the line goes dead."""
        end = time.monotonic() + 1
        while (self._to_host or self._to_camera) and time.monotonic() < end:
            _write(self._master, self._to_host)
            _write(self._to, self._to_camera)


def _read(descriptor: int) -> bytes | None:
    """What is there; None at the end."""
    try:
        return os.read(descriptor, _PIECE) or None
    except BlockingIOError:
        return b""
    except OSError:
        return None


def _write(descriptor: int, waiting: bytearray) -> None:
    """Write what goes without waiting, and take it out of `waiting`."""
    try:
        del waiting[: os.write(descriptor, waiting)]
    except BlockingIOError:
        return
    except OSError:
        waiting.clear()  # nobody there
