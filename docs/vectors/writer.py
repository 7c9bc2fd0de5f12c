"""Write sealed recordings, statements and logs straight from the pages in `docs/format`.

It imports neither half: only the standard library and `cryptography`. Everything is deterministic, so that the vectors can be made again byte by byte.
"""

import hashlib
import hmac
import json
import struct

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

RECORDING, LOG, PRE_EVENT, LIVE = 1, 2, 3, 4
DATA, SIGNATURE, END = 1, 2, 3
PICTURE, SOUND, POSITION, EVENT, DESCRIPTION, LOG_ENTRY = 1, 2, 3, 4, 5, 6
OPEN, VERIFY = 1, 2


def sha(*pieces: bytes) -> bytes:
    return hashlib.sha256(b"".join(pieces)).digest()


def mac(key: bytes, *pieces: bytes) -> bytes:
    return hmac.digest(key, b"".join(pieces), "sha256")


def expand(prk: bytes, info: bytes, length: int) -> bytes:
    """HKDF-Expand, RFC 5869 section 2.3."""
    out, block, n = b"", b"", 1
    while len(out) < length:
        block = mac(prk, block, info, bytes([n]))
        out, n = out + block, n + 1
    return out[:length]


class Key:
    """A P-256 key made from a name, so that it is the same every time."""

    def __init__(self, name: str):
        self.scalar = int.from_bytes(sha(b"sealcam vector key ", name.encode()), "big") >> 1 | 1
        self.private = ec.derive_private_key(self.scalar, ec.SECP256R1())
        self.point = self.private.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        self.id = sha(self.point)

    def agree(self, point: bytes) -> bytes:
        peer = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        return self.private.exchange(ec.ECDH(), peer)

    def sign(self, message: bytes) -> bytes:
        der = self.private.sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
        r, s = decode_dss_signature(der)
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def hpke_seal(ephemeral: Key, recipient: bytes, info: bytes, payload: bytes) -> tuple[bytes, bytes]:
    """RFC 9180 base mode, single shot, suite 0x0010/0x0001/0x0002, sections 4.1 and 5.1."""
    kem, suite = b"KEM\x00\x10", b"HPKE\x00\x10\x00\x01\x00\x02"

    def extract(salt: bytes, label: bytes, ikm: bytes, sid: bytes) -> bytes:
        return mac(salt or bytes(32), b"HPKE-v1", sid, label, ikm)

    def widen(prk: bytes, label: bytes, context: bytes, length: int, sid: bytes) -> bytes:
        return expand(prk, struct.pack(">H", length) + b"HPKE-v1" + sid + label + context, length)

    eae = extract(b"", b"eae_prk", ephemeral.agree(recipient), kem)
    shared = widen(eae, b"shared_secret", ephemeral.point + recipient, 32, kem)
    context = b"\0" + extract(b"", b"psk_id_hash", b"", suite) + extract(b"", b"info_hash", info, suite)
    secret = extract(shared, b"secret", b"", suite)
    key, nonce = widen(secret, b"key", context, 32, suite), widen(secret, b"base_nonce", context, 12, suite)
    return ephemeral.point, AESGCM(key).encrypt(nonce, payload, b"")


def record(track: int, ms: int, payload: bytes, flags: int = 0) -> bytes:
    return struct.pack(">BBHII", track, flags, 0, ms, len(payload)) + payload


def description(ms: int = 0, **facts: object) -> bytes:
    return record(DESCRIPTION, ms, json.dumps(facts, separators=(",", ":")).encode())


def event(code: int, ms: int, reason: int = 0, value: int = 0, text: str = "") -> bytes:
    return record(EVENT, ms, struct.pack(">BBHi", code, reason, 0, value) + text.encode())


def closing(seq: int, recording_id: bytes, index: int, tag: bytes, state: int) -> bytes:
    """Section 1.5."""
    return b"sealcam/1 closed\0" + struct.pack(">Q16sQ32sB", seq, recording_id, index, tag, state)


