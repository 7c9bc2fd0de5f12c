"""The dock link's handshake and its sealed frames (docs/dock-protocol.md, section 2).

Bytes in, bytes out: the keys of one session, what is proved and what is sealed under them. Knows points and
scalars; no line, no flash, no command.
"""

import struct

from sealcam.crypto import Ctr, Hmac, hkdf_expand, hkdf_extract, same, sha256
from sealcam.curve import affine, base_steps, encode_point, scalar, start_factor
from sealcam.errors import FormatFault, NotProved
from sealcam.frames import HEAD, LARGEST, NUMBER, PAYLOAD_AT, PROVED, SEALED, TAG, lay_head
from sealcam.p256 import agree_steps, decode_point, sign_steps
from sealcam.statements import SESSION

VERSION = 1
HELLO, WELCOME, CLOSED, WHO, HERE = 1, 2, 3, 4, 5
_HELLO = ">BBH65s16s32s65s"
_WELCOME = ">BBBB16s65s65sI"
_HERE = ">BBBB32s32sI"
_WHO = b"\x04\x01\x00\x00"
_TRANSCRIPT = b"sealcam/1 session\x00"
_TO_CAMERA, _TO_HOST = b"sealcam/1 host to camera\x00", b"sealcam/1 camera to host\x00"
_NO_POINT, _NO_SIGNATURE = bytes(65), bytes(64)
_SCRATCH = 512  # for a cipher without counter mode: what is sealed here is short


class Hello:
    """What a host offers; `raw` is the whole of it, for the transcript."""

    def __init__(self, raw):
        if len(raw) != struct.calcsize(_HELLO):
            raise FormatFault
        kind, version, zero, self.point, self.nonce, self.organisation, self.link = struct.unpack(_HELLO, raw)
        if kind != HELLO or version != VERSION or zero:
            raise FormatFault  # of a version that is not spoken here
        self.raw = bytes(raw)

    def check_points(self) -> None:
        """BadPoint unless both are on the curve (D6)."""
        decode_point(self.point)
        decode_point(self.link)


def is_who(payload) -> bool:
    return payload == _WHO


def closed(status: int, nonce: bytes) -> bytes:
    return bytes([CLOSED, status]) + nonce


def here(state: int, flags: int, device_id: bytes, organisation: bytes, version: int, facts: bytes) -> bytes:
    """From its third byte on, what *identify* answers."""
    return struct.pack(_HERE, HERE, VERSION, state, flags, device_id, organisation, version) + facts


class Handshake:
    """From a hello to a session, in slices; `step` is True when `welcome` and `session` are there.

    `who` is what the camera says of itself: state, flags, key-list version. A camera without an organisation
    has `identity` None: nothing is signed, and names are zeros.
    """

    def __init__(self, hello: Hello, who: tuple, identity, rand):
        self.nonce = hello.nonce
        self.welcome = self.session = None
        self._steps = self._run(hello, who, identity, rand)

    def step(self) -> bool:
        try:
            next(self._steps)
        except StopIteration:
            return True
        return False

    def _run(self, hello, who, identity, rand):
        hello.check_points()
        d = scalar(rand)  # serves these two agreements and is forgotten
        own = encode_point(*affine((yield from base_steps(d, start_factor(rand)))))
        state, flags, version = who
        device = identity.point if identity else _NO_POINT
        welcome = struct.pack(_WELCOME, WELCOME, VERSION, state, flags, hello.nonce, own, device, version)
        transcript = sha256(_TRANSCRIPT, hello.raw, welcome)
        first = yield from agree_steps(d, hello.point, rand)
        second = yield from agree_steps(d, hello.link, rand)
        signature = _NO_SIGNATURE
        if identity:
            signed = sha256(SESSION, b"\x00", transcript)
            signature = yield from sign_steps(identity.d, signed, rand)
        names = (identity.device_id if identity else bytes(32)) + sha256(hello.link)
        self.session = Session(hello.nonce, *_keys(first + second, transcript, names))
        self.welcome = welcome + signature


def _keys(secret, salt, names):
    """(64 bytes from the host, 64 bytes to the host)."""
    prk = hkdf_extract(salt, secret)
    return hkdf_expand(prk, _TO_CAMERA + names, 64), hkdf_expand(prk, _TO_HOST + names, 64)


class Session:
    """The keys of one session and how many frames went either way; `nonce` is that of its hello.

    A frame lies in a buffer with 8 bytes free before its head: the number it never carries is put there, and
    the tag is over one contiguous piece.
    """

    def __init__(self, nonce: bytes, from_host: bytes, to_host: bytes):
        self.nonce = nonce
        self._in, self._out = _Direction(from_host), _Direction(to_host)

    @property
    def heard(self) -> int:
        """Frames of the host that proved."""
        return self._in.number

    def open(self, buffer, size: int) -> None:
        """Prove the frame in `buffer`, `size` bytes of payload, then decrypt it in place; NotProved.

        Nothing is decrypted, and nothing counted, before the tag has proved (D9, D12).
        """
        view = memoryview(buffer)
        if not 1 <= size <= LARGEST or view[NUMBER + 2] != SEALED:
            raise NotProved  # a host never has a reason for another form
        end = PAYLOAD_AT + size
        if not same(self._in.tag(view, end), view[end : end + TAG]):
            raise NotProved
        self._in.crypt(view, size)
        self._in.number += 1

    def seal(self, buffer, size: int, form: int = SEALED) -> int:
        """Head, cipher for form 3, tag, around the payload that lies in `buffer` from byte 16 on.

        Answers where the frame ends; it begins at byte 8. Sealed twice it would be plain: it is sent once.
        """
        if form not in (PROVED, SEALED):
            raise NotProved  # only what is proved goes out in a session
        view = memoryview(buffer)
        lay_head(view[NUMBER : NUMBER + HEAD], form, size)
        if form == SEALED:
            self._out.crypt(view, size)
        end = PAYLOAD_AT + size
        view[end : end + TAG][:] = self._out.tag(view, end)  # over what the cipher's last block left there
        self._out.number += 1
        return end + TAG


class _Direction:
    def __init__(self, keys):
        self.number = 0
        self._cipher, self._mac = Ctr(keys[:32], _SCRATCH), Hmac(keys[32:])

    def tag(self, view, end):
        struct.pack_into(">Q", view, 0, self.number)
        return self._mac.tag(view[:end])[:TAG]

    def crypt(self, view, size):
        whole = (size + 15) // 16 * 16  # the last block reaches into the place of the tag
        self._cipher.crypt(view[PAYLOAD_AT : PAYLOAD_AT + whole], self.number)
