"""The replay word and the tries, in raw sectors (docs/format/replay.md, section 1).

Spent before they are judged, erased and read back. Knows no PIN, no key and no file; what is not whole counts
as spent, or as no word.
"""

import struct

from sealcam.crypto import same, sha256
from sealcam.errors import FlashFault

MOST_TRIES = 10
_WORD, _WORD_MAGIC = ">4s4x16s32s32s", b"SKW1"
_HEAD, _HEAD_MAGIC = ">4s4xQ16s", b"SKT1"
_CHECK, _MARKS_AT, _MARK = 32, 64, 32
_SPENT = bytes(_MARK)
_USED = _MARKS_AT + MOST_TRIES * _MARK
_BLANK = b"\xff" * _USED


def _checked(flash, sector, fields, magic):
    """The values behind the magic, or None for what does not prove."""
    size = struct.calcsize(fields)
    raw = bytearray(size + _CHECK)
    flash.read(sector, 0, raw)
    if not same(sha256(memoryview(raw)[:size]), raw[size:]):
        return None
    values = struct.unpack_from(fields, raw, 0)
    return values[1:] if values[0] == magic else None


def _write(flash, sector, fields, *values):
    """What a sector begins with, where all we use of it is blank, or made so; read back. A cut leaves
    anything that does not prove.
    """
    used = bytearray(_USED)
    flash.read(sector, 0, used)
    if used != _BLANK:
        flash.erase(sector)
    body = struct.pack(fields, *values)
    flash.write(sector, 0, body + sha256(body))


class Word:
    """The random word without which the PIN opens nothing; `flash` is a flash.Flash."""

    def __init__(self, flash, sector: int):
        self._flash, self._sector = flash, sector

    def read(self) -> "tuple[bytes, bytes, bytes] | None":
        """(issue, key id, word); None where there is none that is whole."""
        return _checked(self._flash, self._sector, _WORD, _WORD_MAGIC)

    def is_blank(self) -> bool:
        return self._flash.is_erased(self._sector)

    def keep(self, issue: bytes, key_id: bytes, word: bytes) -> None:
        """A cut leaves no word that is whole."""
        _write(self._flash, self._sector, _WORD, _WORD_MAGIC, issue, key_id, word)

    def erase(self) -> None:
        """Gone, and read back; FlashFault if the chip did not let go. A cut leaves anything: erase again."""
        self._flash.erase(self._sector)


class Tries:
    """How many of ten tries are spent, for one issue, in two sectors used in turn."""

    MOST = MOST_TRIES

    def __init__(self, flash, first: int):
        self._flash, self._sectors = flash, (first, first + 1)
        self.issue = bytes(16)
        self.spent = MOST_TRIES
        self._generation = 0
        self._sector = None  # the one that counts

    def load(self) -> None:
        """Take up what flash holds; without a head that proves, every try is spent. A clearing that was cut
        is finished, so that no older count is left to fall back to.
        """
        self.issue, self.spent, self._generation, self._sector = bytes(16), MOST_TRIES, 0, None
        for sector in self._sectors:
            head = _checked(self._flash, sector, _HEAD, _HEAD_MAGIC)
            if head and head[0] > self._generation:
                self._generation, self.issue = head
                self._sector = sector
        if self._sector is not None:
            self.spent = self._count()
            if not self._flash.is_erased(self._other()):
                self._flash.erase(self._other())

    def _count(self):
        """The place behind the last mark that is not blank: a torn one is spent, and so is one before it."""
        for number in range(MOST_TRIES, 0, -1):
            if not self._is_blank(number - 1):
                return number
        return 0

    def _is_blank(self, number):
        mark = bytearray(_MARK)
        self._flash.read(self._sector, _MARKS_AT + number * _MARK, mark)
        return mark == b"\xff" * _MARK

    def _other(self):
        return self._sectors[self._sector == self._sectors[0]]

    def spend(self) -> int:
        """One more is spent, read back; the number spent. A cut leaves it spent, or not begun."""
        if self._sector is None or self.spent >= MOST_TRIES:
            raise FlashFault  # there is none left to spend
        number = self.spent
        self.spent += 1  # here, whatever flash says of it
        self._flash.write(self._sector, _MARKS_AT + number * _MARK, _SPENT)
        return self.spent

    def give_back(self, issue: bytes) -> None:
        """All ten again, for `issue`: after the key has proved, or where there is no word yet.

        A cut before the new head is whole leaves the old count; after it the new one.
        """
        new = self._sectors[0] if self._sector is None else self._other()
        self._generation += 1
        _write(self._flash, new, _HEAD, _HEAD_MAGIC, self._generation, issue)
        self._sector, self.issue, self.spent = new, bytes(issue), 0  # here the old count stops being true
        self._flash.erase(self._other())
