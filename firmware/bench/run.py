"""The device's figures beside their bars: python firmware/bench/run.py [--only NAME], or ONLY=NAME.

Runs on the host; what it measures runs on the emulated Cortex-M3, where one instruction is one nanosecond, so
that each figure is taken once. Merges what it found into build/bench.json. A bar that is missed is said, and
is exit code 1 with --strict only.
"""

import argparse
import functools
import json
import operator
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "boards" / "qemu_mps2"))

import endurance  # noqa: E402
import run as emulator  # noqa: E402

RESULTS = ROOT / "build" / "bench.json"
CARD_KIB = 2200 * 1024  # FAT32 with clusters of 32 KiB, as a card is sold; a sparse file
COMPARE = {">=": operator.ge, "<=": operator.le}
CTR, STOCK = "qemu_mps2", "qemu_mps2_stock"

# name: op, bar, unit, image, script, argument, figure, what it is divided by (None: nothing). `ceiling` and
# `hashing` are what ceiling.py says, on the image with CTR
FIGURES = {
    "device.m3.seal_native": (">=", 0.90, "instructions", CTR, "chunk_path", "off", "ceiling", "path"),
    "device.m3.seal_proved": (">=", 0.85, "instructions", CTR, "chunk_path", "ships", "ceiling", "path"),
    "device.m3.seal_fallback": (">=", 0.80, "instructions", STOCK, "chunk_path", "off", "ceiling", "path"),
    "device.m3.heap_left": ("<=", 0, "bytes", CTR, "chunk_path", "ships", "left", None),
    "device.m3.heap_passing": ("<=", 1024, "bytes", CTR, "chunk_path", "ships", "passing", None),
    "device.m3.unlock": (">=", 0.95, "instructions", CTR, "unlock", "", "pbkdf2", "judging"),
    "device.m3.replay": (">=", 0.85, "instructions", CTR, "unsealing", "", "ceiling", "unsealing"),
    "device.m3.session": (">=", 0.90, "instructions", CTR, "handshake", "", "curve", "handshake"),
    "device.m3.start_chunks": ("<=", 2, "instructions", CTR, "start", "", "start", "chunk"),
    "link.m3": (">=", 0.70, "instructions", CTR, "range_read", "", "hashing", "answering"),
}


def main() -> int:
    """Measure what was asked for; print each figure with its bar."""
    asked = _parse()
    if asked.only == endurance.NAME:  # minutes, and no bar: only when it is asked for
        return endurance.run()
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        card = _make_card(Path(folder))
        for name in FIGURES:
            if asked.only in (None, name):
                entry = _entry(name, str(card))
                missed += not COMPARE[entry["op"]](entry["value"], entry["bar"])
                _print(name, entry)
                _merge(name, entry)
    return 1 if missed and asked.strict else 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    names = [*sorted(FIGURES), endurance.NAME]
    parser.add_argument("--only", default=os.environ.get("ONLY") or None, choices=names)
    parser.add_argument("--strict", action="store_true", help="exit code 1 when a bar is missed")
    return parser.parse_args()


def _make_card(folder: Path) -> Path:
    card = folder / "card.img"
    command = ["mkfs.vfat", "-F", "32", "-s", "64", "-n", "SEALCAM", "-C", str(card), str(CARD_KIB)]
    environment = {**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"}
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    return card


def _entry(name: str, card: str) -> dict:
    op, bar, unit, image, script, argument, *sides = FIGURES[name]
    found = _measure(image, script, (card, argument))
    if not set(sides) <= {None, *found}:
        found = {**_measure(CTR, "ceiling", ()), **found}
    over, under = (found[side] if side else 1 for side in sides)
    value = round(over / under, 4) if sides[1] else over
    return {"value": value, "op": op, "bar": bar, "over": over, "under": under, "unit": unit, "runs": [value]}


@functools.cache
def _measure(image: str, script: str, arguments: tuple) -> dict:
    """What a script on the board printed, as {name: number}; each script runs once an image."""
    printed = emulator.run_script(
        HERE / f"{script}.py",
        arguments,
        image=ROOT / "build" / image / "firmware.elf",
        icount=True,
        path=[HERE],
        timeout_s=600,
    )
    return {name: int(number) for name, number in (line.split() for line in printed.splitlines())}


def _print(name: str, entry: dict) -> None:
    held = "ok    " if COMPARE[entry["op"]](entry["value"], entry["bar"]) else "MISSED"
    detail = "" if entry["under"] == 1 else f"  ({entry['over']:,} over {entry['under']:,} {entry['unit']})"
    print(f"{held} {name:28} {entry['value']:10} {entry['op']} {entry['bar']}{detail}", flush=True)


def _merge(name: str, entry: dict) -> None:
    """One number a name; what others measured stays."""
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    results[name] = entry
    aside = RESULTS.with_suffix(".new")
    aside.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
    aside.replace(RESULTS)


if __name__ == "__main__":
    sys.exit(main())
