"""A wipe that is going on, kept in flash: what it may take, and how far it is.

One for each card, under its serial, written before the first head is overwritten and gone when the record
stands. Knows entries and marks; what they mean on the card, `wiper` knows.
"""

import struct

from sealcam.crypto import same, sha256
from sealcam.errors import FlashFault
from sealcam.receipts import ENTRY_SIZE, Entry, Receipt

_HEAD = ">4sB3xQ32s32s16sH"  # magic, what, number, digest, device id, card serial, entries
_MAGIC = b"SKW1"
_MARK = ">HHQ"  # entry, what happened, sector
_PART, _DONE = 1, 2
_DIGEST = 32
_MOST = 8  # cards that were taken out in mid-wipe and never came back


def _name(serial):
    return "wiping-" + "".join(["%02x" % byte for byte in serial[-4:]])


class Wiping:
    """What stands in flash; `receipt.entries` are those that may go, and no others."""

    def __init__(self, files, receipt, serial, marks=()):
        self._files, self.receipt, self.serial = files, receipt, serial
        self.done = set()  # places in `receipt.entries`
        self.begun = set()
        self.sectors = []  # where heads lay that were overwritten
        for mark in marks:
            self._learn(*mark)

    def _learn(self, entry, what, sector):
        if what == _DONE:
            self.done.add(entry)
        else:
            self.begun.add(entry)
            if sector and sector not in self.sectors:
                self.sectors.append(sector)

    def overwritten(self, entry: int, sector: int) -> None:
        """The heads of one part are zeros, read back."""
        self._mark(entry, _PART, sector)

    def finished(self, entry: int) -> None:
        """All its parts are gone from the directory, and the journal knows."""
        self._mark(entry, _DONE, 0)

    def _mark(self, *mark):
        self._files.append(_name(self.serial), struct.pack(_MARK, *mark))
        self._learn(*mark)

    def end(self) -> None:
        self._files.remove(_name(self.serial))


def begin(files, receipt: Receipt, device_id: bytes, serial: bytes, entries) -> Wiping:
    """Written whole, before anything is overwritten; a cut leaves no plan or this one."""
    _make_way(files)
    taken = Receipt(receipt.what, receipt.digest, receipt.number, device_id, entries)
    head = (_MAGIC, receipt.what, receipt.number, receipt.digest, device_id, serial, len(entries))
    raw = struct.pack(_HEAD, *head) + b"".join([entry.raw for entry in entries])
    files.replace(_name(serial), raw, sha256(raw))
    return Wiping(files, taken, serial)


def _make_way(files):
    names = sorted([name for name in files.names() if name.startswith("wiping-")])
    while len(names) >= _MOST:
        files.remove(names.pop(0))


def standing(files, serial: bytes) -> "Wiping | None":
    """The wipe that was cut on this card, None if there was none; FlashFault if it was changed since."""
    raw = files.find(_name(serial))
    if raw is None:
        return None
    head = struct.calcsize(_HEAD)
    if len(raw) < head + _DIGEST:
        raise FlashFault
    magic, what, number, digest, device_id, named, count = struct.unpack(_HEAD, raw[:head])
    end = head + count * ENTRY_SIZE
    if magic != _MAGIC or named != serial or not same(sha256(raw[:end]), raw[end : end + _DIGEST]):
        raise FlashFault
    entries = [Entry(raw[at : at + ENTRY_SIZE]) for at in range(head, end, ENTRY_SIZE)]
    receipt = Receipt(what, digest, number, device_id, entries)
    return Wiping(files, receipt, serial, _marks(raw, end + _DIGEST))


def _marks(raw, at):
    size = struct.calcsize(_MARK)
    return [struct.unpack(_MARK, raw[place : place + size]) for place in range(at, len(raw) - size + 1, size)]
