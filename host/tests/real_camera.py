"""The firmware itself, in this process, on a line in memory: card and flash are memory, time is a number.

What a host does is the host's own code. A docking is then one sequence of bytes, the same each time from the
same state; `forked` begins from a state as often as it takes. Nothing sleeps, and no thread runs.
"""

import contextlib
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from sealhost.docked.line import Lost

_ROOT = Path(__file__).resolve().parents[2]
for _folder in ("boards/unix", "firmware/tests"):
    sys.path.insert(0, str(_ROOT / _folder))

import board as desk  # noqa: E402 - importable from here on
import main  # noqa: E402
import vfs  # noqa: E402
from power_bench import fat16  # noqa: E402
from sealcam.enrolment import Enrolment  # noqa: E402

_FLASH_BYTES = (main.FILES_FIRST + 40) * 4096
_LOG_PART = 8192
FOLDER = "/sealcam/"


class TinyFeed:
    """One picture of a few bytes."""

    longest, width, height, sound_rate = 256, 16, 16, 8000

    def __init__(self) -> None:
        self._is_over = False

    def rewind(self) -> None:
        self._is_over = False

    def next_into(self, buffer):
        if self._is_over:
            return None
        self._is_over = True
        buffer[:64] = bytes(range(64))
        return 1, 0, 64


