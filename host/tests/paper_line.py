"""A camera on a line in memory, written from dock-protocol.md: a second opinion, and a fast one.

It records nothing: files, journal and log are what a test lays there. Time is a number that passes when the
host waits.
"""

import hashlib
import json
import os
import pty
import select
import struct
import threading
import tty
from dataclasses import dataclass, field

from sealhost import frames, session, statements
from sealhost.docked.line import Lost
from sealhost.keys import SoftKey

DEBUG, RECORDING, REFUSES = 1, 2, 4


@dataclass
class PaperCamera:
    """State of a camera, and its answers. `card` is name: (content, used), or None for no card."""

    key: SoftKey = field(default_factory=SoftKey.make)
    organisation: bytes = bytes(32)
    link_point: bytes = b""
    state: int = 2
    flags: int = 0
    keylist: int = 1
    card: dict[str, tuple[bytes, int]] | None = field(default_factory=dict)
    serial: bytes = bytes(15) + b"\x07"
    journal: bytes = b""
    log: list[bytes] = field(default_factory=list)
    receipt_no: int = 0
    alarms: int = 0
    issue: bytes = bytes(16)
    lamps: list[int] = field(default_factory=list)
    verdicts: dict[bytes, int] = field(default_factory=dict)  # h_core: status of *judge*
    records: dict[bytes, bytes] = field(default_factory=dict)
    asked: list[int] = field(default_factory=list)
    noise: tuple[bool, ...] = (True,)

    def __post_init__(self) -> None:
        self._deframer, self._session, self.out = frames.Deframer(), None, bytearray()
        self._nonce = bytes(16)
        self.is_docked, self._put = False, {}
        self._judged, self.time_nonce, self.times, self.lists = {}, b"", [], []

    @property
    def device_id(self) -> bytes:
        return self.key.key_id if self.state else bytes(32)

    def hear(self, content: bytes) -> None:
        """Bytes from the host."""
        while content:
            room = self._deframer.room
            self._deframer.push(content[:room])
            content = content[room:]
            if frame := self._deframer.next():
                self._take(frame)

    def silence(self) -> None:
        """Nothing came for a second (D4)."""
        for frame in self._deframer.give_up():
            self._take(frame)

    def _take(self, frame: frames.Frame) -> None:
        if frame.form == frames.OPEN and frame.payload[0] == 4:
            self._say_open(bytes([5, 1]) + self._here())
        elif frame.form == frames.OPEN and frame.payload[0] == 1:
            self._welcome(frame.payload)
        elif self._session is None:
            self._close(0x06)
        else:
            try:
                request = session.opened(self._session.to_camera, frame, frames.SEALED)
            except session.Unproved:
                self._close(0x06)
                return
            self._answer(request)

    def _say_open(self, payload: bytes) -> None:
        self.out += frames.pack_open(payload)

    def _close(self, status: int) -> None:
        self._session = None
        self._say_open(bytes([3, status]) + self._nonce)

    def _here(self) -> bytes:
        facts = json.dumps({"board": "paper"}).encode()
        return (
            struct.pack(">BB32s32sI", self.state, self.flags, self.device_id, self.organisation, self.keylist)
            + facts
        )

    def _welcome(self, hello: bytes) -> None:
        found = session.HELLO.parse(hello)
        self._nonce = found.nonce
        if self.state and found.organisation != self.organisation:
            return self._close(0x05)
        if self.state and found.link_point != self.link_point:
            return self._close(0x10)
        ephemeral = SoftKey.make()
        point = self.key.point if self.state else bytes(65)
        head = struct.pack(">BBBB", 2, 1, self.state, self.flags) + found.nonce
        bare = head + ephemeral.point + point + struct.pack(">I", self.keylist)
        transcript = b"sealcam/1 session\0" + hello + bare
        label = b"sealcam/1 device session\0"
        signature = self.key.sign(label + hashlib.sha256(transcript).digest()) if self.state else bytes(64)
        secret = ephemeral.agree(found.ephemeral) + ephemeral.agree(found.link_point)
        link_id = hashlib.sha256(found.link_point).digest()
        self._session = session.Session(secret, transcript, self.device_id, link_id)
        return self._say_open(bare + signature)

    def _answer(self, request: bytes) -> None:
        command, number = request[0], request[2:4]
        form = frames.PROVED if command == 0x13 else frames.SEALED
        self.asked.append(command)
        try:
            pieces = list(self._do(command, request[4:]))
        except Refusal as refusal:
            return self._say(bytes([command, refusal.args[0]]) + number, form)
        for at, piece in enumerate(pieces):
            self._say(bytes([command, 0 if at == len(pieces) - 1 else 0x7F]) + number + piece, form)
        return None

    def _say(self, payload: bytes, form: int) -> None:
        self.out += session.pack(self._session.to_host, form, payload)

    def _do(self, command: int, body: bytes):
        if 0x11 <= command <= 0x19 and not self.is_docked and not (command < 0x14 and self.state == 1):
            raise Refusal(0x34)
        act = getattr(self, f"do_{command:02x}", None)
        if act is None:
            raise Refusal(0x40)
        answer = act(body)
        return pieces_of(answer) if isinstance(answer, bytes) else answer

    def do_01(self, body):
        return self._here()

    def do_02(self, body):
        noise = {f"source {n}": healthy for n, healthy in enumerate(self.noise)}
        return json.dumps({"noise": noise, "debug": bool(self.flags & DEBUG), "fault": 0}).encode()

    def do_04(self, body):
        self.lamps.append(body[0])
        return b""

    def do_10(self, body):
        self.is_docked = True
        issue, self.issue = self.issue, bytes(16)
        return struct.pack(">IQQB", 3, 1000, self.receipt_no, self.alarms) + issue

    def do_11(self, nonce):
        digest = hashlib.sha256(self.journal).digest()
        about = {"device_id": self.key.key_id, "nonce": nonce, "boot": 3, "ms": 1}
        fields = {"journal_digest": digest, "receipt_no": self.receipt_no}
        return statements.make(statements.INVENTORY, self.key, **about, **fields) + self.journal

    def do_12(self, body):
        if self.card is None:
            raise Refusal(0x30)
        files = [
            struct.pack(">HQQB", n, len(content), used, len(name)) + name.encode()
            for n, (name, (content, used)) in enumerate(sorted(self.card.items()))
        ]
        return self.serial + b"".join(files)

    def do_13(self, body):
        number, offset, length = struct.unpack(">HQI", body)
        names = sorted(self.card or {})
        if number >= len(names):
            raise Refusal(0x50)
        return self.card[names[number]][0][offset : offset + length]

    def do_14(self, body):
        (first,) = struct.unpack(">Q", body)
        return b"".join(entry for entry in self.log if int.from_bytes(entry[8:16], "big") >= first)

    def do_15(self, body):
        from sealhost import receipts

        what, where = body
        raw = self._put.get(what, b"")
        if what == 1:
            entries = receipts.parse(raw).entries
            if receipts.parse(raw).receipt_no <= self.receipt_no:
                raise Refusal(0x55)
        else:
            entries = [receipts.unpack_entry(raw[len(receipts.RELEASE) + 1 : -96])]
        verdicts = [self._verdict(entry, what) for entry in entries]
        digest = hashlib.sha256(raw).digest()
        self._judged[digest] = [(e, not v) for e, v in zip(entries, verdicts, strict=True)], what, raw
        return digest + struct.pack(">H", len(verdicts)) + bytes(verdicts)

    def _verdict(self, entry, what):
        if what == 1 and not entry.verdict.may_store:
            return 0x54
        return self.verdicts.get(entry.h_core, 0)

    def do_16(self, digest):
        if digest not in self._judged:
            raise Refusal(0x34)
        agreed = [e for e, may in self._judged[digest][0] if may]
        mine = {
            name
            for name, (content, _) in self.card.items()
            if any(hashlib.sha256(content[:256]).digest() == e.h_core for e in agreed)
        }
        for name in mine:
            del self.card[name]
        yield b""
        yield struct.pack(">HH", len(agreed), len(agreed))
        yield self._record(digest, len(agreed), b"\x01" * 32)

    def do_17(self, body):
        digest, flags = body[:32], body[34:]
        if digest not in self._judged:
            raise Refusal(0x34)
        return self._record(digest, sum(flags), bytes(32))

    def _record(self, digest, count, samples):
        _, what, raw = self._judged.pop(digest)
        about = {"device_id": self.key.key_id, "receipt_digest": digest, "boot": 3, "ms": 5}
        made = statements.make(statements.WIPED, self.key, **about, count=count, sample_digest=samples)
        self.records = {digest: made}
        if what == 1:
            from sealhost import receipts

            self.receipt_no = receipts.parse(raw).receipt_no
        return made

    def do_18(self, digest):
        if digest not in self.records:
            raise Refusal(0x34)
        return self.records[digest]

    def do_19(self, body):
        self.is_docked = False
        return b""

    def do_1a(self, body):
        self.time_nonce = os.urandom(16)
        return self.time_nonce

    def do_1b(self, body):
        self.times.append(body)
        return struct.pack(">q", 5)

    def do_20(self, body):
        what, total, offset = struct.unpack(">BII", body[:9])
        held = self._put.get(what, b"") if offset else b""
        if total > 65536 and what != 8:
            raise Refusal(0x15)
        if offset == len(held):
            self._put[what] = held + body[9:]
        return struct.pack(">I", len(self._put.get(what, b"")))

    def do_21(self, body):
        self.lists.append(self._put[3])
        return struct.pack(">I", 2)


