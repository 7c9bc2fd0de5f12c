"""Dock framing: bytes to frames and back, with a checksum and a length limit.

docs/dock-protocol.md, section 1. Bytes only: what a frame says, and whether its tag proves, is known
elsewhere. Reads into one buffer made once, never behind the end of a frame, so the line may be cut into
pieces anywhere.
"""

import struct
from binascii import crc32

from micropython import const

OPEN, PROVED, SEALED = 1, 2, 3
HEAD = const(8)
LARGEST = const(16640)  # bytes of a payload
TAG = const(16)
CHECK = const(4)
NUMBER = const(8)  # kept free before each head: what a tag is over then lies in one piece
PAYLOAD_AT = const(16)
SILENCE_MS = const(1000)
_LOOKS = const(64)  # at what may be a head, in one turn: each may move all that lies behind it
_MARK = b"SK"
_FIELDS = ">2sBBH"


def lay_head(view, form: int, size: int) -> None:
    """The 8 bytes before a payload of `size` bytes, into the memoryview `view`."""
    struct.pack_into(_FIELDS, view, 0, _MARK, form, 0, size)
    struct.pack_into(">H", view, 6, crc32(view[:6]) & 0xFFFF)


def size_behind(view) -> int:
    """Bytes that follow the head in `view`, payload and tail; 0 if it is no head of ours (D1)."""
    mark, form, zero, size = struct.unpack_from(_FIELDS, view)
    if mark != _MARK or zero or not OPEN <= form <= SEALED or not 1 <= size <= LARGEST:
        return 0
    if struct.unpack_from(">H", view, 6)[0] != crc32(view[:6]) & 0xFFFF:
        return 0
    return size + (CHECK if form == OPEN else TAG)


def open_frame(payload: bytes) -> bytearray:
    """A whole frame of form 1: for the few short messages that no key protects."""
    frame = bytearray(HEAD + len(payload) + CHECK)
    view = memoryview(frame)
    lay_head(view, OPEN, len(payload))
    view[HEAD : HEAD + len(payload)][:] = payload
    struct.pack_into(">I", frame, HEAD + len(payload), crc32(payload))
    return frame


class Reader:
    """One frame at a time out of a line that is cut anywhere, damaged anywhere, and never believed.

    `poll` answers the form of a frame that is whole; it then lies in `buffer` (the head from byte 8 on, the
    payload of `size` bytes from byte 16 on, the tag behind it) until the next `poll`.
    """

    def __init__(self):
        self.buffer = bytearray(NUMBER + HEAD + LARGEST + TAG)
        self._view = memoryview(self.buffer)[NUMBER:]
        self._head = self._view[:HEAD]
        self._have, self._need = 0, HEAD
        self._taken = 0
        self._heard_ms = 0
        self.size = 0

    def poll(self, line, now_ms: int) -> int:
        """The form of the frame that is now whole, 0 if there is none yet. `line` has `read_into`."""
        self._let_go(self._taken)
        self._taken = 0
        left, looks = LARGEST, _LOOKS  # whoever shouts, without a pause or with, keeps nobody from filming
        while looks > 0:
            if self._have >= self._need:
                looks -= 1
                form = self._look()
                if form:
                    return form
                continue
            # nothing is allocated while the line is silent: a camera that films asks between two chunks
            place = self._view[self._have : self._need] if self._have else self._head
            count = line.read_into(place) if left > 0 else 0
            if count:
                self._have += count
                left -= count
                self._heard_ms = now_ms
            elif self._have and now_ms - self._heard_ms >= SILENCE_MS:
                self._skip()  # D4; nothing came for what lies behind it either
            else:
                break
        return 0

    def _look(self):
        """Go on with what is there: a head is judged, a frame is given out, noise is skipped."""
        if self._need == HEAD:
            behind = size_behind(self._head)
            if behind:
                self._need = HEAD + behind
            else:
                self._skip()
            return 0
        form, self._taken = self._head[2], self._need
        self._need = HEAD
        self.size = self._taken - HEAD - (CHECK if form == OPEN else TAG)
        if form == OPEN and not self._is_whole():
            self._let_go(self._taken)  # D3
            self._taken = 0
            return 0
        return form

    def _is_whole(self):
        end = HEAD + self.size
        return struct.unpack_from(">I", self._view, end)[0] == crc32(self._view[HEAD:end])

    def _skip(self):
        """Go on with the next mark behind the first byte, or with the `S` it may begin with (D1)."""
        end = NUMBER + self._have
        at = self.buffer.find(_MARK, NUMBER + 1, end)
        if at < 0:
            at = end - (end > NUMBER + 1 and self.buffer[end - 1] == _MARK[0])
        self._let_go(at - NUMBER)
        self._need = HEAD

    def _let_go(self, count):
        """What is behind `count` bytes comes to the front: nothing, but after a frame that was given up."""
        left = self._have - count
        if count and left:
            self._view[:left][:] = self._view[count : self._have]
        self._have = left
