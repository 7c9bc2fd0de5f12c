"""A camera on a line introduced to the vault: what `dock PORT`, its bays and `enrol PORT` share."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sealhost.cli import wiring
from sealhost.desk import Tell
from sealhost.docking import Errands, dock_camera
from sealhost.errors import NotOurCamera
from sealhost.ingest import Docked, Options

ENROLLED = 2  # state of a camera; dock-protocol.md, section 2


def is_port(place: str) -> bool:
    """Whether a place is a serial port."""
    from sealhost import docked

    return docked.is_port(place)


@contextlib.contextmanager
def opened(home: wiring.Home, port: str, say: Callable[[str], None]) -> Iterator[Any]:
    """The enrolled camera on a line, in a session, until the block ends."""
    from sealhost import docked

    here = docked.who(port)
    if here.state == 0 or here.organisation != home.config.organisation:
        raise NotOurCamera("it belongs to " + ("another organisation" if here.state else "no organisation"))
    if here.state != ENROLLED:
        raise NotOurCamera("its enrolment has not ended")
    link = home.link_key(here.keylist)
    camera = docked.open_camera(port, link, home.config.organisation, home.device_point, say)
    try:
        yield camera
    finally:
        camera.close()


def dock(
    home: wiring.Home,
    port: str,
    cards: Sequence[Any],
    options: Options,
    tell: Tell,
    say: Callable[[str], None] = lambda line: None,
    over_the_wire: bool = False,
) -> Docked:
    """One docking of the camera on a line, with its cards in readers, or with the card in it."""
    from sealhost import docked

    with opened(home, port, say) as camera:
        errands = Errands(home.key("time"), home.owed(), docked.CameraPlace, say, over_the_wire)
        return dock_camera(camera, cards, home.desk(), errands, options, tell)
