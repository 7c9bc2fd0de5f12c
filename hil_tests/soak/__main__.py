"""`make soak`: SHIFTS shifts from SEED, in seasons; what it printed, and what to type where one fails.

usage: python -m soak [--shifts 1000] [--seed 1] [--from SHIFT] [--folder build/soak]

Seasons that were accounted for are kept as numbers in the folder; with --resume they are not played again.
"""

import argparse
import json
import shutil
import sys
import time
from pathlib import Path

import starting
from bench.dock import DockFault
from sealhost.errors import SealcamError

from soak.model import SoakFault, Tally
from soak.season import CAMERAS, FAULTS, LENGTH, Season, make_reel

LEAST = 30  # times each fault, of a thousand shifts


def say(line: str) -> None:
    """At once, for whoever watches."""
    print(line, flush=True)


def play(
    folder: Path, seed: str, first: int, count: int, reel: Path, verbose: bool = False, cameras: int = CAMERAS
) -> Tally:
    """One season from its first shift; SoakFault with the shift in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    season, number = Season(folder, seed, reel, cameras), first
    try:
        for number in range(first, first + count):
            began = time.monotonic()
            season.shift(number)
            if verbose:
                took, faults = time.monotonic() - began, season.tally.faults
                say(f"shift {number}: {took:.1f} s, {sum(faults.values())} faults so far")
        season.account()
    except (SoakFault, DockFault, SealcamError, AssertionError) as fault:
        raise SoakFault(f"shift {number} (season from {first}): {type(fault).__name__}: {fault}") from fault
    finally:
        for camera in season.cameras:
            camera.kill()
    season.tally.notes["shifts"] += count
    season.end()
    return season.tally


def show(tally: Tally, seconds: float) -> None:
    """The figures, as they are."""
    say(f"\nsoak: {tally.notes.pop('shifts', 0)} shifts in {seconds:.0f} s")
    tables = {"fault": tally.faults, "docked by": tally.ways, "ends": tally.fates, "seen": tally.notes}
    for title, counts in tables.items():
        for name, count in sorted(counts.items()):
            say(f"  {title:<10} {name:<28} {count:>6}")


def main(arguments: list[str]) -> int:
    """Exit status 1 where a shift did not come out, or where a fault was drawn too seldom."""
    parser = argparse.ArgumentParser(prog="make soak")
    parser.add_argument("--shifts", type=int, default=1000)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--from", dest="first", type=int, default=0, help="the first shift, a season's first")
    parser.add_argument("--folder", type=Path, default=starting.ROOT / "build" / "soak")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--verbose", action="store_true")
    chosen = parser.parse_args(arguments)
    folder, began, tally = chosen.folder.resolve(), time.monotonic(), Tally()
    folder.mkdir(parents=True, exist_ok=True)
    reel = make_reel(folder / "street.reel")
    end = chosen.first + chosen.shifts
    for first in range(chosen.first, end, LENGTH):
        count, done = min(LENGTH, end - first), folder / f"done-{chosen.seed}-{first}.json"
        if not (chosen.resume and done.exists()):
            try:
                played = play(folder / "season", chosen.seed, first, count, reel, chosen.verbose)
            except SoakFault as fault:
                again = f"make soak SEED={chosen.seed} FROM={first} SHIFTS={count}"
                say(f"soak: {fault}\nsoak: again with: {again}; what is left of it: {folder / 'season'}")
                show(tally, time.monotonic() - began)
                return 1
            done.write_text(json.dumps(played.plain()))
        tally.add(json.loads(done.read_text()))
        say(f"soak: {first + count - chosen.first} shifts of seed {chosen.seed} accounted for")
    show(tally, time.monotonic() - began)
    seldom = [fault for fault in FAULTS if tally.faults[fault] < LEAST]
    if chosen.shifts >= 1000 and seldom:
        say(f"soak: too seldom: {', '.join(seldom)}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
