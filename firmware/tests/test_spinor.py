"""The flash driver against a model of a chip: three and four address bytes, pages, a chip that fails."""

import errno

import pytest
from drivers.spinor import SECTOR, SpiNor
from sealcam.errors import FlashFault
from sealcam.flash import Flash


class ModelChip:
    """A NOR chip of `1 << power` bytes and its bus; programming clears bits, and a page wraps around.

    Faults: `gone`, `is_protected` (takes no write enable), `busy_for_ever`, `loses` (programs and erasures
    that do nothing).
    """

    def __init__(self, power=25):
        self.bytes = bytearray(b"\xff" * (1 << 20))
        self.power = power
        self.gone = self.is_protected = self.busy_for_ever = self.loses = False
        self.is_writable = False
        self.ticks = 0
        self.sent = b""
        self.widths = set()

    def init(self, baudrate, polarity, phase):
        assert (polarity, phase) == (0, 0)

    def cs(self, level):
        if level:
            self._end()
        self.sent = b""

    def ticks_ms(self):
        self.ticks += 1
        return self.ticks & 0x3FFFFFFF

    def write(self, buffer):
        self.sent += bytes(buffer)

    def readinto(self, buffer, write):
        content = {0x9F: bytes([0x9D, 0x70, self.power]), 0x05: bytes([self._status()])}.get(self.sent[0])
        if content is None:
            _, at = self._address()
            content = self.bytes[at : at + len(buffer)]
        buffer[:] = b"\xff" * len(buffer) if self.gone else content

    def _status(self):
        return self.busy_for_ever | self.is_writable << 1

    def _address(self):
        width = 4 if self.sent[0] in (0x13, 0x12, 0x21) else 3
        self.widths.add(width)
        return width, int.from_bytes(self.sent[1 : 1 + width], "big")

    def _end(self):
        if not self.sent or self.gone:
            return
        if self.sent == b"\x06":
            self.is_writable = not self.is_protected
        elif self.sent[0] in (0x02, 0x12, 0x20, 0x21):
            assert self.is_writable
            self.is_writable = False
            if not self.loses:
                self._change()

    def _change(self):
        width, at = self._address()
        if self.sent[0] in (0x20, 0x21):
            assert at % SECTOR == 0
            self.bytes[at : at + SECTOR] = b"\xff" * SECTOR
        for place, byte in enumerate(self.sent[1 + width :]):
            self.bytes[at & ~0xFF | (at + place) & 0xFF] &= byte


def chip_and_flash(power=25):
    chip = ModelChip(power)
    return chip, SpiNor(chip, chip.cs, chip.ticks_ms, 256)


def refused(call, *arguments):
    with pytest.raises(OSError) as caught:
        call(*arguments)
    return caught.value.args[0]


@pytest.mark.parametrize(("power", "width"), [(24, 3), (25, 4)])
def test_bytes_come_back_wherever_they_were_put(power, width):
    chip, flash = chip_and_flash(power)
    content = bytes(range(256)) * 5

    assert flash.writeblocks(255, content, 200) == 0

    found = bytearray(len(content))
    assert flash.readblocks(255, found, 200) == 0
    assert found == content and chip.widths == {width}
    assert chip.bytes[255 * SECTOR + 200 :][: len(content)] == content


def test_a_sector_is_erased_and_its_neighbours_are_not():
    chip, flash = chip_and_flash()
    for sector in (6, 7, 8):
        flash.writeblocks(sector, b"\x00" * SECTOR)

    assert flash.ioctl(6, 7) == 0

    assert [set(chip.bytes[at * SECTOR : at * SECTOR + SECTOR]) for at in (6, 7, 8)] == [{0}, {0xFF}, {0}]


def test_it_carries_the_raw_sectors_of_the_firmware():
    _, chip = chip_and_flash()
    flash = Flash(chip)
    flash.write(3, 64, b"state of the generator, 32 bytes.")

    with pytest.raises(FlashFault):
        flash.write(3, 64, b"again")
    flash.erase(3)
    assert (flash.sectors, flash.sector_size, flash.is_erased(3)) == (256, SECTOR, True)


@pytest.mark.parametrize("change", ["is_protected", "loses", "busy_for_ever", "gone"])
def test_a_chip_that_does_not_do_it_is_found_out(change):
    model, chip = chip_and_flash()
    flash = Flash(chip)
    setattr(model, change, True)

    with pytest.raises(FlashFault):
        flash.write(3, 0, b"\x00\x01")


def test_waits_end():
    model, flash = chip_and_flash()
    model.busy_for_ever = True

    assert refused(flash.writeblocks, 0, b"\x00") == errno.ETIMEDOUT
    model.busy_for_ever, model.is_writable = False, False
    assert flash.writeblocks(0, b"\x00") == 0


@pytest.mark.parametrize("power", [0, 19, 0xFF])
def test_a_chip_that_is_not_there_or_too_small_is_refused(power):
    chip = ModelChip(power)

    assert refused(SpiNor, chip, chip.cs, chip.ticks_ms, 256) == errno.ENODEV


@pytest.mark.parametrize(("block", "offset", "size"), [(256, 0, 1), (255, 4095, 2), (-1, 0, 1), (0, -1, 1)])
def test_nothing_outside_the_first_mebibyte_is_touched(block, offset, size):
    chip, flash = chip_and_flash()

    assert refused(flash.writeblocks, block, bytes(size), offset) == errno.EINVAL
    assert refused(flash.readblocks, block, bytearray(size), offset) == errno.EINVAL
    assert set(chip.bytes) == {0xFF}
