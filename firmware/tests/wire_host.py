"""A host on the dock line for tests, straight from docs/dock-protocol.md: CPython and `cryptography` alone.

Says what it is told to say, right or wrong, and believes nothing it has not checked. `line` is anything with
`write(bytes)` and `read(size) -> bytes`, which gives what there is, or nothing after a while.
"""

import hmac
import os
import pty
import select
import struct
import subprocess
import time
import tty
import zlib

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from office import Recording, point, sha256, verifies

OPEN, PROVED, SEALED = 1, 2, 3
DONE, MORE = 0x00, 0x7F
PIECE = 16384
WHO = b"\x04\x01\x00\x00"
HELLO_SIZE = 182


class Refused(Exception):
    """The camera answered with a status; `args[0]` is it."""


class Closed(Exception):
    """The camera said *closed*; `args[0]` is its status."""


class Silence(Exception):
    """Nothing came."""


def head(form, size):
    first = struct.pack(">2sBBH", b"SK", form, 0, size)
    return first + struct.pack(">H", zlib.crc32(first) & 0xFFFF)


def open_frame(payload):
    return head(OPEN, len(payload)) + payload + struct.pack(">I", zlib.crc32(payload))


def next_frame(read):
    """(form, payload, tail) of the next frame; `read(size)` gives exactly so many bytes or raises Silence."""
    found = read(8)
    while True:
        form, size = found[2], struct.unpack(">H", found[4:6])[0]
        if found == head(form, size) and 1 <= form <= 3 and 1 <= size <= 16640:
            rest = read(size + (4 if form == OPEN else 16))
            if form != OPEN or struct.unpack(">I", rest[size:])[0] == zlib.crc32(rest[:size]):
                return form, rest[:size], rest[size:]
            found = read(8)
        else:
            found = found[1:] + read(1)


class Direction:
    """The keys of one way, and how many frames went."""

    def __init__(self, keys):
        self.enc, self.mac, self.number = keys[:32], keys[32:], 0

    def seal(self, payload, form=SEALED):
        if form == SEALED:
            payload = self._crypt(payload)
        first = head(form, len(payload))
        frame = first + payload + self._tag(first + payload)
        self.number += 1
        return frame

    def open(self, form, payload, tag):
        assert tag == self._tag(head(form, len(payload)) + payload), "a frame did not prove"
        plain = self._crypt(payload) if form == SEALED else payload
        self.number += 1
        return plain

    def _tag(self, framed):
        return hmac.digest(self.mac, struct.pack(">Q", self.number) + framed, "sha256")[:16]

    def _crypt(self, payload):
        counter = struct.pack(">QQ", self.number, 0)
        return Cipher(algorithms.AES(self.enc), modes.CTR(counter)).encryptor().update(payload)


