"""SHA-256 and what is built on it: HMAC, HKDF, PBKDF2, and the compare that does not tell.

Bytes in, bytes out; no cipher, no file. The rest of the firmware takes these names from `crypto`, which
proves them.
"""

import sys
from hashlib import sha256 as _sha256

if sys.implementation.name == "micropython":
    from sealcam import xor
else:
    xor = None  # viper's types exist on the device only

# whole pads as two numbers: byte by byte, a new key would cost a quarter of a chunk
_INNER = int.from_bytes(b"\x36" * 64, "big")
_OUTER = int.from_bytes(b"\x5c" * 64, "big")
STRETCH_SLICE = 500  # rounds between two looks at the buttons: a tenth of a second or so


def sha256(*parts) -> bytes:
    hasher = _sha256()
    for part in parts:
        hasher.update(part)
    return hasher.digest()


class Hmac:
    """HMAC-SHA-256 (RFC 2104, FIPS 198-1) under one key, its two pads made once.

    `hashlib` has no copy() on the device: every tag costs two hash objects, 448 bytes in passing at most.
    """

    def __init__(self, key: bytes):
        if len(key) > 64:
            key = sha256(key)
        padded = int.from_bytes(bytes(key) + bytes(64 - len(key)), "big")
        self._inner = (padded ^ _INNER).to_bytes(64, "big")
        self._outer = (padded ^ _OUTER).to_bytes(64, "big")

    def tag(self, view, out=None) -> bytes:
        """The 32-byte tag of one contiguous buffer, copied into the 32-byte memoryview `out` if given."""
        hasher = _sha256(self._inner)
        hasher.update(view)
        tag = self._finish(hasher)
        if out is not None:
            out[:] = tag
        return tag

    def tag_parts(self, *parts) -> bytes:
        """The tag of several buffers, one after the other."""
        hasher = _sha256(self._inner)
        for part in parts:
            hasher.update(part)
        return self._finish(hasher)

    def _finish(self, hasher):
        outer = _sha256(self._outer)
        outer.update(hasher.digest())
        return outer.digest()


def hmac_sha256(key: bytes, *parts) -> bytes:
    return Hmac(key).tag_parts(*parts)


def hkdf_extract(salt: bytes, ikm: bytes) -> bytes:
    """RFC 5869 section 2.2."""
    return hmac_sha256(salt or bytes(32), ikm)


def hkdf_expand(prk: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869 section 2.3; `length` at most 255 * 32 bytes."""
    if not 0 <= length <= 255 * 32:
        raise ValueError
    mac = Hmac(prk)
    output = block = b""
    for counter in range(1, (length + 31) // 32 + 1):
        block = mac.tag_parts(block, info, bytes([counter]))
        output += block
    return output[:length]


def stretch(pin, salt: bytes, rounds: int):
    """PBKDF2-HMAC-SHA256 (RFC 8018 section 5.2), a generator that yields now and then; returns 32 bytes.

    One frame from beginning to end: a call that returns frees its frame, and MicroPython then looks for
    memory from there on again, past everything the rounds before have left.
    """
    if rounds < 1:
        raise ValueError
    mac = Hmac(pin)
    block = mac.tag_parts(salt, b"\x00\x00\x00\x01")
    total = int.from_bytes(block, "big")
    for number in range(1, rounds):
        block = mac.tag(block)
        total ^= int.from_bytes(block, "big")
        if number % STRETCH_SLICE == 0:
            yield
    return total.to_bytes(32, "big")


def pbkdf2(pin: bytes, salt: bytes, rounds: int) -> bytes:
    """The same at once."""
    work = stretch(pin, salt, rounds)
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


def same(a, b) -> bool:
    """Whether two byte strings are equal, in a time that says nothing about where they differ."""
    return len(a) == len(b) and _differ(a, b, len(a)) == 0


def _differ_plain(a, b, size):
    difference = 0
    for i in range(size):
        difference |= a[i] ^ b[i]
    return difference


_differ = xor.differ if xor else _differ_plain
