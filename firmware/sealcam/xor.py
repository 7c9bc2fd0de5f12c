"""The viper kernels: number the blocks of the counter mode, lay the key stream over the text, compare.

Imported under MicroPython only, by `crypto` and `digests`. Viper checks no bounds: they have measured every
buffer before they call. Nothing here allocates, and nothing here knows a key.
"""

import micropython


@micropython.viper
def spread(blocks: ptr32, count: int):
    """Copy the first eight bytes of block 0 over every block; four-aligned."""
    first = blocks[0]
    second = blocks[1]
    at = int(blocks)
    end = at + (count << 4)
    while at < end:
        block = ptr32(at)
        block[0] = first
        block[1] = second
        at += 16


@micropython.viper
def number(blocks: ptr8, count: int, first: int):
    """Write `first`, `first + 1`, ... big-endian into the last two bytes of each block."""
    at = int(blocks) + 14
    end = first + count
    while first < end:
        block = ptr8(at)
        block[0] = first >> 8
        block[1] = first
        first += 1
        at += 16


@micropython.viper
def lay_words(text: ptr8, stream: ptr8, at: int, size: int):
    """text[at:at + size] ^= stream[:size]; both four-aligned, `size` a multiple of 16."""
    d = int(text) + at
    s = int(stream)
    end = d + size
    unrolled = d + (size & -64)  # four blocks a turn: fewer instructions than one by one
    while d < unrolled:
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
        p[8] ^= q[8]
        p[9] ^= q[9]
        p[10] ^= q[10]
        p[11] ^= q[11]
        p[12] ^= q[12]
        p[13] ^= q[13]
        p[14] ^= q[14]
        p[15] ^= q[15]
        d += 64
        s += 64
    while d < end:
        p = ptr32(d)
        q = ptr32(s)
        p[0] ^= q[0]
        p[1] ^= q[1]
        p[2] ^= q[2]
        p[3] ^= q[3]
        d += 16
        s += 16


@micropython.viper
def lay_bytes(text: ptr8, stream: ptr8, at: int, size: int):
    """The same for text that starts between two words, which some cores cannot load."""
    i = 0
    while i < size:
        text[at + i] = text[at + i] ^ stream[i]
        i += 1


@micropython.viper
def differ(a: ptr8, b: ptr8, size: int) -> int:
    """0 if so many bytes are the same; every one of them is looked at, and nothing branches on what it is."""
    difference = 0
    i = 0
    while i < size:
        difference |= a[i] ^ b[i]
        i += 1
    return difference
