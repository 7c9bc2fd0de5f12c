"""A camera into somebody's hands and out of them again.

Order of writes: register and custody first, then the camera, then the register notes that the camera knows.
So no camera bears a number that nobody can resolve; an issue its camera was never told is shown as such, and
the next run tells it. A return is the other way round: the camera first, so that nothing says *returned*
while a wearer could still replay.
"""

import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sealhost.desk import Desk
from sealhost.errors import BadUsage, CameraRefused, Refused
from sealhost.records import Device, Issue

PERSONAL, POOL = 1, 2  # dock-protocol.md, *issue*
KINDS = {PERSONAL: "personal", POOL: "pool"}
_ID = re.compile(r"[A-Za-z]{0,8}-?[0-9A-Fa-f]{1,24}")
_SPAN = re.compile(r"\+([0-9]{1,4})([mhd])")
_HOUR = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_LONGEST = timedelta(days=366)
_AROUND = "\x02\x03\r\n\t "  # what RFID readers put around a number


def officer_of(line: str) -> str:
    """An officer's id, typed or from a reader that acts as a keyboard; BadUsage for what may be a name."""
    found = line.strip(_AROUND)
    if not _ID.fullmatch(found) or not any(c.isdigit() for c in found):
        raise BadUsage("an officer is an id, letters and then digits, and never a name")
    return found


def until_of(text: str, now: datetime) -> int:
    """UTC milliseconds of `+12h`, `22:00` (the next one here) or an ISO 8601 time; BadUsage for the past."""
    until = _moment(text.strip(), now)
    if not now < until <= now + _LONGEST:
        raise BadUsage(f"{text!r}: an issue ends within a year from now")
    return int(until.timestamp() * 1000)


def _moment(text: str, now: datetime) -> datetime:
    if span := _SPAN.fullmatch(text):
        return now + timedelta(**{_UNITS[span[2]]: int(span[1])})
    if hour := _HOUR.fullmatch(text):
        here = now.astimezone()
        at = here.replace(hour=int(hour[1]), minute=int(hour[2]), second=0, microsecond=0)
        return at if at > here else at + timedelta(days=1)
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadUsage(f"{text!r} is no time: +12h, 22:00 or 2026-11-22T22:00") from None


def issue(camera: Any, desk: Desk, officer: str, until_ms: int, kind: int) -> tuple[Issue, bool]:
    """(the issue, whether the wearer is now asked for a PIN). Refused for a camera in other hands.

    Killed anywhere and run again it ends the same: an issue that the camera was not told is told. What a
    camera refuses is ended at once.
    """
    _refuse_unless_ready(desk.register.get(camera.device_id), camera.device_id)
    held = desk.register.current_issue(camera.device_id)
    if held is None:
        held = desk.register.issue(camera.device_id, os.urandom(16), officer, until_ms, kind, desk.actor)
    elif (held.officer, held.kind) != (officer, kind) or held.told:
        name = camera.device_id.hex()[:16]
        raise Refused(f"camera {name} is with {held.officer} until {_hour(held.until)}: dock or return it")
    try:
        asks = camera.issue(held.issue, held.until, kind)
    except CameraRefused:
        desk.register.end_issue(camera.device_id, held.issue, desk.clock(), "refused", desk.actor)
        raise
    desk.register.told(held.issue, desk.clock())
    desk.custody.witness()
    return held, bool(asks)


def _hour(utc_ms: int) -> str:
    return datetime.fromtimestamp(utc_ms / 1000, UTC).isoformat(" ", "minutes")


def _refuse_unless_ready(device: Device | None, device_id: bytes) -> None:
    if device is None or device.state != "enrolled":
        state = device.state if device else "not known here"
        raise Refused(f"camera {device_id.hex()[:16]} is {state}: only an enrolled camera is issued")


def give_back(camera: Any, desk: Desk) -> bytes:
    """Take a camera back without docking it; the issue that ended, zeros for none. Its evidence stays on it.
    """
    told = bytes(camera.return_())
    held = desk.register.current_issue(camera.device_id)
    for one in dict.fromkeys((told, held.issue if held else told)):
        desk.register.end_issue(camera.device_id, one, desk.clock(), "returned", desk.actor)
    desk.custody.witness()
    return held.issue if held and not any(told) else told


def free_of(connected: Sequence[bytes], register: Any) -> bytes:
    """The device id of a free camera of the pool among those connected; Refused where there is none.

    A camera whose last issue was personal is its wearer's own and not taken.
    """
    for device_id in connected:
        device = register.get(device_id)
        before = register.issues_of(device_id)
        is_own = bool(before) and before[-1].kind == PERSONAL
        is_ready = device is not None and device.state == "enrolled"
        if is_ready and not is_own and register.current_issue(device_id) is None:
            return device_id
    raise Refused("no camera of the pool is connected and free")


def named(beginning: str, connected: Sequence[bytes]) -> bytes:
    """The connected camera whose id begins like that; Refused for none or more than one."""
    wanted = beginning.lower()
    found = [device_id for device_id in connected if wanted and device_id.hex().startswith(wanted)]
    if len(found) != 1:
        raise Refused(f"{len(found)} connected cameras begin with {beginning!r}")
    return found[0]
