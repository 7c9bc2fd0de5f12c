"""Our whole chunk path, from frame to card: mux, seal, chain, append through FAT to a block device in memory.

Runs on the emulated Cortex-M3: chunk_path.py IMAGE off|ships. Prints instructions for one chunk, the most
bytes one chunk takes in passing, and what each leaves behind.
"""

import gc
import sys
import time

from desk_camera import DeskCamera

_CHUNKS = 64


def main():
    camera = DeskCamera(sys.argv[1], "off" if sys.argv[2] == "off" else None)
    camera.make_ready()
    camera.carrier.begin()
    camera.run_to(8)
    gc.collect()
    start = time.ticks_us()
    camera.run_to(8 + _CHUNKS)
    print("path", time.ticks_diff(time.ticks_us(), start) * 1000 // _CHUNKS)
    print("passing", _most_in_passing(camera))
    print("left", _left_behind(camera))


def _most_in_passing(camera):
    gc.collect()
    gc.disable()
    most = 0
    for _ in range(21):
        before = gc.mem_alloc()
        camera.run_to(camera.carrier.chunks + 1)
        most = max(most, gc.mem_alloc() - before)
    gc.enable()
    return most


def _left_behind(camera):
    """Bytes for one chunk; rounded up, so that one byte in sixty-four chunks shows."""
    gc.collect()
    before = gc.mem_alloc()
    camera.run_to(camera.carrier.chunks + _CHUNKS)
    gc.collect()
    return -((before - gc.mem_alloc()) // _CHUNKS)


main()
