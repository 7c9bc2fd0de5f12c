"""GHASH, the field arithmetic under AES-GCM, in Python's integers.

Knows no cipher and no nonce; `crypto` holds those. Meant for messages of a few blocks.
"""

import struct

_R = 0xE1 << 120  # x^128 + x^7 + x^2 + x + 1, bit-reflected: NIST SP 800-38D section 6.3


def ghash(subkey: bytes, aad: bytes, ciphertext: bytes) -> int:
    """GHASH of both strings, each padded with zeros, and of their lengths (section 6.4)."""
    table = _multiples(int.from_bytes(subkey, "big"))
    lengths = struct.pack(">QQ", 8 * len(aad), 8 * len(ciphertext))
    total = 0
    for part in (aad, ciphertext, lengths):
        for at in range(0, len(part), 16):
            block = bytes(part[at : at + 16])
            total ^= int.from_bytes(block + bytes(16 - len(block)), "big")
            total = _product(total, table)
    return total


def _multiples(subkey):
    """subkey * x^i for the 128 bits of a block, so that each block is a run of exclusive ors."""
    table = []
    for _ in range(128):
        table.append(subkey)
        subkey = (subkey >> 1) ^ (_R if subkey & 1 else 0)
    return table


def _product(block, table):
    total = 0
    for byte_at, byte in enumerate(block.to_bytes(16, "big")):
        for bit in range(8):
            if byte & (0x80 >> bit):
                total ^= table[byte_at * 8 + bit]
    return total
