"""The emulated Cortex-M3 (QEMU mps2-an385): its name, lines, clock and spare memory; card and flash are image
files of the host. Never our own modules.
"""

import time

import semihost
import uctypes
from uart import Line

NAME = "qemu_mps2"
MPY = b"\x06\x17"  # of modules for ARMv7-M; the image itself says ARMv7E-M, and takes both

_SPARE_AT = 0x21400000  # mps2.ld leaves the last 12 MiB of the 16 MiB PSRAM alone
_SPARE_BYTES = 12 << 20


def line(number: int) -> Line:
    """0 is the console, 1 the dock."""
    return Line(number)


def card_device(image):
    """The image file as a card; None is an empty slot."""
    return semihost.HostBlocks(image) if image else semihost.NoBlocks()


def flash_device(image):
    """The first MiB of the image file, in sectors of 4 KiB."""
    return semihost.HostFlash(image)


def spare_ram(size: int = _SPARE_BYTES, offset: int = 0) -> bytearray:
    """`size` bytes outside the heap, as a card in RAM or as frame buffers; not cleared, and not collected."""
    if offset < 0 or size < 0 or offset + size > _SPARE_BYTES:
        raise ValueError
    return uctypes.bytearray_at(_SPARE_AT + offset, size)


def instructions_since(start_us: int) -> int:
    """Instructions run since `start_us = time.ticks_us()`, to a thousand; only under `run.py --icount`."""
    return time.ticks_diff(time.ticks_us(), start_us) * 1000
