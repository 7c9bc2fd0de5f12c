"""The emulated RV32 (QEMU sifive_u): its name, lines, flash chip and card slot.

Imports drivers and registers, nothing else of ours.
"""

import time

from drivers.sdspi import SdCard
from drivers.spinor import SpiNor
from spi import Spi
from uart import Line

NAME = "qemu_sifive"
FLASH_SECTORS = 256  # of the 8,192 the chip has


def line(number: int) -> Line:
    """0 is the console, 1 the dock."""
    return Line(number)


def card_device(_image):
    """The slot on SPI2, met anew: what the slot held before is not believed."""
    bus = Spi(2)
    return SdCard(bus, bus.select, time.ticks_ms)


def flash_device(_image):
    """The chip on SPI0."""
    bus = Spi(0)
    return SpiNor(bus, bus.select, time.ticks_ms, FLASH_SECTORS)


def instructions_since(start_us: int) -> int:
    """Instructions run since `start_us = time.ticks_us()`, to a thousand; only under `-icount shift=0`."""
    return time.ticks_diff(time.ticks_us(), start_us) * 1000