class Host:
    """One host with its link key; `hello` begins a session, `ask` is one request and its whole answer."""

    def __init__(self, line, link, organisation, device_point=None, patience_s=20.0):
        self.line, self.link, self.organisation = line, link, organisation
        self.device_point, self.patience_s = device_point, patience_s
        self._held = b""
        self.number = 0
        self.frame_sent, self.link_shown = b"", None  # shown: of a host that only knows the point of ours
        self.out = self.back = None
        self.heard = []  # payloads of open frames, and (command, status, body) of answers

    def _read(self, size):
        until = time.monotonic() + self.patience_s
        while len(self._held) < size:
            piece = self.line.read(65536)
            if not piece and time.monotonic() > until:
                raise Silence(self._held)
            self._held += piece
        found, self._held = self._held[:size], self._held[size:]
        return found

    def frame(self):
        return next_frame(self._read)

    def say(self, payload):
        self.line.write(open_frame(payload))

    def who(self):
        self.say(WHO)
        while True:
            form, payload, _ = self.frame()
            if form == OPEN and payload[0] == 5:
                return payload

    def offer(self, **changed):
        """A hello; `changed` names fields that are to be wrong."""
        self.ephemeral = ec.generate_private_key(ec.SECP256R1())
        self.nonce = os.urandom(16)
        fields = {
            "start": b"\x01\x01\x00\x00",
            "ephemeral": point(self.ephemeral),
            "nonce": self.nonce,
            "organisation": self.organisation,
            "link": point(self.link_shown or self.link),
        }
        return b"".join({**fields, **changed}.values())

    def hello(self, **changed):
        raw = self.offer(**changed)
        self.say(raw)
        return self.meet(raw)

    def meet(self, raw):
        """Take the welcome to a hello; the fields of it that are not sums. What is not for it goes (D10);
        only a hello that is none is answered without its nonce.
        """
        is_one = len(raw) == HELLO_SIZE and raw[:4] == b"\x01\x01\x00\x00"
        while True:
            form, payload, _ = self.frame()
            if form == OPEN and payload[0] == 3 and payload[2:] == (self.nonce if is_one else bytes(16)):
                raise Closed(payload[1])
            if form == OPEN and payload[0] == 2 and payload[4:20] == self.nonce:
                return self._derive(raw, payload)

    def _derive(self, raw, welcome):
        signed, signature = welcome[:-64], welcome[-64:]
        theirs, device = signed[20:85], signed[85:150]
        transcript = sha256(b"sealcam/1 session\x00", raw, signed)
        device_id = bytes(32)
        if self.device_point is not None:
            assert device == self.device_point
        if any(device):
            device_id = sha256(device)
            assert verifies(device, b"sealcam/1 device session\x00" + transcript, signature)
        else:
            assert not any(signature) and not any(signed[150:154])
        camera = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), theirs)
        secret = b"".join(key.exchange(ec.ECDH(), camera) for key in (self.ephemeral, self.link))
        names = device_id + sha256(point(self.link))
        self.out, self.back = (
            Direction(HKDF(hashes.SHA256(), 64, transcript, label + b"\x00" + names).derive(secret))
            for label in (b"sealcam/1 host to camera", b"sealcam/1 camera to host")
        )
        self.device = device
        return signed[2], signed[3], struct.unpack(">I", signed[150:154])[0]

    def send(self, command, body=b"", form=SEALED, zero=0):
        """One request; its number."""
        self.number = (self.number + 1) & 0xFFFF
        request = struct.pack(">BBH", command, zero, self.number) + body
        self.frame_sent = self.out.seal(request, form)
        self.line.write(self.frame_sent)
        return self.number

    def answer(self):
        """(command, status, number, body) of the next frame that proves."""
        form, payload, tag = self.frame()
        if form == OPEN:
            if payload[0] == 3 and payload[2:] in (self.nonce, bytes(16)):
                raise Closed(payload[1])
            return None
        plain = self.back.open(form, payload, tag)
        command, status, number = struct.unpack(">BBH", plain[:4])
        assert (form == PROVED) == (command == 0x13)
        self.heard.append((command, status, plain[4:]))
        return command, status, number, plain[4:]

    def ask(self, command, body=b""):
        """The whole body of an answer; Refused with the status of one that is none."""
        asked = self.send(command, body)
        return b"".join(self.pieces(command, asked))

    def pieces(self, command, asked):
        while True:
            answer = self.answer()
            if answer is None:
                continue
            assert answer[0] == command and answer[2] == asked
            if answer[1] not in (DONE, MORE):
                raise Refused(answer[1])
            yield answer[3]
            if answer[1] == DONE:
                return

    def put(self, what, content):
        at = 0
        while at < len(content):
            body = struct.pack(">BII", what, len(content), at) + content[at : at + PIECE]
            at = struct.unpack(">I", self.ask(0x20, body))[0]

    def list(self):
        """{name: (number, size, used)} of the files on the card, and its serial."""
        raw = self.ask(0x12)
        found, at = {}, 16
        while at < len(raw):
            number, size, used, length = struct.unpack(">HQQB", raw[at : at + 19])
            at += 19 + length
            found[raw[at - length : at].decode()] = (number, size, used)
        return raw[:16], found

    def read(self, number, offset, length):
        return self.ask(0x13, struct.pack(">HQI", number, offset, length))


class PtyLine:
    """A line to a camera as a process, which opens the tty `name`."""

    def __init__(self):
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.name = os.ttyname(self._slave)

    def write(self, content):
        content = bytes(content)
        while content:
            select.select([], [self._master], [], 5)
            content = content[os.write(self._master, content) :]

    def read(self, size):
        ready, _, _ = select.select([self._master], [], [], 0.02)
        return os.read(self._master, size) if ready else b""

    def close(self):
        os.close(self._master)
        os.close(self._slave)


class WiredCamera:
    """The simulator with a host on its line; `press` is a line of its console, `said` what it has printed."""

    def __init__(self, desk, *flags):
        self.desk, self.line, self.said = desk, PtyLine(), []
        self._process = subprocess.Popen(
            desk.command("--port", self.line.name, *flags),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.until("- ready", "- refuses 0x")
        self.host = Host(self.line, desk.office.keys[8], desk.office.organisation)

    def until(self, *marks):
        """Read what it prints up to a line that begins with one of the marks; that line."""
        for line in self._process.stdout:
            self.said.append(line.rstrip())
            if line.startswith(marks):
                return line.rstrip()
        raise AssertionError(self.said)

    def press(self, line):
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self.until("ok", "refused")

    def off(self):
        self._process.stdin.close()
        self.said += self._process.stdout.read().splitlines()
        assert self._process.wait(20) == 0, self.said
        self.line.close()

    def enrol(self):
        """All of section 5 by wire."""
        host, office = self.host, self.desk.office
        host.hello()
        host.put(6, office.offer())
        assert host.ask(0x30) == b"\x02"
        host.hello()
        assert host.ask(0x30) == b"\x02"
        host.put(7, office.times(host.ask(0x31, b"\x01")))
        host.device_point = office.device_point
        assert host.ask(0x30) == b"\x03"
        recording = self.trial()
        host.put(5, office.drill(recording.core))
        assert host.ask(0x30) == b"\x00"
        return recording

    def trial(self):
        """The trial recording, opened and checked with both keys."""
        host = self.host
        _, files = host.list()
        parts = [host.read(number, 0, used) for name, (number, _, used) in files.items() if ".skr" in name]
        recording = Recording(parts)
        for role in (1, 2):
            recording.open(self.desk.office, role)
            recording.check(self.desk.office.device_point)
        return recording
