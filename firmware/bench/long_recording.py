"""A recording of 2 GiB in parts on the desk camera: its longest stall between two chunks, and its heap.

    build/micropython/ctr firmware/bench/long_recording.py CARD.img FLASH.img REEL MEGABYTES

Prints numbers by name. The parts are `main.py`'s own, the card and the flash images; the reel runs round and
round, as fast as the camera takes it. Needs an image of an enrolled camera.
"""

import gc
import sys
import time

_HERE = __file__.rsplit("/", 1)[0]
sys.path.insert(0, _HERE + "/../../boards/unix")
sys.path.insert(0, _HERE + "/..")

import board as desk  # noqa: E402 - our own are only reachable from here on
import main  # noqa: E402
import reel  # noqa: E402


class Loop:
    """A reel without an end: every round begins where the one before stopped."""

    def __init__(self, path):
        self._reel = reel.Reel(path)
        self.longest, self.width, self.height = self._reel.longest, self._reel.width, self._reel.height
        self.sound_rate = self._reel.sound_rate
        self.rewind()

    def rewind(self):
        self._reel.rewind()
        self._begun = self._last = 0

    def next_into(self, buffer):
        found = self._reel.next_into(buffer)
        if found is None:
            self._reel.rewind()
            self._begun = self._last + 40
            found = self._reel.next_into(buffer)
        self._last = self._begun + found[1]
        return found[0], self._last, found[2]


def run(card, flash, film, megabytes):
    faults = desk.Faults()
    devices = (
        desk.Blocks(desk.FileStore(card), desk.SECTOR, faults, True),
        desk.Blocks(desk.FileStore(flash), desk.FLASH_SECTOR, faults, False),
    )
    board = desk.Board(*devices, Loop(film), desk.DeskClock(True), True)
    camera = main.Camera(board)
    camera.boot()
    camera.check_may_record()
    while camera.step():  # a secret and a part are ready before anybody asks
        pass
    camera.recorder.start()
    goal = megabytes * 1048576 // camera.policy.chunk_size
    longest, began, heap = follow(camera, goal)
    seconds = time.ticks_diff(time.ticks_ms(), began) / 1000
    camera.recorder.stop()
    print("chunks", camera.recorder.chunks)
    print("longest_stall_us", longest)
    print("mean_chunk_us", int(seconds * 1000000) // goal)
    print("filmed_ms", camera.recorder.ms())
    print("heap_early", heap)
    gc.collect()
    print("heap_late", gc.mem_alloc())
    print("entries", len(camera.files.read("log")) // 128)
    camera.power_off()


def follow(camera, goal):
    """(longest time between two chunks in us, when it began, heap after a tenth) of so many chunks."""
    recorder, longest, told, heap = camera.recorder, 0, 0, 0
    began, last = time.ticks_ms(), time.ticks_us()
    while recorder.recording and recorder.chunks < goal:
        if not camera.step():
            camera.board.idle(camera)
        if recorder.chunks != told:
            now = time.ticks_us()
            longest, last, told = max(longest, time.ticks_diff(now, last)), now, recorder.chunks
            if told == goal // 10:
                gc.collect()
                heap = gc.mem_alloc()
                last = time.ticks_us()
    if not recorder.recording:
        raise SystemExit("- it ended by itself: %s" % recorder.fault)
    return longest, began, heap


if __name__ == "__main__":
    run(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
