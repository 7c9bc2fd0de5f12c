"""One camera on the line: the requests of dock-protocol.md, section 3, by their names.

What is asked again after a lost session is asked so that it ends the same. It never decides what may go.
"""

import hashlib
import struct
from collections.abc import Callable
from typing import Any

from sealhost import frames, session
from sealhost.docked import bodies
from sealhost.docked.asking import Asking, Listing
from sealhost.docked.bodies import Docked, Trial
from sealhost.errors import CameraRefused, CardUnreadable, WireBroken
from sealhost.session import Here

MAX_READ = 4 << 20
NOT_NOW = 0x34


class Camera(Asking):
    """Made by `open_camera`; every call outlives a cable pulled for a moment, or raises CableGone."""

    _judged: tuple[int, int, bytes] = (0, 0, b"")

    # any state

    def identify(self) -> Here:
        """Who it is, under the session."""
        return session.here_of(self._ask(bodies.IDENTIFY))

    def health(self) -> dict[str, Any]:
        """How it is, as the page lists it."""
        return session.json_of(self._ask(bodies.HEALTH))

    def restart(self) -> None:
        """It answers, then restarts; the session is over."""
        self._ask(bodies.RESTART)
        self._talk.end_session()
        self._is_docked = False

    def lamp(self, what: int) -> None:
        """1 verifying, 2 stored twice, 3 wiped, 4 safe to take, 5 keep, 6 leave here."""
        self._ask(bodies.LAMP, bytes([what]))

    # docked

    def dock(self) -> Docked:
        """Stop a recording and stay docked until `undock`; alarms and issue are kept over lost sessions."""
        found = self._run(self._dock)
        self._is_docked = True
        return found

    def undock(self) -> None:
        """Let it go. Where the answer was lost it went, and its card has a new log segment."""
        self._listed = None
        self._ask(bodies.UNDOCK)
        self._is_docked = False

    def inventory(self, nonce: bytes) -> bytes:
        """The inventory file over a nonce."""
        return self._ask(bodies.INVENTORY, nonce)

    def list(self) -> Listing:
        """(card serial, files) of the card in the camera; CameraRefused 0x30 where there is none."""
        self._listed = bodies.files_of(self._ask(bodies.LIST))
        return self._listed

    def read_into(self, number: int, offset: int, view: memoryview) -> int:
        """Fill `view` from `offset` of a file; fewer bytes only at its end. Goes on where a line was lost."""
        done = 0

        def more() -> None:
            nonlocal done
            while done < len(view):
                length = min(MAX_READ, len(view) - done)
                got = self._read(number, offset + done, view[done : done + length], advance)
                if got < length:
                    return

        def advance(size: int) -> None:
            nonlocal done
            done += size

        self._run(more)
        return done

    def _read(self, number: int, offset: int, view: memoryview, advance: Callable[[int], None]) -> int:
        """One request; `advance` is told of every piece that proved."""
        fields = {"number": number, "offset": offset, "length": len(view)}
        at = 0
        try:
            for piece in self._talk.link.ask(
                bodies.READ, bytes(bodies.READ_BODY.build(fields)), frames.PROVED
            ):
                if len(piece) > len(view) - at:
                    raise WireBroken("it gives more than was asked for")
                view[at : at + len(piece)] = piece
                at += len(piece)
                advance(len(piece))
                self._talk.progress += len(piece)
        except CameraRefused as refused:
            raise CardUnreadable(f"file {number} of {self.name}", f"byte {offset + at} ({refused})") from None
        return at

    def log(self, first: int) -> bytes:
        """Entries of its usage log that flash still holds, 128 bytes each, from number `first` on."""
        return self._ask(bodies.LOG, struct.pack(">Q", first))

    def judge(self, what: int, where: int, raw: bytes) -> tuple[bytes, bytes]:
        """(digest, a status for each entry) of a receipt (1) or release (2), for a card in it (1) or in a
        reader (2).
        """
        return self._run(lambda: self._judge(what, where, raw))

    def _judge(self, what: int, where: int, raw: bytes) -> tuple[bytes, bytes]:
        self._put(what, raw)
        answer = self._talk.ask(bodies.JUDGE, bytes([what, where]))
        size = bodies.JUDGED.sizeof()
        head = bodies.parsed(bodies.JUDGED, answer[:size])
        if head.digest != hashlib.sha256(raw).digest() or len(answer) != size + head.count:
            raise WireBroken("it judged something else")
        self._judged = what, where, bytes(raw)
        return bytes(head.digest), answer[size:]

    def wipe(self, digest: bytes, tell: Callable[[int, int], None] = lambda done, of: None) -> bytes:
        """The signed record of a wipe of its own card, by what was judged last; done, of how many is told."""
        self._listed = None  # another card's worth of files from here on
        return self._acted(digest, lambda: self._wipe(digest, tell))

    def _wipe(self, digest: bytes, tell: Callable[[int, int], None]) -> bytes:
        answer = b""
        for answer in self._talk.link.ask(bodies.WIPE, digest):
            if len(answer) == 4:
                tell(*struct.unpack(">HH", answer))
        return answer

    def wiped(self, digest: bytes, flags: bytes) -> bytes:
        """The signed record of a wipe in a reader: `flags` are 1 for wiped, one for each entry."""
        body = digest + struct.pack(">H", len(flags)) + bytes(flags)
        return self._acted(digest, lambda: self._talk.ask(bodies.WIPED, body))

    def _acted(self, digest: bytes, act: Callable[[], bytes]) -> bytes:
        """What is acted on once: after a lost session its record is asked for, then it is judged and done."""
        begun = self._talk.sessions

        def once() -> bytes:
            if self._talk.sessions == begun:
                return act()
            try:
                return self._talk.ask(bodies.RECORD, digest)
            except CameraRefused as refused:
                if refused.status != NOT_NOW:
                    raise
            self._judge(*self._judged)
            return act()

        return self._run(once)

    def record(self, digest: bytes) -> bytes:
        """The record of what it acted on, again; CameraRefused 0x34 where it did not act on this digest."""
        return self._ask(bodies.RECORD, digest)

    # time, lists, firmware, issue

    def set_clock(self, statement_over: Callable[[bytes], bytes]) -> int:
        """Change in ms of its clock, by a time statement over the nonce it asks with."""

        def ask_and_tell() -> int:
            return self._number(">q", bodies.TIME, statement_over(self._nonce()))

        return self._run(ask_and_tell)

    def ask_time(self) -> bytes:
        """The nonce a time statement has to answer."""
        return self._run(self._nonce)

    def _nonce(self) -> bytes:
        nonce = self._talk.ask(bodies.ASK_TIME)
        if len(nonce) != session.NONCE_SIZE:
            raise WireBroken("an answer has another length than the page gives it")
        return nonce

    def time(self, statement: bytes) -> int:
        """Change in ms of its clock."""
        return self._run(lambda: self._number(">q", bodies.TIME, statement))

    def put_keylist(self, raw: bytes) -> int:
        """Version of the key list it holds now."""
        return self._give(bodies.PUT_KEYLIST, raw, bodies.KEYLIST)

    def put_policy(self, raw: bytes) -> int:
        """Version of the policy it holds now."""
        return self._give(bodies.PUT_POLICY, raw, bodies.POLICY)

    def put_drill(self, raw: bytes) -> int:
        """Version of the key list that is drilled now."""
        return self._give(bodies.PUT_DRILL, raw, bodies.DRILL)

    def firmware(
        self, archive: bytes, tell: Callable[[float], None] = lambda fraction: None
    ) -> tuple[int, bytes]:
        """(version, digest) of the archive that is staged now; it runs after `restart`."""

        def stage() -> tuple[int, bytes]:
            self._put(bodies.PUT_FIRMWARE, archive, tell)
            found = bodies.parsed(bodies.STAGED, self._talk.ask(bodies.FIRMWARE))
            return int(found.version), bytes(found.digest)

        return self._run(stage)

    def issue(self, issue: bytes, until_ms: int, kind: int) -> bool:
        """Whether the wearer is now asked for a PIN; kind is 1 personal, 2 pool."""
        body = bytes(bodies.ISSUED.build({"issue": issue, "until": until_ms, "kind": kind}))
        return bool(self._run(lambda: self._number(">B", bodies.ISSUE, body)))

    def return_(self) -> bytes:
        """The issue that ended, zeros for none."""
        return self._ask(bodies.RETURN)

    # enrolment

    def put(self, what: int, raw: bytes, command: int | None = None) -> bytes:
        """Send a file, and in the same session the command that acts on it; its answer."""

        def give() -> bytes:
            self._put(what, raw)
            return self._talk.ask(command) if command is not None else b""

        return self._run(give)

    def enrol(self) -> int:
        """One step of the enrolment: 0 enrolled, 1 waits for the offer, 2 for the time, 3 for the drill."""
        return self._run(lambda: self._number(">B", bodies.ENROL))

    def fetch(self, what: int) -> bytes:
        """A file of the enrolment: 1 answer, 2 enrolled; CameraRefused 0x34 where there is none yet."""
        return self._ask(bodies.FETCH, bytes([what]))

    def trial(self) -> Trial:
        """Which recording it made for the drill."""
        found = bodies.parsed(bodies.TRIAL_BODY, self._ask(bodies.TRIAL))
        return Trial(int(found.sequence), int(found.last_index), bytes(found.h_core))
