"""AES-256-CTR, HMAC-SHA-256 and what is derived from them; nothing else may touch `cryptolib`.

Bytes in, bytes out: no file, no clock, no pin. Counter mode is the image's own where it was built in; where
it is not, it is made from bulk ECB and the kernels in `xor`. Whichever it is, `self_test` proves it before a
frame is taken.
"""

import struct
import sys
from binascii import unhexlify as _hex

# at the top: an import inside a function would look through the file system every time
from cryptolib import aes

from sealcam.digests import Hmac, hkdf_expand, hkdf_extract, hmac_sha256, pbkdf2, same, sha256, stretch
from sealcam.errors import NotProved, SelfTestFailed
from sealcam.ghash import ghash

if sys.implementation.name == "micropython":
    from uctypes import addressof as _addressof

    from sealcam import xor
else:
    xor = None  # viper's types exist on the device only; see _lay_plain

__all__ = (  # the names of `digests` are taken from here
    "Ctr",
    "Hmac",
    "NATIVE_CTR",
    "gcm_open",
    "gcm_seal",
    "hkdf_expand",
    "hkdf_extract",
    "hmac_sha256",
    "key_unwrap",
    "key_wrap",
    "pbkdf2",
    "same",
    "self_test",
    "sha256",
    "stretch",
)

_ECB, _CTR = 1, 6
_BLOCK = 16
_MAX_CRYPT = 65536 * _BLOCK  # `xor.number` writes sixteen bits of block counter
_INDEX_END = 1 << 64  # made once: a long integer made in `crypt` would be garbage
_WRAP_IV = b"\xa6" * 8  # RFC 3394 section 2.2.3.1

_KEY, _COUNTER = bytes(range(32)), _hex("00112233445566778899aabbccddeeff")
_STREAM = _hex("8ea2b7ca516745bfeafc49904b496089")  # FIPS 197 appendix C.3
_CTR_ANSWER = _hex("d9130e8c3adb611f8e56b17ed71ba1f7be1bd72b104cd96a77608de630010c90")  # index 7
_HMAC_ANSWER = _hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")  # RFC 4231, 4.3
_HKDF_ANSWER = _hex(  # RFC 5869 appendix A.1
    "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
)
_PBKDF2_ANSWER = _hex("55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc")  # RFC 7914, 11
_WRAP_ANSWER = _hex("64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7")  # RFC 3394 section 4.3
_GCM_ANSWER = _hex("cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919")  # GCM, case 14


def _has_counter_mode() -> bool:
    """Whether the image was built with CTR; one that was and computes it wrongly is left to `self_test`."""
    try:
        aes(_KEY, _CTR, _COUNTER)
    except ValueError:  # "mode": compiled out
        return False
    return True


NATIVE_CTR = _has_counter_mode()


