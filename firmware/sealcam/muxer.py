"""Interleave picture, sound and events into one stream of records, cut into plaintext of one size.

A muxer knows buffers and counts. It never touches a key, the card or the clock: every time it writes was
given to it. The bytes of a frame go once, from the frame buffer into the chunk: `view[a:b][ALL] = piece`,
because `view[a:b] = piece` would move all that follows b as well.
"""

from struct import pack_into

from micropython import const

from sealcam.errors import FormatFault, OutOfOrder
from sealcam.layout import ALL, CHUNK_OVERHEAD, CHUNK_SIZES, TOTALS_SIZE, clear, pack_totals

# names of `layout` again: a constant of this module's own costs no look-up between two chunks
_HEADER = const(12)
_FIELDS = ">BBHII"
_NO_RECORD = const(0xFFFF)
_PICTURE = const(1)
_SOUND = const(2)
_LAST_TRACK = const(6)
_NOTHING = memoryview(b"")


class Muxer:
    """The stream of one recording.

    offer a record; fill(chunk) until it is no longer `pending`; seal the chunk whenever fill says True.
    Records are written in the order in which they are offered. `used` counts the bytes in the open chunk,
    `begun_ms` is the time of the first record with a byte in it (-1: it is empty), `first_record` where the
    first record in it begins. No properties here: with one in its class, an object looks up every name twice.
    """

    def __init__(self, chunk_size: int):
        if chunk_size not in CHUNK_SIZES:
            raise ValueError
        self._size = chunk_size - CHUNK_OVERHEAD
        self._header = bytearray(_HEADER)
        self.restart()

    def restart(self) -> None:
        """Begin a new stream with the same buffers."""
        self._chunk = None
        self._body = _NOTHING
        self._track = self._flags = self._ms = self._done = 0
        self._muted_since = 0
        self.muted = self.pending = False
        self.first_record = _NO_RECORD
        self.begun_ms = -1
        self.used = self.chunks = self.pictures = self.sounds = self.dropped = self.muted_ms = 0

    def attach(self, chunk) -> None:
        """Begin a chunk; `fill` does it by itself."""
        if self._chunk is not None:
            raise OutOfOrder  # the one before is neither full nor padded
        if len(chunk.payload) != self._size:
            raise ValueError
        chunk.begin()
        self._chunk = chunk
        self.used = 0
        self.first_record = _NO_RECORD
        self.begun_ms = self._ms if self.pending else -1

    def offer(self, track: int, flags: int, ms: int, view) -> None:
        """Take a record; `view` (any buffer) keeps its bytes while the record is `pending`."""
        if self.pending:
            raise OutOfOrder  # the record before is not written yet
        if not 0 < track <= _LAST_TRACK:
            raise FormatFault  # padding, or a track that this format does not know
        if self.muted and track == _SOUND:
            raise OutOfOrder  # between mute and unmute there is no sound record at all
        self._body = view
        self._track = track
        self._flags = flags
        self._ms = ms
        self._done = -_HEADER
        self.pending = True

    def fill(self, chunk) -> bool:
        """Put of the record what goes into `chunk`; True when it is full: seal it, then fill the next."""
        if chunk is not self._chunk:
            self.attach(chunk)
        if not self.pending:
            return False
        payload, at = chunk.payload, self.used  # two by two: four at once would make a tuple
        done, size = self._done, self._size
        if done < 0:
            at = self._put_header(payload, at)
            done = self._done
        if done >= 0:
            body = self._body
            step = len(body) - done
            if step > size - at:
                step = size - at
                if not isinstance(body, memoryview):
                    body = self._body = memoryview(body)
                payload[at:][ALL] = body[done : done + step]
                self._done = done + step
            else:
                payload[at : at + step][ALL] = body[done:] if done else body  # whole, as it came
                self._finish()
            at += step
        self.used = at
        return at == size and self._let_go()

    def _put_header(self, payload, at):
        """What goes in of the twelve bytes before the body; the place behind it."""
        done, room = self._done, self._size - at
        if done == -_HEADER:
            if self.first_record == _NO_RECORD:
                self.first_record = at
                if self.begun_ms < 0:
                    self.begun_ms = self._ms
            if room >= _HEADER:
                pack_into(_FIELDS, payload, at, self._track, self._flags, 0, self._ms, len(self._body))
                self._done = 0
                return at + _HEADER
            pack_into(_FIELDS, self._header, 0, self._track, self._flags, 0, self._ms, len(self._body))
        step = min(-done, room)
        for i in range(step):  # twelve bytes at most, and without a slice
            payload[at + i] = self._header[done + i]  # counted from its end
        self._done = done + step
        return at + step

    def _finish(self):
        self.pending = False
        self._body = _NOTHING
        if self._track == _PICTURE:
            self.pictures += 1
        elif self._track == _SOUND:
            self.sounds += 1

    def _let_go(self):
        self._chunk = None
        self.chunks += 1
        return True

    def pad(self, chunk) -> bool:
        """Close a chunk that is not full: True when there is something to seal, False when no byte is in
        it.
        """
        if self.pending:
            raise OutOfOrder  # padding begins where a record would begin
        if self._chunk is None or self.used == 0:
            return False
        if chunk is not self._chunk:
            raise OutOfOrder  # another chunk is open
        clear(chunk.payload[self.used :])
        return self._let_go()

    def mute(self, ms: int) -> None:
        """From here on no sound record is taken."""
        if not self.muted:
            self.muted = True
            self._muted_since = ms

    def unmute(self, ms: int) -> None:
        if self.muted:
            self.muted = False
            self.muted_ms += ms - self._muted_since

    def totals(self, utc_ms: int, ms: int, reason: int = 0) -> bytearray:
        """The 88 bytes a signature or end statement says of the stream so far."""
        muted_ms = self.muted_ms + (ms - self._muted_since if self.muted else 0)
        into = bytearray(TOTALS_SIZE)
        pack_totals(into, self.chunks, self.pictures, self.sounds, self.dropped, muted_ms, utc_ms, ms, reason)
        return into
