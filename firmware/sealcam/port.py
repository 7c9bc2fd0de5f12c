"""The serial line.

Bytes and the time that passes on it, which is real even where the camera's own clock runs ahead. Knows no
frame. A line that fails is a line on which nothing comes.
"""

import time


def _ticks_ms():
    return time.monotonic_ns() // 1000000


_now = getattr(time, "ticks_ms", _ticks_ms)
_difference = getattr(time, "ticks_diff", lambda end, start: end - start)


class Port:
    """`device` is a board's line: `read_into(view) -> int`, which never waits, `write(view)`, `any()`."""

    def __init__(self, device):
        self._device = device
        self._ms, self._ticks = 0, _now()

    def ms(self) -> int:
        """Milliseconds on the line; asked at least once in days, as every turn of the camera does."""
        ticks = _now()
        self._ms += _difference(ticks, self._ticks)
        self._ticks = ticks
        return self._ms

    def read_into(self, view) -> int:
        """What has come, up to the length of `view`; 0 for nothing."""
        try:
            return self._device.read_into(view) or 0
        except OSError:
            return 0  # pulled

    def write(self, view) -> bool:
        """Whether the line took all of it; False says nothing of how much arrived."""
        try:
            sent = self._device.write(view)
        except OSError:
            return False
        return sent is None or sent == len(view)

    def any(self) -> bool:
        try:
            return bool(self._device.any())
        except OSError:
            return False
