"""Record so many chunks and say what the heap had left, again and again: nothing may grow.

Runs on the emulated Cortex-M3: many_chunks.py IMAGE CHUNKS EVERY. Prints `free N BYTES` after a
collection, and at the end `held` or how far the mark moved below what it was when the recording had settled.
"""

import gc
import sys

gc.threshold(2048)  # while modules are loaded: what stays then lies together, and large buffers find room
from desk_camera import DeskCamera  # noqa: E402

gc.threshold(-1)


def main():
    chunks, every = int(sys.argv[2]), int(sys.argv[3])
    # frames go from where they lie into the chunk; heads are read back in pieces, as so small a heap asks
    camera = DeskCamera(sys.argv[1], frame_buffer=16, echo=4096)
    camera.make_ready()
    camera.carrier.begin()
    mark = _lowest(camera, chunks // 4, every)  # a whole part and its change: then two are open
    lowest = _lowest(camera, chunks, every)
    print("held" if lowest >= mark else "moved %d" % (mark - lowest))


def _lowest(camera, chunks, every):
    lowest = 1 << 29
    while camera.carrier.chunks < chunks:
        camera.run_to(min(chunks, camera.carrier.chunks + every))
        lowest = min(lowest, _free(camera))
    return lowest


def _free(camera):
    gc.collect()
    free = gc.mem_free()
    print("free", camera.carrier.chunks, free)
    return free


main()