class Ctr:
    """AES-256-CTR in place (NIST SP 800-38A section 6.5).

    The counter block is `index` u64 || block u64 from 0, big-endian (docs/format/recording.md). `view` is a
    writable buffer, a multiple of 16 bytes and at most 1 MiB long. An index used twice under one key gives
    the plaintext away: whoever calls has spent it first.
    """

    def __init__(self, key: bytes, scratch_size: int = 4096):
        if len(key) != 32 or scratch_size < _BLOCK or scratch_size % _BLOCK:
            raise ValueError
        self._key = bytes(key)
        self._native = NATIVE_CTR
        if self._native:
            self._first = bytearray(_BLOCK)
            return
        self._ecb = aes(self._key, _ECB)
        self._scratch_size = scratch_size
        self._first = self._counters = bytearray(scratch_size)
        self._stream = bytearray(scratch_size)
        self._short = (0, None, None)

    def crypt(self, view, index: int, size: "int | None" = None) -> None:
        """Encrypt or decrypt the first `size` bytes of `view` (all of it by default) as chunk `index`."""
        if size is None:
            size = len(view)
        if size % _BLOCK or not 0 <= size <= min(len(view), _MAX_CRYPT) or not 0 <= index < _INDEX_END:
            raise ValueError
        struct.pack_into(">QQ", self._first, 0, index, 0)
        if not self._native:
            self._crypt_in_pieces(view, size)
        elif size == len(view):
            aes(self._key, _CTR, self._first).encrypt(view, view)
        else:
            part = memoryview(view)[:size]
            aes(self._key, _CTR, self._first).encrypt(part, part)

    def _crypt_in_pieces(self, view, size):
        blocks = min(size, self._scratch_size) // _BLOCK
        _spread(self._counters, blocks)
        lay = _lay_for(view)
        at = 0
        while at < size:
            piece = min(self._scratch_size, size - at)
            _number(self._counters, piece // _BLOCK, at // _BLOCK)
            self._fill_stream(piece)
            lay(view, self._stream, at, piece)
            at += piece

    def _fill_stream(self, size):
        if size == self._scratch_size:
            self._ecb.encrypt(self._counters, self._stream)
            return
        if self._short[0] != size:  # the last piece of every chunk is as long: its views are made once
            self._short = (size, memoryview(self._counters)[:size], memoryview(self._stream)[:size])
        self._ecb.encrypt(self._short[1], self._short[2])


def _spread_plain(blocks, count):
    for i in range(1, count):
        blocks[i * _BLOCK : i * _BLOCK + 8] = blocks[:8]


def _number_plain(blocks, count, first):
    for i in range(count):
        struct.pack_into(">H", blocks, i * _BLOCK + 14, first + i)


def _lay_plain(view, stream, at, size):
    text = int.from_bytes(view[at : at + size], "big") ^ int.from_bytes(stream[:size], "big")
    memoryview(view)[at : at + size] = text.to_bytes(size, "big")


def _lay_for(view):
    if xor is None:
        return _lay_plain
    return xor.lay_bytes if _addressof(view) & 3 else xor.lay_words


_spread = xor.spread if xor else _spread_plain
_number = xor.number if xor else _number_plain


def key_wrap(kek: bytes, key: bytes) -> bytes:
    """AES key wrap (RFC 3394 section 2.2.1): a multiple of 8 bytes, at least 16, becomes 8 bytes longer."""
    if len(key) < 16 or len(key) % 8:
        raise ValueError
    cipher = aes(kek, _ECB)
    check = _WRAP_IV
    parts = [bytes(key[i : i + 8]) for i in range(0, len(key), 8)]
    for step in range(6 * len(parts)):
        block = cipher.encrypt(check + parts[step % len(parts)])
        check = _xor8(block, step + 1)
        parts[step % len(parts)] = block[8:]
    return check + b"".join(parts)


def key_unwrap(kek: bytes, wrapped: bytes) -> bytes:
    """Undo `key_wrap` (RFC 3394 section 2.2.2); raises NotProved before it returns one unproved byte."""
    if len(wrapped) < 24 or len(wrapped) % 8:
        raise NotProved  # no wrapped key has this length
    cipher = aes(kek, _ECB)
    check = bytes(wrapped[:8])
    parts = [bytes(wrapped[i : i + 8]) for i in range(8, len(wrapped), 8)]
    for step in range(6 * len(parts) - 1, -1, -1):
        block = cipher.decrypt(_xor8(check, step + 1) + parts[step % len(parts)])
        check = block[:8]
        parts[step % len(parts)] = block[8:]
    if not same(check, _WRAP_IV):
        raise NotProved  # another key wrapped it, or a bit changed
    return b"".join(parts)


def _xor8(block, number):
    return (int.from_bytes(block[:8], "big") ^ number).to_bytes(8, "big")


def gcm_seal(key: bytes, nonce: bytes, plaintext: bytes, aad: bytes = b"") -> bytes:
    """AES-GCM with a 12-byte nonce: ciphertext || 16-byte tag (NIST SP 800-38D section 7.1).

    Made for the 32 bytes in a slot: the field arithmetic is done in Python and the whole message is held.
    """
    cipher, blocks = _gcm_start(key, nonce)
    sealed = _xor_stream(cipher, blocks, plaintext)
    return sealed + _gcm_tag(cipher, blocks, aad, sealed)


def gcm_open(key: bytes, nonce: bytes, sealed: bytes, aad: bytes = b"") -> bytes:
    """Undo `gcm_seal` (section 7.2); raises NotProved before it returns one unproved byte."""
    if len(sealed) < _BLOCK:
        raise NotProved  # shorter than a tag
    cipher, blocks = _gcm_start(key, nonce)
    text, tag = bytes(sealed[:-_BLOCK]), bytes(sealed[-_BLOCK:])
    if not same(_gcm_tag(cipher, blocks, aad, text), tag):
        raise NotProved  # sealed under another key, or a bit changed
    return _xor_stream(cipher, blocks, text)


def _gcm_start(key, nonce):
    if len(nonce) != 12:
        raise ValueError
    return aes(key, _ECB), bytes(nonce)


def _xor_stream(cipher, nonce, text):
    size = len(text)
    counters = b"".join([nonce + struct.pack(">I", 2 + i) for i in range((size + 15) // _BLOCK)])
    if not size:
        return b""
    stream = cipher.encrypt(counters)[:size]
    return (int.from_bytes(text, "big") ^ int.from_bytes(stream, "big")).to_bytes(size, "big")


def _gcm_tag(cipher, nonce, aad, sealed):
    mask = int.from_bytes(cipher.encrypt(nonce + b"\x00\x00\x00\x01"), "big")
    return (ghash(cipher.encrypt(bytes(_BLOCK)), aad, sealed) ^ mask).to_bytes(_BLOCK, "big")


def self_test() -> None:
    """Known answers through the functions the recorder uses; SelfTestFailed if one does not come out."""
    _expect(_ctr_answer(), _CTR_ANSWER)
    _expect(aes(_KEY, _ECB).encrypt(_COUNTER), _STREAM)
    _expect(Hmac(b"Jefe").tag(b"what do ya want for nothing?"), _HMAC_ANSWER)
    prk = hkdf_extract(bytes(range(13)), b"\x0b" * 22)
    _expect(hkdf_expand(prk, bytes(range(0xF0, 0xFA)), 42), _HKDF_ANSWER)
    _expect(pbkdf2(b"passwd", b"salt", 1), _PBKDF2_ANSWER)
    _expect(key_wrap(_KEY, _COUNTER), _WRAP_ANSWER)
    _expect(key_unwrap(_KEY, _WRAP_ANSWER), _COUNTER)
    _expect(gcm_seal(bytes(32), bytes(12), bytes(16)), _GCM_ANSWER)
    _expect(gcm_open(bytes(32), bytes(12), _GCM_ANSWER), bytes(16))


def _ctr_answer():
    """1,040 bytes of key stream over an odd number of blocks, in one digest; and back to zeros."""
    text = bytearray(1040)
    cipher = Ctr(_KEY, 512)
    cipher.crypt(text, 7)
    answer = sha256(text)
    cipher.crypt(text, 7)
    _expect(text, bytes(1040))
    return answer


def _expect(answer, known):
    if not same(answer, known):
        raise SelfTestFailed  # this image or this chip computes something else
