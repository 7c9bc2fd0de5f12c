"""A whole clip, filmed as fast as the camera can: nothing of it is missing. How fast is told only."""

import time
from concurrent.futures import ThreadPoolExecutor

from bench.camera import State
from test_dock import verdicts

PICTURES = 40  # ten a second


def filmed(camera, power):
    """The whole clip; milliseconds of filming, and the longest between two chunks."""
    camera.reach(State.RECORDING)
    with ThreadPoolExecutor(1) as pool:
        ending = pool.submit(camera.wait, "end")
        began = newest = time.monotonic()
        chunks, longest = 0, 0.0
        while not ending.done():
            told = power.camera.heard.count("- chunk ")
            if told > chunks:
                now = time.monotonic()
                longest, newest, chunks = max(longest, now - newest), now, told
            time.sleep(0.005)
        ending.result()
    camera.press("stop")
    return round(1000 * (newest - began)), round(1000 * longest)


def test_a_whole_clip_is_recorded_without_a_dropped_picture(camera, power, dock, record_property):
    """Proves UA-1."""
    power.fast = True
    took_ms, longest_ms = filmed(camera, power)
    record_property("told", f"4 s of film in {took_ms} ms, longest stall {longest_ms} ms")
    found = dock.run("dock", power.port)

    assert set(verdicts(found)) == {("intact", "wiped")}
    names = [r["name"] for r in found["recordings"] if r["kind"] == "recording"]
    shown = dock.run("show", names[-1])  # before it there is the trial of the enrolment
    assert (shown["pictures"], shown["dropped"]) == (PICTURES, 0)
