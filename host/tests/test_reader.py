"""A card in a reader: found by looking, read the same whatever it is, wiped in the right order, never
trusted.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sealhost import verify
from sealhost.errors import NotFound, PlaceUnreadable, SealcamError
from sealhost.reader import FilePart, file_part, open_place
from sealhost.reader.parts import wipe_heads
from sealhost.verify import read_core

sys.path.insert(0, str(Path(__file__).resolve().parent))
from recordings import ROOT, Office, film

OFFICE = Office()
FILM = film(OFFICE, "..s....s..e")
NAMES = [f"{OFFICE.device.key_id.hex()[:16]}-{1:010d}-{number:04d}.skr" for number in range(3)]
MICROPYTHON = ROOT / "build" / "micropython" / "ctr"
CAMERA = """
import vfs, os
class Blocks:
    def __init__(self, count): self.count = count; self.data = bytearray(count * 512)
    def readblocks(self, n, buf): buf[:] = self.data[n * 512 : n * 512 + len(buf)]
    def writeblocks(self, n, buf): memoryview(self.data)[n * 512 : n * 512 + len(buf)] = buf
    def ioctl(self, op, arg): return self.count if op == 4 else 512 if op == 5 else 0
blocks = Blocks({count})
vfs.VfsFat.mkfs(blocks)
vfs.mount(vfs.VfsFat(blocks), "/card")
os.mkdir("/card/sealcam")
for number, name in enumerate({names}):
    with open({part!r} + str(number), "rb") as source, open("/card/sealcam/" + name, "wb") as file:
        file.write(source.read())
for name in ("UPPER.TXT", "lower.txt", "Mixed.txt", "a name that is long.text", "ready-1.skr"):
    with open("/card/" + name, "wb") as file: file.write(b"x")
