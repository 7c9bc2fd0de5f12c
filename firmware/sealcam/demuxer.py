"""Cut the plaintext of proved chunks back into records (docs/format/recording.md, section 1.4).

The other side of `muxer`. Knows no key and no file; what it is fed has proved, and is still not believed: a
length is held against the buffer before a byte is copied.
"""

from struct import unpack_from

from sealcam.errors import FormatFault
from sealcam.layout import ALL, RECORD_FIELDS, RECORD_HEADER, TRACK_PADDING

_PIECE = 256
_ZEROS = bytes(_PIECE)


class Demuxer:
    """`feed` a chunk's plaintext, then `next` until it is used up: `track`, `flags`, `ms` and `view` are the
    record's.

    `buffer` takes a record that straddles chunks; one that is longer is passed over and counted.
    """

    def __init__(self, buffer):
        self._buffer = memoryview(buffer)
        self._head = memoryview(bytearray(RECORD_HEADER))
        self.passed_over = 0
        self.restart()

    def restart(self) -> None:
        self._payload = self.view = None
        self._at = self._have = self._done = self._length = 0
        self.track = self.flags = self.ms = 0

    def feed(self, payload) -> None:
        """The plaintext of the next chunk; it keeps its bytes while records are taken from it."""
        self._payload, self._at = payload, 0

    def next(self) -> bool:
        """Whether there is one more whole record; False when the next chunk is needed."""
        payload = self._payload
        if payload is None:
            return False
        while self._at < len(payload):
            if self._have < RECORD_HEADER and not self._take_head(payload):
                continue
            if self._take_body(payload):
                return True
        self._payload = None
        return False

    def _take_head(self, payload):
        """Whether the twelve bytes before the body are whole."""
        at = self._at
        if self._have == 0 and payload[at] == TRACK_PADDING:
            self._check_padding(payload[at:])
            self._at = len(payload)
            return False
        step = min(RECORD_HEADER - self._have, len(payload) - at)
        self._head[self._have : self._have + step][ALL] = payload[at : at + step]
        self._at += step
        self._have += step
        if self._have < RECORD_HEADER:
            return False
        self.track, self.flags, zero, self.ms, self._length = unpack_from(RECORD_FIELDS, self._head, 0)
        if zero:
            raise FormatFault  # made by a newer Sealcam
        self._done = 0
        return True

    def _check_padding(self, rest):
        for at in range(0, len(rest), _PIECE):
            piece = rest[at : at + _PIECE]
            if piece != _ZEROS[: len(piece)]:
                raise FormatFault  # a padding record with a byte in it (M21)

    def _take_body(self, payload):
        """Whether the record is whole, and fits; its bytes lie in the chunk or, joined, in the buffer."""
        at, done, length = self._at, self._done, self._length
        step = min(length - done, len(payload) - at)
        fits = length <= len(self._buffer)
        whole_here = step == length
        if fits and not whole_here:
            self._buffer[done : done + step][ALL] = payload[at : at + step]
        self._at, self._done = at + step, done + step
        if self._done < length:
            return False
        self._have = 0
        self.view = payload[at : at + step] if whole_here else self._buffer[:length]
        self.passed_over += not (fits or whole_here)
        return fits or whole_here
