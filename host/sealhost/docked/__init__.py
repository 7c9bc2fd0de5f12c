"""Ask one docked camera, over pyserial or the simulator's pty; docs/dock-protocol.md.

It carries words and bytes; what may be stored, wiped or trusted is judged elsewhere.
"""

import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sealhost.docked.bodies import Docked, File, Trial
from sealhost.docked.camera import Camera
from sealhost.docked.line import SerialLine
from sealhost.docked.link import Link, Lost
from sealhost.docked.place import CameraPlace
from sealhost.docked.talk import PAUSES, WHO_TRIES, LinkKey, Talk
from sealhost.errors import CableGone
from sealhost.session import Here


def is_port(path: Path | str) -> bool:
    """Whether a path is a serial port: a character device."""
    try:
        return stat.S_ISCHR(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False


def open_camera(
    port: Path | str,
    link_key: LinkKey,
    organisation: bytes,
    device_point: Callable[[bytes], bytes | None],
    tell: Callable[[str], None] = lambda what: None,
    *,
    is_enrolled: bool = True,
    line: Any = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Camera:
    """A camera of ours, in a session; NotOurCamera, CableGone or PlaceBusy. `tell` hears when a line is lost.

    `device_point` is what the register holds. Not `is_enrolled`: one that is met for the first time shows its
    own point, or none yet, and the enrolment checks that it is the one that answers the offer (D7).
    """

    def point_of(device_id: bytes, shown: bytes) -> bytes | None:
        return device_point(device_id) if is_enrolled else (device_point(device_id) or shown)

    link = Link(line if line is not None else SerialLine(port), clock)
    talk = Talk(link, link_key, organisation, point_of, tell, sleep)
    camera = Camera(talk, clock)
    try:
        camera.identify()
    except BaseException:
        camera.close()
        raise
    return camera


def who(
    port: Path | str,
    *,
    line: Any = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Here:
    """Who is on a line, without a session: its own word, which nothing proves."""
    link = Link(line if line is not None else SerialLine(port), clock)
    try:
        for tried in range(WHO_TRIES):
            try:
                sleep(PAUSES[tried])
                link.open()
                return link.who()
            except Lost as lost:
                why = str(lost)
        raise CableGone(link.name, why)
    finally:
        link.close()


__all__ = ["Camera", "CameraPlace", "Docked", "File", "Here", "Trial", "is_port", "open_camera", "who"]
