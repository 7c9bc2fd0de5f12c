"""The panel: words, pictures, and the number that must stand in each; the lamp's table; letters read back."""

import hashlib
import re

import framebuf
import pytest
from gate_bench import Screen
from sealcam import lamps, letters
from sealcam.errors import SourceFault
from sealcam.panel import Panel

NUMBER = "0A1B2C3D"
NOISE = bytes(range(256))


def a_panel(width=320, height=240):
    screen = Screen()
    screen.width, screen.height = width, height
    return Panel(screen), screen


def canvas(width=400, height=60):
    return framebuf.FrameBuffer(bytearray(2 * width * height), width, height, framebuf.RGB565)


@pytest.mark.parametrize("scale", [1, 2, 3])
def test_every_letter_is_read_back_as_itself(scale):
    text = "".join(sorted(letters._ROWS))
    for at in range(0, len(text), 8):
        drawn, piece = canvas(), text[at : at + 8]
        letters.draw(drawn, piece, 3, 5, 0xFFFF, scale)
        assert letters.read(drawn, len(piece), 3, 5, 0xFFFF, scale) == piece


def test_no_two_letters_look_alike():
    assert len(set(letters._ROWS.values())) == len(letters._ROWS)


def test_a_dot_more_or_less_is_no_letter_of_ours():
    drawn = canvas()
    letters.draw(drawn, "8", 0, 0, 0xFFFF)
    drawn.pixel(0, 0, 0xFFFF)

    assert letters.read(drawn, 1, 0, 0, 0xFFFF) == "?"


@pytest.mark.parametrize("size", [(160, 120), (320, 240), (240, 135)])
def test_a_picture_bears_the_number_in_two_corners_and_over_its_middle(size):
    """Proves BW-12."""
    panel, screen = a_panel(*size)
    assert panel.picture(NOISE, NUMBER, "01:23", 2)
    with_number, shown = bytes(screen.last), panel.number()
    plain = bytearray(len(with_number))
    screen.decode(NOISE, plain)
    middle = slice(len(plain) * 9 // 20, len(plain) * 11 // 20)

    assert shown == NUMBER and screen.shown == 1
    assert with_number[middle] != bytes(plain[middle])


def test_another_number_makes_another_frame():
    frames = set()
    for number in (NUMBER, "0A1B2C3E", "FFFFFFFF"):
        panel, screen = a_panel()
        panel.picture(NOISE, number, "01:23", 0)
        frames.add(screen.last)
        assert panel.number() == number
    assert len(frames) == 3


def test_a_frame_whose_number_was_painted_over_is_not_shown(monkeypatch):
    """Proves BW-12."""
    panel, screen = a_panel()
    box = panel._box
    monkeypatch.setattr(panel, "_box", lambda text, *where: box(text.replace("A", "B"), *where))

    with pytest.raises(SourceFault):
        panel.picture(NOISE, NUMBER, "01:23", 0)

    assert screen.shown == 0 and not any(panel.frame)


def test_what_is_no_picture_is_not_shown():
    panel, screen = a_panel()
    screen.fails = True

    assert panel.picture(b"no jpeg", NUMBER, "00:00", 0) is False and screen.shown == 0


def test_a_glass_that_does_not_answer_is_a_fault_with_a_name(monkeypatch):
    panel, screen = a_panel()

    def gone(frame):
        raise OSError(5)

    monkeypatch.setattr(screen, "show", gone)
    with pytest.raises(SourceFault):
        panel.words(["ready"])


def test_words_are_broken_where_the_glass_ends():
    panel, screen = a_panel(160, 120)
    panel.words(["PIN forgotten: replay is lost until the next issue"])

    lines = [letters.read(panel.canvas, 25, 3, 4 + 10 * row, 0xFFFF).strip() for row in range(3)]
    assert lines == ["PIN FORGOTTEN: REPLAY IS", "LOST UNTIL THE NEXT ISSUE", ""]


FRAMES = """
from gate_bench import Screen
from sealcam.crypto import sha256
from sealcam.panel import Panel
screen = Screen()
screen.width, screen.height = 320, 240
panel = Panel(screen)
panel.picture(bytes(range(256)), "0A1B2C3D", "01:23", 2)
print(panel.number(), "".join(["%02x" % byte for byte in sha256(panel.frame)]))
panel.words(["PIN", "***4", "6 tries left"])
print("".join(["%02x" % byte for byte in sha256(panel.frame)]))
"""


def test_a_real_micropython_draws_the_same_frames(machine):
    panel, _ = a_panel()
    panel.picture(NOISE, NUMBER, "01:23", 2)
    first = hashlib.sha256(panel.frame).hexdigest()
    panel.words(["PIN", "***4", "6 tries left"])

    said = machine(FRAMES).split()

    assert said == [NUMBER, first, hashlib.sha256(panel.frame).hexdigest()]


def table(page, head):
    lines = page.read_text().splitlines()
    first = lines.index(head) + 2
    rows = []
    for line in lines[first:]:
        if not line.startswith("|"):
            return rows
        rows.append(tuple(cell.strip() for cell in line.strip("|").split("|")))
    return rows


def test_the_lamp_says_what_its_page_says(root):
    page = root / "docs" / "lamps.md"
    own = table(page, "| the camera | lamp | rhythm | tone |")
    dock = table(page, "| the dock | lamp | rhythm | tone |")

    assert own == [(words, *look) for _, (*look, words) in lamps._TABLE]
    assert dock == [(words, *look) for *look, words in lamps._DOCK]


def test_the_words_of_the_dock_are_those_of_the_protocol(root):
    protocol = (root / "docs" / "dock-protocol.md").read_text()
    (told,) = re.findall(r"what u8: 1 (verifying.*?) \|", protocol)

    named = [part.strip(" 0123456789") for part in told.split(",")]
    assert [look[3].split(":")[0] for look in lamps._DOCK[1:]] == named


@pytest.mark.parametrize("dock", range(7))
def test_every_state_has_one_look_and_what_keeps_from_recording_is_red_and_heard(dock):
    for state in range(1 << 11):
        colour, _, tone, words = lamps.look(state, dock)
        if state & lamps.FAULT:
            assert (colour, tone, words) == ("red", lamps.LONG, "refuses to record")
        elif state & lamps.DOCKED:
            assert words == lamps._DOCK[dock][3]
        elif state & lamps.RECORDING:
            assert words.startswith("recording") and tone != lamps.NONE
        elif state & (lamps.CARD_FULL | lamps.NO_CARD | lamps.ALARM):
            assert colour == "red" and tone == lamps.LONG
        else:
            assert colour != "red"


def test_ready_is_said_only_where_nothing_stands_against_it():
    ready = [state for state in range(1 << 11) if lamps.look(state)[3] == "ready"]

    assert ready == [0, lamps.MUTED]  # nothing is muted while nothing is recorded
