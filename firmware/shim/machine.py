"""As much of MicroPython's `machine` as the firmware touches, for CPython. Never part of an image."""

import os

PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = 1, 2, 3, 4, 5


class Reset(BaseException):
    """The process asked for a reset; whoever plays the board starts it again."""


def reset():
    raise Reset


def soft_reset():
    raise Reset


def reset_cause():
    return PWRON_RESET


def unique_id():
    return b"on a desk"


def freq(value=None):
    return 0 if value is None else None


def idle():
    os.sched_yield()


def disable_irq():
    return True


def enable_irq(state):
    return None
