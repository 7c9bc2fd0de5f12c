"""Run scripts on the emulated Cortex-M3 and give back what they printed.

Runs on the host. Starts QEMU, speaks the raw REPL over its standard streams, and stops it again; scripts,
card images and results are read and written by the board itself (frozen module `semihost`).

usage: run.py [--image ELF] [--icount] [--path DIR]... [--timeout S] SCRIPT... [-- ARGUMENT...]

--path DIR puts a folder of the host on the board's sys.path, before its frozen modules.
--icount makes one instruction one nanosecond of the board's time: time.ticks_us() counts thousands of them.
Exit code: 0, 1 when a script raised (its traceback goes to standard error), 2 when the emulator failed.
"""

import argparse
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
IMAGE = ROOT / "build" / "qemu_mps2" / "firmware.elf"
QEMU = ["qemu-system-arm", "-machine", "mps2-an385", "-display", "none", "-monitor", "none", "-semihosting"]
_RAW_REPL = b"raw REPL; CTRL-B to exit\r\n>"


class ScriptFailed(Exception):
    """A script raised; the message is the board's traceback."""


class EmulatorFailed(Exception):
    """QEMU ended, or said nothing in time."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    options = _parse(list(sys.argv[1:] if arguments is None else arguments))
    try:
        for script in options.scripts:
            run_script(
                script,
                options.arguments,
                image=options.image,
                icount=options.icount,
                path=options.path,
                timeout_s=options.timeout,
                echo=_echo,
            )
    except ScriptFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    except EmulatorFailed as failure:
        print(f"run.py: {failure}", file=sys.stderr)
        return 2
    return 0


def _parse(words: list[str]) -> argparse.Namespace:
    cut = words.index("--") if "--" in words else len(words)
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1])
    parser.add_argument("--image", type=Path, default=IMAGE)
    parser.add_argument("--icount", action="store_true")
    parser.add_argument("--path", type=Path, action="append", default=[])
    parser.add_argument("--timeout", type=float, default=300.0)
    parser.add_argument("scripts", nargs="+", type=Path)
    options = parser.parse_args(words[:cut])
    options.arguments = words[cut + 1 :]
    return options


def _echo(piece: bytes) -> None:
    sys.stdout.buffer.write(piece)
    sys.stdout.flush()


def run_script(
    script: Path,
    arguments: Sequence[str] = (),
    *,
    image: Path = IMAGE,
    icount: bool = False,
    path: Sequence[Path] = (),
    timeout_s: float = 300.0,
    echo: Callable[[bytes], None] | None = None,
) -> str:
    """Run one script on a freshly started board; return what it printed, or raise what went wrong."""
    lines = ["import sys, vfs, semihost"]
    for at, folder in enumerate(path):
        lines.append(f"vfs.mount(semihost.HostTree({str(folder.resolve())!r}), '/host{at}')")
        lines.append(f"sys.path.insert({at}, '/host{at}')")
    lines.append(f"semihost.run({str(script.resolve())!r}, {[str(word) for word in arguments]!r})")
    return execute("\n".join(lines), image=image, icount=icount, timeout_s=timeout_s, echo=echo)


def execute(
    source: str,
    *,
    image: Path = IMAGE,
    icount: bool = False,
    timeout_s: float = 300.0,
    echo: Callable[[bytes], None] | None = None,
) -> str:
    """Run a few lines of source on a freshly started board; return what they printed."""
    if not image.exists():
        raise EmulatorFailed(f"{image} is not built: make {_relative(image)}")
    command = [*QEMU, "-serial", "stdio", "-kernel", str(image)]
    if icount:
        command += ["-icount", "shift=0"]
    board = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    timer = threading.Timer(timeout_s, board.kill)
    timer.start()
    try:
        return _converse(board, source, echo)
    finally:
        timer.cancel()
        board.kill()
        board.communicate()


def _relative(image: Path) -> Path:
    return image.relative_to(ROOT) if image.is_relative_to(ROOT) else image


def _converse(board: subprocess.Popen[bytes], source: str, echo: Callable[[bytes], None] | None) -> str:
    """Raw REPL: Ctrl-A, the source, Ctrl-D; then OK, output, Ctrl-D, traceback, Ctrl-D."""
    _send(board, b"\r\x01")
    _until(board, _RAW_REPL)
    _send(board, source.encode() + b"\x04")
    _until(board, b"OK")
    printed = _until(board, b"\x04", echo)
    raised = _until(board, b"\x04")
    if raised and b"SystemExit: 0" not in raised:
        raise ScriptFailed(raised.decode(errors="replace").replace("\r\n", "\n").strip())
    return printed.decode(errors="replace").replace("\r\n", "\n")


def _send(board: subprocess.Popen[bytes], words: bytes) -> None:
    assert board.stdin is not None
    board.stdin.write(words)
    board.stdin.flush()


def _until(board: subprocess.Popen[bytes], mark: bytes, echo: Callable[[bytes], None] | None = None) -> bytes:
    """Everything up to `mark`, without it."""
    assert board.stdout is not None
    found = bytearray()
    while not found.endswith(mark):
        byte = board.stdout.read(1)
        if not byte:
            raise EmulatorFailed(f"the emulator stopped, or took too long, after {bytes(found[-200:])!r}")
        found += byte
        if echo and byte not in (b"\r", b"\x04"):
            echo(byte)
    return bytes(found[: -len(mark)])


if __name__ == "__main__":
    sys.exit(main())