vfs.umount("/card")
with open({card!r}, "wb") as out: out.write(blocks.data)
"""
needs_fat = pytest.mark.skipif(
    not shutil.which("mkfs.vfat") or not shutil.which("mcopy"), reason="dosfstools, mtools"
)


def folder_card(path: Path) -> Path:
    """A mounted card."""
    (path / "sealcam").mkdir(parents=True)
    for name, content in zip(NAMES, FILM.parts(4), strict=True):
        (path / "sealcam" / name).write_bytes(content)
    (path / "note.txt").write_bytes(b"hello")
    return path


def image_card(path: Path, *options: str, megabytes: int = 8) -> Path:
    """The same card as an image."""
    source = folder_card(path.with_suffix(".d"))
    with open(path, "wb") as file:
        file.truncate(megabytes << 20)
    subprocess.run(["mkfs.vfat", *options, path], check=True, capture_output=True)
    subprocess.run(["mmd", "-i", path, "::/sealcam"], check=True)
    for name in NAMES:
        subprocess.run(["mcopy", "-i", path, source / "sealcam" / name, f"::/sealcam/{name}"], check=True)
    subprocess.run(["mcopy", "-i", path, source / "note.txt", "::/note.txt"], check=True)
    return path


SHAPES = {
    "folder": lambda path: folder_card(path / "card"),
    "FAT12": lambda path: image_card(path / "card.img"),
    "FAT16": lambda path: image_card(path / "card.img", "-F", "16", megabytes=32),
    "FAT32": lambda path: image_card(path / "card.img", "-F", "32", megabytes=40),
}
every_shape = pytest.mark.parametrize("shape", [pytest.param(name, marks=needs_fat) for name in SHAPES])


@every_shape
def test_a_card_reads_the_same_whatever_it_is(shape, tmp_path):
    place = open_place(SHAPES[shape](tmp_path))

    parts = place.parts()

    assert [part.name for part in parts] == [f"sealcam/{name}" for name in NAMES]
    assert [part.name for part in place.strangers()] == ["note.txt"]
    assert OFFICE.judge(parts).marks == b"..........|"
    assert len(place.serial) == 16


@every_shape
@pytest.mark.promise4
def test_a_wipe_takes_heads_then_names_and_leaves_the_receipt(shape, tmp_path):
    place = open_place(SHAPES[shape](tmp_path))
    before = {part.name: part.extents for part in place.parts()}

    done = [place.wipe(part) for part in place.parts()]
    samples = place.sample()
    place.leave("sealcam/receipt-0123456789abcdef-0000000001.rcp", b"receipt" * 50)
    place.sync()

    again = open_place(place.path)
    assert [part.name for part in again.every_file()] == [
        "note.txt",
        "sealcam/receipt-0123456789abcdef-0000000001.rcp",
    ]
    assert again.receipts()[0][1] == b"receipt" * 50
    assert again.parts() == []
    assert {entry["file"] for entry in done} == set(before)
    assert all(entry["zero"] for entry in samples if entry.get("at", 0) == 0)
    if place.path.is_file():
        checked = subprocess.run(["fsck.vfat", "-n", place.path], capture_output=True, text=True, check=False)
        assert checked.returncode == 0 or "Free cluster summary uninitialized" in checked.stdout, (
            checked.stdout
        )
        assert FILM.area[:64] not in place.path.read_bytes()


@every_shape
def test_a_wipe_that_was_killed_after_the_heads_shows_no_recording_and_is_run_again(shape, tmp_path):
    place = open_place(SHAPES[shape](tmp_path))
    first = place.parts()[0]
    wipe_heads(first)

    again = open_place(place.path)
    part = next(part for part in again.every_file() if part.name == first.name)

    assert read_core(part) is None
    assert again.wipe(part)["removed"]
    assert first.name not in [other.name for other in again.every_file()]


@needs_fat
def test_a_card_with_a_partition_table_is_found(tmp_path):
    inner = image_card(tmp_path / "card.img").read_bytes()
    table = bytearray(512)
    table[446 + 4], table[510:512] = 0x0C, b"\x55\xaa"
    table[446 + 8 : 446 + 12] = (2048).to_bytes(4, "little")
    (tmp_path / "disk.img").write_bytes(bytes(table) + bytes(2047 * 512) + inner)

    place = open_place(tmp_path / "disk.img")

    assert OFFICE.judge(place.parts()).marks == b"..........|"
    place.wipe(place.parts()[0])
    place.sync()
    assert len(open_place(tmp_path / "disk.img").parts()) == 2


@pytest.mark.skipif(not MICROPYTHON.exists(), reason="the MicroPython of `make setup`")
def test_a_card_written_by_the_camera_itself_reads(tmp_path):
    script = tmp_path / "write.py"
    script.write_text(
        CAMERA.format(count=4096, names=NAMES, part=str(tmp_path / "part"), card=str(tmp_path / "card.img"))
    )
    for number, content in enumerate(FILM.parts(4)):
        (tmp_path / f"part{number}").write_bytes(content)
    subprocess.run([MICROPYTHON, "-X", "heapsize=16m", script], check=True)

    place = open_place(tmp_path / "card.img")

    assert [part.name for part in place.parts()] == [f"sealcam/{name}" for name in NAMES]
    assert OFFICE.judge(place.parts()).marks == b"..........|"
    written = ["Mixed.txt", "UPPER.TXT", "a name that is long.text", "lower.txt"]
    assert [part.name for part in place.strangers()] == written


@pytest.mark.parametrize(
    "content", [b"", b"x", os.urandom(5000), bytes(1 << 16), b"\x55\xaa" * 5000], ids=range(5)
)
def test_what_is_no_card_is_said_in_one_sentence(content, tmp_path):
    (tmp_path / "card.img").write_bytes(content)
    with pytest.raises(PlaceUnreadable) as told:
        open_place(tmp_path / "card.img")
    assert told.value.exit_code == 4
    assert told.value.hint


def test_what_is_not_there_is_said_too(tmp_path):
    with pytest.raises(NotFound):
        open_place(tmp_path / "none")
    with pytest.raises(SealcamError):
        open_place("/dev/null")
    with pytest.raises(SealcamError):
        file_part("with\0zero")


@needs_fat
@pytest.mark.parametrize("keep", [512, 4096, 20_000, 40_000])
def test_half_a_file_system_is_an_error_and_no_crash(keep, tmp_path):
    card = image_card(tmp_path / "card.img")
    with open(card, "r+b") as file:
        file.truncate(keep)
    try:
        shown = [part for part in open_place(card).parts() if OFFICE.judge([part]).marks == b"..........|"]
    except PlaceUnreadable:
        shown = []
    assert shown == []


@needs_fat
def test_a_chain_of_clusters_that_turns_in_a_circle_ends(tmp_path):
    card = image_card(tmp_path / "card.img", "-F", "32", megabytes=40)
    image = bytearray(card.read_bytes())
    reserved = int.from_bytes(image[14:16], "little")
    for cluster in range(2, 60):
        at = reserved * 512 + 4 * cluster
        image[at : at + 4] = (2).to_bytes(4, "little")
    card.write_bytes(image)

    with pytest.raises(PlaceUnreadable):
        open_place(card).every_file()


def test_strange_files_crash_nothing_and_are_not_read_through(tmp_path):
    card = folder_card(tmp_path / "card")
    with open(card / "huge.bin", "wb") as file:
        file.truncate(40 << 30)
    (card / "empty.skr").write_bytes(b"")
    (card / "with\nnewline\x1b[31m.skr").write_bytes(b"not ours")
    (card / "sealcam" / "zeros.skr").write_bytes(bytes(9000))
    (card / "link.skr").symlink_to(card / "note.txt")
    os.mkfifo(card / "pipe")

    place = open_place(card)

    assert [part.name for part in place.parts()] == [f"sealcam/{name}" for name in NAMES]
    assert {part.name for part in place.strangers()} == {"huge.bin", "note.txt"}
    assert [len(group) for group in verify.group(place.parts(), [OFFICE.vault])] == [3]
    assert "\n" not in str(PlaceUnreadable(card / "with\nnewline", "x"))


def test_a_folder_that_cannot_be_listed_is_an_error(tmp_path):
    card = folder_card(tmp_path / "card")
    place = open_place(card)
    shutil.rmtree(card)
    with pytest.raises(PlaceUnreadable):
        place.parts()


def test_a_part_is_read_across_its_extents(tmp_path):
    (tmp_path / "image").write_bytes(bytes(range(256)))
    part = FilePart(tmp_path / "image", "part", 60, ((100, 20), (10, 30), (200, 10)))
    whole = bytes([*range(100, 120), *range(10, 40), *range(200, 210)])
    for offset in range(0, 62, 7):
        for length in (0, 1, 19, 40, 100):
            view = bytearray(length)
            got = part.read_into(offset, memoryview(view))
            assert bytes(view[:got]) == whole[offset : offset + length]
