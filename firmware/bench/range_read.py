"""Answering one *read* of 16 KiB in a session: request frame in, card, frame out through the board's driver.

Runs on the emulated Cortex-M3: range_read.py IMAGE. Prints instructions for one.
"""

import gc
import sys
import time

from docked_camera import PIECE, DockedCamera, Host

_READS = 16


def main():
    camera = DockedCamera(sys.argv[1])
    _film(camera, 1 + _READS)
    host = Host(camera)
    camera.answer(host.hello)
    host.take_welcome()
    _ask(camera, host, 0)  # the file is opened with the first
    gc.collect()
    print("answering", sum([_ask(camera, host, PIECE * n) for n in range(1, 1 + _READS)]) * 1000 // _READS)


def _film(camera, chunks):
    camera.make_ready()
    camera.recorder.start()
    while camera.recorder.chunks < chunks:
        camera.recorder.step()
    camera.recorder.stop()


def _ask(camera, host, offset):
    """Microseconds from request to answer; that what came proves is looked at after them."""
    frame = host.range_read(0, offset, PIECE)
    start = time.ticks_us()
    camera.answer(frame)
    taken = time.ticks_diff(time.ticks_us(), start)
    host.check_answer()
    return taken


main()
