"""2 GiB in one recording on the desk camera: enrol it, let it film, say how long a chunk had to wait at most.

Runs on the host: `make bench ONLY=device.long_recording`. Prints, and holds no bar: it is a wall clock's
figure. Needs 3 GB of disk for some minutes.
"""

import os
import random
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
MEGABYTES = int(os.environ.get("LONG_MEGABYTES", "2048"))
NAME = "device.long_recording"


def run() -> int:
    """Film and print; the exit code of the camera."""
    # the helper of the tests, whose name the benches use for their own on the board
    sys.path.insert(0, str(ROOT / "firmware" / "tests"))
    import desk_camera
    import reel

    with tempfile.TemporaryDirectory(dir=ROOT / "build") as folder:
        desk = desk_camera.Desk(Path(folder), "ctr", part_bytes=64 << 20, interval_ms=10000)
        _make_card(desk.card)
        desk.enrol()
        desk.reel.write_bytes(_film(reel))
        images = [desk.card, desk.flash, desk.reel]
        program = [ROOT / "build" / "micropython" / "ctr", HERE / "long_recording.py"]
        ended = subprocess.run(
            [*program, *images, str(MEGABYTES)], stdout=subprocess.PIPE, text=True, check=False
        )
    for line in ended.stdout.splitlines():
        if not line.startswith("- "):
            print(f"       {NAME} {line}")
    return ended.returncode


def _make_card(card: Path) -> None:
    with open(card, "r+b") as file:
        file.truncate(0)
        file.truncate((MEGABYTES * 6 // 5 + 300) << 20)
    cluster = "64" if MEGABYTES > 1800 else "8"  # FAT32 begins at 65,525 clusters
    environment = {**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"}
    command = ["mkfs.vfat", "-F", "32", "-s", cluster, "-f", "2", str(card)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)


def _film(reel) -> bytes:
    """Two seconds of pictures of 60 kB, 25 a second, and sound at 8 kHz."""
    entries = []
    for number in range(50):
        noise = random.Random(number)
        entries += [(number * 40, 1, noise.randbytes(60000)), (number * 40 + 5, 2, noise.randbytes(640))]
    packed = b"".join(
        struct.pack(reel.ENTRY, reel.MARK, track, 0, ms, len(body)) + body for ms, track, body in entries
    )
    head = (reel.MAGIC, 1, 64, 48, 0, 25000, 8000, 50, 50, 2000, 60000, len(packed))
    return struct.pack(reel.HEADER, *head, bytes(16)) + packed
