"""The desk camera's devices: a card and a flash that are images (or memory), a clock, a feed, and their
faults.

Imports nothing of ours but the reel reader beside it. Knows blocks and bytes, never what they mean.
"""

import os
import sys
import time

_EIO = 5
SECTOR, FLASH_SECTOR = 512, 4096
FLASH_SECTORS = 256
_STEP_MS = 100  # a clock that runs ahead runs no further at once


LOST = -1


class PowerLost(BaseException):
    """The supply went. Nothing that runs after it reaches an image."""


class Faults:
    """What goes wrong, by the number of the write: `cut_after` over card and flash together, the others on
    the card.

    Numbers count from 1. `torn` is the share of the cut write that lands. A lost write reports success; a
    failing card fails from that write on, or that once with `fails_once`.
    """

    def __init__(self, cut_after=0, torn=0.0, fails_at=0, fails_once=False, loses_at=0, flash_too=False):
        self.cut_after, self.torn = cut_after, torn
        self.fails_at, self.fails_once, self.loses_at = fails_at, fails_once, loses_at
        self.flash_too = flash_too
        self.writes = self.card_writes = 0
        self.dark = self.lost_something = False

    def landing(self, size, is_card):
        """How many bytes of this write land, LOST for none and no word of it; OSError where it fails. `cut`
        follows.
        """
        self.writes += 1
        if self.cut_after and self.writes == self.cut_after:
            self.dark = True
            return int(size * self.torn)
        if is_card or self.flash_too:
            self.card_writes += 1
            number = self.card_writes
            if self.fails_at and (
                number == self.fails_at or (number > self.fails_at and not self.fails_once)
            ):
                raise OSError(_EIO)
            if number == self.loses_at:
                return LOST
        return size

    def cut(self):
        """Called after each write: here the power goes, for good."""
        if self.dark:
            self.power_lost()

    def power_lost(self):
        # the process ends between two instructions: no handler, no closing of files
        os.system("kill -9 $PPID")
        raise PowerLost


class Blocks:
    """A block device over `store` (bytes at offsets), with the faults of `faults`; sectors of `size` bytes.
    """

    def __init__(self, store, size, faults, is_card):
        self._store, self._size, self._faults, self._is_card = store, size, faults, is_card
        self._count = store.size // size
        self._erased = None if is_card else b"\xff" * size

    def unplug(self):
        """What still holds this device reaches its store no more."""
        self._faults = Faults()
        self._faults.dark = True

    def readblocks(self, block, buffer, offset=0):
        if self._faults.dark:
            return -_EIO
        self._store.read(block * self._size + offset, buffer)
        return 0

    def writeblocks(self, block, buffer, offset=0):
        return self._land(block * self._size + offset, buffer)

    def _land(self, at, buffer):
        if self._faults.dark:
            return -_EIO
        size = len(buffer)
        landing = self._faults.landing(size, self._is_card)
        if landing == size:
            self._store.write(at, buffer)
        elif landing > 0:
            self._store.write(at, memoryview(buffer)[:landing])
        elif landing == LOST:
            there = bytearray(size)
            self._store.read(at, there)
            self._faults.lost_something = there != buffer
        self._faults.cut()
        return 0

    def ioctl(self, op, argument):
        if op == 4:
            return self._count
        if op == 5:
            return self._size
        if op == 6 and self._erased:
            return self._land(argument * self._size, self._erased)
        return 0


class FileStore:
    """Bytes in a file of fixed size; what was written is the kernel's at once, so a kill loses nothing."""

    def __init__(self, path):
        self.size = os.stat(path)[6]
        self._file = open(path, "r+b")

    def read(self, offset, buffer):
        self._file.seek(offset)
        if self._file.readinto(buffer) != len(buffer):
            raise OSError(_EIO)

    def write(self, offset, data):
        self._file.seek(offset)
        self._file.write(data)

    def close(self):
        self._file.close()


class MemoryStore:
    """Bytes in memory, for tests that cut the power thousands of times."""

    def __init__(self, content):
        self.bytes = bytearray(content)
        self.size = len(self.bytes)
        self._view = memoryview(self.bytes)

    def read(self, offset, buffer):
        memoryview(buffer)[:] = self._view[offset : offset + len(buffer)]

    def write(self, offset, data):
        self._view[offset : offset + len(data)] = data


class NoCardDevice:
    """An empty slot."""

    def readblocks(self, block, buffer, offset=0):
        return -_EIO

    def writeblocks(self, block, buffer, offset=0):
        return -_EIO

    def ioctl(self, op, argument):
        return SECTOR if op == 5 else 0

    def unplug(self):
        pass


class DeskClock:
    """Milliseconds since boot and the board's own hour: the machine's, or `fast`, moved on by whoever films.
    """

    def __init__(self, fast, unset=False):
        self._fast, self._unset = fast, unset
        self._now = 0
        self._base_utc = time.time_ns() // 1000000

    def ms(self):
        if not self._fast:
            self._now = time.time_ns() // 1000000 - self._base_utc
        return self._now

    def utc_ms(self):
        return None if self._unset else self._base_utc + self.ms()

    def advance(self, milliseconds):
        if self._fast:
            self._now += milliseconds
        else:
            time.sleep_ms(min(milliseconds, 5))


class NoFeed:
    """No camera and no microphone: only the buttons."""

    longest, width, height, sound_rate = 16, 0, 0, 0

    def rewind(self):
        pass

    def next_into(self, buffer):
        return None


class Board:
    """What `main.py` asks of a board."""

    mount_point = "/card"
    noise_sources = ["os.urandom"]
    log_part_bytes = 65536
    most_names = 2000
    flash_protected = False  # anybody can copy the image
    screen = port = None
    debug = False

    def __init__(self, card_device, flash_device, feed, rtc, fast, noise=None, firmware=bytes(32)):
        self.card_device, self.flash_device, self.feed, self.rtc = card_device, flash_device, feed, rtc
        self.paced = not fast
        self._noise = noise
        self.firmware = firmware
        self.facts = {
            "board": "unix",
            "interpreter": interpreter(),
            "firmware": "".join(["%02x" % byte for byte in firmware]),
        }

    def eject(self):
        """The card is in somebody's hand; what still holds it reaches it no more."""
        self.card_device.unplug()
        self.card_device = NoCardDevice()

    def noise(self):
        return self._noise() if self._noise else os.urandom(1024)

    def idle(self, camera):
        """Nothing to do now: let time pass until the next picture or sound is due, in steps that a signature
        can wait.
        """
        due = camera.source.due_ms() if camera.source.running else -1
        step = 5 if self.paced else _STEP_MS
        if due >= 0 and not self.paced:
            step = min(step, max(1, due - camera.recorder.ms()))
        self.rtc.advance(step)


def interpreter():
    """Name, version and machine of what runs us, for the sealed description."""
    version = ".".join([str(part) for part in sys.implementation.version[:3]])
    return "%s %s, %s" % (
        sys.implementation.name,
        version,
        getattr(sys.implementation, "_machine", sys.platform),
    )


def make_flash(path, sectors=FLASH_SECTORS):
    """A new flash image, all erased."""
    blank = b"\xff" * FLASH_SECTOR
    with open(path, "wb") as file:
        for _ in range(sectors):
            file.write(blank)
