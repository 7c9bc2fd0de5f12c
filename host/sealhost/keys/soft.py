"""Keys in memory and in files: PKCS#12 under a passphrase, plain PKCS#8 where a host starts alone."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import pkcs12

from sealhost.errors import KeyMissing, KeyTrouble, OutputExists, PassphraseWrong
from sealhost.keys.points import CURVE, N, decode_point, key_id_of

PBKDF2_ROUNDS = 600_000
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
        """`role` is 1 for a key that opens, 2 for a verify key, 0 where it is not known (1.2)."""
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
    if not content.startswith(b"\x30"):
        raise KeyTrouble(path, "it is not a key file")
    if passphrase is None:
        raise KeyTrouble(path, "it needs a passphrase")
    return SoftKey(_on_curve(path, _locked(path, content, passphrase())), role)


def _plain(path: Path, content: bytes) -> object:
    try:
        return serialization.load_pem_private_key(content, None)
    except (ValueError, TypeError):
        raise KeyTrouble(path, "it is not a plain PKCS#8 key") from None


def _locked(path: Path, content: bytes, passphrase: str) -> object:
    try:
        return pkcs12.load_key_and_certificates(content, passphrase.encode())[0]
    except ValueError:
        raise PassphraseWrong(path) from None


def _on_curve(path: Path, key: object) -> ec.EllipticCurvePrivateKey:
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise KeyTrouble(path, "it is not a P-256 key")
    return key
