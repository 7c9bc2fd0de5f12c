"""Turn events into chained log entries, and check a chain (docs/format/usage-log.md).

Bytes only: where entries are kept, and when they are safe, is not known here. A log holds no name and no
position.
"""

import struct

from sealcam.crypto import same, sha256
from sealcam.errors import LogFault

ENTRY_SIZE = 128
POWER_ON, POWER_DOWN, SELF_TEST_FAILED, RECORD_START, RECORD_STOP, FOUND_CUT, BOOKMARK = 1, 2, 3, 4, 5, 6, 7
MUTE, UNMUTE, CATEGORY, LENS, BATTERY, CLOCK_SET = 8, 9, 10, 11, 12, 13
CARD, CARD_FAULT, CARD_FULL, REFUSED = 14, 15, 16, 17
ENROLLED, KEY_LIST_ACCEPTED, POLICY_ACCEPTED, DRILL_ACCEPTED, ISSUED, RETURNED = 18, 19, 20, 21, 22, 23
REPLAY, PIN_WRONG, REPLAY_KEY_ERASED, DOCKED, RECEIPT, WIPED, RECEIPT_REFUSED = 24, 25, 26, 27, 28, 29, 30
EMPTIED, FIRMWARE, VOID_NUMBER, LISTS_REFUSED, TIME_REFUSED, HELLO_REFUSED = 31, 32, 33, 34, 35, 36

_MAGIC = b"SKU1"
_FIELDS = ">4sHHQIQQIQ16s32s"  # the 96 bytes under the digest
_FIRST = b"sealcam/1 log first\x00"
_LABEL = b"sealcam/1 log\x00"


class UsageLog:
    """The end of one camera's chain: the `number` of the newest entry and its `digest`."""

    def __init__(self, device_id: bytes):
        """A log that begins: only a camera that is being enrolled may go on without `restore` (L5)."""
        self.number = 0
        self.digest = sha256(_FIRST, device_id)

    def restore(self, last_entry) -> None:
        """Go on after `last_entry`; LogFault if it is none."""
        number, _, own = _read(last_entry)
        self.number, self.digest = number, own

    def entry(
        self, event: int, detail: int, sequence: int, data: bytes, boot: int, ms: int, utc_ms: int
    ) -> bytearray:
        """The next entry, 128 bytes; `data` is at most 16, filled up with zeros."""
        if len(data) > 16:
            raise ValueError
        number = self.number + 1
        entry = bytearray(ENTRY_SIZE)
        struct.pack_into(
            _FIELDS,
            entry,
            0,
            _MAGIC,
            event,
            detail,
            number,
            boot,
            ms,
            utc_ms,
            0,
            sequence,
            bytes(data),
            self.digest,
        )
        digest = sha256(_LABEL, memoryview(entry)[:96])
        memoryview(entry)[96:] = digest
        self.number, self.digest = number, digest
        return entry


def _read(entry):
    """(number, digest before, own digest) of an entry that is whole."""
    view = memoryview(entry)
    if len(view) != ENTRY_SIZE:
        raise LogFault
    own = bytes(view[96:])
    if not same(sha256(_LABEL, view[:96]), own):
        raise LogFault  # changed since, or torn
    magic, _, _, number, _, _, _, zero, _, _, before = struct.unpack(_FIELDS, bytes(view[:96]))
    if magic != _MAGIC or zero or number == 0:
        raise LogFault
    return number, before, own


def check(entries, device_id: "bytes | None" = None) -> int:
    """How many entries there are; LogFault at the first that breaks the chain.

    With `device_id` the chain must begin at entry 1.
    """
    last_number, last_digest = 0, sha256(_FIRST, device_id) if device_id is not None else None
    count = 0
    for entry in entries:
        number, before, own = _read(entry)
        if last_digest is not None and (number != last_number + 1 or not same(before, last_digest)):
            raise LogFault  # an entry is missing, or comes from elsewhere
        last_number, last_digest = number, own
        count += 1
    return count
