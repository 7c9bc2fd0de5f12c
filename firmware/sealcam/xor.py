"""The viper kernels of the counter mode: number the blocks, lay the key stream over the text.

Imported under MicroPython only, by `crypto` alone. Viper checks no bounds: `crypto` has measured every buffer before
it calls. Nothing here allocates, and nothing here knows a key.
"""

import micropython


@micropython.viper
def spread(blocks: ptr8, count: int):
    """Copy the first eight bytes of block 0 over every block, and zero the eight that follow them."""
    at = 0
    end = count << 4
    while at < end:
        for i in range(8):
            blocks[at + i] = blocks[i]
            blocks[at + 8 + i] = 0
        at += 16


@micropython.viper
def number(blocks: ptr8, count: int, first: int):
    """Write `first`, `first + 1`, ... big-endian into the last two bytes of each block."""
    at = 14
    while count:
        blocks[at] = first >> 8
        blocks[at + 1] = first
        first += 1
        at += 16
        count -= 1


@micropython.viper
def lay_words(text: ptr8, stream: ptr8, at: int, size: int):
    """text[at:at + size] ^= stream[:size]; both four-aligned, `size` a multiple of 16."""
    d = int(text) + at
    s = int(stream)
    end = d + (size & -32)
    while d < end:
        p = ptr32(d)
        q = ptr32(s)
        p[0] ^= q[0]
        p[1] ^= q[1]
        p[2] ^= q[2]
        p[3] ^= q[3]
        p[4] ^= q[4]
        p[5] ^= q[5]
        p[6] ^= q[6]
        p[7] ^= q[7]
        d += 32
        s += 32
    if size & 16:
        p = ptr32(d)
        q = ptr32(s)
        p[0] ^= q[0]
        p[1] ^= q[1]
        p[2] ^= q[2]
        p[3] ^= q[3]


@micropython.viper
def lay_bytes(text: ptr8, stream: ptr8, at: int, size: int):
    """The same for text that starts between two words, which some cores cannot load."""
    i = 0
    while i < size:
        text[at + i] = text[at + i] ^ stream[i]
        i += 1
