"""host.ingest and host.peers: a whole `dock` of a 1 GiB card beside the ceiling, restic and age.

Every round docks the card once and runs everything it is compared with right before or after, in turned
order. Whole commands are measured, with their start; of the ceiling the work alone.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cards
from figures import PAIRS, Entry, alternating, of_pairs

CEILING = Path(__file__).with_name("ceiling.py")
RUN = cards.FOLDER / "run"
INGEST, RESTIC, AGE = "host.ingest", "host.peers.restic", "host.peers.age"
NAMES = (INGEST, RESTIC, AGE)
SAID = {
    INGEST: (">=", 0.75, "the work that cannot be avoided, in its better order, over dock of a 1 GiB card"),
    RESTIC: (">", 1, "restic backup of the card into one repository, over dock of it into two places"),
    AGE: (">", 1, "age of the card, two synced copies and sha256sum of both, over dock of it"),
}


def fresh() -> Path:
    """An empty folder to work in."""
    shutil.rmtree(RUN, ignore_errors=True)
    RUN.mkdir()
    return RUN


def timed(*words: str | Path, env: dict[str, str] | None = None) -> float:
    """Seconds of a command that must succeed."""
    start = time.perf_counter()
    ran = subprocess.run(words, capture_output=True, text=True, env={**os.environ, **(env or {})})
    took = time.perf_counter() - start
    if ran.returncode:
        raise SystemExit(f"{words}: exit {ran.returncode}\n{ran.stdout}{ran.stderr}")
    return took


class Docking:
    """What is measured on one card."""

    def __init__(self, bench: cards.Bench) -> None:
        self.bench, self.stretches = bench, bench.stretches

    def dock(self) -> float:
        """As a person calls it, on a copy of home and card: it wipes the card."""
        folder = fresh()
        home, card = folder / "home", folder / "card.img"
        shutil.copytree(self.bench.home, home)
        shutil.copyfile(self.bench.card, card)
        os.sync()
        return timed(sys.executable, "-m", "sealhost", "--home", home, "dock", card, "--json")

    def serial(self) -> float:
        """The ceiling, one thing after the other."""
        return self._ceiling("serial")

    def overlapped(self) -> float:
        """The ceiling, one thread a lane."""
        return self._ceiling("overlapped")

    def _ceiling(self, order: str) -> float:
        command = [sys.executable, str(CEILING), "ingest", order, str(fresh()), str(self.bench.card)]
        os.sync()
        ran = subprocess.run([*command, *self.stretches], check=True, capture_output=True, text=True)
        return float(ran.stdout)

    def restic(self) -> float:
        """One backup into a new repository."""
        folder = fresh()
        env = {"RESTIC_PASSWORD": "bench", "RESTIC_CACHE_DIR": str(folder / "cache")}
        timed("restic", "init", "-q", "-r", folder / "repository", env=env)
        os.sync()
        return timed("restic", "backup", "-q", "-r", folder / "repository", self.bench.card, env=env)

    def age(self) -> float:
        """Encrypted, copied, both flushed, both read."""
        folder = fresh()
        timed("age-keygen", "-o", folder / "key")
        script = (
            'age -e -i key -o one "$1" && cp one two && sync one two && sha256sum one two | '
            "cut -d' ' -f1 | uniq | wc -l | grep -qx 1"
        )
        os.sync()
        return timed("sh", "-c", f'cd "$2" && {script}', "sh", self.bench.card, folder)


def run(wanted: set[str], bench: cards.Bench) -> dict[str, Entry]:
    """Those asked for; the dock of a round serves all of them."""
    docking = Docking(bench)
    sides: list[Callable[[], float]] = [docking.dock]
    sides += [docking.serial, docking.overlapped] if INGEST in wanted else []
    sides += [side for name, side in ((RESTIC, docking.restic), (AGE, docking.age)) if name in wanted]
    rounds = []
    for number in range(PAIRS):
        print(f"bench: round {number + 1} of {PAIRS} with a 1 GiB card", flush=True)
        rounds.append(alternating(number, sides))
    shutil.rmtree(RUN, ignore_errors=True)
    return {name: _entry(name, wanted, rounds) for name in NAMES if name in wanted}


def _entry(name: str, wanted: set[str], rounds: list[list[float]]) -> Entry:
    if name == INGEST:
        pairs = [(min(found[1:3]), found[0]) for found in rounds]
    else:
        at = -1 if name == AGE or AGE not in wanted else -2
        pairs = [(found[at], found[0]) for found in rounds]
    return of_pairs(pairs, *SAID[name])
