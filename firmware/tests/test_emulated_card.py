"""The card and flash drivers against QEMU's own card and chip, whose protocol is not ours to write."""


import pytest
import starting
from desk_camera import Desk

pytestmark = pytest.mark.m3
MIB = 1 << 20
PROLOGUE = """
import gc, board
card = board.card_device(None)
whole = memoryview(bytearray(16384))
for at in range(16384):
    whole[at] = at * 7 + at // 512 & 255
one, back = whole[:512], bytearray(16384)
card.init()
"""


@pytest.fixture
def sifive(tmp_path):
    """`sifive(source, size)`: what the board printed, with a card of that size; the image is `card.img`."""

    def run(source, size):
        card, flash = tmp_path / "card.img", tmp_path / "flash.img"
        starting.make_flash(flash, starting.CHIP_BYTES)
        if not card.exists():
            with open(card, "wb") as file:
                file.truncate(size)
        named = {"card": str(card), "flash": str(flash)}
        camera = starting.start_board("qemu_sifive", PROLOGUE + source + "\nprint('- done')", named)
        try:
            camera.wait_for("- done")
            return camera.heard.rpartition("raw REPL")[2].partition("OK")[2].partition("- done")[0]
        finally:
            camera.kill()

    return run


@pytest.mark.parametrize(("size", "by_bytes"), [(64 * MIB, True), (4096 * MIB, False)])
def test_blocks_land_where_they_belong_on_either_kind_of_card(sifive, tmp_path, size, by_bytes):
    """Standard capacity counts bytes, high capacity blocks: the last block is the last of the image."""
    last = size // 512 - 1
    said = sifive(
        f"card.writeblocks(1000, whole); card.writeblocks({last}, one); card.readblocks(1000, back)\n"
        "print(card.count, card._by_bytes, back == whole)",
        size,
    )

    expected = bytes(at * 7 + at // 512 & 255 for at in range(16384))
    assert said == f"{size // 512} {by_bytes} True\n"
    with open(tmp_path / "card.img", "rb") as image:
        image.seek(1000 * 512)
        assert image.read(16384) == expected
        image.seek(last * 512)
        assert image.read() == expected[:512]


def test_nothing_is_allocated_for_a_block(sifive):
    said = sifive(
        "import micropython\ncard.writeblocks(0, one)\nmicropython.heap_lock()\n"
        "card.writeblocks(100, whole); card.writeblocks(100, one)\n"
        "card.readblocks(100, back); card.readblocks(100, one)\n"
        "micropython.heap_unlock()\nprint('held')",
        64 * MIB,
    )

    assert said == "held\n"


def test_what_is_erased_is_let_go_of_in_the_image(sifive, tmp_path):
    sifive("card.writeblocks(1000, whole); card.erase_blocks(1008, 8)", 64 * MIB)

    with open(tmp_path / "card.img", "rb") as image:
        image.seek(1000 * 512)
        found = image.read(16384)
    assert len(set(found[: 8 * 512])) > 100 and len(set(found[16 * 512 :])) > 100
    assert set(found[8 * 512 : 16 * 512]) in ({0}, {0xFF})


def test_outside_the_card_there_is_nothing(sifive):
    said = sifive(
        "for at, buffer in ((card.count, one), (card.count - 1, whole), (-1, one)):\n"
        "    for call in (card.writeblocks, card.readblocks):\n"
        "        try:\n            call(at, buffer)\n            print('taken')\n"
        "        except OSError as fault:\n            print(fault.args[0])\n",
        64 * MIB,
    )

    assert said == "22\n" * 6


def test_the_chip_keeps_what_was_programmed_over_a_kill(sifive, tmp_path):
    content = "flash = board.flash_device(None)\nflash.ioctl(6, 255)\nflash.writeblocks(255, one, 3000)\n"

    sifive(content, 64 * MIB)
    said = sifive(
        "flash = board.flash_device(None); back = memoryview(back)[:512]; flash.readblocks(255, back, 3000)\n"
        "print(back == one, flash.ioctl(4, 0))",
        64 * MIB,
    )

    assert said == "True 256\n"


@pytest.mark.slow
@pytest.mark.parametrize("target", ["qemu_mps2", "qemu_sifive"])
def test_a_camera_enrols_on_the_board_itself(target, tmp_path):
    """Through the folder, as at a desk: key, lists, trial recording, drills, all made on the board."""
    desk = Desk(tmp_path, "ctr")
    said, camera = "", starting.start(target, desk.card, desk.flash, reel=desk.reel, exchange=desk.exchange)
    try:
        for _ in range(4):
            desk.office.attend(desk.exchange)
            said = camera.ask("enrol")
        assert said == "ok enrolled"
        assert camera.ask("record").startswith("ok recording")
    finally:
        camera.kill()
