"""The one call of MicroPython's `uctypes` the firmware makes, for CPython. Never part of an image."""

import ctypes


def addressof(buffer):
    return ctypes.addressof(ctypes.c_char.from_buffer(buffer))
