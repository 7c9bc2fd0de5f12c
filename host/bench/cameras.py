"""An organisation and eight cameras of this desk, enrolled, each with a recording on the card inside it; made
once under build/bench/wired, and again for another firmware.

The cameras are the firmware itself, each a process with a line of its own (boards/tools).
"""

import contextlib
import hashlib
import io
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from figures import ROOT
from sealhost import founding
from sealhost.cli import run as sealcam

for _folder in ("boards/tools", "boards/unix"):
    sys.path.insert(0, str(ROOT / _folder))

import reel  # noqa: E402 - importable from here on
import starting  # noqa: E402

FOLDER = ROOT / "build" / "bench" / "wired"
RUN = ROOT / "build" / "bench" / "run"
BAYS = 8
LONG = "long"  # the camera with the 64 MiB
LONG_BYTES, SHORT_BYTES = 64 << 20, 4 << 20
CHUNK = 16384
PICTURE, BETWEEN_MS = 60000, 40
_CARD_BYTES = 512 << 20  # sparse; a part and the next one are taken whole
_READY_S = 60.0


def ready() -> Path:
    """Home, and a folder with card and flash for each camera; a run that was killed begins again."""
    mark, firmware = FOLDER / ".made", _digest()
    if not mark.exists() or mark.read_text() != firmware:
        print("bench: enrolling eight cameras and filming with them in build/bench/wired", flush=True)
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir(parents=True)
        founding.init(FOLDER / "home", demo=True)
        film = _reel(FOLDER / "film.reel")
        for name in map(str, range(BAYS)):
            _enrol(FOLDER / name, film)
        _copy(FOLDER / "0", FOLDER / LONG)
        for name in [LONG, *map(str, range(BAYS))]:
            _film(FOLDER / name, film, LONG_BYTES if name == LONG else SHORT_BYTES)
        mark.write_text(firmware)
    return FOLDER


def _digest() -> str:
    """What flash and cards hold is for the firmware that made them."""
    whole = hashlib.sha256()
    for path in sorted((ROOT / "firmware").glob("[!bt]*/*.py")) + sorted((ROOT / "firmware").glob("*.py")):
        whole.update(path.read_bytes())
    return whole.hexdigest()


def fresh(names: Sequence[str]) -> Path:
    """Copies of home and of these cameras, to be docked; they were made `ready` before."""
    shutil.rmtree(RUN, ignore_errors=True)
    RUN.mkdir(parents=True)
    for name in ("home", *names):
        _copy(FOLDER / name, RUN / name)
    return RUN


def _copy(old: Path, new: Path) -> None:
    subprocess.run(["cp", "-r", "--sparse=always", old, new], check=True)


def told(home: Path, *words: str | Path) -> str:
    """What `sealcam --json` answers, in this process; it must succeed."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()) as steps:
        code = sealcam(["--home", str(home), *map(str, words), "--json"])
    if code:
        raise SystemExit(f"sealcam {words}: exit {code}\n{out.getvalue()}{steps.getvalue()}")
    return out.getvalue()


def on(folder: Path, film: Path | None = None, exchange: Path | None = None) -> starting.Camera:
    """The camera of a folder, switched on and plugged."""
    images = {"card": folder / "card.img", "flash": folder / "flash.img"}
    return starting.start("unix", **images, reel=film, exchange=exchange)


def _enrol(folder: Path, film: Path) -> None:
    folder.mkdir()
    with open(folder / "card.img", "wb") as card:
        card.truncate(_CARD_BYTES)
    subprocess.run(["/sbin/mkfs.vfat", "-F", "32", "-s", "8", card.name], check=True, capture_output=True)
    camera = on(folder, film, folder / "exchange")
    for _ in range(5):
        if '"waiting_for": ""' in told(folder.with_name("home"), "enrol", folder / "exchange"):
            break
        camera.ask("enrol")
    told(folder.with_name("home"), "dock", camera.port)  # its trial recording
    camera.power_off()


def _film(folder: Path, film: Path, size: int) -> None:
    camera = on(folder, film)
    for button in ("record", f"wait chunks {size // CHUNK}", "stop"):
        said = camera.ask(button)
        if not said.startswith("ok"):
            raise SystemExit(f"the camera, {button}: {said}")
    camera.power_off()


def _reel(path: Path) -> Path:
    """Pictures whose bytes nobody looks at, enough for the long recording."""
    count, body = (LONG_BYTES + (4 << 20)) // PICTURE, bytes(range(250)) * (PICTURE // 250)
    size = count * (reel.ENTRY_SIZE + PICTURE)
    shape = (reel.VERSION, 64, 48, 0, 1_000_000 // BETWEEN_MS, 0, count, 0)
    with open(path, "wb") as file:
        head = (reel.MAGIC, *shape, count * BETWEEN_MS, PICTURE, size, bytes(16))
        file.write(struct.pack(reel.HEADER, *head))
        for number in range(count):
            entry = (reel.MARK, reel.PICTURE, 0, number * BETWEEN_MS, PICTURE)
            file.write(struct.pack(reel.ENTRY, *entry) + body)
    return path


@contextlib.contextmanager
def bay(folder: Path) -> Iterator[Path]:
    """The camera of a folder, on, with a cable that is a process too: the tty for the host."""
    line = folder / "line"
    cable = subprocess.Popen([sys.executable, str(ROOT / "boards/tools/line.py"), str(line)])
    processes = [cable]
    try:
        _wait_for((line / "host").exists)
        images = ["--card", folder / "card.img", "--flash", folder / "flash.img"]
        command = [starting.UNIX, ROOT / "firmware/simulator.py", *images, "--port", line / "camera"]
        with open(folder / "said", "wb") as said:
            words = [str(word) for word in command]
            camera = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=said, stderr=said)
        processes.append(camera)
        _wait_for(lambda: b"- ready" in (folder / "said").read_bytes())
        yield line / "host"
    finally:
        for process in reversed(processes):
            process.kill()
            process.communicate()


def _wait_for(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + _READY_S
    while not holds():
        if time.monotonic() > until:
            raise SystemExit("a camera of the bench did not start")
        time.sleep(0.02)
