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
        is_within = code <= limits["code_and_constants"] and initialised <= limits["data"]
        is_over |= not is_within
        print(f"size: {image}: {code} of {limits['code_and_constants']} bytes of code and constants")
        over = "" if is_within else ": OVER BUDGET"
        print(f"size: {image}: {initialised} of {limits['data']} of data{over}")
    return int(is_over)


def sizes(image: str) -> tuple[int, int]:
    """Text and data of an ELF file of either machine, as `size` prints them in its second line."""
    done = subprocess.run(["arm-none-eabi-size", image], capture_output=True, text=True, check=True)
    text, data, *_ = done.stdout.splitlines()[1].split()
    return int(text), int(data)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
