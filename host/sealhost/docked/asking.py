"""How a camera is asked: in a session, again where one is lost, docked as before; how a file is put."""

import struct
from collections.abc import Callable
from typing import TypeVar

from sealhost.docked import bodies
from sealhost.docked.bodies import Docked, File
from sealhost.docked.link import Lost
from sealhost.docked.talk import Talk
from sealhost.errors import CardUnreadable, WireBroken

DOCKED_FOR_S = 45.0  # a camera lets go after a minute without a frame
_KEEP_EVERY_S = 15.0
_PIECE = 12_288  # of what is put: whole flash sectors, and the body stays below a frame's
Answer = TypeVar("Answer")
Listing = tuple[bytes, list[File]]


class Asking:
    """What every request needs. `alarms` and `ended_issue` are all that was told while it is docked here."""

    def __init__(self, talk: Talk, clock: Callable[[], float]) -> None:
        self._talk, self._clock = talk, clock
        self._is_docked = self.is_busy = False  # busy: in the middle of a request
        self._listed: Listing | None = None
        self.alarms, self.ended_issue = 0, bytes(16)
        talk.again = self._again

    @property
    def name(self) -> str:
        """The port."""
        return self._talk.link.name

    @property
    def device_id(self) -> bytes:
        """Zeros while it belongs to no organisation."""
        return self._talk.device_id or bytes(32)

    @property
    def device_point(self) -> bytes:
        """What signed this session."""
        welcomed = self._talk.link.welcomed
        return welcomed.device_point if welcomed else b""

    @property
    def sessions(self) -> int:
        """How many it took so far: one, unless the line was lost."""
        return self._talk.sessions

    def keep(self) -> None:
        """A frame now and then while the host is at other work, so that the camera stays docked."""
        if self._is_docked and self._clock() - self._talk.link.spoke > _KEEP_EVERY_S:
            self._ask(bodies.IDENTIFY)

    def begin_again(self) -> None:
        """Forget the session; the next call begins another."""
        self._talk.end_session()

    def close(self) -> None:
        """Let go of the port; a camera that is docked lets go by itself."""
        self._talk.link.close()

    def _dock(self) -> Docked:
        told = bodies.parsed(bodies.DOCKED, self._talk.ask(bodies.DOCK))
        self.alarms |= told.alarms
        self.ended_issue = bytes(told.issue) if any(told.issue) else self.ended_issue
        return Docked(told.boot, told.ms, told.receipt_no, self.alarms, self.ended_issue)

    def _run(self, transaction: Callable[[], Answer]) -> Answer:
        if self._is_docked and self._clock() - self._talk.link.spoke > DOCKED_FOR_S:
            self._talk.end_session()  # it may have let go: dock it again
        self.is_busy = True
        try:
            return self._talk.run(transaction)
        finally:
            self.is_busy = False

    def _again(self) -> None:
        """In a new session: docked as before, and with the same card."""
        if not self._is_docked:
            return
        self._dock()
        if self._listed is not None and bodies.files_of(self._talk.ask(bodies.LIST)) != self._listed:
            raise CardUnreadable(self.name, "a lost line: it has another card now, or other files")

    def _ask(self, command: int, body: bytes = b"") -> bytes:
        return self._run(lambda: self._talk.ask(command, body))

    def _number(self, layout: str, command: int, body: bytes = b"") -> int:
        answer = self._talk.ask(command, body)
        if len(answer) != struct.calcsize(layout):
            raise WireBroken("an answer has another length than the page gives it")
        return int(struct.unpack(layout, answer)[0])

    def _give(self, what: int, raw: bytes, command: int) -> int:
        def give() -> int:
            self._put(what, raw)
            return self._number(">I", command)

        return self._run(give)

    def _put(self, what: int, raw: bytes, tell: Callable[[float], None] = lambda fraction: None) -> None:
        """Pieces in order; where the camera says it goes on elsewhere, so do we."""
        at, stuck = 0, 0
        while at < len(raw):
            head = bodies.PUT_HEAD.build({"what": what, "total": len(raw), "offset": at})
            after = self._number(">I", bodies.PUT, bytes(head) + raw[at : at + _PIECE])
            stuck = stuck + 1 if after <= at else 0
            if after > len(raw) or stuck > 2:
                raise Lost("it does not take what is sent")
            at = after
            tell(at / len(raw))
