"""A desk camera in its dock, its line, and the host at the other end of it, for the benches.

Runs on the emulated Cortex-M3. The dock, its sessions and its orders are the firmware's; only who introduces
them is made here.
"""

import struct
from array import array

import board
from desk_camera import KEYS, LINK, ROOT, DeskCamera
from sealcam import p256
from sealcam.crypto import hkdf_expand, hkdf_extract, sha256
from sealcam.dock import Dock
from sealcam.drbg import Drbg
from sealcam.frames import HEAD, NUMBER, PAYLOAD_AT, PROVED, TAG, open_frame
from sealcam.keystore import KeyStore
from sealcam.port import Port
from sealcam.session import Session
from uctypes import addressof

PIECE = 16384
_OWN = 31337  # the private key of this one session
_WAYS = (b"host to camera", b"camera to host")
_READ = 0x13
_REGISTERS = (0, 2, 0, 0, 0)  # STATE says that a byte has come
_SIGNED = 154  # bytes of a welcome without its signature


class Line:
    """The board's driver, twice. It sends to UART1, where nobody listens and nothing has to wait. It receives
    from registers in memory that always have a byte, since the emulator brings one when it likes; what the
    host said is then put where the driver has laid it.
    """

    def __init__(self):
        self._sends, self._takes = board.line(1), board.line(1)
        self._registers = array("I", _REGISTERS)
        self._takes._base = addressof(self._registers)
        self._waiting = []
        self.said = None

    def hear(self, frame):
        """Lay a frame on the line, in the two pieces it is asked for."""
        self._waiting, self.said = [frame[HEAD:], frame[:HEAD]], None

    def any(self):
        return len(self._waiting) > 0

    def read_into(self, view):
        if not self._waiting:
            return 0
        size = self._takes.read_into(view)
        view[:] = self._waiting.pop()  # raises if it is not what is asked for
        return size

    def write(self, view):
        self.said = view
        return self._sends.write(view)


class DockedCamera(DeskCamera):
    """As `main.Camera` after *dock*, with `line` and `dock`; its random bytes are the real generator's."""

    is_debug, docked, alarms, dock_lamp, drilled = False, True, 0, 0, 1
    fault = card_fault = wiper = update = None

    def __init__(self, image):
        super().__init__(image)
        self.drbg = Drbg(bytes(range(48)), bytes(16))
        self.keystore = KeyStore(self.files)
        self.line = Line()
        self.dock = Dock(self, Port(self.line))

    def say(self, line):
        pass

    def check_sound(self):
        pass

    def answer(self, frame):
        """From a frame that lies on the line to the answer that went: what is measured."""
        line, dock = self.line, self.dock
        line.hear(frame)
        while line.said is None:
            dock.step()


class Host:
    """The other side of a camera's line, its keys drawn from docs/dock-protocol.md, section 2."""

    def __init__(self, camera):
        self._line, self._session = camera.line, None
        self.point, self.link, root = p256.public(_OWN), p256.public(KEYS + LINK), p256.public(ROOT)
        said = b"\x01\x01\x00\x00" + self.point + bytes(range(16)) + sha256(root) + self.link
        self._hello, self.hello = said, memoryview(open_frame(said))
        self._request = bytearray(PAYLOAD_AT + 18 + 14 + TAG)

    def take_welcome(self):
        """Prove what was answered to the hello, and have the session."""
        welcome = bytes(self._line.said[HEAD : HEAD + _SIGNED])
        signature = bytes(self._line.said[HEAD + _SIGNED : HEAD + _SIGNED + 64])
        transcript = sha256(b"sealcam/1 session\x00", self._hello, welcome)
        signed = sha256(b"sealcam/1 device session\x00", transcript)
        own, device = welcome[20:85], welcome[85:150]
        if not p256.verify(device, signed, signature):
            raise ValueError
        secret = p256.agree(_OWN, own) + p256.agree(KEYS + LINK, own)
        prk, names = hkdf_extract(transcript, secret), sha256(device) + sha256(self.link)
        keys = [hkdf_expand(prk, b"sealcam/1 " + way + b"\x00" + names, 64) for way in _WAYS]
        self._session = Session(self._hello[69:85], keys[1], keys[0])

    def range_read(self, number, offset, size):
        """The frame of one *read*."""
        body = struct.pack(">BBHHQI", _READ, 0, 1, number, offset, size)
        self._request[PAYLOAD_AT : PAYLOAD_AT + len(body)] = body
        return memoryview(self._request)[NUMBER : self._session.seal(self._request, len(body))]

    def check_answer(self):
        """That a whole piece came, and that it proves."""
        said, session = self._line.said, self._session
        frame = bytes(NUMBER) + bytes(said)
        size = len(said) - HEAD - TAG
        tag = session._in.tag(memoryview(bytearray(frame)), PAYLOAD_AT + size)
        session._in.number += 1
        if said[2] != PROVED or size != 4 + PIECE or tag != bytes(said[-TAG:]) or said[HEAD + 1]:
            raise ValueError
