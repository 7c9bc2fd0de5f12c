"""Which points of an exhaustive suite run this time: all of them, or a k-th that moves with every commit.

`SAMPLE=1/k` in the environment picks every k-th point, from an offset that is the number of commits modulo k,
so that k commits in a row see every point once. Standard library only; imports nothing of ours.
"""

import os
import subprocess
from collections.abc import Iterable
from fractions import Fraction
from functools import lru_cache
from typing import TypeVar

Point = TypeVar("Point")


def sampled(points: Iterable[Point]) -> list[Point]:
    """The points of this run, in their own order; never none of a non-empty suite."""
    everything = list(points)
    first, every = share()
    return everything[first % max(1, min(every, len(everything))) :: every]


def share(times: int = 1) -> tuple[int, int]:
    """(first, every) for a suite that counts its points itself; a costly one takes `times` fewer of them."""
    _, every = parse(os.environ.get("SAMPLE", "1/1"))
    every *= times if every > 1 else 1
    return offset(every), every


def parse(sample: str) -> tuple[int, int]:
    """`1/k` as (1, k); ValueError for anything else."""
    share = Fraction(sample)
    if share.numerator != 1:
        raise ValueError(f"SAMPLE={sample}: must be 1/k")
    return 1, share.denominator


@lru_cache
def offset(every: int) -> int:
    """The number of commits modulo `every`; 0 outside a checkout."""
    command = ["git", "rev-list", "--count", "HEAD"]
    counted = subprocess.run(command, capture_output=True, text=True, check=False)
    return int(counted.stdout or 0) % every


if __name__ == "__main__":
    _, k = parse(os.environ.get("SAMPLE", "1/1"))
    print(f"SAMPLE=1/{k}: one cut and kill point in {k}, offset {offset(k)} (number of commits modulo {k})")
