"""The desk camera with its screen: a real JPEG through the desk's decoder, PIN by buttons, PNG files out."""

import struct
import subprocess
import sys
from pathlib import Path

import av
import pytest
from desk_camera import Desk, reel  # which makes the folder of the desk board importable
from gate_bench import PIN

import screen  # isort: skip

WIDTH, HEIGHT = 320, 240
COLOURS = [(200, 30, 30), (30, 200, 30), (30, 30, 200)]


def jpeg(colour, size=(64, 48)):
    """A picture of one colour."""
    frame = av.VideoFrame(*size, "rgb24")
    plane = frame.planes[0]
    plane.update((bytes(colour) * size[0]).ljust(plane.line_size, b"\0") * size[1])
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = *size, "yuvj420p"
    encoder.time_base = 1 / screen.Fraction(10)
    packets = [*encoder.encode(frame.reformat(format="yuvj420p")), *encoder.encode(None)]
    return b"".join(bytes(packet) for packet in packets)


def write_reel(path):
    pictures = [jpeg(COLOURS[number % 3]) for number in range(9)]
    packed = b"".join(
        struct.pack(reel.ENTRY, reel.MARK, 1, 0, number * 300, len(body)) + body
        for number, body in enumerate(pictures)
    )
    longest = max(map(len, pictures))
    head = (reel.MAGIC, 1, 64, 48, 0, 3333, 0, len(pictures), 0, 2700, longest, len(packed), bytes(16))
    path.write_bytes(struct.pack(reel.HEADER, *head) + packed)


def rgb(pixels, x, y):
    value = struct.unpack_from("=H", pixels, 2 * (y * WIDTH + x))[0]
    return value >> 11 << 3, (value >> 5 & 63) << 2, (value & 31) << 3


def near(found, wanted):
    return all(abs(a - b) < 24 for a, b in zip(found, wanted))


@pytest.mark.parametrize("size", [(64, 48), (100, 20), (20, 100)])
def test_the_decoder_fits_a_picture_into_the_middle_of_the_screen(size):
    pixels = screen.decode(jpeg(COLOURS[0], size), WIDTH, HEIGHT)

    assert len(pixels) == 2 * WIDTH * HEIGHT
    assert near(rgb(pixels, WIDTH // 2, HEIGHT // 2), COLOURS[0])
    assert size == (64, 48) or rgb(pixels, 0, 0) == (0, 0, 0)


@pytest.mark.parametrize("content", [b"", b"no picture at all", b"\xff\xd8\xff\xe0" + bytes(40)])
def test_the_decoder_refuses_what_is_no_picture(content):
    assert screen.decode(content, WIDTH, HEIGHT) is None


ISSUE = """
import board as desk, main, sys
flash = desk.Blocks(desk.FileStore(sys.argv[1]), 4096, desk.Faults(), False)
board = desk.Board(desk.NoCardDevice(), flash, desk.NoFeed(), desk.DeskClock(True), True)
camera = main.Camera(board)
camera.boot()
camera.issuing.issue(bytes((10, 27, 44, 61)) * 4, 4102444800000, 1)
"""


def presses(pin):
    words = []
    for at, digit in enumerate(pin):
        words += ["right"] * bool(at) + ["up"] * (digit - 48)
    return "press " + " ".join([*words, "ok"])


@pytest.fixture
def desk(tmp_path, machine):
    """An enrolled camera that may replay, and the program behind its screen."""
    desk = Desk(tmp_path, machine.name, flags=7)
    write_reel(desk.reel)
    desk.enrol()
    machine(ISSUE, str(desk.flash))
    desk.glass = tmp_path / "glass"
    program = Path(screen.__file__)
    shown = subprocess.Popen([sys.executable, str(program), str(desk.glass)])
    try:
        while not (desk.glass / "answer").exists():
            assert shown.poll() is None
        yield desk
    finally:
        shown.terminate()
        shown.wait(timeout=10)


@pytest.mark.slow
def test_a_wearer_films_and_looks_at_it_behind_the_pin(desk):
    """Proves BW-10, BW-12: the number is read from the device's own frame."""
    chosen = [presses(PIN), "wait idle"] * 2
    filmed = ["wait idle", "record", "wait end", "stop", "wait idle"]
    looked = [presses(PIN), "wait idle", f"screen {desk.folder}/list"]
    played = ["press ok", "wait replayed", f"screen {desk.folder}/frame", "power off"]
    said = typed(desk, chosen + filmed + looked + played)

    assert "refused" not in said
    raw = (desk.folder / "frame").read_bytes()
    assert struct.unpack(">HH", raw[:4]) == (WIDTH, HEIGHT)
    assert number_in(raw[4:]) == "0A1B2C3D"
    assert any(near(rgb(raw[4:], 160, 60), colour) for colour in COLOURS)
    assert number_in((desk.folder / "list").read_bytes()[4:]) != "0A1B2C3D"
    frames = sorted(desk.glass.glob("frame-*.png"))
    assert len(frames) > 9 and all(frame.read_bytes()[:4] == b"\x89PNG" for frame in frames)


def typed(desk, lines):
    """What the camera said to lines typed at its console: more of them than an argument takes."""
    command = desk.command("--screen", str(desk.glass))
    ended = subprocess.run(command, input="\n".join(lines), capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def number_in(pixels):
    """The eight letters on black in the upper left corner, by another reader than the device's."""
    import framebuf
    from sealcam import letters

    canvas = framebuf.FrameBuffer(bytearray(pixels), WIDTH, HEIGHT, framebuf.RGB565)
    return letters.read(canvas, 8, 4, 4, 0xFFFF, 2)
