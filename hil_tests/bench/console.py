"""One pty that stays, whatever camera process is behind it: what pytest-embedded holds open over power cuts.

Copies bytes; knows no command.
"""

import contextlib
import os
import pty
import select
import threading
import tty

_PIECE = 4096


class Console:
    """`path` is the port for pyserial; `attach` puts the console of a camera behind it."""

    def __init__(self) -> None:
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        self._camera = -1
        self._lock = threading.Lock()
        self._is_open = True
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def attach(self, path: str) -> None:
        """Put a camera's console behind it."""
        camera = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        with self._lock:
            self._camera = camera

    def detach(self) -> None:
        """The camera is off: nothing comes, and what is said is lost."""
        with self._lock:
            camera, self._camera = self._camera, -1
        if camera >= 0:
            os.close(camera)

    def close(self) -> None:
        """Let go of the pty."""
        self._is_open = False
        self._thread.join()
        self.detach()
        os.close(self._master)
        os.close(self._slave)

    def _carry(self) -> None:
        while self._is_open:
            with self._lock:
                ends = [self._master, self._camera] if self._camera >= 0 else [self._master]
            ready, _, _ = select.select(ends, [], [], 0.05)
            with self._lock, contextlib.suppress(OSError):  # a camera that is switched off in this moment
                self._copy(ready)

    def _copy(self, ready: list[int]) -> None:
        if self._master in ready:
            said = os.read(self._master, _PIECE)
            if self._camera >= 0:
                os.write(self._camera, said)
        if self._camera in ready:
            os.write(self._master, os.read(self._camera, _PIECE))
