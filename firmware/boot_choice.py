"""The boot stage: choose the firmware that runs, before anything of it is imported.

Reads `firmware.state` and the archive it names (docs/format/statements.md, Firmware archive), takes a boot
from a candidate before it tries it, and goes back when the candidate is changed, spent, or does not start.
Nothing an update brings replaces this file, and it imports nothing of the firmware: the factory's must not be
there first.
"""

import gc
import io
import struct
import sys
from hashlib import sha256

import vfs

FILES_FIRST = 21  # the first sector of littlefs, as in main.py
MOUNT_POINT = "/installed"
STATE = "firmware.state"
PLACES = (None, "firmware-a", "firmware-b")
BOOTS = 3
SPENT, NOT_STARTED, CHANGED = 2, 3, 4  # why a candidate fell back
FACTORY_VERSION, FACTORY_COUNTER = 1, 1  # of what is frozen beside this file
_STATE = ">4sBBHI48s48s16sB3x"
_ENTRY = ">B3xIII32s"
_BODY_AT = 24 + 36 + 64 + 4  # behind the total and the statement
_HEAD = 44
_COUNT_AT = 40
_PIECE = 512
_SIZES = {"readsize": 256, "progsize": 256, "lookahead": 32}
_BLANK = b"\xff" * 256
_ERRORS = (OSError, ValueError, IndexError)


class Restart(BaseException):
    """What a board without a reset of its own raises to start again."""


class Chosen:
    """What runs; `place` 0 is the factory's, whose digest the board knows itself."""

    def __init__(
        self, place=0, version=FACTORY_VERSION, counter=FACTORY_COUNTER, digest=None, on_trial=False
    ):
        self.place, self.version, self.counter = place, version, counter
        self.digest, self.on_trial = digest, on_trial
        self.factory = (FACTORY_VERSION, FACTORY_COUNTER)
        self.trouble = False  # flash did not take what the boot stage had to write


def run(open_flash, begin):
    """Choose, and answer what `begin(chosen)` does; again after a `Restart`, and on the kept firmware after a
    candidate that raised. `open_flash()` gives the flash as a board has it after a reset.
    """
    while True:
        flash = open_flash()
        known = set(sys.modules)
        path = list(sys.path)
        chosen = choose(flash)
        try:
            return begin(chosen)
        except Restart:
            print("- restarts")
        except Exception as fault:  # the outermost loop: whatever a candidate raises, the kept one runs
            if not chosen.on_trial:
                raise
            print("- firmware %d did not start: %s" % (chosen.version, type(fault).__name__))
            fall_back(open_flash(), chosen)
        finally:
            _leave(known, path)


def format_files(flash) -> None:
    """For a flash that is made, not for one that is found."""
    vfs.VfsLfs2.mkfs(Blocks(flash), **_SIZES)


def choose(flash) -> Chosen:
    """The firmware of this boot, and its folder first in sys.path. A boot of a candidate is spent here.

    A cut before the write leaves the boots as they were, and nothing was tried; a cut after it has spent one.
    """
    try:
        files = vfs.VfsLfs2(Blocks(flash), **_SIZES)
        state = State.load(files)
    except _ERRORS:
        return Chosen()  # littlefs or the state does not answer; who boots next says what is wrong with it
    if state is None:
        return Chosen()
    chosen, trouble = None, False
    try:
        if state.candidate[0]:
            chosen = _try(files, state)
    except _ERRORS:
        trouble = True  # nothing is tried that was not spent
    chosen = chosen or _enter(files, state.kept, False) or Chosen()
    chosen.trouble = trouble
    return chosen


def _try(files, state):
    """The candidate, or None once it is written down that it is none."""
    if state.boots == 0:
        return state.drop(files, SPENT)
    state.boots -= 1
    state.save(files)  # spent before it is tried
    return _enter(files, state.candidate, True) or state.drop(files, CHANGED)


def fall_back(flash, chosen) -> None:
    """Write down that the candidate that ran is none any more; cut before it, its next boot is spent."""
    try:
        files = vfs.VfsLfs2(Blocks(flash), **_SIZES)
        state = State.load(files)
        if state is not None and state.candidate[0] == chosen.place:
            state.drop(files, NOT_STARTED)
    except _ERRORS:
        print("- and it could not be written down")


def _enter(files, entry, on_trial):
    """Hash the archive, mount it and put it before everything else; None unless it is the one that was
    signed.
    """
    place, length, version, counter, digest = entry
    if place == 0:
        return None
    try:
        file = files.open("/" + PLACES[place], "rb")
        if _digest(file, length) != digest:
            return None
        vfs.mount(Folder(file), MOUNT_POINT)
    except _ERRORS:
        return None
    sys.path.insert(0, MOUNT_POINT)
    return Chosen(place, version, counter, digest, on_trial)


