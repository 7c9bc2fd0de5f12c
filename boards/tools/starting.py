"""Start a camera on this desk: MicroPython as a process, or an emulated board. Host only; knows no frame.

    camera = start("qemu_sifive", card, flash, reel=film)    # card and flash are image files
    camera.console     the pty of the buttons, lines as in firmware/console.py
    camera.port        the pty of the dock line, for pyserial; a new one after each `cable.plug()`
    camera.cable       the dock line itself: pull(), pull_after(bytes), plug(), passed
    camera.ask("record")            press a button without a pty; the answer, `ok ...` or `refused ...`
    camera.heard                    all that the console has said so far
    camera.kill()                   the power goes; the images stay as they were at that moment
    camera.power_off()              in order; the exit code

The images are the same for every target: a camera prepared on one can be started on another. Flash has 1 MiB
in sectors of 4 KiB; for qemu_sifive the file is as long as its chip, and the rest of it stays unused.
"""

import atexit
import contextlib
import fcntl
import os
import pty
import re
import subprocess
import tempfile
import tty
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from cable import Cable

ROOT = Path(__file__).resolve().parents[2]
FLASH_BYTES = 1 << 20
CHIP_BYTES = 32 << 20  # the is25wp256 that QEMU solders to sifive_u
UNIX = ROOT / "build" / "micropython" / "ctr"
TARGETS = ("unix", "qemu_mps2", "qemu_sifive")
_MACHINES = {
    "qemu_mps2": ["qemu-system-arm", "-machine", "mps2-an385"],
    "qemu_sifive": ["qemu-system-riscv32", "-machine", "sifive_u", "-bios", "none"],
}
_QEMU = ["-display", "none", "-monitor", "none", "-semihosting"]
_PIPE_BYTES = 1 << 20
_RAW_REPL = b"raw REPL; CTRL-B to exit\r\n>"
_BOOT_S = 120.0
_ANSWER_S = 300.0
_DRAIN_S = 30.0


class NotStarted(Exception):
    """The camera ended, or said nothing in time; the message is the last it said."""


class Camera:
    """One running camera: a process, its console and its dock line."""

    def __init__(self, target: str, process: "subprocess.Popen[bytes]", console: Cable, port: Cable) -> None:
        self.target, self.process = target, process
        self.cable, self.buttons = port, console
        console.is_alive = lambda: process.poll() is None
        self.holds: list[int] = []
        self.monitor = -1
        self._from = 0

    @property
    def port(self) -> str:
        return self.cable.path

    @property
    def console(self) -> str:
        return self.buttons.path

    @property
    def heard(self) -> str:
        return self.buttons.heard.decode(errors="replace").replace("\r\n", "\n")

    @property
    def is_alive(self) -> bool:
        return self.process.poll() is None

    def eject(self) -> bool:
        """Pull the card out of QEMU's slot, unasked; False where there is none: say `card out` instead."""
        if self.monitor >= 0:
            os.write(self.monitor, b"eject -f sd0\n")
        return self.monitor >= 0

    def plug(self) -> None:
        """Both lines, each to a new pty."""
        self.buttons.plug()
        self.cable.plug()

    def run(self, source: str, timeout_s: float) -> None:
        """Type a program into an image's raw REPL (docs.micropython.org, "The MicroPython interactive
        interpreter mode"), and leave it running.
        """
        for words, answer in ((b"\r\x01", _RAW_REPL), (source.encode() + b"\x04", b"OK")):
            self._from = len(self.buttons.heard)
            self.buttons.send(words)
            self.buttons.wait_for(re.escape(answer), timeout_s, self._from)

    def say(self, line: str) -> None:
        """Press a button, and do not wait for what comes of it."""
        self._from = len(self.buttons.heard)
        self.buttons.send(line.encode() + b"\n")

    def wait_for(self, pattern: str, timeout_s: float = _ANSWER_S) -> str:
        """Go on when the console has said `pattern` since the last `say`; what follows in that line."""
        at = self.buttons.wait_for(pattern.encode(), timeout_s, self._from)
        return self._line(at, timeout_s)[0]

    def ask(self, line: str, timeout_s: float = _ANSWER_S) -> str:
        """Press a button; its answer, `ok ...` or `refused ...`."""
        self.say(line)
        said, at = self._line(self._from, timeout_s)
        while not said.startswith(("ok", "refused")):
            said, at = self._line(at, timeout_s)
        return said

    def _line(self, start: int, timeout_s: float) -> tuple[str, int]:
        end = self.buttons.wait_for(b"\n", timeout_s, start)
        return bytes(self.buttons.heard[start:end]).decode(errors="replace").strip(), end

    def kill(self) -> None:
        """The power goes. An emulator is given the time to put into the images what its chip and its card
        have taken already; the firmware is not.
        """
        if self.target != "unix":
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(_DRAIN_S)
        self.process.kill()
        self._ended()

    def power_off(self, timeout_s: float = 60.0) -> int:
        """In order; the exit code of the process, or -9 where it had to be killed."""
        if self.is_alive:
            self.say("power off")
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
        return self._ended()

    def _ended(self) -> int:
        code = self.process.wait()
        self.buttons.close()
        self.cable.close()
        while self.holds:
            os.close(self.holds.pop())
        return code


