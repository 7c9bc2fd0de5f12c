"""What a camera wrote into its usage log, as its dock has it after a docking."""

from typing import NamedTuple

from bench.dock import Dock

REPLAY, PIN_WRONG, KEY_ERASED = 24, 25, 26  # docs/format/usage-log.md
RECEIPT_REFUSED, FIRMWARE, LISTS_REFUSED, TIME_REFUSED = 30, 32, 34, 35


class Event(NamedTuple):
    """One entry, as far as tests ask for it."""

    event: int
    detail: int


def told(dock: Dock, *wanted: int) -> list[Event]:
    """The entries of these events, in order, of the one camera of this home."""
    home = dock.at_home()
    (device,) = home.register.devices()
    log = home.catalogue.log_of(device.device_id)
    return [Event(entry.event, entry.detail) for entry in log if entry.event in wanted]
