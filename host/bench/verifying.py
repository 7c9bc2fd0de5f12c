"""host.verify_1core and host.verify_2core: `verify` of a warm file beside the bare HMAC of its pieces."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cards
from figures import PAIRS, Entry, alternating, entry, of_pairs
from sealhost import keys
from sealhost.cli import wiring
from sealhost.reader import file_part
from sealhost.records import Verdict
from sealhost.verify import judge

CEILING = Path(__file__).with_name("ceiling.py")
NAMES = ("host.verify_1core", "host.verify_2core")


class Verifying:
    """Ours and the ceiling on one file."""

    def __init__(self, bench: cards.Bench) -> None:
        self.path, self.home = bench.long, wiring.Home(str(bench.home))
        self.openers: list[keys.Opener] = [self.home.key("verify")]

    def ours(self, jobs: int) -> float:
        """Seconds to judge it."""
        start = time.perf_counter()
        found = judge([file_part(self.path)], self.openers, device_point=self.home.device_point, jobs=jobs)
        took = time.perf_counter() - start
        if found.verdict is not Verdict.INTACT:
            raise SystemExit(f"the bench recording is {found.verdict}: {found.reason}")
        return took

    def bare(self, jobs: int) -> float:
        """Seconds of the bare HMAC, as it says itself."""
        command = [sys.executable, str(CEILING), "hmac", str(self.path), str(jobs)]
        return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    def one(self) -> Entry:
        """On one core."""
        pairs = self._pairs(lambda: self.bare(1), lambda: self.ours(1))
        what = "hmac.digest over the 16 KiB pieces in one buffer, over verify of the same warm file"
        return of_pairs([(bare, ours) for bare, ours in pairs], ">=", 0.85, what)

    def two(self) -> Entry:
        """What the second core brings."""
        ours, bare = [], []
        sides = [lambda: self.ours(1), lambda: self.ours(2), lambda: self.bare(1), lambda: self.bare(2)]
        for own_one, own_two, bare_one, bare_two in self._pairs(*sides):
            ours.append(own_one / own_two)
            bare.append(bare_one / bare_two)
        what = "speed-up of verify from one process to two, over that of the bare HMAC"
        ratios = [own / ceiling for own, ceiling in zip(ours, bare, strict=True)]
        said = entry(ratios, ">=", 0.95, sorted(ours)[PAIRS // 2], sorted(bare)[PAIRS // 2], what)
        return {**said, "unit": "times"}

    def _pairs(self, *sides: Callable[[], float]) -> list[list[float]]:
        alternating(0, sides)  # warm
        return [alternating(number, sides) for number in range(PAIRS)]


def run(wanted: set[str], bench: cards.Bench) -> dict[str, Entry]:
    """Those asked for."""
    verifying = Verifying(bench)
    figures = dict(zip(NAMES, (verifying.one, verifying.two), strict=True))
    return {name: figures[name]() for name in NAMES if name in wanted}
