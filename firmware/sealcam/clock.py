"""Time, and how far it can be believed.

Milliseconds since boot come from the board; the hour comes from a time statement signed by the vault, kept
over a restart as the distance to the board's own clock. Never sets itself, and never stops a recording.
"""

import struct

from sealcam.crypto import sha256
from sealcam.errors import ClockFault
from sealcam.flash import NotThere
from sealcam.layout import CLOCK_KEPT, CLOCK_NONE, CLOCK_STATEMENT, UNKNOWN_UNCERTAINTY

_FILE = "clock"
_FIELDS = ">qQI32s"  # offset to the board's clock, its reading at the time, uncertainty then, anchor
_LATEST, _LATEST_FIELDS = "hours", ">Q32s"  # the latest hour that was told, by which time key
_NOBODY = bytes(32)
_DRIFT = 20000  # one part in: 50 ppm
_LAST_MS = 253402300799999  # of the year 9999


class Clock:
    """`rtc` has `ms()` since boot and `utc_ms()`, the board's own clock, None where it has lost the hour."""

    def __init__(self, rtc, files):
        self._rtc, self._files = rtc, files
        self._offset = self._set_at = 0
        self._uncertainty = UNKNOWN_UNCERTAINTY
        self.anchor = bytes(32)  # SHA-256 of the signed bytes of the newest time statement
        self._latest, self._by = 0, None
        self.source = CLOCK_NONE

    def load(self) -> None:
        """Take up what was kept; the anchor is kept even where the board's clock lost the hour."""
        fields = self._read(_FILE, _FIELDS)
        if fields is None:
            return
        self._offset, self._set_at, self._uncertainty, self.anchor = fields
        self._latest, self._by = self._read(_LATEST, _LATEST_FIELDS) or (self._offset + self._set_at, None)
        now = self._rtc.utc_ms()
        if now is not None and now >= self._set_at:  # a clock that went back knows nothing
            self.source = CLOCK_KEPT

    def _read(self, name, layout):
        """Fields of a file, None if it is not there; ClockFault if it was changed."""
        try:
            raw = self._files.read(name)
        except NotThere:
            return None
        if len(raw) != struct.calcsize(layout) + 32 or sha256(raw[:-32]) != raw[-32:]:
            raise ClockFault
        return struct.unpack(layout, raw[:-32])

    def _keep(self, name, layout, *fields):
        raw = struct.pack(layout, *fields)
        self._files.replace(name, raw, sha256(raw))

    def ms(self) -> int:
        return self._rtc.ms()

    def utc_ms(self) -> int:
        """UTC milliseconds since 1970, 0 unknown."""
        now = self._rtc.utc_ms()
        return 0 if now is None or self.source == CLOCK_NONE else now + self._offset

    def latest_ms(self, key_id: bytes) -> int:
        """The latest hour that this time key ever told; 0 for another key than that of the newest statement.
        """
        return self._latest if self._by in (None, key_id) else 0

    @property
    def uncertainty_ms(self) -> int:
        now = self._rtc.utc_ms()
        if now is None or self.source == CLOCK_NONE:
            return UNKNOWN_UNCERTAINTY
        return min(self._uncertainty + max(0, now - self._set_at) // _DRIFT, UNKNOWN_UNCERTAINTY)

    def board_ms(self) -> int:
        """The board's own clock, 0 unknown: only good for how long something took over a restart."""
        return self._rtc.utc_ms() or 0

    def accept(self, utc_ms: int, anchor: bytes, asked_board_ms: int, key_id: bytes = _NOBODY) -> int:
        """Set by a statement that was checked, of this time key; answers the change in ms. Old by no more
        than since it was asked for. A cut leaves the old hour; what was told stays told.
        """
        if utc_ms > _LAST_MS:
            raise ClockFault  # taken, it would refuse every other hour from then on
        now = self._rtc.utc_ms()
        before = self.utc_ms()
        self._latest, self._by = max(utc_ms, self.latest_ms(key_id)), bytes(key_id)
        self._keep(_LATEST, _LATEST_FIELDS, self._latest, self._by)
        self.anchor = bytes(anchor)
        if now is not None:
            age = max(0, now - asked_board_ms) if asked_board_ms else UNKNOWN_UNCERTAINTY
            self._offset, self._set_at = utc_ms - now, now
            self._uncertainty = min(age, UNKNOWN_UNCERTAINTY)
            self.source = CLOCK_STATEMENT
        self._keep(_FILE, _FIELDS, self._offset, self._set_at, self._uncertainty, self.anchor)
        return self.utc_ms() - before if before else 0
