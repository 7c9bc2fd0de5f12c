"""The host's side of the exchange folder for tests, straight from docs/format/statements.md.

CPython and `cryptography`; imports neither half. Also opens a recording far enough to check it: slots, keys,
tags.
"""

import hashlib
import hmac
import struct
import time
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ROLES = {1: "evidence", 2: "escrow", 3: "vault", 4: "receipt", 5: "time", 7: "release", 8: "link"}
SUITE = Suite(KEM.P256, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def point(key):
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def sign(key, message):
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def verifies(point65, message, signature):
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point65)
    pair = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    key.verify(encode_dss_signature(*pair), message, ec.ECDSA(hashes.SHA256()))  # raises InvalidSignature
    return True


def statement(key, label, fields):
    signed = label + b"\x00" + fields
    return signed + sign(key, signed)


class Office:
    """One organisation: its root and one key for each role; `policy` fields by name."""

    def __init__(self, **policy):
        self.root = ec.generate_private_key(ec.SECP256R1())
        self.keys = {role: ec.generate_private_key(ec.SECP256R1()) for role in ROLES}
        self.organisation = sha256(point(self.root))
        self.nonce = sha256(b"nonce")[:16]
        self.policy = {"flags": 1, "interval_ms": 2000, "part_bytes": 1 << 20, "chunk_size": 16384, **policy}

    def key_list(self, version=1):
        body = struct.pack(">32sIHH", self.organisation, version, len(self.keys), 0)
        for role, key in self.keys.items():
            body += struct.pack(">B3x65s3x", role, point(key))
        return self._rooted(b"sealcam/1 root keylist", version, body)

    def policy_file(self, version=1):
        p = self.policy
        body = struct.pack(
            ">32sIIIIHHBB42x",
            self.organisation,
            version,
            p["flags"],
            p["interval_ms"],
            p["part_bytes"],
            p["chunk_size"],
            0,
            2,
            2,
        )
        return self._rooted(b"sealcam/1 root policy", version, body)

    def _rooted(self, label, version, body):
        return statement(self.root, label, struct.pack(">I", version) + sha256(body)) + body

    def offer(self):
        lists = [self.key_list(), self.policy_file()]
        sized = b"".join(struct.pack(">I", len(item)) + item for item in lists)
        return b"SKOFFER1" + point(self.root) + self.nonce + bytes(range(48)) + sized

    def times(self, answer, utc_ms=None):
        """time.seal for an answer.seal, which is checked first; the device's point is kept."""
        assert answer[:8] == b"SKANSWR1"
        self.device_point = answer[8:73]
        self.device_id = sha256(self.device_point)
        label = b"sealcam/1 device enrol\x00"
        signed, signature = (
            answer[73 : 73 + len(label) + 112],
            answer[185 + len(label) - 0 : 249 + len(label)],
        )
        assert (
            signed.startswith(label)
            and signed[len(label) :][:80] == self.device_id + self.nonce + self.organisation
        )
        assert verifies(self.device_point, signed, signature)
        time_nonce = answer[249 + len(label) :][:16]
        fields = struct.pack(
            ">32s16sQQ32s", self.device_id, time_nonce, utc_ms or int(time.time() * 1000), 1, bytes(32)
        )
        self.time = statement(self.keys[5], b"sealcam/1 vault time", fields)
        certificate = b"a certificate is kept and never parsed"
        return b"SKTIMES1" + self.time + struct.pack(">I", len(certificate)) + certificate

    def drill(self, core):
        drills = [struct.pack(">32sI32sB", self.device_id, 1, sha256(core), by) for by in (1, 2)]
        return b"SKDRILL1" + b"".join(
            statement(self.keys[7], b"sealcam/1 office drill", fields) for fields in drills
        )

    def attend(self, folder: Path):
        """Do what the folder asks of the host; the answer is what it wrote, or None."""
        folder = Path(folder)
        if not (folder / "offer.seal").exists() and not (folder / "answer.seal").exists():
            return self._put(folder / "offer.seal", self.offer())
        if (folder / "answer.seal").exists() and not (folder / "time.seal").exists():
            return self._put(folder / "time.seal", self.times((folder / "answer.seal").read_bytes()))
        trial = folder / "trial-0000.skr"
        if trial.exists() and not (folder / "drill.seal").exists():
            recording = Recording([p.read_bytes() for p in sorted(folder.glob("trial-*.skr"))])
            for role in (1, 2):  # opened by both before either says so
                recording.open(self, role)
                assert recording.check(self.device_point)
            return self._put(folder / "drill.seal", self.drill(recording.core))
        return None

    def _put(self, path, content):
        path.with_suffix(".part").write_bytes(content)
        path.with_suffix(".part").rename(path)
        return path.name


