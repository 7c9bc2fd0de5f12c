"""What no firmware can beat: AES-256-CTR and SHA-256 in C over 16 KiB. Imports nothing of ours.

Runs on the emulated Cortex-M3, on the image with CTR built in. Prints instructions for one piece: `ceiling`
is both, `hashing` SHA-256 alone.
"""

import time
from hashlib import sha256

from cryptolib import aes

_PIECE = 16384
_PIECES = 16
_CTR = 6


def main():
    piece = bytearray(_PIECE)
    cipher = aes(bytes(range(32)), _CTR, bytes(16))
    sha256(piece).digest()
    start = time.ticks_us()
    for _ in range(_PIECES):
        cipher.encrypt(piece, piece)
        sha256(piece).digest()
    print("ceiling", _since(start))
    start = time.ticks_us()
    for _ in range(_PIECES):
        sha256(piece).digest()
    print("hashing", _since(start))


def _since(start):
    return time.ticks_diff(time.ticks_us(), start) * 1000 // _PIECES


main()
