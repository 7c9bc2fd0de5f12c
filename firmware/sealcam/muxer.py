"""Interleave picture, sound and events into one stream of records, cut into plaintext of one size.

A muxer knows buffers and counts. It never touches a key, the card or the clock: every time it writes was given to it.
The bytes of a frame go once, from the frame buffer into the chunk.
"""

import struct

from sealcam.errors import FormatFault, OutOfOrder
from sealcam.layout import (
    CHUNK_OVERHEAD,
    CHUNK_SIZES,
    NO_RECORD,
    RECORD_FIELDS,
    RECORD_HEADER,
    TOTALS_SIZE,
    TRACK_LOG,
    TRACK_PADDING,
    TRACK_PICTURE,
    TRACK_SOUND,
    clear,
    pack_totals,
)

_NOTHING = memoryview(b"")


class Muxer:
    """The stream of one recording.

    offer a record; fill(chunk) until it is no longer `pending`; seal the chunk whenever fill says True. Records are
    written in the order in which they are offered. Counts go on from chunk to chunk; a new recording, a new muxer
    (or `restart`).
    """

    def __init__(self, chunk_size: int):
        if chunk_size not in CHUNK_SIZES:
            raise ValueError
        self._size = chunk_size - CHUNK_OVERHEAD
        self._header = memoryview(bytearray(RECORD_HEADER))
        self.restart()

    def restart(self) -> None:
        """Begin a new stream with the same buffers."""
        self._chunk = None
        self._body = _NOTHING
        self._length = self._taken = self._at = self._track = 0
        self._muted_since = -1
        self.pending = False
        self.first_record = NO_RECORD
        self.begun_ms = -1  # the time of the first record with a byte in the open chunk; -1: the chunk is empty
        self.chunks = self.pictures = self.sounds = self.dropped = self.muted_ms = 0

    @property
    def used(self) -> int:
        """Bytes of plaintext in the open chunk."""
        return self._at

    @property
    def muted(self) -> bool:
        return self._muted_since >= 0

    def attach(self, chunk) -> None:
        """Begin a chunk; `fill` does it by itself."""
        if self._chunk is not None:
            raise OutOfOrder  # the one before is neither full nor padded
        chunk.begin()
        self._chunk = chunk
        self._at = 0
        self.first_record = NO_RECORD
        self.begun_ms = -1

    def offer(self, track: int, flags: int, ms: int, view) -> None:
        """Take a record; `view` (a memoryview or bytes) must keep its bytes until it is no longer `pending`."""
        if self.pending:
            raise OutOfOrder  # the record before is not written yet
        if not TRACK_PADDING < track <= TRACK_LOG:
            raise FormatFault  # a track that this format does not know
        if track == TRACK_SOUND and self._muted_since >= 0:
            raise OutOfOrder  # between mute and unmute there is no sound record at all
        length = len(view)
        struct.pack_into(RECORD_FIELDS, self._header, 0, track, flags, 0, ms, length)
        self._body = view
        self._length = length + RECORD_HEADER
        self._taken = 0
        self._track = track
        self._ms = ms
        self.pending = True

    def fill(self, chunk) -> bool:
        """Put as much of the record into `chunk` as goes in; True when the chunk is full: seal it, then fill the next."""
        if chunk is not self._chunk:
            self.attach(chunk)
        if not self.pending:
            return False  # a chunk that is full was given back already
        if self.begun_ms < 0:
            self.begun_ms = self._ms
        if self._taken == 0 and self.first_record == NO_RECORD:
            self.first_record = self._at
        if self._taken < RECORD_HEADER:
            self._put_header(chunk.payload)
        if self._taken >= RECORD_HEADER:
            self._put_body(chunk.payload)
        if self._at < self._size:
            return False
        return self._let_go()

    def _put_header(self, payload):
        at, taken = self._at, self._taken
        step = min(RECORD_HEADER - taken, self._size - at)
        if step == RECORD_HEADER:
            payload[at : at + RECORD_HEADER] = self._header
        else:
            payload[at : at + step] = self._header[taken : taken + step]
        self._at = at + step
        self._taken = taken + step

    def _put_body(self, payload):
        at, taken = self._at, self._taken
        left = self._length - taken
        step = min(left, self._size - at)
        if step == self._length - RECORD_HEADER:
            payload[at : at + step] = self._body  # whole, as it came
        elif step:
            body = self._body
            if not isinstance(body, memoryview):
                body = self._body = memoryview(body)
            payload[at : at + step] = body[taken - RECORD_HEADER : taken - RECORD_HEADER + step]
        self._at = at + step
        self._taken = taken + step
        if step == left:
            self._done()

    def _done(self):
        self.pending = False
        self._body = _NOTHING
        if self._track == TRACK_PICTURE:
            self.pictures += 1
        elif self._track == TRACK_SOUND:
            self.sounds += 1

    def _let_go(self):
        self._chunk = None
        self.chunks += 1
        return True

    def pad(self, chunk) -> bool:
        """Close a chunk that is not full: True when there is something to seal, False when no byte is in it."""
        if self.pending:
            raise OutOfOrder  # padding begins where a record would begin
        if self._chunk is None or self._at == 0:
            return False
        if chunk is not self._chunk:
            raise OutOfOrder  # another chunk is open
        clear(chunk.payload[self._at :])
        return self._let_go()

    def mute(self, ms: int) -> None:
        """From here on no sound record is taken."""
        if self._muted_since < 0:
            self._muted_since = ms

    def unmute(self, ms: int) -> None:
        if self._muted_since >= 0:
            self.muted_ms += ms - self._muted_since
            self._muted_since = -1

    def totals(self, utc_ms: int, ms: int, reason: int = 0) -> bytearray:
        """The 88 bytes a signature or end statement says of the stream so far."""
        muted_ms = self.muted_ms + (ms - self._muted_since if self._muted_since >= 0 else 0)
        into = bytearray(TOTALS_SIZE)
        pack_totals(into, self.chunks, self.pictures, self.sounds, self.dropped, muted_ms, utc_ms, ms, reason)
        return into
