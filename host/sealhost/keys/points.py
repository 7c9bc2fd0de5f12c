"""Points and signatures of P-256; SP 800-56A, FIPS 186-5."""

import functools
import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from sealhost.errors import PointBad

CURVE = ec.SECP256R1()
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # order of P-256


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


@functools.lru_cache(maxsize=64)
def _known_point(point: bytes) -> ec.EllipticCurvePublicKey:
    """A point that was checked on the curve; the same few sign thousands of chunks."""
    return decode_point(point)


def verifies(point: bytes, digest: bytes, signature: bytes) -> bool:
    """Whether r and s are in 1..N-1 and sign this SHA-256 (FIPS 186-5, 6.4.2); PointBad for a bad point."""
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if len(signature) != 64 or not 0 < r < N or not 0 < s < N:
        return False
    try:
        der = utils.encode_dss_signature(r, s)
        _known_point(bytes(point)).verify(der, digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
    except InvalidSignature:
        return False
    return True
