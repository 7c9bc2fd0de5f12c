"""One line with at most one session: hello and welcome, one request at a time, every wait bounded.

dock-protocol.md, sections 2 and 3. Whatever ends the session is `Lost`; whether to begin again is judged by
whoever asked.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

from sealhost import frames, session
from sealhost.docked.bodies import ANSWER, NAMES, REQUEST
from sealhost.docked.line import Lost
from sealhost.errors import CameraRefused, NotOurCamera, WireBroken
from sealhost.frames import Deframer, Frame
from sealhost.keys import SoftKey
from sealhost.session import Here, Opening, Unproved, Welcomed

SILENCE_S = 30.0  # D14
WHO_S = 2.0
MOST_ANSWERS = 4096  # to one request: 64 MiB of pieces, or a sign of life every two seconds for two hours
DONE, MORE = 0x00, 0x7F
NOT_OURS = (0x05, 0x10)  # what a camera answers to the hello of a stranger; D5
PointOf = Callable[[bytes, bytes], bytes | None]


class Link:
    """`line` reads, writes, opens and closes; see `line.SerialLine`."""

    def __init__(self, line: Any, clock: Callable[[], float] = time.monotonic) -> None:
        self._line, self._clock = line, clock
        self._deframer = Deframer()
        self._given_up: list[Frame] = []
        self._number = 0
        self._heard = 0.0
        self.welcomed: Welcomed | None = None
        self.spoke = 0.0  # when the last frame was sent

    @property
    def name(self) -> str:
        """What a person calls the port."""
        return str(self._line.name)

    def open(self) -> None:
        """Take the port; Lost while it is not there."""
        self.drop()
        self._line.open()
        self._deframer = Deframer()
        self._given_up = []

    def drop(self) -> None:
        """Forget the session."""
        self.welcomed = None

    def close(self) -> None:
        """Let go of the port."""
        self.drop()
        self._line.close()

    def who(self) -> Here:
        """Who is there (D11); Lost when nobody says so in two seconds."""
        self._send(frames.pack_open(session.WHO))
        until = self._clock() + WHO_S
        while True:
            frame = self._next(until, "nobody answers")
            if frame.form == frames.OPEN and (here := session.read_here(frame.payload)):
                return here

    def begin(self, link_key: SoftKey, organisation: bytes, point_of: PointOf) -> Welcomed:
        """A session with a camera whose signature proves; NotOurCamera where it does not, or sends us away.

        Everything is dropped until an answer to this very hello (D10).
        """
        opening = Opening(link_key, organisation)
        self.drop()
        self._send(frames.pack_open(opening.hello))
        until = self._clock() + SILENCE_S
        while True:
            frame = self._next(until, "no answer to a hello")
            if frame.form != frames.OPEN:
                continue
            if opening.is_welcome(frame.payload):
                self.welcomed = opening.welcomed(frame.payload, point_of)
                return self.welcomed
            _refuse_closed(frame.payload, opening.nonce)

    def ask(self, command: int, body: bytes = b"", form: int = frames.SEALED) -> Iterator[bytes]:
        """Bodies of the answers to one request, those of a camera at work too; CameraRefused, or Lost.

        The last body is that of the answer that ends it.
        """
        if self.welcomed is None:
            raise Lost("there is no session")
        self._number = (self._number + 1) & 0xFFFF
        request = bytes(REQUEST.build({"command": command, "number": self._number})) + body
        self._send(self.welcomed.session.pack(request))
        for _ in range(MOST_ANSWERS):
            status, answer = self._answer(command, form)
            if status not in (DONE, MORE):
                raise CameraRefused(NAMES.get(command, f"command 0x{command:02x}"), status)
            yield answer
            if status == DONE:
                return
        raise WireBroken("it answers without end")

    def _answer(self, command: int, form: int) -> tuple[int, bytes]:
        """Status and body of the next answer; the session is over where a frame does not prove (D9, D12)."""
        assert self.welcomed is not None
        until = self._clock() + SILENCE_S  # whoever says open frames, which prove nothing, puts it not off
        frame = self._next(until, "nothing for thirty seconds")
        while frame.form == frames.OPEN:
            self._refuse_end(frame, self.welcomed.nonce)
            frame = self._next(until, "nothing for thirty seconds")
        try:
            payload = self.welcomed.session.open(frame, form)
        except Unproved as wrong:
            self.drop()
            raise Lost(str(wrong)) from None
        if len(payload) < ANSWER.sizeof():
            raise WireBroken("an answer is shorter than its head")
        found = ANSWER.parse(payload)
        if (found.command, found.number) != (command, self._number):
            raise WireBroken("it answers another request")
        return int(found.status), payload[ANSWER.sizeof() :]

    def _refuse_end(self, frame: Frame, nonce: bytes) -> None:
        """An open frame inside a session is the end of it, or nothing to us."""
        closed = session.read_closed(frame.payload)
        if closed and closed[1] == nonce:
            self.drop()
            raise Lost(f"the camera ended the session (0x{closed[0]:02x})")

    def _next(self, until: float, silent: str) -> Frame:
        """The next whole frame; Lost when none has come by then. Bytes of one that grows put that off."""
        while True:
            if self._given_up:
                return self._given_up.pop(0)
            wait = until - self._clock()
            if wait <= 0:
                self.drop()
                raise Lost(silent)
            midway = self._deframer.is_midway
            piece = self._line.read(self._deframer.room, min(wait, frames.SILENCE_S) if midway else wait)
            if not piece:
                self._given_up += self._deframer.give_up() if midway else []
                continue
            self._deframer.push(piece)
            if frame := self._deframer.next():
                return frame

    def _send(self, content: bytes) -> None:
        self.spoke = self._clock()
        self._line.write(content)


def _refuse_closed(payload: bytes, nonce: bytes) -> None:
    """What *closed* in answer to our hello means."""
    closed = session.read_closed(payload)
    if closed is None or closed[1] != nonce:
        return
    if closed[0] in NOT_OURS:
        why = "another organisation's" if closed[0] == NOT_OURS[0] else "its key list names another link key"
        raise NotOurCamera(f"it does not take this dock: {why}")
    raise Lost(f"the camera ended the session (0x{closed[0]:02x})")


__all__ = ["Link", "Lost"]
