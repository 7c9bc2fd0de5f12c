"""Compile the firmware for one board and pack it: the body of a firmware archive, which the root then signs.

usage: firmware_archive.py BOARD [--counter N] [-o FILE] [--firmware DIR]

Runs on the host. The same sources and compiler give the same bytes: nothing of this machine's paths, users or
hours goes in. docs/format/statements.md, Firmware archive.
"""

import argparse
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from sealhost.errors import SealcamError
from sealhost.statements import Firmware

ROOT = Path(__file__).resolve().parents[2]
COMPILER = ROOT / "build" / "mpy-cross"
DESK = {"x86_64": "x64", "i686": "x86"}  # of the machine the unix board runs on
ARCHITECTURES = {"unix": DESK.get(platform.machine(), "x64"), "qemu_mps2": "armv7m", "qemu_sifive": "rv32imc"}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    options = _parse(sys.argv[1:] if arguments is None else arguments)
    try:
        built = build(options.board, options.counter, options.firmware)
    except (SealcamError, subprocess.CalledProcessError, OSError) as fault:
        print(f"firmware_archive.py: {fault}", file=sys.stderr)
        return 1
    output = options.output or ROOT / "build" / f"{options.board}.firmware"
    output.write_bytes(built.body)
    print(f"{output}: {len(built.files)} modules for {options.board}, {len(built.body)} bytes")
    print(f"  counter {built.counter}, digest {built.digest.hex()}")
    return 0


def _parse(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(usage=(__doc__ or "").split("usage: ")[1])
    parser.add_argument("board", choices=sorted(ARCHITECTURES))
    parser.add_argument("--counter", type=int, default=1)
    parser.add_argument("--firmware", type=Path, default=ROOT / "firmware")
    parser.add_argument("-o", "--output", type=Path)
    return parser.parse_args(list(words))


def build(board: str, counter: int = 1, firmware: Path = ROOT / "firmware") -> Firmware:
    """Every module of the firmware, compiled for a board."""
    sources = {source.name: source for source in (firmware / "sealcam").glob("*.py")}
    files = {f"{Path(name).stem}.mpy": _compiled(board, f"sealcam/{name}", sources[name]) for name in sources}
    files["main.mpy"] = _compiled(board, "main.py", firmware / "main.py")
    return Firmware.build(board, counter, files)


def _compiled(board: str, name: str, source: Path) -> bytes:
    """-O1 leaves assertions out and keeps line numbers, as the frozen images do; `name` is what stands in a
    trace.
    """
    with tempfile.NamedTemporaryFile(suffix=".mpy") as compiled:
        command = [COMPILER, "-O1", f"-march={ARCHITECTURES[board]}", "-s", name, "-o", compiled.name, source]
        subprocess.run([str(part) for part in command], check=True)
        return Path(compiled.name).read_bytes()


if __name__ == "__main__":
    sys.exit(main())