def start(
    target: str,
    card: Path | None,
    flash: Path,
    *,
    reel: Path | None = None,
    exchange: Path | None = None,
    screen: Path | None = None,
    fast: bool = False,
    flags: Sequence[str] = (),
    timeout_s: float = _BOOT_S,
) -> Camera:
    """A camera that has booted, its lines plugged; without a card the slot is empty. `screen` is a folder
    that `boards/unix/screen.py` serves; an emulated board shows in memory. With `fast` the clock of an
    emulated board runs ahead, as that of the desk always does. `flags` are more of the simulator's, for unix
    alone. NotStarted with what it said last.
    """
    options = {"card": card, "flash": flash, "reel": reel, "exchange": exchange, "screen": screen}
    named = {name: str(Path(path).resolve()) for name, path in options.items() if path is not None}
    if target not in TARGETS:
        raise ValueError(f"no such target: {target}")
    make_flash(flash, CHIP_BYTES if target == "qemu_sifive" else FLASH_BYTES)
    if target == "unix":
        camera = _start_unix(named, flags)
    else:
        named |= {"fast": "yes"} if fast else {}
        camera = start_board(target, f"import attend\nattend.main({named!r})", named, timeout_s)
    try:
        camera.wait_for("- (ready|refuses 0x)", timeout_s)
    except TimeoutError as silence:
        camera.kill()
        raise NotStarted(str(silence)) from None
    camera.plug()
    return camera


def make_flash(flash: Path, size: int) -> None:
    """A flash image of this size: a new one erased and formatted, one that is there made longer or shorter,
    its first MiB kept.
    """
    if not flash.exists():
        simulator = ROOT / "firmware" / "simulator.py"
        new = [str(UNIX), str(simulator), "--flash", str(flash), "--run", "power off"]
        subprocess.run(new, check=False, capture_output=True)  # it refuses to record: it has no organisation
    if flash.stat().st_size != size:
        os.truncate(flash, size)


def _start_unix(named: dict[str, str], flags: Sequence[str]) -> Camera:
    master, slave = pty.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)
    given = [part for name, value in named.items() for part in (f"--{name}", value)]
    command = [UNIX, ROOT / "firmware" / "simulator.py", *given, "--port", os.ttyname(slave), *flags]
    process = _process([str(part) for part in command], stdin=subprocess.PIPE)
    assert process.stdin is not None and process.stdout is not None
    console = Cable(_alone(process.stdout), _alone(process.stdin), keep=True)
    camera = Camera("unix", process, console, Cable(master, master))
    camera.holds.append(slave)  # so that the line never hangs up on the camera's side
    return camera


def start_board(target: str, source: str, named: dict[str, str], timeout_s: float = _BOOT_S) -> Camera:
    """An emulated board that runs `source`, its lines not plugged yet; `named` has the images by name."""
    image = ROOT / "build" / target / "firmware.elf"
    if not image.exists():
        raise NotStarted(f"{image.relative_to(ROOT)} is not built: make {image.relative_to(ROOT)}")
    with tempfile.TemporaryDirectory() as folder:
        console, port = (_pipes(Path(folder) / name) for name in ("console", "port"))
        command = [*_MACHINES[target], *_QEMU, "-kernel", str(image)]
        for name in ("console", "port"):
            command += ["-chardev", f"pipe,id={name},path={folder}/{name}", "-serial", f"chardev:{name}"]
        if target == "qemu_sifive":
            command += ["-chardev", f"pipe,id=monitor,path={folder}/monitor", "-mon", "chardev=monitor"]
            command += _drives(named)
        monitor = _pipes(Path(folder) / "monitor") if "-drive" in command else ()
        process = _process(command, subprocess.DEVNULL)
        camera = Camera(target, process, Cable(*console, keep=True), Cable(*port))
        camera.holds += monitor
        camera.monitor = monitor[1] if monitor else -1
        try:
            camera.run(source, timeout_s)
        except TimeoutError as silence:
            camera.kill()
            said = process.stdout.read() if process.stdout else b""
            raise NotStarted(f"{silence} {said.decode(errors='replace')}") from None
    return camera


def _drives(named: dict[str, str]) -> list[str]:
    """The chip and the card as QEMU's own devices."""
    drives = [f"file={named['flash']},if=mtd,format=raw"]
    if "card" in named:
        drives.append(f"file={named['card']},if=sd,format=raw")
    return [part for drive in drives for part in ("-drive", drive)]


def _process(command: list[str], stdin: int) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    atexit.register(process.kill)  # whoever started it and failed leaves no camera running
    return process


def _alone(stream: IO[bytes]) -> int:
    """The descriptor of a stream, to be kept when the stream goes."""
    descriptor = os.dup(stream.fileno())
    stream.close()
    os.set_blocking(descriptor, False)
    return descriptor


def _pipes(path: Path) -> tuple[int, int]:
    """The two ends of a QEMU pipe (`-chardev pipe`): what the camera says, what it is told. Roomy, because
    an emulated UART drops what does not fit.
    """
    ends = []
    for suffix in (".out", ".in"):
        name = path.with_name(path.name + suffix)
        os.mkfifo(name)
        end = os.open(name, os.O_RDWR | os.O_NONBLOCK)
        fcntl.fcntl(end, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        ends.append(end)
    return ends[0], ends[1]
