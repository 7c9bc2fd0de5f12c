"""The whole camera on an emulated board, its buttons as lines on UART0 and its dock line on UART1.

Builds the board for `main.Camera`, as the simulator does for the desk, and switches on what the boot stage
chose: nothing of the firmware is imported before. Decides nothing. The lines are those of `console.py`. Runs
on qemu_mps2 and qemu_sifive; `boards/tools/starting.py` types `attend.main({...})`.
"""

import gc
import os
import sys
import time

import board
import boot_choice
import reel
import screen
import semihost
import vfs

_LONGEST_LINE = 1024
_STEP_MS = 1000  # a clock that runs ahead runs no further at once


class Rtc:
    """Milliseconds since boot, and the hour as the emulator gives it."""

    def __init__(self):
        self._last = time.ticks_ms()
        self._ms = 0

    def ms(self) -> int:
        now = time.ticks_ms()
        self._ms += time.ticks_diff(now, self._last)  # small numbers: nothing is allocated for the hour
        self._last = now
        return self._ms

    def utc_ms(self) -> int:
        return time.time_ns() // 1000000

    def advance(self, milliseconds: int) -> None:
        self._ms += milliseconds


class NoFeed:
    """No camera and no microphone: only the buttons."""

    longest, width, height, sound_rate = 16, 0, 0, 0

    def rewind(self):
        pass

    def next_into(self, buffer):
        return None


class Board:
    """What `main.py` asks of a board."""

    mount_point = "/card"
    noise_sources = ["os.urandom"]
    log_part_bytes = 65536
    most_names = 2000

    def __init__(self, options: dict, flash_device, chosen):
        self._card = options.get("card")
        self.flash_device, self.chosen = flash_device, chosen
        self.mpy = getattr(board, "MPY", None)
        self.rtc = Rtc()
        self.feed = reel.Reel("/film/" + options["reel"]) if "reel" in options else NoFeed()
        self.port = board.line(1)
        self.screen = screen.Screen() if "screen" in options else None
        self.paced = "fast" not in options
        self.firmware = chosen.digest or bytes.fromhex(options.get("firmware", "00" * 32))
        version = ".".join([str(part) for part in sys.implementation.version[:3]])
        self.facts = {
            "board": board.NAME,
            "interpreter": "%s %s, %s" % (sys.implementation.name, version, sys.implementation._machine),
            "firmware": "".join(["%02x" % byte for byte in self.firmware]),
        }

    @property
    def card_device(self):
        """The slot, looked at anew whenever a card is put in."""
        return board.card_device(self._card)

    def eject(self) -> None:
        """Where the card is a file; what stood in a slot of its own is pulled from outside."""
        self._card = None

    def restart(self) -> None:
        """The emulator has no reset that keeps it running: what was imported is forgotten instead."""
        raise boot_choice.Restart

    def noise(self) -> bytes:
        return os.urandom(1024)

    def idle(self, camera) -> None:
        """Nothing to do now: let a little time pass; a clock that runs ahead goes on to what is due."""
        if self.paced:
            time.sleep_ms(1)
            return
        due = camera.source.due_ms() if camera.source.running else -1
        self.rtc.advance(_STEP_MS if due < 0 else max(1, min(_STEP_MS, due - camera.recorder.ms())))


class Buttons:
    """Lines from UART0, as they come."""

    def __init__(self):
        self._line = board.line(0)
        self._piece = memoryview(bytearray(64))
        self._text = bytearray()

    def take(self):
        """The next whole line, None when there is none yet; one that is too long is none."""
        size = self._line.read_into(self._piece)
        self._text += self._piece[:size]
        end = self._text.find(b"\n")
        if end < 0:
            if len(self._text) > _LONGEST_LINE:
                self._text = bytearray()
            return None
        line, self._text = bytes(self._text[:end]), self._text[end + 1 :]
        try:
            return line.decode()
        except UnicodeError:
            return "no-text"


def main(options: dict) -> None:
    """`options`: `card`, `flash`, `reel` and `exchange` as paths of the host, `firmware` as hex; `screen` for
    a display, `fast` for a clock that runs ahead. Ends the emulator: 0 after an orderly power off, 1 where
    flash cannot be used, 3 where the firmware broke.
    """
    try:
        semihost.leave(_run(options))
    except Exception as fault:  # noqa: BLE001 - the outermost loop: a board would restart here
        sys.print_exception(fault)
    semihost.leave(3)


def _run(options):
    for name, place in (("reel", "/film"), ("exchange", "/exchange")):
        if name in options:
            vfs.mount(semihost.HostTree(_folder(options, name)), place)
    flash = board.flash_device(options["flash"])

    def begin(chosen):
        return _switch_on(Board(options, flash, chosen), options)

    return boot_choice.run(lambda: flash, begin)


def _switch_on(on_board, options):
    """One switching-on, to an orderly power off or a restart; the code to leave with."""
    _let_go(on_board.mount_point)
    from console import Console, describe
    from main import Camera
    from sealcam.errors import SealcamError

    try:
        camera = Camera(on_board)
    except SealcamError as fault:
        print("- refuses 0x%02x %s" % (fault.status, describe(type(fault))))
        return 1
    camera.boot()
    gc.collect()
    fault = camera.fault
    print("- refuses 0x%02x %s" % (fault.status, describe(fault)) if fault else "- ready")
    _attend(Console(camera, options), camera)
    return 0


def _let_go(place):
    """What a camera before a restart may have left mounted."""
    try:
        vfs.umount(place)
    except OSError:
        pass


def _folder(options, name):
    """The host's folder behind it; from here on the option is the name it has on the board."""
    path = options[name]
    if name == "exchange":
        options[name] = "/exchange"
        return path
    folder, _, options[name] = path.rpartition("/")
    return folder


def _attend(console, camera):
    """Do what the lines say, and go on filming and docking between them."""
    buttons = Buttons()
    while console.on:
        line = buttons.take()
        if line is not None:
            console.do(line)
        else:
            console.turn()
