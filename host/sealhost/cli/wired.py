"""A camera on a line introduced to the vault: what `dock PORT`, its bays and `enrol PORT` share."""

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from sealhost import enrolment
from sealhost.bays import State
from sealhost.cli import wiring
from sealhost.config import VAULT
from sealhost.desk import Desk, Tell
from sealhost.docking import Errands, dock_camera
from sealhost.errors import NotOurCamera, SealcamError
from sealhost.exchange import Exchange
from sealhost.ingest import Docked, Options

ENROLLED = 2  # state of a camera; dock-protocol.md, section 2


def is_port(place: str) -> bool:
    """Whether a place is a serial port."""
    from sealhost import docked

    return docked.is_port(place)


@contextlib.contextmanager
def opened(
    home: wiring.Home, port: str, say: Callable[[str], None], device_id: bytes = b""
) -> Iterator[Any]:
    """The enrolled camera on a line, in a session, until the block ends; this one, where one is named."""
    from sealhost import docked

    here = docked.who(port)
    if here.state == 0 or here.organisation != home.config.organisation:
        raise NotOurCamera("it belongs to " + ("another organisation" if here.state else "no organisation"))
    if here.state != ENROLLED:
        raise NotOurCamera("its enrolment has not ended")
    camera = docked.open_camera(port, home.link_key, home.config.organisation, home.device_point, say)
    try:
        if device_id not in (b"", camera.device_id):
            raise NotOurCamera(f"it is camera {camera.device_id.hex()[:16]}, another than the line says")
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
        desk = _desk(home, camera)
        errands = Errands(home.key("time"), home.owed(), docked.CameraPlace, say, over_the_wire)
        return dock_camera(camera, cards, desk, errands, options, tell)


def _desk(home: wiring.Home, camera: Any) -> Desk:
    """The vault; while it is away the camera's lamp says so."""
    try:
        return home.desk()
    except SealcamError:
        with contextlib.suppress(SealcamError):
            camera.lamp(State.LEAVE.lamp)
        raise


def enrol(
    home: wiring.Home, port: str, shares: Sequence[str], folder: Path | None, say: Callable[[str], None]
) -> enrolment.Progress:
    """Every step that this home can do with the camera on a line; its files are durable in a folder first.

    `folder` is the exchange folder of packs that stand apart; a home that is office and vault keeps its own.
    """
    from sealhost import docked

    authority = home.authority(shares)
    camera = docked.open_camera(
        port, home.link_key, home.config.organisation, home.device_point, say, is_enrolled=False
    )
    try:
        enrolment.refuse_unhealthy(camera)
        exchange = Exchange(folder) if folder else _exchange_of(home, camera)
        exchange.prepare()
        return _take_turns(exchange, camera, authority, say)
    finally:
        camera.close()
        if folder is None:
            enrolment.forget_seeds(_under_way(home))


def _exchange_of(home: wiring.Home, camera: Any) -> Exchange:
    """The folder of this camera, kept in the pack until it is enrolled; a new one for a new camera."""
    there = _under_way(home)
    enrolment.forget_seeds(there)  # of a run that was killed
    return enrolment.folder_of(camera, there) or Exchange(_kept(home) / os.urandom(8).hex())


def _kept(home: wiring.Home) -> Path:
    return home.config.pack(VAULT).folder / "enrolling"


def _under_way(home: wiring.Home) -> list[Exchange]:
    """The folders of enrolments by wire that have begun here."""
    kept = _kept(home)
    return [Exchange(path) for path in sorted(kept.iterdir())] if kept.is_dir() else []


def _take_turns(
    exchange: Exchange, camera: Any, authority: enrolment.Authority, say: Callable[[str], None]
) -> enrolment.Progress:
    """Desk and camera in turn, until neither has anything to do."""
    from sealhost import docked

    while True:
        progress = enrolment.enrol(exchange, authority)
        carried = enrolment.carry(exchange, camera, lambda camera: docked.CameraPlace(camera).parts())
        for step in (*progress.done, *carried):
            say(step)
        if not carried and not progress.done:
            return progress