class Writer:
    """One recording in the making: `chunks` is the list of whole chunks, `head` the head block."""

    def __init__(self, device: Key, recipients: list[tuple[int, Key]], seq: int = 1, kind: int = RECORDING, size: int = 512, prev: bytes = bytes(32), name: str = ""):
        seed = f"{name}/{seq}/{kind}/{size}".encode()
        self.device, self.kind, self.size, self.seq = device, kind, size, seq
        self.secret, self.recording_id = sha(b"vector secret ", seed), sha(b"vector id ", seed)[:16]
        self.block = max(2048, size)
        self.v = expand(self.secret, b"sealcam/1 verify\0", 32)
        area = b"".join(self._slot(role, key, n) for n, (role, key) in enumerate(recipients))
        self.area = area.ljust(self.block - 512, b"\0")
        self.core = self._core(prev)
        self.h_core = sha(self.core)
        self.k_enc = expand(self.secret, b"sealcam/1 enc\0" + self.h_core, 32)
        self.k_mac = expand(self.v, b"sealcam/1 mac\0" + self.h_core, 32)
        self.tag_0 = mac(self.k_mac, self.core)
        self.head = (self.core + self.tag_0).ljust(512, b"\0") + self.area
        self.chunks: list[bytes] = []
        self.counts = [0, 0, 0, 0, 0]
        self.plaintext = b""

    def _slot(self, role: int, key: Key, n: int) -> bytes:
        info = b"sealcam/1 slot\0" + struct.pack(">HBB32s16s32s", 1, role, self.kind, self.device.id, self.recording_id, key.id)
        ephemeral = Key(f"ephemeral {self.recording_id.hex()} {n}")
        enc, sealed = hpke_seal(ephemeral, key.point, info, self.secret if role == OPEN else self.v)
        return struct.pack(">BBHI32s65s48s39x", role, 1, 0, 1, key.id, enc, sealed)

    def _core(self, prev: bytes) -> bytes:
        fields = (b"SEALCAM\n", 1, 1, self.kind, 0, self.size, self.device.id, self.recording_id, self.seq, 7, 10000,
                  1_790_000_000_000, 61_000, 250, 1, 1, prev, sha(b"vector anchor"), sha(self.area), sha(b"vector firmware"))
        return struct.pack(">8sHHBBH32s16sQIIQQIIB7x32s32s32s32s16x", *fields)

    @property
    def tag(self) -> bytes:
        return self.chunks[-1][-32:] if self.chunks else self.tag_0

    def chunk(self, kind: int, payload: bytes, ms: int, first: int = 0xFFFF, index: int = 0, prev: bytes = b"") -> bytes:
        """Seal one chunk without keeping it; index and previous tag as the next in line, unless given."""
        index, prev = index or len(self.chunks) + 1, prev or self.tag
        if kind == DATA:
            counter = struct.pack(">QQ", index, 0)
            payload = Cipher(algorithms.AES(self.k_enc), modes.CTR(counter)).encryptor().update(payload)
        body = struct.pack(">4sBBHQ8sII32s", b"SKC1", kind, 0, first, index, self.recording_id[:8], ms, 0, prev)
        body += payload.ljust(self.size - 96, b"\0")
        return body + mac(self.k_mac, body)

    def write(self, stream: bytes, starts: list[int], ms: int) -> None:
        """Seal a stream of records into as many data chunks as it takes; the last is padded."""
        room = self.size - 96
        for at in range(0, len(stream), room):
            piece = stream[at : at + room].ljust(room, b"\0")
            first = next((s - at for s in starts if at <= s < at + room), 0xFFFF)
            self.counts[0] += 1
            self.plaintext += piece
            self.chunks.append(self.chunk(DATA, piece, ms, first))

    def records(self, records: list[bytes], ms: int) -> None:
        starts, at = [], 0
        for one in records:
            starts.append(at)
            at += len(one)
            self.counts[1] += one[0] == PICTURE
            self.counts[2] += one[0] == SOUND
        self.write(b"".join(records), starts, ms)

    def statement(self, kind: int, covered: int, ms: int, reason: int = 0, key: Key | None = None, tag: bytes = b"") -> bytes:
        tag = tag or (self.chunks[covered - 1][-32:] if covered else self.tag_0)
        totals = struct.pack(">QQQQQQIB35x", *self.counts, 1_790_000_000_000 + ms, ms, reason)
        signed = b"sealcam/1 device chunk\0" + self.h_core + struct.pack(">BQ32s", kind, covered, tag) + totals
        return struct.pack(">Q32s", covered, tag) + totals + (key or self.device).sign(signed)

    def sign(self, ms: int, covered: int = 0) -> None:
        self.chunks.append(self.chunk(SIGNATURE, self.statement(SIGNATURE, covered or len(self.chunks), ms), ms))

    def end(self, ms: int, reason: int = 1) -> None:
        self.chunks.append(self.chunk(END, self.statement(END, len(self.chunks), ms, reason), ms))

    def part(self, chunks: list[bytes] | None = None, stale: int = 0) -> bytes:
        stale_space = (sha(b"stale") * (self.size // 32)) * stale
        return self.head * 2 + b"".join(self.chunks if chunks is None else chunks) + stale_space

    def body(self) -> bytes:
        head = self.head[:512] + bytes(self.block - 512)
        return head * 2 + b"".join(self.chunks)
