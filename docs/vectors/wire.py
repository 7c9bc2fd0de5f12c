"""Vectors of `docs/dock-protocol.md`: frames, the handshake, and the first frames of a session.

It imports neither half.
"""

import json
import struct
import zlib

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from writer import Key, expand, mac, sha

OPEN, PROVED, SEALED = 1, 2, 3
HELLO, WELCOME, CLOSED, WHO, HERE = 1, 2, 3, 4, 5
IDENTIFY, DOCK, READ = 0x01, 0x10, 0x13
NO_POINT, NO_ID = bytes(65), bytes(32)


def head(form: int, payload: bytes) -> bytes:
    start = struct.pack(">2sBBH", b"SK", form, 0, len(payload))
    return start + struct.pack(">H", zlib.crc32(start) & 0xFFFF)


def opened(payload: bytes) -> bytes:
    """An open frame, section 1."""
    return head(OPEN, payload) + payload + struct.pack(">I", zlib.crc32(payload))


class Direction:
    """One direction of a session: its two keys, and the frames sent so far."""

    def __init__(self, prk: bytes, name: str, device_id: bytes, link_id: bytes):
        info = f"sealcam/1 {name}".encode() + b"\0" + device_id + link_id
        keys = expand(prk, info, 64)
        self.k_enc, self.k_mac, self.sent = keys[:32], keys[32:], 0

    def frame(self, form: int, payload: bytes) -> bytes:
        if form == SEALED:
            counter = struct.pack(">QQ", self.sent, 0)
            payload = Cipher(algorithms.AES(self.k_enc), modes.CTR(counter)).encryptor().update(payload)
        start = head(form, payload)
        tag = mac(self.k_mac, struct.pack(">Q", self.sent), start, payload)[:16]
        self.sent += 1
        return start + payload + tag


def message(command: int, status: int, number: int, body: bytes = b"") -> bytes:
    return struct.pack(">BBH", command, status, number) + body


def session(name: str, says: str, camera: Key | None, organisation: bytes, state: int) -> dict:
    link, host, eph = Key("link"), Key(f"{name} host"), Key(f"{name} camera")
    nonce, device_id = sha(name.encode())[:16], camera.id if camera else NO_ID
    hello = struct.pack(">BBH65s16s32s65s", HELLO, 1, 0, host.point, nonce, organisation, link.point)
    point, version = (camera.point, 7) if camera else (NO_POINT, 0)
    unsigned = struct.pack(">BBBB16s65s65sI", WELCOME, 1, state, 0, nonce, eph.point, point, version)
    transcript = sha(b"sealcam/1 session\0", hello, unsigned)
    signature = camera.sign(b"sealcam/1 device session\0" + transcript) if camera else bytes(64)
    prk = mac(transcript, host.agree(eph.point) + link.agree(eph.point))
    up, down = (Direction(prk, n, device_id, link.id) for n in ("host to camera", "camera to host"))
    asked = message(IDENTIFY, 0, 1)
    told = message(IDENTIFY, 0, 1, here(camera, organisation, state)[2:])
    fields = {
        "name": name, "says": says, "organisation": organisation, "link_scalar": link.scalar.to_bytes(32, "big"),
        "host_ephemeral_scalar": host.scalar.to_bytes(32, "big"), "camera_ephemeral_scalar": eph.scalar.to_bytes(32, "big"),
        "device_scalar": camera.scalar.to_bytes(32, "big") if camera else b"", "hello": opened(hello), "welcome": opened(unsigned + signature),
        "transcript_sha256": transcript, "host_k_enc": up.k_enc, "host_k_mac": up.k_mac, "camera_k_enc": down.k_enc, "camera_k_mac": down.k_mac,
        "request_0": asked, "host_frame_0": up.frame(SEALED, asked), "answer_0": told, "camera_frame_0": down.frame(SEALED, told),
    }  # fmt: skip
    if camera:
        fields |= docked(up, down)
    return {**fields, "closed": opened(struct.pack(">BB16s", CLOSED, 0x06, nonce))}


def docked(up: Direction, down: Direction) -> dict:
    """*dock* and a *read* of 600 bytes, answered in one piece of form 2."""
    dock, ask = message(DOCK, 0, 2), message(READ, 0, 3, struct.pack(">HQI", 0, 512, 600))
    state = message(DOCK, 0, 2, struct.pack(">IQQB16s", 7, 61_000, 4, 0, bytes(16)))
    piece = message(READ, 0, 3, b"".join(sha(b"chunk %d" % n) for n in range(19))[:600])
    return {
        "request_1": dock, "host_frame_1": up.frame(SEALED, dock), "answer_1": state, "camera_frame_1": down.frame(SEALED, state),
        "request_2": ask, "host_frame_2": up.frame(SEALED, ask), "answer_2": piece, "camera_frame_2": down.frame(PROVED, piece),
    }  # fmt: skip


def here(camera: Key | None, organisation: bytes, state: int) -> bytes:
    facts = json.dumps({"board": "vector", "interpreter": "none", "firmware": "00" * 32}).encode()
    return struct.pack(">BBBB32s32sI", HERE, 1, state, 0, camera.id if camera else NO_ID, organisation if camera else NO_ID, 7 if camera else 0) + facts


def wire(camera: Key) -> list[dict]:
    root = Key("root")
    asks, tells = opened(struct.pack(">BBH", WHO, 1, 0)), opened(here(camera, root.id, 2))
    half = head(SEALED, bytes(300)) + bytes(40)
    lies = head(OPEN, bytes(16641))[:6] + struct.pack(">H", zlib.crc32(struct.pack(">2sBBH", b"SK", OPEN, 0, 16641)) & 0xFFFF)
    noise = b"SKSK\xff" + asks[:7] + b"\0" + lies + asks[:-1] + b"\xff" + b"S"
    return [
        session("dock_session", "a camera of the organisation: the handshake, identify, dock, read", camera, root.id, 2),
        session("dock_introduction", "a camera without an organisation", None, root.id, 0),
        {"name": "dock_frames", "says": "noise, broken heads, an open frame whose checksum is wrong, then who and here; a head whose frame never ends, and after a second who again",
         "stream": noise + asks + tells, "unfinished": half, "after_silence": asks, "who": asks, "here": tells},
    ]  # fmt: skip
