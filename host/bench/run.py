"""The ratios of the host against its ceilings and its peers, into `build/bench.json`.

`run.py [--only NAME] [--strict]`, or ONLY=NAME. What a wall clock measures runs as seven alternating pairs
(a row of bays as three) after `sync`; the value is the median of the pair ratios. Exit code 0 when a bar is
missed, 1 with --strict.
"""

import argparse
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "host"))

import cards  # noqa: E402 - the package may not be installed
import docking  # noqa: E402
import rows  # noqa: E402
import verifying  # noqa: E402
from figures import is_met, merge, show  # noqa: E402

GROUPS = {
    verifying.NAMES: lambda wanted: verifying.run(wanted, cards.ready()),
    docking.NAMES: lambda wanted: docking.run(wanted, cards.ready()),
    rows.NAMES: rows.run,
}


def main() -> int:
    """Run what was asked for, or all."""
    known = [name for names in GROUPS for name in names]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default=os.environ.get("ONLY") or "", help="a name, or how it begins")
    parser.add_argument("--strict", action="store_true", help="exit code 1 when a bar is missed")
    asked = parser.parse_args()
    wanted = {name for name in known if name.startswith(asked.only)}
    if not wanted:
        parser.error(f"there is no figure {asked.only}; there are {', '.join(known)}")
    missed = 0
    for names, run in GROUPS.items():
        if wanted.isdisjoint(names):
            continue
        found = run(wanted & set(names))
        merge(found)
        for name, said in found.items():
            show(name, said)
            missed += not is_met(said)
    return 1 if missed and asked.strict else 0


if __name__ == "__main__":
    sys.exit(main())