class DeviceFolder:
    """The camera's end of the exchange folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def has(self, name: str) -> bool:
        return (self._folder / name).exists()

    def read(self, name: str) -> bytes | None:
        return (self._folder / name).read_bytes() if self.has(name) else None

    def write(self, name: str, pieces) -> None:
        (self._folder / name).write_bytes(b"".join(bytes(piece) for piece in pieces))


class MemoryLine:
    """Both ends. To the host a `docked.line.SerialLine`; to the camera a board's line.

    `cut_after` so many bytes, both ways together, the cable is out until the host opens the line again; where
    it `stays_out`, until somebody puts it in.
    """

    def __init__(self) -> None:
        self.name, self.camera = "memory", None
        self.now, self.opened = 0.0, 0
        self.begin(None)

    def begin(self, cut_after: int | None) -> None:
        """Count bytes anew; `frames` are the places behind each frame."""
        self.passed, self.cut_after, self.opened, self.frames = 0, cut_after, 0, []
        self._is_open, self._to_camera, self._to_host = False, bytearray(), bytearray()
        self._sizes: list[int] = []
        self.stays_out = self._is_out = False

    # the host's end

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self._turn()

    def open(self) -> None:
        self.opened += 1
        if self._is_out:
            raise Lost("the port is not there")
        self._is_open = True
        self._to_host.clear()
        self._sizes.clear()

    def close(self) -> None:
        self._is_open = False

    def read(self, most: int, wait_s: float) -> bytes:
        self._refuse_closed()
        self._turn()
        if not self._to_host:
            self.now += wait_s
            self._turn()
        got = self._passed(bytes(self._to_host[:most]))
        del self._to_host[: len(got)]
        self._count(len(got))
        self._pull()
        return got

    def write(self, content: bytes) -> None:
        self._refuse_closed()
        self._to_camera += self._passed(content)
        self.frames.append(self.passed)
        self._pull()
        self._turn()

    def _refuse_closed(self) -> None:
        if not self._is_open:
            raise Lost("the cable was pulled")

    def _passed(self, content: bytes) -> bytes:
        left = len(content) if self.cut_after is None else self.cut_after - self.passed
        piece = content[: max(0, left)]
        self.passed += len(piece)
        return piece

    def _pull(self) -> None:
        if self.cut_after is not None and self.passed >= self.cut_after:
            self.cut_after, self._is_open, self._is_out = None, False, self.stays_out
            self._turn()
            raise Lost("the cable was pulled")

    def _count(self, size: int) -> None:
        while size and self._sizes:
            taken = min(size, self._sizes[0])
            self._sizes[0] -= taken
            size -= taken
            if not self._sizes[0]:
                self._sizes.pop(0)
                self.frames.append(self.passed)

    def _turn(self) -> None:
        """The camera works until it has nothing to do."""
        for _ in range(100_000):
            if not self.camera.step() and not self._to_camera:
                return
        raise AssertionError("the camera comes to no end")

    # the camera's end

    def any(self) -> bool:
        return bool(self._to_camera)

    def read_into(self, view) -> int:
        size = min(len(view), len(self._to_camera))
        view[:size] = self._to_camera[:size]
        del self._to_camera[:size]
        return size

    def write_from_camera(self, view) -> int:
        if not self._is_open:
            raise OSError(5)  # pulled
        self._to_host += view
        self._sizes.append(len(view))
        return len(view)


class _Device:
    def __init__(self, line: MemoryLine) -> None:
        self.any, self.read_into, self.write = line.any, line.read_into, line.write_from_camera


class RealCamera:
    """One camera, switched on; `camera` is the firmware's introduction of its parts."""

    def __init__(self) -> None:
        self.card, self.flash = desk.MemoryStore(fat16()), desk.MemoryStore(b"\xff" * _FLASH_BYTES)
        main.format_files(desk.Blocks(self.flash, 4096, desk.Faults(), False))
        self.said: list[str] = []
        self.line = MemoryLine()
        self.start()

    def start(self) -> None:
        """Switched on, with what card and flash hold."""
        with contextlib.suppress(OSError):
            vfs.umount("/card")
        faults = desk.Faults()
        flash = desk.Blocks(self.flash, 4096, faults, False)
        self.board = desk.Board(self._card(), flash, TinyFeed(), desk.DeskClock(True), True)
        self.board.log_part_bytes, self.board.port, self.board.chosen = _LOG_PART, _Device(self.line), None
        self.camera = self.line.camera = main.Camera(self.board, self.said.append)
        self.camera.port.ms = lambda: int(self.line.now * 1000)
        self.camera.boot()

    def _card(self):
        return desk.Blocks(self.card, 512, desk.Faults(), True)

    def enrol(self, folder: Path, attend: Callable[[], object]) -> None:
        """By the exchange folder; `attend` is the host's turn."""
        steps = Enrolment(self.camera, DeviceFolder(folder))
        for _ in range(6):
            attend()
            if steps.step() == "enrolled":
                attend()
                return
        raise AssertionError("enrolment did not end")

    def rest(self) -> None:
        """Until nothing is left to do."""
        while self.camera.step():
            pass

    def film(self) -> bytes:
        """One recording, as short as can be; its h_core."""
        camera = self.camera
        camera.record()
        while not camera.source.ended:
            if not camera.step():
                camera.board.idle(camera)
        camera.recorder.stop()
        self.rest()
        return bytes(camera.recorder.h_core)

    @property
    def files(self) -> dict[str, bytes]:
        """What stands on the card, by name."""
        return {
            path.removeprefix(FOLDER): bytes(content)
            for path, content in self.card.shim_files.items()
            if path.startswith(FOLDER)
        }

    def recordings(self) -> list[str]:
        """Names of recordings and log segments, without what the camera has made ready."""
        return [name for name in self.files if not name.startswith("ready")]

    def take_out(self) -> None:
        """The card is out."""
        self.camera.remove_card()
        self.board.eject()

    def put_in(self, files: dict[str, bytes]) -> None:
        """The card is back, as somebody left it."""
        tree = self.card.shim_files
        for path in [path for path in tree if path.startswith(FOLDER)]:
            del tree[path]
        tree.update({FOLDER + name: bytearray(content) for name, content in files.items()})
        self.board.card_device = self._card()
        self.camera.insert_card()


def forked(job: Callable[[], object]) -> str:
    """Run a job in a copy of this process, which is as it was when it began; what went wrong, or nothing."""
    readable, writable = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(readable)
        said = b""
        try:
            job()
        except BaseException:  # noqa: BLE001 - a child must never return into the test
            said = traceback.format_exc().encode()[-60_000:]
        finally:
            os.write(writable, said)
            os._exit(0 if not said else 1)
    os.close(writable)
    with os.fdopen(readable, "rb") as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    return said.decode() if said or not status else f"the child ended with status {status}"
