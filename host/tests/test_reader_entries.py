"""Names struck out of a folder of small clusters, the receipt left there, and fsck with nothing to say."""

import subprocess
from pathlib import Path

import pytest
from sealhost.reader import open_place

pytestmark = pytest.mark.slow

PREFIX = "38f09a994b1a83ac"


def card(folder: Path, names: int) -> Path:
    """FAT32 with clusters of one sector: sixteen entries each, four of them a name."""
    image = folder / "card.img"
    with open(image, "wb") as file:
        file.truncate(40 << 20)
    subprocess.run(["/sbin/mkfs.vfat", "-F", "32", "-s", "1", image], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["mmd", "-i", image, "::sealcam"], check=True)
    for number in range(names):
        part = folder / f"{PREFIX}-{number:010d}-0000.skr"
        part.write_bytes(b"SEALCAM\n" + bytes([number]) * 5000)
        subprocess.run(["mcopy", "-i", image, part, f"::sealcam/{part.name}"], check=True)
    return image


def fsck(image: Path) -> str:
    """What it has to say of the card, but for a count of free clusters that is not kept."""
    ran = subprocess.run(["/sbin/fsck.vfat", "-n", image], capture_output=True, text=True, check=False)
    lines = ran.stdout.splitlines()[1:]
    return "\n".join(line for line in lines if "Free cluster summary" not in line and "changed" not in line)


@pytest.mark.parametrize("kept", [0, 1, 3, 4, 5, 8])
def test_what_is_struck_out_of_small_clusters_never_comes_back(tmp_path, kept):
    image = card(tmp_path, 12)
    place = open_place(image)
    files = place.every_file()

    for part in files[kept:]:
        place.wipe(part)
    place.leave(f"sealcam/receipt-{PREFIX}-0000000019.rcp", b"receipt")
    place.sync()

    names = [part.name for part in open_place(image).every_file()]
    assert names == [part.name for part in files[:kept]] + [f"sealcam/receipt-{PREFIX}-0000000019.rcp"]
    assert "card.img: " in fsck(image)
    assert len(fsck(image).splitlines()) <= 2, fsck(image)


def test_a_cut_between_any_two_writes_of_a_name_loses_no_other_name(tmp_path):
    image = card(tmp_path, 6)
    place = open_place(image)
    files = place.every_file()

    place.wipe(files[2])  # and no sync: the table still has its clusters

    names = [part.name for part in open_place(image).every_file()]
    assert names == [part.name for part in files if part is not files[2]]


@pytest.mark.parametrize("left", ["struck", "torn"])
def test_pieces_of_a_name_that_a_cut_left_hide_no_other_name(tmp_path, left):
    image = card(tmp_path, 4)
    files = open_place(image).every_file()
    raw = bytearray(image.read_bytes())
    at = raw.find(b"SKR", raw.find(b"38F09A~2")) - 8
    raw[at : at + 32] = b"\xe5" + raw[at + 1 : at + 32] if left == "struck" else raw[at - 96 : at - 64]
    image.write_bytes(raw)

    names = [part.name for part in open_place(image).every_file()]

    assert names == [part.name for part in files if part is not files[1]]
