"""One switching-on of the desk camera: build it over its board, then do what lines say. Imported after the
boot stage has chosen the firmware, for it imports it. Decides nothing.
"""

import sys

import main
from console import Console, describe
from sealcam import crypto
from sealcam.errors import SealcamError
from sealcam.flash import NotThere

_LONGEST_LINE = 1024


class BrokenCipher:
    """What `--bad-cipher` puts in the cipher's place: it gives back what it was given."""

    def __init__(self, key, mode, iv=None):
        pass

    def encrypt(self, source, out=None):
        if out is None:
            return bytes(source)
        out[:] = source
        return out

    decrypt = encrypt


def spoil(camera, options: dict) -> None:
    """Put the camera into the state a flag asks for, before it boots."""
    if "bad-cipher" in options:
        crypto.aes = BrokenCipher
    if "blank-key" in options:
        raw = camera.files.read("identity")
        camera.files.replace("identity", bytes(len(raw)))
    if "bad-keylist" in options:
        raw = bytearray(camera.files.read("keylist"))
        raw[100] ^= 0xFF
        camera.files.replace("keylist", raw)


def fill_card(camera) -> None:
    """`--card-full`: a file that leaves no room for a part."""
    facts = camera.card._fs.statvfs("/")
    size = min(facts[0] * (facts[3] - 4), 0xFFFFFFFF)
    camera.card.allocate("full.bin", size).close()


def start(board, options: dict, lines) -> int:
    """Until the end of `lines`, or of the input where there are none; the exit code of the process."""
    try:
        camera = main.Camera(board)
    except SealcamError as fault:
        print("- refuses 0x%02x %s" % (fault.status, describe(type(fault))))
        return 1
    try:
        spoil(camera, options)
    except NotThere:
        print("usage: only a camera that is enrolled can be spoiled")
        return 2
    camera.boot()
    if "card-full" in options and camera.recorder:
        fill_card(camera)
    console = Console(camera, options)
    print(
        "- ready"
        if camera.fault is None
        else "- refuses 0x%02x %s" % (camera.fault.status, describe(camera.fault))
    )
    if lines is None:
        _attend(console, camera)
    while lines and console.on:
        console.do(lines.pop(0))
    if console.on:
        console.do("power off")
    return 0


def _attend(console, camera):
    """Read lines as they come, and go on filming between them."""
    import select

    poll = select.poll()
    poll.register(sys.stdin, select.POLLIN)
    port, rests = camera.board.port, True
    while console.on:
        busy = camera.recorder is not None and camera.recorder.recording
        if poll.poll(0 if busy or port else 20):
            line = sys.stdin.buffer.readline(_LONGEST_LINE)
            if not line:
                return
            console.do(_text(line))
            if busy:
                console.turn()  # whoever keeps pressing keeps no chunk waiting
        else:
            if port and rests and not busy:
                port.wait(20)
            rests = not console.turn()


def _text(line):
    """What stands in a line; of one that is too long, or no text at all, nothing that could be meant."""
    if len(line) == _LONGEST_LINE and line[-1] != 10:
        while line and line[-1] != 10:
            line = sys.stdin.buffer.readline(_LONGEST_LINE)
        return "too-long"
    try:
        return line.decode()
    except UnicodeError:
        return "no-text"
