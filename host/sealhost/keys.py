"""Open slots and derive recording keys.

A key is whatever can do two things: agree with a point, and sign a message. Here it is a passphrase file; a
token
is another. Nothing here reads a recording, and no key ever reaches a message. RFC 9180, RFC 5869, SP 800-56A.
"""

import hashlib
import hmac
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import construct
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import pkcs12

from sealhost import layout
from sealhost.errors import KeyMissing, KeyTrouble, OutputExists, PassphraseWrong, PointBad, SlotClosed
from sealhost.records import Core

CURVE = ec.SECP256R1()
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # order of P-256
PBKDF2_ROUNDS = 600_000
_KEM = b"KEM\x00\x10"
_HPKE = b"HPKE\x00\x10\x00\x01\x00\x02"  # DHKEM(P-256), HKDF-SHA256, AES-256-GCM
_ECDSA = ec.ECDSA(hashes.SHA256())


class Opener(Protocol):
    """A private key behind one call. `role` 0 means: try every role an info may name."""

    @property
    def key_id(self) -> bytes:
        """SHA-256 of the point."""

    @property
    def point(self) -> bytes:
        """65 bytes, 04 x y."""

    def agree(self, point: bytes) -> bytes:
        """ECDH with a point that is on the curve: 32 bytes; PointBad otherwise."""


class SoftKey:
    """A P-256 private key in memory."""

    def __init__(self, private: ec.EllipticCurvePrivateKey, role: int = 0) -> None:
        """`role` is 1 for a key that opens, 2 for a verify key, 0 where it is not known (recording.md 1.2)."""
        self._private = private
        self.role = role
        self.point = _point_of(private.public_key())
        self.key_id = key_id_of(self.point)

    @classmethod
    def make(cls, role: int = 0) -> "SoftKey":
        """A fresh key."""
        return cls(ec.generate_private_key(CURVE), role)

    @classmethod
    def of_scalar(cls, scalar: bytes, role: int = 0) -> "SoftKey":
        """The key of a 32-byte scalar; KeyTrouble when it is not in 1..N-1."""
        number = int.from_bytes(scalar, "big")
        if len(scalar) != 32 or not 0 < number < N:
            raise KeyTrouble("a key", "its scalar is not in range")
        return cls(ec.derive_private_key(number, CURVE), role)

    @property
    def scalar(self) -> bytes:
        """32 bytes, for shares and tests; whoever asks must have a reason."""
        return self._private.private_numbers().private_value.to_bytes(32, "big")

    def agree(self, point: bytes) -> bytes:
        """ECDH: the x coordinate, 32 bytes; SP 800-56A, 5.7.1.2."""
        return self._private.exchange(ec.ECDH(), decode_point(point))

    def sign(self, message: bytes) -> bytes:
        """ECDSA over SHA-256 of `message`: r and s, 64 bytes."""
        return _raw(self._private.sign(message, _ECDSA))

    def sign_digest(self, digest: bytes) -> bytes:
        """ECDSA over a SHA-256 that is there already: r and s, 64 bytes."""
        return _raw(self._private.sign(digest, ec.ECDSA(utils.Prehashed(hashes.SHA256()))))

    def pem(self) -> bytes:
        """PKCS#8 without a passphrase."""
        plain = serialization.NoEncryption()
        return self._private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain
        )

    def pkcs12(self, passphrase: str) -> bytes:
        """PKCS#12 under a passphrase, PBES2 with 600,000 rounds; RFC 7292."""
        lock = serialization.PrivateFormat.PKCS12.encryption_builder().kdf_rounds(PBKDF2_ROUNDS)
        lock = lock.key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC).hmac_hash(hashes.SHA256())
        built = lock.build(passphrase.encode())
        return pkcs12.serialize_key_and_certificates(b"sealcam", self._private, None, None, built)


def _point_of(public: ec.EllipticCurvePublicKey) -> bytes:
    return public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def _raw(der: bytes) -> bytes:
    r, s = utils.decode_dss_signature(der)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def key_id_of(point: bytes) -> bytes:
    """SHA-256 of a point; of a device key this is the device id."""
    return hashlib.sha256(point).digest()


def decode_point(point: bytes) -> ec.EllipticCurvePublicKey:
    """The public key of 65 bytes; PointBad when it is not uncompressed or not on the curve (SP 800-56A,
    5.6.2.3).
    """
    if len(point) != 65 or point[0] != 4:
        raise PointBad("a public key")
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(CURVE, bytes(point))
    except ValueError:
        raise PointBad("a public key") from None


