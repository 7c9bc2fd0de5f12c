"""The memory flash the tests stand on behaves as flash does."""

import pytest
from memory_flash import MemoryFlash, PowerLost


def test_memory_flash_clears_bits_and_only_an_erase_sets_them():
    flash = MemoryFlash(1, 256)
    flash.write(0, 4, b"\xf0")
    flash.write(0, 4, b"\x0f")
    assert flash.sectors[0][3:6] == b"\xff\x00\xff"

    flash.erase(0)
    assert flash.sectors[0] == b"\xff" * 256
    with pytest.raises(ValueError):
        flash.write(0, 255, b"ab")


def test_a_cut_flash_stays_dark_until_the_power_is_back():
    flash = MemoryFlash(1, 256, cut_after=0, tear=0.5)
    with pytest.raises(PowerLost):
        flash.write(0, 0, bytes(4))
    with pytest.raises(PowerLost):
        flash.read(0, 0, bytearray(4))

    flash.power_on()
    assert flash.sectors[0][:4] == b"\x00\x00\xff\xff"