class Refusal(Exception):
    """A status byte."""


def pieces_of(body: bytes):
    """D13."""
    return [body[at : at + 16384] for at in range(0, len(body), 16384)] or [b""]


class MemoryLine:
    """The host's end. Time passes when the host waits; `cut_after` bytes, both ways together, the cable is
    out until it is opened again.
    """

    def __init__(self, camera, cut_after: int | None = None) -> None:
        self.name, self.camera = "memory", camera
        self.passed, self.now, self.cut_after = 0, 0.0, cut_after
        self.opened = 0
        self._is_open = False

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def open(self) -> None:
        self.opened += 1
        self._is_open = True
        self.camera.out.clear()

    def close(self) -> None:
        self._is_open = False

    def read(self, most: int, wait_s: float) -> bytes:
        self._refuse_closed()
        got = bytes(self.camera.out[:most])
        if not got and wait_s >= 1:
            self.camera.silence()
            got = bytes(self.camera.out[:most])
        self.now += 0 if got else wait_s
        return self._passed(got, lambda piece: self.camera.out.__delitem__(slice(0, len(piece))))

    def write(self, content: bytes) -> None:
        self._refuse_closed()
        self._passed(content, self.camera.hear)

    def _refuse_closed(self) -> None:
        if not self._is_open:
            raise Lost("the cable was pulled")

    def _passed(self, content: bytes, give) -> bytes:
        left = len(content) if self.cut_after is None else self.cut_after - self.passed
        piece = content[: max(0, left)]
        self.passed += len(piece)
        give(piece)
        if len(piece) < len(content) or (self.cut_after is not None and self.passed >= self.cut_after):
            self.cut_after, self._is_open = None, False
            raise Lost("the cable was pulled")
        return piece


class PtyCamera:
    """The same camera behind a pty, for the command itself. `path` is the port."""

    def __init__(self, camera: PaperCamera) -> None:
        self.camera = camera
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def _carry(self) -> None:
        while not self._stop.is_set():
            if select.select([self._master], [], [], 0.05)[0]:
                self.camera.hear(os.read(self._master, 4096))
            while self.camera.out:
                del self.camera.out[: os.write(self._master, bytes(self.camera.out[:4096]))]

    def __enter__(self) -> "PtyCamera":
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        os.close(self._master)
        os.close(self._slave)