def _leave(known, path):
    """Forget what was imported since, and let go of what is mounted."""
    sys.path[:] = path
    for name in set(sys.modules) - known:
        del sys.modules[name]
    try:
        vfs.umount(MOUNT_POINT)
    except OSError:
        pass
    gc.collect()


def _digest(file, length):
    whole, buffer = sha256(), memoryview(bytearray(_PIECE))
    at, end = _BODY_AT, 4 + length
    file.seek(at)
    while at < end:
        piece = buffer[: min(_PIECE, end - at)]
        if file.readinto(piece) != len(piece):
            return b""
        whole.update(piece)
        at += len(piece)
    return whole.digest()


class State:
    """`firmware.state`: which place is kept, which one is tried, and how often it still may be."""

    def __init__(self, raw):
        magic, self.boots, self.proved, _, self.counter, kept, candidate, self.fell, self.why = struct.unpack(
            _STATE, raw
        )
        if magic != b"SKB1":
            raise ValueError
        self.kept, self.candidate = struct.unpack(_ENTRY, kept), struct.unpack(_ENTRY, candidate)

    @classmethod
    def load(cls, files):
        """None where no update was ever taken; ValueError or OSError for one that cannot be believed."""
        try:
            file = files.open("/" + STATE, "rb")
        except OSError as fault:
            if fault.args[0] == 2:
                return None
            raise
        raw = file.read()
        file.close()
        if len(raw) != 160 or sha256(raw[:128]).digest() != raw[128:]:
            raise ValueError
        return cls(raw[:128])

    def save(self, files) -> None:
        """Aside, read back, then renamed over: littlefs does that in one step."""
        raw = struct.pack(
            _STATE, b"SKB1", self.boots, self.proved, 0, self.counter, struct.pack(_ENTRY, *self.kept),
            struct.pack(_ENTRY, *self.candidate), self.fell, self.why,
        )  # fmt: skip
        raw += sha256(raw).digest()
        aside = "/" + STATE + ".new"
        with files.open(aside, "wb") as file:
            file.write(raw)
        with files.open(aside, "rb") as file:
            if file.read() != raw:
                raise OSError(5)
        files.rename(aside, "/" + STATE)

    def drop(self, files, why) -> None:
        self.fell, self.why = self.candidate[4][:16], why
        self.boots = self.proved = 0
        self.candidate = (0, 0, 0, 0, bytes(32))
        self.save(files)


class Folder:
    """The files of one archive, to import from: `main.mpy` on top, the others in `sealcam`."""

    def __init__(self, file):
        self._file, self._table = file, {}
        file.seek(_BODY_AT + _COUNT_AT)
        count = struct.unpack(">H", file.read(2))[0]
        at = _BODY_AT + _HEAD
        for _ in range(count):
            file.seek(at)
            size = file.read(1)[0]
            name, length = file.read(size).decode(), struct.unpack(">I", file.read(4))[0]
            at += 5 + size
            self._table[name if name == "main.mpy" else "sealcam/" + name] = (at, length)
            at += length

    def mount(self, readonly, mkfs):
        pass

    def umount(self):
        pass

    def stat(self, path):
        name = path.strip("/")
        if name in ("", "sealcam"):
            return (0x4000, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        return (0x8000, 0, 0, 0, 0, 0, self._found(name)[1], 0, 0, 0)

    def open(self, path, mode):
        at, length = self._found(path.strip("/"))
        if mode not in ("rb", "r"):
            raise OSError(30)  # EROFS
        self._file.seek(at)
        return io.BytesIO(self._file.read(length))

    def _found(self, name):
        if name not in self._table:
            raise OSError(2)  # ENOENT
        return self._table[name]


class Blocks:
    """The sectors of littlefs; what is written is read back, as littlefs trusts its writes."""

    def __init__(self, device):
        self._device = device
        self._echo = memoryview(bytearray(256))

    def readblocks(self, block, buffer, offset=0):
        return self._device.readblocks(FILES_FIRST + block, buffer, offset) or 0

    def writeblocks(self, block, buffer, offset=0):
        data = memoryview(buffer)
        self._device.writeblocks(FILES_FIRST + block, buffer, offset)
        for at in range(0, len(data), 256):
            echo = self._echo[: min(256, len(data) - at)]
            self._device.readblocks(FILES_FIRST + block, echo, offset + at)
            if echo != data[at : at + len(echo)]:
                return -5  # EIO
        return 0

    def ioctl(self, op, argument):
        if op == 4:
            return self._device.ioctl(4, 0) - FILES_FIRST
        if op == 6:
            return self._erase(FILES_FIRST + argument)
        return self._device.ioctl(op, argument) or 0

    def _erase(self, sector):
        if self._device.ioctl(6, sector):
            return -5  # EIO
        for at in range(0, self._device.ioctl(5, 0), 256):
            if self._device.readblocks(sector, self._echo, at) or self._echo != _BLANK:
                return -5
        return 0
