"""A serial line on this desk: a tty for the camera, a tty for the host, and whatever is said carried across.

    python boards/tools/line.py DIR

Makes DIR/camera (for the simulator's --port) and DIR/host (for `sealcam dock`), and carries until it is
stopped. Both stay while cameras and hosts come and go. Copies bytes; knows no frame.
"""

import argparse
import contextlib
import os
import pty
import signal
import sys
import tty
from collections.abc import Iterator
from pathlib import Path

from cable import Cable


@contextlib.contextmanager
def line(folder: Path) -> Iterator[Cable]:
    """The two ends of a line as links in `folder`, until the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    master, slave = pty.openpty()  # the slave is kept open, so that the line never hangs up on the camera
    tty.setraw(slave)
    os.set_blocking(master, False)
    cable = Cable(master, master)
    ends = {"camera": os.ttyname(slave), "host": cable.plug()}
    try:
        for name, path in ends.items():
            (folder / name).unlink(missing_ok=True)
            (folder / name).symlink_to(path)
        yield cable
    finally:
        for name in ends:
            (folder / name).unlink(missing_ok=True)
        cable.close()
        os.close(slave)


def main() -> int:
    """Until Ctrl-C or SIGTERM."""
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    for stops in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stops, lambda *_: sys.exit(0))
    with line(folder):
        signal.pause()
    return 0


if __name__ == "__main__":
    sys.exit(main())
