"""The whole device as a process on a desk: a FAT image for a card, an image for flash, a console for buttons.

    build/micropython/ctr firmware/simulator.py --flash FLASH.img [--card CARD.img] [--make-card SIZE_MB]
        [--reel FILE.reel] [--exchange DIR] [--port TTY] [--run "record; wait end; stop; power off"]
        [--fast | --real-time]

Commands, one a line (or in --run, between semicolons): record, stop, bookmark [N], mute, unmute, category N
[TEXT], place TEXT, enrol, inventory NONCEHEX PATH, status, wait idle|recording|end|chunks N|ms N, power off.
The end of the input is an orderly power off.

Flags that put it straight into a state: --card-full, --card-fails-at N (from the N-th write to the card on),
--card-loses-at N (that one, in silence), --cut-after N (power is gone at the N-th write to card or flash;
with --torn half of it lands), --clock-unset, --bad-cipher, --blank-key, --bad-keylist, --no-entropy.
"""

import os
import sys

_HERE = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
sys.path.insert(0, _HERE + "/../boards/unix")
sys.path.insert(0, _HERE)

from hashlib import sha256  # noqa: E402 - our own are only reachable from here on

import board as desk  # noqa: E402
import main  # noqa: E402
import reel  # noqa: E402
import serial_line  # noqa: E402
import vfs  # noqa: E402
from console import Console, Usage, describe  # noqa: E402
from sealcam import crypto  # noqa: E402
from sealcam.errors import SealcamError  # noqa: E402
from sealcam.flash import NotThere  # noqa: E402

_VALUES = "card flash reel exchange port run card-fails-at card-loses-at cut-after make-card".split()
_SWITCHES = "fast real-time torn card-full clock-unset bad-cipher blank-key bad-keylist no-entropy".split()
_LONGEST_LINE = 1024
_PROGRAM = ("console.py", "main.py", "simulator.py")


def parse(arguments: list) -> dict:
    """{flag: value or True}; Usage for one that is not known."""
    options, waiting = {}, None
    for word in arguments:
        if waiting:
            options[waiting], waiting = word, None
        elif word.startswith("--") and word[2:] in _VALUES:
            waiting = word[2:]
        elif word.startswith("--") and word[2:] in _SWITCHES:
            options[word[2:]] = True
        else:
            raise Usage("unknown: %s" % word)
    if waiting or "flash" not in options:
        raise Usage("--%s needs a value" % waiting if waiting else "--flash is needed")
    return options


def firmware_digest() -> bytes:
    """SHA-256 over the files of the firmware, by name."""
    whole = sha256()
    names = sorted(["sealcam/" + name for name in os.listdir(_HERE + "/sealcam") if name.endswith(".py")])
    for name in names + list(_PROGRAM):
        with open(_HERE + "/" + name, "rb") as file:
            whole.update(name.encode() + b"\x00" + sha256(file.read()).digest())
    return whole.digest()


def make_board(options: dict):
    """The devices of the images named, with the faults asked for."""
    faults = desk.Faults(
        cut_after=_number(options, "cut-after"),
        torn=0.5 if "torn" in options else 0.0,
        fails_at=_number(options, "card-fails-at"),
        loses_at=_number(options, "card-loses-at"),
    )
    fast = "real-time" not in options
    feed = _feed(options["reel"]) if "reel" in options else desk.NoFeed()
    noise = (lambda: bytes(1024)) if "no-entropy" in options else None
    board = desk.Board(
        _card_device(options, faults), _flash_device(options, faults), feed,
        desk.DeskClock(fast, "clock-unset" in options), fast, noise, firmware_digest(),
    )  # fmt: skip
    board.port = serial_line.SerialLine(options["port"]) if "port" in options else None
    return board


def _number(options, name):
    try:
        number = int(options.get(name, 0))
    except ValueError:
        number = -1
    if number < 0:
        raise Usage("--%s needs a number" % name)
    return number


def _feed(path):
    try:
        return reel.Reel(path)
    except OSError as fault:
        raise Usage("cannot read %s: error %s" % (path, fault.args[0])) from None
    except reel.ReelFault as fault:
        raise Usage("%s: %s" % (path, fault)) from None


def _flash_device(options, faults):
    path = options["flash"]
    new = not _exists(path)
    if new:
        desk.make_flash(path)
    device = desk.Blocks(desk.FileStore(path), desk.FLASH_SECTOR, faults, False)
    if new:
        main.format_files(desk.Blocks(desk.FileStore(path), desk.FLASH_SECTOR, desk.Faults(), False))
    return device


def _card_device(options, faults):
    if "card" not in options:
        return desk.NoCardDevice()
    path = options["card"]
    if "make-card" in options and not _exists(path):
        _make_card(path, _number(options, "make-card"))
    if not _exists(path):
        raise Usage("there is no %s; --make-card SIZE_MB makes one" % path)
    return desk.Blocks(desk.FileStore(path), desk.SECTOR, faults, True)


def _make_card(path, megabytes):
    with open(path, "wb") as file:
        file.seek(megabytes * 1048576 - 1)
        file.write(b"\x00")
    vfs.VfsFat.mkfs(desk.Blocks(desk.FileStore(path), desk.SECTOR, desk.Faults(), True))


def _exists(path):
    try:
        os.stat(path)
    except OSError as fault:
        if fault.args[0] != 2:
            raise
        return False
    return True


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


def run(arguments: list) -> int:
    options = parse(arguments)
    try:
        camera = main.Camera(make_board(options))
    except OSError as fault:
        raise Usage("cannot use these images: error %s" % fault.args[0]) from None
    except SealcamError as fault:
        print("- refuses 0x%02x %s" % (fault.status, describe(type(fault))))
        return 1
    try:
        spoil(camera, options)
    except NotThere:
        raise Usage("only a camera that is enrolled can be spoiled") from None
    camera.boot()
    if "card-full" in options and camera.recorder:
        fill_card(camera)
    console = Console(camera, options)
    print(
        "- ready"
        if camera.fault is None
        else "- refuses 0x%02x %s" % (camera.fault.status, describe(camera.fault))
    )
    if "run" in options:
        for line in options["run"].split(";"):
            if console.on:
                console.do(line)
    else:
        _attend(console, camera)
    if console.on:
        console.do("power off")
    return 0


def _attend(console, camera):
    """Read lines as they come, and go on filming between them."""
    import select

    poll = select.poll()
    poll.register(sys.stdin, select.POLLIN)
    port = camera.board.port
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
            if port and not busy:
                port.wait(20)
            console.turn()


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


def tell_usage() -> None:
    """What stands at the head of this file; MicroPython keeps no docstrings."""
    with open(_HERE + "/simulator.py") as file:
        print(file.read(4096).split('"""')[1])


if __name__ == "__main__":
    if "--help" in sys.argv or "-h" in sys.argv:
        tell_usage()
        sys.exit(0)
    try:
        sys.exit(run(sys.argv[1:]))
    except Usage as fault:
        print("usage: %s" % fault)
        print("--help shows what it knows")
        sys.exit(2)
