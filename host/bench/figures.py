"""Figures beside their bars: the median of pairs, the flat file they go to, and the table a person reads."""

import json
import os
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "build" / "bench.json"
PAIRS = 7
COMPARE: dict[str, Callable[[float, float], bool]] = {">=": lambda a, b: a >= b, ">": lambda a, b: a > b}

Entry = dict[str, Any]


def entry(ratios: Sequence[float], op: str, bar: float, over: float, under: float, what: str) -> Entry:
    """One number a name, with its lowest and highest; `over` and `under` are medians in seconds."""
    return {
        "value": round(statistics.median(ratios), 4),
        "op": op,
        "bar": bar,
        "lowest": round(min(ratios), 4),
        "highest": round(max(ratios), 4),
        "over": round(over, 4),
        "under": round(under, 4),
        "unit": "s",
        "what": what,
        "runs": [round(ratio, 4) for ratio in ratios],
    }


def of_pairs(pairs: Sequence[tuple[float, float]], op: str, bar: float, what: str) -> Entry:
    """The entry of (over, under) in seconds."""
    middle = [statistics.median(side) for side in zip(*pairs, strict=True)]
    return entry([over / under for over, under in pairs], op, bar, middle[0], middle[1], what)


def alternating(number: int, sides: Sequence[Callable[[], float]]) -> list[float]:
    """Each side once, after a sync; which comes first changes from one number to the next."""
    turned = list(range(len(sides)))[:: -1 if number % 2 else 1]
    os.sync()
    found = {side: sides[side]() for side in turned}
    return [found[side] for side in range(len(sides))]


def is_met(said: Entry) -> bool:
    """Whether a figure holds its bar."""
    return COMPARE[said["op"]](said["value"], said["bar"])


def show(name: str, said: Entry) -> None:
    """One line of the table."""
    held = "ok    " if is_met(said) else "MISSED"
    runs = f"{said['lowest']}..{said['highest']} in {len(said['runs'])} pairs"
    line = f"{held} {name:28} {said['value']:10} {said['op']:2} {said['bar']}"
    print(f"{line}  ({runs}; {said['over']} over {said['under']} {said['unit']})", flush=True)


def merge(found: dict[str, Entry]) -> None:
    """Into the flat file, beside what other benches wrote; a cut leaves the old file."""
    RESULTS.parent.mkdir(exist_ok=True)
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    aside = RESULTS.with_suffix(".new")
    aside.write_text(json.dumps({**known, **found}, indent=1, sort_keys=True) + "\n")
    aside.replace(RESULTS)
