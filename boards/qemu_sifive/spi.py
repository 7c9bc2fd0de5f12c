"""SPI of sifive_u with the calls of `machine.SPI` that drivers need: SPI0 has the flash chip, SPI2 the card.

SiFive FU540-C000 manual, chapter 19. QEMU shifts a byte the moment it is written; the bus has no speed here.
"""

import machine
import micropython
from micropython import const

_CSID, _CSDEF, _CSMODE = const(0x10), const(0x14), const(0x18)
_AUTO, _HOLD = const(0), const(2)


@micropython.viper
def _out(base: int, source: ptr8, size: int):
    p = ptr32(base)
    i = 0
    while i < size:
        p[18] = source[i]  # TXDATA
        p[19]  # RXDATA: what came meanwhile is of no interest
        i += 1


@micropython.viper
def _in(base: int, into: ptr8, size: int, sent: int):
    p = ptr32(base)
    i = 0
    while i < size:
        p[18] = sent
        into[i] = p[19]
        i += 1


class Spi:
    """One controller, its one chip selected by `select(0)` and let go by `select(1)`."""

    def __init__(self, number: int):
        # no table: a large number in a frozen tuple is a long one, and every sum with it allocates
        self._base = 0x10050000 if number == 2 else 0x10040000 + 0x1000 * number
        self._mode = self._base + _CSMODE
        machine.mem32[self._base + _CSID] = 0
        machine.mem32[self._base + _CSDEF] = 1  # low selects
        self.select(1)

    def init(self, baudrate=0, polarity=0, phase=0):
        pass

    def select(self, level: int) -> None:
        # AUTO between frames is not selected, and QEMU knows no other way to say so
        machine.mem32[self._mode] = _AUTO if level else _HOLD

    def write(self, buffer) -> None:
        _out(self._base, buffer, len(buffer))

    def readinto(self, buffer, write: int = 0) -> None:
        _in(self._base, buffer, len(buffer), write)