class Recording:
    """The parts of one recording, opened and checked as section 3 says, without its finer verdicts."""

    def __init__(self, parts):
        self.parts = parts
        self.core = next(part[:256] for part in parts)
        self.kind, self.chunk_size = self.core[12], struct.unpack(">H", self.core[14:16])[0]
        self.sequence = struct.unpack(">Q", self.core[64:72])[0]
        self.block = max(2048, self.chunk_size)
        self.prev = self.core[112:144]

    def open(self, office, role=1):
        key, wanted = office.keys[role], sha256(point(office.keys[role]))
        slot_role = 2 if role == 3 and self.kind != 2 else 1
        for at in range(512, 512 + 4 * 192, 192):
            slot = self.parts[0][at : at + 192]
            if slot[0] == slot_role and slot[8:40] == wanted:
                info = (
                    b"sealcam/1 slot\x00"
                    + struct.pack(">HBB", 1, slot_role, self.kind)
                    + self.core[16:64]
                    + wanted
                )
                payload = SUITE.decrypt(slot[40:105] + slot[105:153], key, info=info)
                return self._derive(payload, slot_role)
        raise AssertionError("no slot for this role")

    def _derive(self, payload, slot_role):
        self.secret = payload
        h_core = sha256(self.core)
        expand = lambda secret, info: HKDFExpand(hashes.SHA256(), 32, info).derive(secret)  # noqa: E731
        self.k_enc = expand(payload, b"sealcam/1 enc\x00" + h_core) if slot_role == 1 else None
        verify = payload if slot_role == 2 else expand(payload, b"sealcam/1 verify\x00")
        self.k_mac = expand(verify, b"sealcam/1 mac\x00" + h_core)
        return self

    def check(self, device_point):
        """Judge heads and chunks; `chunks` are those that prove, in order, and `state` is "ended" or "cut".
        """
        tag = hmac.digest(self.k_mac, self.core, "sha256")
        assert self.parts[0][256:288] == tag
        assert sha256(self.parts[0][512 : self.block]) == self.core[176:208]
        self.chunks, self.state, self.signed_to = [], "cut", 0
        tags = [tag]
        for chunk in self._positions():
            if not self._proves(chunk, len(self.chunks) + 1, tags[-1]):
                break
            self.chunks.append(chunk)
            tags.append(chunk[-32:])
            if chunk[4] in (2, 3):
                self._check_signature(chunk, tags, device_point)
        self.stale = chunk if not self.chunks else None
        return True

    def _positions(self):
        for part in self.parts:
            assert part[:288] == self.parts[0][:288]
            for at in range(2 * self.block, len(part) - self.chunk_size + 1, self.chunk_size):
                yield part[at : at + self.chunk_size]

    def _proves(self, chunk, index, previous):
        if chunk[:4] != b"SKC1" or hmac.digest(self.k_mac, chunk[:-32], "sha256") != chunk[-32:]:
            return False
        assert struct.unpack(">Q", chunk[8:16])[0] == index and chunk[32:64] == previous
        return True

    def _check_signature(self, chunk, tags, device_point):
        covered = struct.unpack(">Q", chunk[64:72])[0]
        assert chunk[72:104] == tags[covered]
        signed = b"sealcam/1 device chunk\x00" + sha256(self.core) + chunk[4:5] + chunk[64:192]
        assert verifies(device_point, signed, chunk[192:256])
        self.signed_to = max(self.signed_to, covered)
        if chunk[4] == 3:
            self.state = "ended"

    def records(self):
        """(track, flags, ms, payload) of all data chunks; the rest of a record that was cut off is left out.
        """
        stream, size = b"", self.chunk_size - 96
        for index, chunk in enumerate(self.chunks, 1):
            if chunk[4] == 1:
                counter = struct.pack(">QQ", index, 0)
                plain = (
                    Cipher(algorithms.AES(self.k_enc), modes.CTR(counter)).decryptor().update(chunk[64:-32])
                )
                stream += plain
        at = 0
        while at < len(stream):
            if stream[at] == 0:
                at = (at // size + 1) * size
                continue
            track, flags, zero, ms, length = struct.unpack(">BBHII", stream[at : at + 12])
            if at + 12 + length > len(stream):
                return
            yield track, flags, ms, stream[at + 12 : at + 12 + length]
            at += 12 + length
