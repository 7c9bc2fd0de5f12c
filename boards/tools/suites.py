"""Run named test suites (words of the Makefile) in parallel lanes, one log each, and say how each ended.

usage: suites.py LANE...      a lane is comma-separated words: test-host,test-docs test-device,test-power

Runs all of them even when one fails. Exit code 1 when any did; the log of a failed suite is printed whole.
"""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

LOGS = Path("build/test-logs")


def main(lanes: list[list[str]]) -> int:
    """Every lane at once, the suites of a lane one after another."""
    LOGS.mkdir(parents=True, exist_ok=True)
    for number, lane in enumerate(lanes, 1):
        say(f"lane {number}: {', '.join(lane)}")
    with ThreadPoolExecutor(len(lanes)) as pool:
        failed = [suite for lane in pool.map(run_lane, lanes) for suite in lane]
    for suite in failed:
        print(f"\n===== {suite} failed; its log:\n{log_of(suite).read_text(errors='replace')}")
    say(f"{len(failed)} suites failed: {', '.join(failed)}" if failed else "all suites passed")
    return 1 if failed else 0


def run_lane(suites: list[str]) -> list[str]:
    """The names of those that failed."""
    return [suite for suite in suites if not passes(suite)]


def passes(suite: str) -> bool:
    """Run one word of the Makefile, and say how it ended."""
    start = time.monotonic()
    say(f"{suite} ...")
    with log_of(suite).open("w") as log:
        command = ["make", "--no-print-directory", suite, "JOBS=0"]
        made = subprocess.Popen(command, stdout=log, stderr=log)
        _, status, used = os.wait4(made.pid, 0)
    took = f"{time.monotonic() - start:.0f} s, {used.ru_utime + used.ru_stime:.0f} s of processor"
    say(f"{suite} {'FAILED' if status else 'passed'} after {took}: {summary(log_of(suite))}")
    return status == 0


def summary(log: Path) -> str:
    """The test runner's own last word, or else the last line."""
    lines = log.read_text(errors="replace").strip().splitlines() or ["(no output)"]
    counted = [line for line in lines if " passed" in line or " failed" in line or " error" in line]
    return (counted or lines)[-1].strip("= ")


def log_of(suite: str) -> Path:
    """Where the suite's output is kept."""
    return LOGS / f"{suite}.log"


def say(line: str) -> None:
    """One line, at once: the lanes run side by side."""
    print(f"test: {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main([lane.split(",") for lane in sys.argv[1:]]))
