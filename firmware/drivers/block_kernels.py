"""Copy a block and compute its CRC in one pass: MicroPython's native code, no allocation.

Imported under MicroPython only; `sdspi` has the same in plain Python. Bounds are the caller's: nothing here
checks one.
"""

import micropython

TABLE_AT = 520  # in the block buffer, behind a block and its CRC: the 256 words of the CRC table


@micropython.viper
def put(source: ptr8, at: int, block: ptr8, size: int):
    """`size` bytes of `source` into `block`, their CRC behind them, high byte first."""
    table = ptr16(int(block) + 520)
    p = ptr8(int(source) + at)
    crc = 0
    i = 0
    while i < size:
        byte = p[i]
        block[i] = byte
        crc = ((crc & 0xFF) << 8) ^ table[(crc >> 8) ^ byte]
        i += 1
    block[size] = crc >> 8
    block[size + 1] = crc & 0xFF


@micropython.viper
def take(target: ptr8, at: int, block: ptr8, size: int) -> bool:
    """`size` bytes of `block` into `target`; whether the CRC behind them is theirs."""
    table = ptr16(int(block) + 520)
    p = ptr8(int(target) + at)
    crc = 0
    i = 0
    while i < size:
        byte = block[i]
        p[i] = byte
        crc = ((crc & 0xFF) << 8) ^ table[(crc >> 8) ^ byte]
        i += 1
    return block[size] == crc >> 8 and block[size + 1] == crc & 0xFF
