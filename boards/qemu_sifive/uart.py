"""A serial line of sifive_u: UART1 is the dock, UART0 the console. Registers, and nothing of ours.

SiFive FU540-C000 manual, chapter 13. QEMU drops what the other side does not take at once; `starting.py`
always takes it.
"""

import time

import machine
import micropython
from micropython import const

_GIVE_UP_MS = const(1000)
_TXCTRL, _RXCTRL, _PENDING = const(0x08), const(0x0C), const(0x14)
_RX_PENDING = const(2)


@micropython.viper
def _receive(base: int, into: ptr8, size: int) -> int:
    """How many bytes had come; after the first, the emulator has a moment to bring the next."""
    p = ptr32(base)
    i = 0
    looks = 1
    while i < size:
        word = p[1]
        if word < 0:  # empty
            looks -= 1
            if looks == 0:
                return i
        else:
            into[i] = word
            i += 1
            looks = 300
    return i


@micropython.viper
def _send(base: int, source: ptr8, at: int, size: int) -> int:
    """The place it came to: `size`, or where the line has been full for so many looks at it."""
    p = ptr32(base)
    spins = 100000
    while at < size:
        if p[0] < 0:  # full
            spins -= 1
            if spins == 0:
                return at
        else:
            p[0] = source[at]
            at += 1
    return at


class Line:
    """UART0 or UART1: `read_into` never waits; `write` gives up when nothing moves for a second."""

    def __init__(self, number: int):
        self._base = 0x10010000 + 0x1000 * number
        machine.mem32[self._base + _TXCTRL] = 1
        machine.mem32[self._base + _RXCTRL] = 1

    def any(self) -> bool:
        return bool(machine.mem32[self._base + _PENDING] & _RX_PENDING)

    def read_into(self, view) -> int:
        """What has come, up to the length of `view`; 0 for nothing."""
        return _receive(self._base, view, len(view))

    def write(self, view) -> int:
        """All of `view`; how much of it went, less where nobody takes it."""
        size = len(view)
        at = _send(self._base, view, 0, size)
        moved_ms = time.ticks_ms()
        while at < size and time.ticks_diff(time.ticks_ms(), moved_ms) < _GIVE_UP_MS:
            before, at = at, _send(self._base, view, at, size)
            if at != before:
                moved_ms = time.ticks_ms()
        return at
