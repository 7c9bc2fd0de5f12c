"""The dock link's handshake and its proved and sealed frames; docs/dock-protocol.md, section 2.

Bytes in, bytes out: no line, no clock, no register. What does not prove is refused before one byte of it is
read.
"""

import hashlib
import hmac
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import construct as c
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sealhost import frames, keys, statements
from sealhost.errors import BadSignature, BadStatement, NotOurCamera, PointBad, WireBroken
from sealhost.keys import SoftKey
from sealhost.layout import SIGNATURE_SIZE

VERSION = 1
NO_ORGANISATION, IN_ENROLMENT, ENROLLED = 0, 1, 2
TAG_SIZE, NONCE_SIZE = 16, 16
MAX_FACTS = 1024
_HELLO_KIND, _WELCOME_KIND, _CLOSED_KIND, _WHO_KIND, _HERE_KIND = range(1, 6)
_TO_CAMERA, _TO_HOST = b"sealcam/1 host to camera", b"sealcam/1 camera to host"
HELLO = c.Struct(
    "kind" / c.Const(_HELLO_KIND, c.Int8ub),
    "version" / c.Int8ub,
    "zero" / c.Const(0, c.Int16ub),
    "ephemeral" / c.Bytes(65),
    "nonce" / c.Bytes(NONCE_SIZE),
    "organisation" / c.Bytes(32),
    "link_point" / c.Bytes(65),
)
WELCOME = c.Struct(
    "kind" / c.Const(_WELCOME_KIND, c.Int8ub),
    "version" / c.Int8ub,
    "state" / c.Int8ub,
    "flags" / c.Int8ub,
    "nonce" / c.Bytes(NONCE_SIZE),
    "ephemeral" / c.Bytes(65),
    "device_point" / c.Bytes(65),
    "keylist" / c.Int32ub,
    "signature" / c.Bytes(64),
)
CLOSED = c.Struct(
    "kind" / c.Const(_CLOSED_KIND, c.Int8ub), "status" / c.Int8ub, "nonce" / c.Bytes(NONCE_SIZE)
)
WHO = bytes([_WHO_KIND, VERSION, 0, 0])
HERE = c.Struct(
    "state" / c.Int8ub,
    "flags" / c.Int8ub,
    "device_id" / c.Bytes(32),
    "organisation" / c.Bytes(32),
    "keylist" / c.Int32ub,
    "facts" / c.GreedyBytes,
)
_HERE_SIZE = 70  # without the facts


@dataclass(frozen=True)
class Here:
    """Who is on the line: its own word, which nothing proves outside of a session."""

    state: int
    flags: int
    device_id: bytes
    organisation: bytes
    keylist: int
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def is_debug(self) -> bool:
        """A build for developers: it is never enrolled."""
        return bool(self.flags & 1)

    @property
    def is_recording(self) -> bool:
        return bool(self.flags & 2)

    @property
    def refuses(self) -> bool:
        """Whether something keeps it from recording."""
        return bool(self.flags & 4)


def read_here(payload: bytes) -> Here | None:
    """*here* as it came in an open frame; None for any other message."""
    if payload[:2] != bytes([_HERE_KIND, VERSION]):
        return None
    return here_of(payload[2:])


def here_of(body: bytes) -> Here:
    """*here* from its third byte on, which *identify* answers as well; WireBroken for another shape."""
    if not _HERE_SIZE <= len(body) <= _HERE_SIZE + MAX_FACTS or body[0] > ENROLLED:
        raise WireBroken("it does not say who it is in the way of the page")
    found = HERE.parse(body)
    names = ("state", "flags", "device_id", "organisation", "keylist")
    return Here(**{name: found[name] for name in names}, facts=json_of(found.facts))


def json_of(raw: bytes) -> dict[str, Any]:
    """An object of JSON; WireBroken for anything else."""
    try:
        told = json.loads(raw or b"{}")
    except (ValueError, RecursionError):
        raise WireBroken("its facts are not JSON") from None
    if not isinstance(told, dict):
        raise WireBroken("its facts are no object")
    return told


def read_closed(payload: bytes) -> tuple[int, bytes] | None:
    """(status, nonce of the hello of the session that ends); None for any other message."""
    if len(payload) != CLOSED.sizeof() or payload[0] != _CLOSED_KIND:
        return None
    found = CLOSED.parse(payload)
    return int(found.status), bytes(found.nonce)


class Unproved(Exception):
    """A frame whose tag does not prove, or of a form that has no place: the session is over (D9, D12)."""


class _Direction:
    """Keys of one direction, and how many frames were sent in it."""

    def __init__(self, secret: bytes, salt: bytes, info: bytes) -> None:
        made = HKDF(hashes.SHA256(), 64, salt, info).derive(secret)
        self._k_enc, self._k_mac, self._n = made[:32], made[32:], 0

    def tag(self, head: bytes, payload: bytes) -> bytes:
        """The tag of the frame that is next."""
        message = self._n.to_bytes(8, "big") + head + payload
        return hmac.digest(self._k_mac, message, "sha256")[:TAG_SIZE]

    def crypt(self, payload: bytes) -> bytes:
        """AES-256-CTR, counter block n and 0: the same both ways."""
        block = self._n.to_bytes(8, "big") + bytes(8)
        return Cipher(algorithms.AES(self._k_enc), modes.CTR(block)).encryptor().update(payload)

    def count(self) -> None:
        """One frame more went this way."""
        self._n += 1


