"""One 32-byte payload sealed to one point: HPKE base mode, single shot (RFC 9180).

DHKEM(P-256, HKDF-SHA256) 0x0010, HKDF-SHA256 0x0001, AES-256-GCM 0x0002, aad empty. Knows nothing of
recordings or roles; `slots` says what the info binds.
"""

from sealcam import curve
from sealcam.crypto import gcm_open, gcm_seal, hkdf_expand, hkdf_extract
from sealcam.errors import NotProved

_KEM_SUITE = b"KEM\x00\x10"
_AES_256_GCM = 2


class HpkeJob(curve.Job):
    """`seal_hpke` in slices; at the end `enc` (65 bytes) and `sealed` (48 bytes) are there."""

    def __init__(self, recipient: bytes, info: bytes, payload: bytes, rand, table: "bytes | None" = None):
        super().__init__(_seal_steps(recipient, info, payload, rand, table))

    @property
    def enc(self) -> bytes:
        return self.result[0]

    @property
    def sealed(self) -> bytes:
        return self.result[1]


def seal_hpke(
    recipient: bytes, info: bytes, payload: bytes, rand, table: "bytes | None" = None
) -> "tuple[bytes, bytes]":
    """(enc 65, sealed 48) for a recipient's 65-byte point; BadPoint if it is none.

    `rand(n) -> bytes`; `table` is `curve.comb_table` of the recipient's point and halves the work.
    """
    return curve.finish(_seal_steps(recipient, info, payload, rand, table))


def open_hpke(d: int, enc: bytes, info: bytes, sealed: bytes, rand=None) -> bytes:
    """The 32-byte payload. BadPoint for an enc that is no point, NotProved for a tag that does not fit.

    With `rand` the private key is blinded, as a key that lives long must be.
    """
    return curve.finish(open_steps(d, enc, info, sealed, rand))


def open_steps(d: int, enc: bytes, info: bytes, sealed: bytes, rand=None, recipient: "bytes | None" = None):
    """`open_hpke` in slices, for a `curve.Job`; our own point, where it is known, need not be made.
    """
    x, y = curve.decode_point(enc)
    if rand:
        shared = yield from curve.blinded_steps(d, x, y, rand)
    else:
        shared = yield from curve.window_steps(d, x, y)
    if recipient is None:
        own = yield from curve.base_steps(d, curve.start_factor(rand))
        recipient = curve.encode_point(*curve.affine(own))
    yield
    secret = kem_secret(_x_bytes(shared), enc, recipient)
    key, nonce = key_schedule(secret, info)
    payload = gcm_open(key, nonce, sealed)
    if len(payload) != 32:
        raise NotProved  # proved, and no payload of ours: a slot wraps 32 bytes and nothing else
    return payload


def _seal_steps(recipient, info, payload, rand, table):
    if len(payload) != 32:
        raise ValueError
    x, y = curve.decode_point(recipient)
    ephemeral = curve.scalar(rand)
    own = yield from curve.base_steps(ephemeral, curve.start_factor(rand))
    enc = curve.encode_point(*curve.affine(own))
    yield
    if table:
        shared = yield from curve.comb_steps(ephemeral, table, curve.start_factor(rand))
    else:
        shared = yield from curve.window_steps(ephemeral, x, y, curve.start_factor(rand))
    secret = kem_secret(_x_bytes(shared), enc, recipient)
    yield
    key, nonce = key_schedule(secret, info)
    return enc, gcm_seal(key, nonce, payload)


def _x_bytes(point):
    return curve.affine(point)[0].to_bytes(32, "big")


def kem_secret(dh: bytes, enc: bytes, recipient: bytes) -> bytes:
    """ExtractAndExpand (RFC 9180 section 4.1)."""
    prk = _extract(_KEM_SUITE, b"", b"eae_prk", dh)
    return _expand(_KEM_SUITE, prk, b"shared_secret", bytes(enc) + bytes(recipient), 32)


def key_schedule(
    secret: bytes, info: bytes, aead: int = _AES_256_GCM, key_size: int = 32
) -> "tuple[bytes, bytes]":
    """(key, nonce of message 0) in base mode (section 5.1); other ciphers only so that A.3 can be checked."""
    suite = b"HPKE\x00\x10\x00\x01" + aead.to_bytes(2, "big")
    context = b"\x00" + _extract(suite, b"", b"psk_id_hash", b"") + _extract(suite, b"", b"info_hash", info)
    prk = _extract(suite, secret, b"secret", b"")
    return _expand(suite, prk, b"key", context, key_size), _expand(suite, prk, b"base_nonce", context, 12)


def _extract(suite, salt, label, ikm):
    return hkdf_extract(salt, b"HPKE-v1" + suite + label + ikm)


def _expand(suite, prk, label, info, size):
    return hkdf_expand(prk, size.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info, size)
