"""A camera in a bay of `sealcam dock --watch`: served as it comes, whatever becomes of its cable."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import sealhost
from test_dock import film, verdicts

WHOLE = ["verifying", "stored twice", "wiped", "safe to take"]


@contextmanager
def watching(home, *patterns) -> Iterator[Iterator[dict]]:
    """What the row of bays tells a machine, line by line."""
    command = [sys.executable, "-W", "ignore", "-m", "sealhost", "--home", home, "dock", "--watch", *patterns]
    env = {**os.environ, "PYTHONPATH": str(sealhost.__path__[0]).rpartition("/")[0]}
    row = subprocess.Popen([*map(str, command), "--json"], env=env, stdout=subprocess.PIPE, text=True)
    assert row.stdout is not None
    try:
        yield (json.loads(line) for line in row.stdout)
        row.send_signal(signal.SIGTERM)
        assert row.wait(60) == 0
    finally:
        row.kill()
        row.wait()


def states_until(told, last: str) -> list[str]:
    """The states of the one bay, each once in a row, until that one."""
    found: list[str] = []
    for shown in told:
        if shown["state"] not in found[-1:]:
            found.append(shown["state"])
        if shown["state"] == last:
            return found
    raise AssertionError(found)


def test_a_bay_takes_a_camera_from_verifying_to_safe_to_take(camera, power, dock):
    """Proves promise 4: a cable that comes out in the middle costs time and nothing else."""
    film(camera)

    with power.pulled_after(30_000), watching(dock.home, power.port) as told:
        states = states_until(told, "safe to take")

    assert [state for state in states if state != "waiting"][-4:] == WHOLE
    assert {r["verdict"] for r in dock.run("ls")["recordings"]} == {"intact"}
    assert not verdicts(dock.run("dock", power.port))
