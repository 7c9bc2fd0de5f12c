"""P-256 for the rest of the firmware: key agreement, signatures, and both in slices.

Bytes in, bytes out. A private key is an int in 1..N-1, a point 65 bytes, a signature r || s in 64; `rand(n)
-> bytes` is the generator's. Keeps no key; the arithmetic is in `curve`, the one sealed message in `hpke`.
"""

from binascii import unhexlify as _hex

from sealcam.crypto import hmac_sha256
from sealcam.curve import (
    Job,
    N,
    P,
    add,
    affine,
    base_steps,
    blinded_steps,
    comb_table,
    decode_point,
    encode_point,
    finish,
    inverse,
    on_curve,
    scalar,
    start_factor,
    window_steps,
)
from sealcam.errors import SelfTestFailed
from sealcam.hpke import HpkeJob, open_hpke, seal_hpke

__all__ = (
    "AgreeJob",
    "HpkeJob",
    "N",
    "P",
    "SignJob",
    "agree",
    "agree_blinded",
    "agree_steps",
    "comb_table",
    "decode_point",
    "encode_point",
    "on_curve",
    "open_hpke",
    "public",
    "scalar",
    "seal_hpke",
    "self_test",
    "sign",
    "sign_steps",
    "verify",
)


def public(d: int, rand=None) -> bytes:
    """The 65-byte point of a private key."""
    _check_private(d)
    return encode_point(*affine(finish(base_steps(d, start_factor(rand)))))


def agree(d: int, point: bytes, rand=None) -> bytes:
    """The shared x coordinate, 32 bytes (SP 800-56A section 5.7.1.2), for a scalar that is used once."""
    return finish(agree_steps(d, point, rand))


def agree_blinded(d: int, point: bytes, rand) -> bytes:
    """The same for a key that lives long: each time another scalar, `d + r * N`, is walked through."""
    _check_private(d)
    x, y = decode_point(point)
    return affine(finish(blinded_steps(d, x, y, rand)))[0].to_bytes(32, "big")


class AgreeJob(Job):
    """`agree` in slices; at the end `secret` is there."""

    def __init__(self, d: int, point: bytes, rand=None):
        super().__init__(agree_steps(d, point, rand))

    @property
    def secret(self) -> bytes:
        return self.result


def agree_steps(d: int, point: bytes, rand=None):
    """The same as a generator, for whoever slices several sums in a row."""
    _check_private(d)
    x, y = decode_point(point)
    shared = yield from window_steps(d, x, y, start_factor(rand))
    yield
    return affine(shared)[0].to_bytes(32, "big")


def _check_private(d):
    if not 0 < d < N:
        raise ValueError


def sign(d: int, digest: bytes, rand=None) -> bytes:
    """ECDSA over a 32-byte digest (FIPS 186-5 section 6.4.1): r || s.

    The nonce is RFC 6979's, with 32 bytes of `rand` as the additional data of its section 3.6: a bad
    generator alone cannot repeat it, and a glitch in the arithmetic cannot be brought about twice with one
    nonce. Without `rand`, RFC 6979 exactly.
    """
    return finish(sign_steps(d, digest, rand))


class SignJob(Job):
    """`sign` in some thirty slices, to be done between chunks; at the end `signature` is there."""

    def __init__(self, d: int, digest: bytes, rand=None):
        super().__init__(sign_steps(d, bytes(digest), rand))

    @property
    def signature(self) -> bytes:
        return self.result


def sign_steps(d: int, digest: bytes, rand=None):
    """The same as a generator; what it draws it draws with the first slice."""
    _check_private(d)
    if len(digest) != 32:
        raise ValueError
    extra = rand(32) if rand else b""
    e = int.from_bytes(digest, "big")
    nonces = _Nonces(d, digest, extra)
    while True:
        k = nonces.next()
        yield
        point = yield from base_steps(k, nonces.mask(b"start") % (P - 1) + 1)
        r = affine(point)[0] % N
        yield
        s = _second_half(k, e, r, d, nonces.mask(b"blind") % (N - 1) + 1)
        if r and s:
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _second_half(k, e, r, d, blind):
    """(e + r * d) / k with every secret factor multiplied by `blind`, which cancels."""
    over_k = inverse(k * blind % N, N)
    return over_k * (blind * e % N + r * (blind * d % N)) % N


class _Nonces:
    """The candidates of RFC 6979 section 3.2, and masks that only who knows the key could predict."""

    def __init__(self, d, digest, extra):
        seed = d.to_bytes(32, "big") + (int.from_bytes(digest, "big") % N).to_bytes(32, "big") + extra
        self._key, self._value = bytes(32), b"\x01" * 32
        self._mix(b"\x00" + seed)
        self._mix(b"\x01" + seed)
        self._fresh = True

    def next(self):
        while True:
            if not self._fresh:
                self._mix(b"\x00")
            self._fresh = False
            self._value = hmac_sha256(self._key, self._value)
            k = int.from_bytes(self._value, "big")
            if 0 < k < N:
                return k

    def mask(self, name):
        return int.from_bytes(hmac_sha256(self._key, b"sealcam/1 mask", name, self._value), "big")

    def _mix(self, tail):
        self._key = hmac_sha256(self._key, self._value, tail)
        self._value = hmac_sha256(self._key, self._value)


def verify(point: bytes, digest: bytes, signature: bytes) -> bool:
    """Whether the key of `point` made `signature` (FIPS 186-5 section 6.4.2); BadPoint if the key is none."""
    x, y = decode_point(point)
    if len(signature) != 64 or len(digest) != 32:
        return False
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if not (0 < r < N and 0 < s < N):
        return False
    over_s = inverse(s, N)
    base = finish(base_steps(int.from_bytes(digest, "big") * over_s % N))
    total = add(base, finish(window_steps(r * over_s % N, x, y)))
    return bool(total[2]) and affine(total)[0] % N == r


def self_test() -> None:
    """Known answers for signature, agreement and verification; SelfTestFailed if one differs."""
    good = (
        sign(_PRIVATE, _DIGEST) == _SIGNATURE
        and agree(_PRIVATE, _PUBLIC) == _AGREED
        and verify(_PUBLIC, _DIGEST, _SIGNATURE)
        and not verify(_PUBLIC, _DIGEST, _SIGNATURE[:32] + bytes(32))
    )
    if not good:
        raise SelfTestFailed  # this image or this chip computes something else


# RFC 6979 appendix A.2.5, SHA-256, message "sample"; the agreed value was made with another implementation
_PRIVATE = 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721
_PUBLIC = _hex(
    "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
    "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
)
_DIGEST = _hex("af2bdbe1aa9b6ec1e2ade1d694f41fc71a831d0268e9891562113d8a62add1bf")
_SIGNATURE = _hex(
    "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
    "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
)
_AGREED = _hex("2388ee990c93c4bb757203225b7786d69950d2f0de43cdf23dc71f5efaa169c8")