def verifies(point: bytes, digest: bytes, signature: bytes) -> bool:
    """Whether r and s are in 1..N-1 and sign this SHA-256 (FIPS 186-5, 6.4.2); PointBad for a bad point."""
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if len(signature) != 64 or not 0 < r < N or not 0 < s < N:
        return False
    try:
        der = utils.encode_dss_signature(r, s)
        decode_point(point).verify(der, digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
    except InvalidSignature:
        return False
    return True


def save(path: Path, key: SoftKey, passphrase: str | None) -> None:
    """Write a key nobody else may read: PKCS#12 with a passphrase, else PKCS#8 for a host that starts alone.

    Never over another file. A cut leaves no file or one that does not load.
    """
    content = key.pem() if passphrase is None else key.pkcs12(passphrase)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise OutputExists(path) from None
    except OSError as trouble:
        raise KeyTrouble(path, trouble.strerror) from None
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def load(path: Path, passphrase: Callable[[], str] | None = None, role: int = 0) -> SoftKey:
    """Read a key file; the passphrase is asked for only where the file needs one."""
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError:
        raise KeyMissing(path) from None
    except OSError as trouble:
        raise KeyTrouble(path, trouble.strerror) from None
    if content.startswith(b"-----BEGIN"):
        return SoftKey(_on_curve(path, _plain(path, content)), role)
    if passphrase is None:
        raise KeyTrouble(path, "it needs a passphrase")
    return SoftKey(_on_curve(path, _locked(path, content, passphrase())), role)


def _plain(path: Path, content: bytes) -> object:
    try:
        return serialization.load_pem_private_key(content, None)
    except (ValueError, TypeError):
        raise KeyTrouble(path, "it is not a plain PKCS#8 key") from None


def _locked(path: Path, content: bytes, passphrase: str) -> object:
    if not content.startswith(b"\x30"):
        raise KeyTrouble(path, "it is not a key file")
    try:
        return pkcs12.load_key_and_certificates(content, passphrase.encode())[0]
    except ValueError:
        raise PassphraseWrong(path) from None


def _on_curve(path: Path, key: object) -> ec.EllipticCurvePrivateKey:
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise KeyTrouble(path, "it is not a P-256 key")
    return key


def hkdf_expand(secret: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869, section 2.3; at most 32 bytes are ever asked for."""
    return hmac.digest(secret, info + b"\x01", "sha256")[:length]


def hpke_open(opener: Opener, enc: bytes, info: bytes, sealed: bytes) -> bytes:
    """RFC 9180 base mode, single shot, by hand over `agree`, so that a token can do it; SlotClosed when it
    does not.
    """
    key, nonce = _schedule(_decap(opener, enc), info)
    try:
        return AESGCM(key).decrypt(nonce, bytes(sealed), b"")
    except InvalidTag:
        raise SlotClosed("a slot") from None


def _decap(opener: Opener, enc: bytes) -> bytes:
    """RFC 9180, section 4.1."""
    prk = _extract(_KEM, b"", b"eae_prk", opener.agree(enc))
    return _expand(_KEM, prk, b"shared_secret", bytes(enc) + opener.point, 32)


def _schedule(shared: bytes, info: bytes) -> tuple[bytes, bytes]:
    """RFC 9180, section 5.1, mode 0: key and nonce of the one message."""
    context = b"\x00" + _extract(_HPKE, b"", b"psk_id_hash", b"") + _extract(_HPKE, b"", b"info_hash", info)
    secret = _extract(_HPKE, shared, b"secret", b"")
    return _expand(_HPKE, secret, b"key", context, 32), _expand(_HPKE, secret, b"base_nonce", context, 12)


def _extract(suite: bytes, salt: bytes, label: bytes, material: bytes) -> bytes:
    return hmac.digest(salt, b"HPKE-v1" + suite + label + material, "sha256")


def _expand(suite: bytes, secret: bytes, label: bytes, info: bytes, length: int) -> bytes:
    return hkdf_expand(secret, length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info, length)


def slot_info(core: Core, role: int, recipient: bytes) -> bytes:
    """What a slot is bound to; recording.md, section 1.2."""
    suite = layout.SUITE.to_bytes(2, "big")
    return (
        b"sealcam/1 slot\x00"
        + suite
        + bytes([role, core.kind])
        + core.device_id
        + core.recording_id
        + recipient
    )


def roles_for(opener: Opener, kind: int) -> tuple[int, ...]:
    """Which roles our key may have in a file of this kind; a role byte from outside decides nothing (M12)."""
    role = getattr(opener, "role", 0)
    if role == layout.ROLE_OPEN or kind == layout.KIND_LOG:
        return (layout.ROLE_OPEN,)
    return (layout.ROLE_VERIFY,) if role == layout.ROLE_VERIFY else (layout.ROLE_OPEN, layout.ROLE_VERIFY)


def open_slot(opener: Opener, core: Core, slot: construct.Container) -> bytes:
    """The 32 bytes in a slot addressed to this key; SlotClosed or PointBad."""
    return open_slot_as(opener, core, slot)[1]


def open_slot_as(opener: Opener, core: Core, slot: construct.Container) -> tuple[int, bytes]:
    """(role, payload) of a slot addressed to this key: S for role 1, V for role 2; SlotClosed or PointBad."""
    for role in roles_for(opener, core.kind):
        try:
            return role, hpke_open(opener, slot.enc, slot_info(core, role, opener.key_id), slot.sealed)
        except SlotClosed:
            continue
    raise SlotClosed(core.name)


@dataclass(frozen=True)
class RecordingKeys:
    """What follows from S or V under one header; `k_enc` and `secret` only where S was in hand."""

    v: bytes = field(repr=False)
    k_mac: bytes = field(repr=False)
    k_enc: bytes | None = field(default=None, repr=False)

    def proof(self, h_core: bytes) -> bytes:
        """That somebody opened it, without saying what is in it; recording.md, section 1.2."""
        return hmac.digest(self.k_mac, b"sealcam/1 opened\x00" + h_core, "sha256")


def verify_secret_of(secret: bytes) -> bytes:
    """V of S."""
    return hkdf_expand(secret, b"sealcam/1 verify\x00", 32)


def derive(core: Core, *, secret: bytes | None = None, verify_secret: bytes | None = None) -> RecordingKeys:
    """Both keys from S, or the MAC key alone from V; never a K_enc from outside (M1, M2)."""
    if secret is None and verify_secret is None:
        raise SlotClosed(core.name)
    v = verify_secret_of(secret) if secret is not None else bytes(verify_secret or b"")
    k_mac = hkdf_expand(v, b"sealcam/1 mac\x00" + core.h_core, 32)
    if secret is None:
        return RecordingKeys(v, k_mac)
    return RecordingKeys(v, k_mac, hkdf_expand(secret, b"sealcam/1 enc\x00" + core.h_core, 32))
