"""MicroPython's own `micropython` module for CPython. Never part of an image.

Emitters become the identity, so `@micropython.native` runs as plain Python. Viper kernels name types that
only the device's compiler knows; modules that hold them are imported on the device alone.
"""

import gc


def const(value):
    return value


def native(function):
    return function


def viper(function):
    return function


def opt_level(level=None):
    return 0 if level is None else None


def alloc_emergency_exception_buf(size):
    return None


def schedule(function, argument):
    function(argument)  # the device runs it between two bytecodes; here that is now


def mem_info(verbose=None):
    return None


def qstr_info(verbose=None):
    return None


def stack_use():
    return 0


def heap_lock():
    gc.disable()


def heap_unlock():
    gc.enable()
    return 0


def kbd_intr(character):
    return None
