"""The whole device as a process on a desk: a FAT image for a card, an image for flash, a console for buttons.

    build/micropython/ctr firmware/simulator.py --flash FLASH.img [--card CARD.img] [--make-card SIZE_MB]
        [--reel FILE.reel] [--exchange DIR] [--port TTY] [--screen DIR] [--fast | --real-time]
        [--run "record; wait end; stop; power off"]

Commands, one a line (or in --run, between semicolons): record, stop, bookmark [N], mute, unmute, category N
[TEXT], place TEXT, press up|down|left|right|ok|record ..., screen PATH (the frame into a file), enrol,
inventory NONCEHEX PATH, firmware PATH, card out, card in [PATH], restart, status,
wait idle|recording|end|replayed|chunks N|ms N, power off.
With --screen, boards/unix/screen.py serves the folder: it decodes and shows.
The end of the input is an orderly power off.

Flags that put it straight into a state: --card-full, --card-fails-at N (from the N-th write to the card on),
--card-loses-at N (that one, in silence), --cut-after N (power is gone at the N-th write to card or flash;
with --torn half of it lands), --clock-unset, --bad-cipher, --blank-key, --bad-keylist, --no-entropy,
--debug (a build that no organisation takes).
"""

import os
import sys

_HERE = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
sys.path.insert(0, _HERE + "/../boards/unix")
sys.path.insert(0, _HERE)

from hashlib import sha256  # noqa: E402 - our own are only reachable from here on

import board as desk  # noqa: E402
import boot_choice  # noqa: E402
import glass  # noqa: E402
import reel  # noqa: E402
import serial_line  # noqa: E402
import vfs  # noqa: E402

_VALUES = "card flash reel exchange port screen run card-fails-at card-loses-at cut-after make-card".split()
_SWITCHES = "fast real-time torn card-full clock-unset bad-cipher blank-key bad-keylist no-entropy".split()
_SWITCHES.append("debug")
_SWITCHED_ON, _RESTARTED = 1, 2  # docs/format/usage-log.md, event 1
_PROGRAM = ("boot_choice.py", "console.py", "desk_session.py", "main.py", "simulator.py")


class Usage(Exception):
    """Something on the command line cannot be meant."""


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


class Desk:
    """The images of one process, and what is made of them each time the camera is switched on."""

    def __init__(self, options: dict):
        self._options = options
        self._faults = desk.Faults(
            cut_after=_number(options, "cut-after"),
            torn=0.5 if "torn" in options else 0.0,
            fails_at=_number(options, "card-fails-at"),
            loses_at=_number(options, "card-loses-at"),
        )
        self._lines = options["run"].split(";") if "run" in options else None
        self._port = serial_line.SerialLine(options["port"]) if "port" in options else None
        self._screen = _screen(options["screen"]) if "screen" in options else None
        self._plugged = []
        self._cause = _SWITCHED_ON

    def open_flash(self):
        """The flash after a reset: whatever still holds the devices from before reaches nothing any more."""
        try:
            vfs.umount(desk.Board.mount_point)
        except OSError:
            pass
        while self._plugged:
            self._plugged.pop().unplug()
        self._flash = _opened(_flash_device, self._options, self._faults)
        self._plugged.append(self._flash)
        return self._flash

    def begin(self, chosen) -> int:
        """Switch the chosen firmware on."""
        board = self._board(chosen)
        import desk_session

        return desk_session.start(board, self._options, self._lines)

    def _board(self, chosen):
        options, fast = self._options, "real-time" not in self._options
        feed = _feed(options["reel"]) if "reel" in options else desk.NoFeed()
        noise = (lambda: bytes(1024)) if "no-entropy" in options else None
        card = _opened(_card_device, options, self._faults)
        self._plugged.append(card)
        clock = desk.DeskClock(fast, "clock-unset" in options)
        firmware = chosen.digest or firmware_digest()
        board = desk.Board(card, self._flash, feed, clock, fast, noise, firmware)
        board.port, board.screen = self._port, self._screen
        board.chosen, board.restart, board.insert = chosen, restart, self._insert_into(board)
        board.cause, self._cause = self._cause, _RESTARTED
        board.debug = "debug" in options
        return board

    def _insert_into(self, board):
        """`insert(path)`: another card's image into the slot, or without a path the same again."""

        def insert(path):
            board.eject()
            chosen = dict(self._options)
            if path:
                chosen["card"] = path
            try:
                board.card_device = _opened(_card_device, chosen, self._faults)
            except Usage as fault:
                raise ValueError(fault.args[0]) from None
            self._plugged.append(board.card_device)

        return insert


def restart() -> None:
    """What a reset is on a desk."""
    raise boot_choice.Restart


def _opened(make, options, faults):
    try:
        return make(options, faults)
    except OSError as fault:
        raise Usage("cannot use these images: error %s" % fault.args[0]) from None


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
        if not _exists(path):
            raise Usage("there is no %s; boards/unix/footage.py makes one of a film" % path)
        return reel.Reel(path)
    except OSError as fault:
        raise Usage("cannot read %s: error %s" % (path, fault.args[0])) from None
    except reel.ReelFault as fault:
        raise Usage("%s: %s" % (path, fault)) from None


def _screen(folder):
    try:
        return glass.Glass(folder)
    except OSError:
        raise Usage("nothing serves %s; boards/unix/screen.py does" % folder) from None


def _flash_device(options, faults):
    path = options["flash"]
    new = not _exists(path)
    if new:
        desk.make_flash(path)
    device = desk.Blocks(desk.FileStore(path), desk.FLASH_SECTOR, faults, False)
    if new:
        boot_choice.format_files(desk.Blocks(desk.FileStore(path), desk.FLASH_SECTOR, desk.Faults(), False))
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


def run(arguments: list) -> int:
    whole = Desk(parse(arguments))
    return boot_choice.run(whole.open_flash, whole.begin)


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
