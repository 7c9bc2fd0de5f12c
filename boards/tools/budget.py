"""Hold emulated images to their budget.

Asks the toolchain for each image's sizes. Standard library only.

usage: budget.py BUDGET.toml IMAGE...
"""

import subprocess
import sys
import tomllib
from pathlib import Path


def main(budget: Path, images: list[str]) -> int:
    """Print every image's sizes beside its budget; 1 when one is over."""
    limits = tomllib.loads(budget.read_text())
    is_over = False
    for image in images:
        code, initialised = sizes(image)
        found = {"code_and_constants": code, "data": initialised}
        for what, size in found.items():
            over = "" if size <= limits[what] else ": OVER BUDGET"
            is_over |= bool(over)
            print(f"size: {image}: {size} of {limits[what]} bytes of {what.replace('_', ' ')}{over}")
    return int(is_over)


def sizes(image: str) -> tuple[int, int]:
    """Text and data of an ELF file of either machine, as `size` prints them in its second line."""
    done = subprocess.run(["arm-none-eabi-size", image], capture_output=True, text=True, check=True)
    text, data, *_ = done.stdout.splitlines()[1].split()
    return int(text), int(data)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
