"""The folder of recordings: whole, empty and never to grow, wherever its making was cut."""

import shutil
import subprocess

import pytest

MAKING = """
import board as desk
import vfs
from power_bench import Faults, fat16
from sealcam.card import Card
from sealcam.errors import CardFault, CardFull
from sealcam.proven import ProvenBlocks

NAMES = 100

def used_card():
    content = fat16()
    memoryview(content)[len(content) - 4290 * 512 :] = b"STALE   NAM " * (4290 * 512 // 12)
    return content

def mount(content, faults):
    try:
        vfs.umount("/card")
    except OSError:
        pass
    blocks = ProvenBlocks(desk.Blocks(desk.MemoryStore(content), 512, faults, True), 2048)
    card = Card(blocks, "/card", NAMES)
    card.mount()
    return card

def stored(card):
    return card._blocks._device._store.bytes
"""


@pytest.mark.slow
@pytest.mark.parametrize("torn", [0.0, 0.5])
def test_a_cut_anywhere_in_its_making_leaves_an_empty_folder_or_none(machine, torn):
    """Proves promise 6: what stood on a used card before never shows as a name."""
    script = f"""
class Remembering(desk.MemoryStore):
    def __init__(self, content):
        super().__init__(content)
        content_of.append(self)

number = 0
while True:
    number += 1
    faults, content_of = Faults(cut_after=number, torn={torn}), []
    desk_store, desk.MemoryStore = desk.MemoryStore, Remembering
    try:
        mount(used_card(), faults)
    except (desk.PowerLost, CardFault):
        pass
    desk.MemoryStore = desk_store
    faults.dark, whole = True, not faults.dark
    card = mount(content_of[0].bytes, Faults())
    if card.list():
        print("names", number, card.list())
    card.allocate("ready-1.skr", 8192).close()
    if mount(stored(card), Faults()).list() != ["ready-1.skr"]:
        print("lost", number)
    if whole:
        break
print("tried", number > 8)
"""
    said = machine(MAKING + script, heap="64m").splitlines()
    # files that were open when the power went are let go of some day, and say so
    assert [line for line in said if not line.startswith("OSError: [Errno 5]")] == ["tried True"]


def test_it_holds_all_its_names_without_another_cluster(machine):
    script = """
card = mount(used_card(), Faults())
free = card._fs.statvfs("/")[3]
long = "0123456789abcdef-%010d-0000.skr"
for number in range(NAMES):
    card.allocate(long % number, 0).close()
print(free - card._fs.statvfs("/")[3])
try:
    card.allocate("one-more.skr", 0)
except CardFull:
    print("full")
"""
    assert machine(MAKING + script, heap="64m").split() == ["0", "full"]


def test_behind_the_last_name_stand_zeros_so_that_nobody_reads_on(machine):
    script = """
card = mount(used_card(), Faults())
for number in range(5):
    card.allocate("ready-%d.skr" % number, 512).close()
read, count = card._blocks._device.readblocks, [0]
def counted(block, buffer, offset=0):
    count[0] += 1
    return read(block, buffer)
card._blocks._device.readblocks = counted
card.rename("ready-1.skr", "0123456789abcdef-0000000001-0000.skr")
print(count[0])
"""
    assert int(machine(MAKING + script, heap="64m")) < 20


def test_what_a_reader_of_the_card_sees_is_a_sound_file_system(machine, tmp_path):
    image = tmp_path / "card.img"
    with open(image, "wb") as file:
        file.truncate(40 << 20)
    mkfs = shutil.which("mkfs.vfat") or "/usr/sbin/mkfs.vfat"
    subprocess.run(
        [mkfs, "-F", "32", "-s", "1", "-f", "2", "-n", "SEALCAM", image], check=True, capture_output=True
    )
    script = """
import sys
import board as desk
from sealcam.card import Card
from sealcam.proven import ProvenBlocks

blocks = ProvenBlocks(desk.Blocks(desk.FileStore(sys.argv[1]), 512, desk.Faults(), True), 2048)
card = Card(blocks, "/card")
card.mount()
card.allocate("ready-1.skr", 8192).close()
card.unmount()
"""
    machine(script, str(image))

    check = [shutil.which("fsck.vfat") or "/usr/sbin/fsck.vfat", "-n", image]
    assert subprocess.run(check, capture_output=True, check=False).returncode == 0
    listed = subprocess.check_output(["mdir", "-b", "-i", image, "::/sealcam"], text=True)
    assert "ready-1.skr" in listed.lower()


@pytest.mark.parametrize("content", ["'holiday'", "bytes(9000) + b'x'", "bytes(511)"])
def test_a_file_of_its_name_is_somebodys_and_stays(machine, content):
    script = f"""
content = used_card()
blocks = desk.Blocks(desk.MemoryStore(content), 512, Faults(), True)
fs = vfs.VfsFat(blocks)
with fs.open("/sealcam", "wb") as file:
    file.write({content})
try:
    mount(blocks._store.bytes, Faults())
except CardFault:
    print("refused")
blocks = desk.Blocks(desk.MemoryStore(blocks._store.bytes), 512, Faults(), True)
print(vfs.VfsFat(blocks).stat("/sealcam")[6] == len({content}))
"""
    assert machine(MAKING + script, heap="64m").split() == ["refused", "True"]
