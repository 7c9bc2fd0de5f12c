"""The card edge: one suite for the card in memory and for FAT on a real MicroPython; and what stands under
it.
"""

import card_suite
import pytest
from memory_card import MemoryCard
from sealcam.proven import ProvenBlocks

ON_FAT = """
import board as desk
import card_suite
import vfs
from power_bench import Faults, fat16
from sealcam.card import Card
from sealcam.proven import ProvenBlocks

def make(fails_at=0, loses_at=0):
    try:
        vfs.umount("/card")
    except OSError:
        pass
    content = fat16(430, "FAT12")
    faults = Faults()
    card = Card(ProvenBlocks(desk.Blocks(desk.MemoryStore(content), 512, faults, True), 512), "/card", 10)
    card.mount()
    faults.card_writes, faults.fails_at, faults.loses_at = 0, fails_at, loses_at
    return card
"""


def in_memory(**faults):
    card = MemoryCard(200 * 1024, **faults)
    card.mount()
    return card


@pytest.mark.parametrize("check", card_suite.CHECKS, ids=lambda check: check.__name__)
def test_the_memory_card_passes_the_suite(check):
    check(in_memory)


@pytest.mark.parametrize("check", card_suite.CHECKS, ids=lambda check: check.__name__)
def test_a_card_with_fat_passes_the_same_suite(check, machine):
    assert machine(ON_FAT + f"card_suite.{check.__name__}(make)\nprint('held')").split()[-1] == "held"


def test_a_chunk_is_one_write_and_no_table_is_touched(machine):
    script = (
        ON_FAT
        + """
card = make()
part = card.allocate("a.skr", 32768, card_suite.HEAD)
before = card._blocks._device._faults.card_writes
for _ in range(20):
    part.write(card_suite.CHUNK)
print(card._blocks._device._faults.card_writes - before)
"""
    )
    assert machine(script).split()[-1] == "20"


@pytest.mark.promise6
def test_a_cut_anywhere_in_an_allocation_shows_no_old_content_as_a_head(machine):
    """A used card: what stood there before must never stand where a head should be."""
    script = """
import board as desk
import vfs
from power_bench import Faults, fat16
from sealcam.card import Card
from sealcam.proven import ProvenBlocks

HEAD = memoryview(bytes(512) + bytes([7]) * 1536)
content = fat16()
data = len(content) - 4300 * 512
for at in range(data + 40 * 512, len(content), 512):
    content[at : at + 8] = b"SEALCAM\\n"
number, seen = 0, set()
def mount(content, faults):
    try:
        vfs.umount("/card")
    except OSError:
        pass
    card = Card(ProvenBlocks(desk.Blocks(desk.MemoryStore(content), 512, faults, True), 2048), "/card", 20)
    card.mount()
    return card
mounted = mount(content, Faults())
content = bytes(mounted._blocks._device._store.bytes)
while True:
    number += 1
    faults = Faults(cut_after=number, torn=0.5)
    card = mount(content, faults)
    try:
        card.allocate("ready-1.skr", 8192, HEAD).close()
    except desk.PowerLost:
        pass
    after = mount(card._blocks._device._store.bytes, Faults())
    for name in after.list():
        size = after.size_of(name)
        seen.add(size)
        head = bytearray(512)
        if size and (after.open(name).read_at(0, head), any(head))[1]:
            print("old content", number)
    if not faults.dark:
        break
print(number, sorted(seen))
"""
    said = machine(script, heap="64m").strip().splitlines()
    assert said[-1].endswith("[0, 8192]")
    assert not [line for line in said if line.startswith("old content")]


def test_a_card_with_a_partition_table_has_the_serial_of_its_volume(machine):
    """Two cards must never be taken for one: a number is void only where its own card shows no core."""
    script = (
        ON_FAT
        + """
import struct

content = bytearray(64 * 512) + fat16()
struct.pack_into("<BBBBBBBBII", content, 446, 0, 0, 2, 0, 6, 0, 0, 0, 64, len(content) // 512 - 64)
content[510:512] = b"\\x55\\xaa"
card = Card(ProvenBlocks(desk.Blocks(desk.MemoryStore(content), 512, Faults(), True), 512), "/card", 10)
card.mount()
card.allocate("a.skr", 4096, card_suite.HEAD).close()
print(card.list()[0], card.serial[12:] == struct.pack("<I", 0x5EA1CA3D))
"""
    )
    assert machine(script, heap="16m").split() == ["a.skr", "True"]


class Device:
    """Blocks whose answers are what drivers really give: None, 0, False, an error number, an exception."""

    def __init__(self, answer=None, lose=False):
        self.blocks, self.answer, self.lose, self.asked = bytearray(64 * 512), answer, lose, 0

    def readblocks(self, block, buffer):
        memoryview(buffer)[:] = self.blocks[block * 512 : block * 512 + len(buffer)]

    def writeblocks(self, block, buffer):
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        if not self.lose and not self.answer:
            self.blocks[block * 512 : block * 512 + len(buffer)] = buffer
        return self.answer

    def ioctl(self, op, argument):
        return 0


@pytest.mark.parametrize("answer", [None, 0, False])
def test_what_a_driver_says_is_not_believed(answer):
    blocks = ProvenBlocks(Device(answer, lose=True), 2048)

    assert blocks.writeblocks(3, b"x" * 512) < 0
    assert blocks.dead


@pytest.mark.parametrize("answer", [OSError(5), -5, True])
def test_must_04_an_error_is_answered_with_the_same_bytes_again_and_then_for_good(answer):
    """Proves M4: the retry cannot write anything else, and a dead card is asked nothing more."""
    device = Device(answer)
    blocks = ProvenBlocks(device, 2048)

    assert blocks.writeblocks(3, b"x" * 512) < 0
    assert device.asked == 3
    assert blocks.writeblocks(4, b"y" * 512) < 0 and blocks.readblocks(4, bytearray(512)) < 0
    assert device.asked == 3


@pytest.mark.parametrize("size", [512, 1024, 2048, 4096, 5120])
def test_every_size_of_write_is_read_back_to_its_last_byte(size):
    device = Device()
    blocks = ProvenBlocks(device, 2048)
    assert blocks.writeblocks(2, b"x" * size) == 0

    device.lose = True
    assert blocks.writeblocks(2, b"x" * (size - 1) + b"y") < 0


def test_of_a_chunk_the_last_sector_is_read_back():
    device = Device()
    blocks = ProvenBlocks(device, 2048, read_back="last")
    assert blocks.writeblocks(2, b"x" * 2048) == 0

    device.lose = True
    assert blocks.writeblocks(2, b"x" * 1536 + b"y" * 512) < 0
