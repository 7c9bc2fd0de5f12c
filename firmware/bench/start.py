"""From *record* to the first chunk on the card, with a ready secret, beside one chunk in mid-recording.

Runs on the emulated Cortex-M3: start.py IMAGE. Prints instructions for both.
"""

import gc
import sys
import time

from desk_camera import DeskCamera

_CHUNKS = 32


def main():
    camera = DeskCamera(sys.argv[1])
    camera.make_ready()
    gc.collect()
    start = time.ticks_us()
    camera.recorder.start()
    _steps_to(camera, 1)
    print("start", time.ticks_diff(time.ticks_us(), start) * 1000)
    _steps_to(camera, 8)
    gc.collect()
    start = time.ticks_us()
    _steps_to(camera, 8 + _CHUNKS)
    print("chunk", time.ticks_diff(time.ticks_us(), start) * 1000 // _CHUNKS)


def _steps_to(camera, chunks):
    while camera.recorder.chunks < chunks:
        camera.recorder.step()


main()