class Session:
    """Frames of one session; keys and counts serve it and nothing else (D10)."""

    def __init__(self, secret: bytes, transcript: bytes, device_id: bytes, link_key_id: bytes) -> None:
        salt, about = hashlib.sha256(transcript).digest(), b"\0" + device_id + link_key_id
        self.to_camera = _Direction(secret, salt, _TO_CAMERA + about)
        self.to_host = _Direction(secret, salt, _TO_HOST + about)

    def pack(self, payload: bytes) -> bytes:
        """A sealed frame from the host."""
        return pack(self.to_camera, frames.SEALED, payload)

    def open(self, frame: frames.Frame, form: int) -> bytes:
        """The payload of the camera's next frame; Unproved unless it proves and is of this form."""
        return opened(self.to_host, frame, form)


def pack(way: _Direction, form: int, payload: bytes) -> bytes:
    """The next frame in a direction: encrypted where it is sealed, then tagged."""
    payload = way.crypt(payload) if form == frames.SEALED else payload
    head = frames.head_of(form, len(payload))
    whole = head + payload + way.tag(head, payload)
    way.count()
    return whole


def opened(way: _Direction, frame: frames.Frame, form: int) -> bytes:
    """What stands in the next frame of a direction; Unproved where it does not prove or has another form."""
    if frame.form == frames.OPEN or not hmac.compare_digest(way.tag(frame.head, frame.payload), frame.tail):
        raise Unproved("a frame did not prove")
    if frame.form != form:
        raise Unproved("a frame has another form than its answer asks for")
    payload = way.crypt(frame.payload) if form == frames.SEALED else frame.payload
    way.count()
    return payload


@dataclass(frozen=True)
class Welcomed:
    """A session that has begun, and with whom; `device_id` is zeros for a camera without an organisation."""

    session: Session
    state: int
    flags: int
    device_id: bytes
    device_point: bytes
    keylist: int
    nonce: bytes


class Opening:
    """One hello of ours and what may answer it. Ephemeral and nonce are drawn for it and serve once."""

    def __init__(self, link_key: SoftKey, organisation: bytes) -> None:
        self._link_key, self._ephemeral = link_key, SoftKey.make()
        self.nonce = os.urandom(NONCE_SIZE)
        fields = {"ephemeral": self._ephemeral.point, "nonce": self.nonce, "link_point": link_key.point}
        self.hello = bytes(HELLO.build({"version": VERSION, "organisation": organisation, **fields}))

    def is_welcome(self, payload: bytes) -> bool:
        """Whether this is the welcome to this hello (D10)."""
        return payload[:1] == bytes([_WELCOME_KIND]) and payload[4:20] == self.nonce

    def welcomed(self, payload: bytes, point_of: Callable[[bytes, bytes], bytes | None]) -> Welcomed:
        """The session of a welcome whose signature proves; NotOurCamera for anybody else (D6, D7).

        `point_of(device_id, shown)` is the point we hold for a camera, or None.
        """
        if len(payload) != WELCOME.sizeof() or payload[1] != VERSION or payload[2] > ENROLLED:
            raise WireBroken("its welcome is none of the page")
        found = WELCOME.parse(payload)
        transcript = b"sealcam/1 session\0" + self.hello + payload[: -SIGNATURE_SIZE]
        device_id = _signed_for(found, transcript, point_of)
        try:
            secret = self._ephemeral.agree(found.ephemeral) + self._link_key.agree(found.ephemeral)
        except PointBad:
            raise NotOurCamera("its ephemeral point is not on the curve") from None
        session = Session(secret, transcript, device_id, self._link_key.key_id)
        about = (found.state, found.flags, device_id, found.device_point, found.keylist)
        return Welcomed(session, *about, self.nonce)


def _signed_for(
    found: c.Container, transcript: bytes, point_of: Callable[[bytes, bytes], bytes | None]
) -> bytes:
    """The device id, once the point we hold signed the transcript; zeros where there can be no signature."""
    shown = found.device_point
    if found.state == NO_ORGANISATION:
        if any(shown) or point_of(bytes(32), shown) is None:
            raise NotOurCamera("it belongs to no organisation")
        return bytes(32)
    device_id = keys.key_id_of(shown)
    if point_of(device_id, shown) != shown:
        raise NotOurCamera(f"camera {device_id.hex()[:16]} is not in the register")
    label = statements.SESSION.encode() + b"\0"
    try:
        statements.check(
            statements.SESSION, label + hashlib.sha256(transcript).digest() + found.signature, shown
        )
    except (BadSignature, BadStatement):
        raise NotOurCamera(f"it did not sign as camera {device_id.hex()[:16]}") from None
    return device_id


__all__ = ["CLOSED", "ENROLLED", "HELLO", "HERE", "IN_ENROLMENT", "NO_ORGANISATION", "VERSION", "WELCOME"]
__all__ += ["WHO", "Here", "Opening", "Session", "Unproved", "Welcomed", "here_of", "json_of", "opened"]
__all__ += ["pack", "read_closed", "read_here"]
