"""Dock framing: bytes to frames and back; docs/dock-protocol.md, section 1.

Bytes only. It holds no more than one frame, knows no key, and never waits: who reads the line says when
nothing came.
"""

import zlib
from dataclasses import dataclass

import construct as c

OPEN, PROVED, SEALED = 1, 2, 3
HEAD_SIZE, MAX_PAYLOAD = 8, 16_640
MAX_BODY = 16_384  # of a request or an answer; D13
SILENCE_S = 1.0  # after which a frame that is not whole is given up; D4
_TAILS = {OPEN: 4, PROVED: 16, SEALED: 16}
_HEAD = c.Struct(
    "magic" / c.Const(b"SK"),
    "form" / c.Int8ub,
    "zero" / c.Const(b"\0"),
    "length" / c.Int16ub,
    "check" / c.Int16ub,
)


@dataclass(frozen=True)
class Frame:
    """One frame as it came: `tail` is the checksum of an open one, else its tag."""

    form: int
    head: bytes
    payload: bytes
    tail: bytes


def head_of(form: int, length: int) -> bytes:
    """The 8 bytes before a payload."""
    raw = bytes(_HEAD.build({"form": form, "length": length, "check": 0}))
    return raw[:6] + (zlib.crc32(raw[:6]) & 0xFFFF).to_bytes(2, "big")


def pack_open(payload: bytes) -> bytes:
    """A whole frame of form 1."""
    return head_of(OPEN, len(payload)) + payload + zlib.crc32(payload).to_bytes(4, "big")


def head_reads(raw: bytes) -> bool:
    """Whether these 8 bytes are a head (D1)."""
    if raw[:2] != b"SK" or raw[3] or zlib.crc32(raw[:6]) & 0xFFFF != int.from_bytes(raw[6:8], "big"):
        return False
    found = _HEAD.parse(raw)
    return found.form in _TAILS and 1 <= found.length <= MAX_PAYLOAD


class Deframer:
    """Finds frames in what comes down the line; `room` says how much it wants, so it never holds two."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._size = 0  # of the frame that stands at the front, once its head reads

    @property
    def room(self) -> int:
        """Bytes that are missing to a head, or to the whole frame."""
        return (self._size or HEAD_SIZE) - len(self._held)

    @property
    def is_midway(self) -> bool:
        """Whether something stands here that may yet become a frame."""
        return bool(self._held)

    def push(self, piece: bytes) -> None:
        """What came, at most `room` bytes of it."""
        self._held += piece
        self._seek()

    def next(self) -> Frame | None:
        """The frame, once it is whole; an open one whose checksum fails is dropped without a word (D3)."""
        if not self._size or len(self._held) < self._size:
            return None
        raw, form = bytes(self._held), self._held[2]
        self._held.clear()
        self._size = 0
        ends = len(raw) - _TAILS[form]
        frame = Frame(form, raw[:HEAD_SIZE], raw[HEAD_SIZE:ends], raw[ends:])
        if form == OPEN and zlib.crc32(frame.payload).to_bytes(4, "big") != frame.tail:
            return None
        return frame

    def give_up(self) -> list[Frame]:
        """Nothing came for a second: forget the head, and look through the bytes behind its `S` (D4)."""
        rest, found = bytes(self._held[1:]), []
        self._held.clear()
        self._size = 0
        while rest:
            room = self.room
            self.push(rest[:room])
            rest = rest[room:]
            if frame := self.next():
                found.append(frame)
        return found

    def _seek(self) -> None:
        """Skip to the next thing that is a head, or may become one (D1)."""
        held = self._held
        while held and not self._size:
            if not b"SK".startswith(held[:2]):
                at = held.find(b"S", 1)
                del held[: at if at > 0 else len(held)]
            elif len(held) < HEAD_SIZE:
                return
            elif head_reads(bytes(held[:HEAD_SIZE])):
                self._size = HEAD_SIZE + int.from_bytes(held[4:6], "big") + _TAILS[held[2]]
            else:
                del held[:1]


__all__ = ["MAX_BODY", "MAX_PAYLOAD", "OPEN", "PROVED", "SEALED", "SILENCE_S", "Deframer", "Frame"]
__all__ += ["head_of", "head_reads", "pack_open"]
