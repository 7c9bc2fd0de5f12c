"""`lost`: a camera, a card or a dock is gone; what was on it, and the clock that runs from now."""

import time
from typing import Any

import click

from sealhost import losing
from sealhost.cli import wiring
from sealhost.cli.console import Answer, answers, clock
from sealhost.cli.telling import KINDS
from sealhost.config import VAULT
from sealhost.errors import Ambiguous, BadUsage, NotFound

_DRY = click.option("--dry-run", is_flag=True, help="Say what it would be; change nothing.")


@click.group(short_help="Something was lost: withdraw trust, say what was on it.")
def lost() -> None:
    """A camera, a card or a dock is gone: trust is withdrawn, and the 72 hours to report a breach begin."""


@lost.command()
@click.argument("camera_id", metavar="ID")
@click.option("--found", is_flag=True, help="It is back: it may be docked, and must be enrolled anew.")
@click.option("--dry-run", is_flag=True, help="Say which camera it is; change nothing.")
@answers
def camera(camera_id: str, found: bool, dry_run: bool) -> Answer:
    """A camera is lost, with the card in it; ID is the beginning of its id.

    What it signed before stays signed. Found again, it may be docked like any other; then it is enrolled anew
    before anybody wears it, for nobody knows in whose hands it was.

    \b
    Example:
      sealcam --home /mnt/vault lost camera 3f2a
      sealcam --home /mnt/vault lost camera 3f2a --found
    """
    home = wiring.home()
    device_id = _device(camera_id, home)
    if dry_run:
        return Answer({"camera": device_id}, [f"it is camera {device_id.hex()[:16]}"])
    if found:
        losing.found_camera(device_id, home.desk())
        line = f"camera {device_id.hex()[:16]} is back: dock it, then enrol it anew"
        return Answer({"camera": device_id}, [line, "its clock runs on until it is closed"])
    return _told(losing.lose_camera(device_id, home.desk()))


def _device(beginning: str, home: wiring.Home) -> bytes:
    ids = [device.device_id for device in home.register.devices()]
    found = [one for one in ids if one.hex().startswith(beginning.lower())]
    if len(found) != 1:
        raise (Ambiguous if found else NotFound)(f"camera {beginning}")
    return found[0]


@lost.command()
@click.argument("serial", metavar="ID")
@_DRY
@answers
def card(serial: str, dry_run: bool) -> Answer:
    """A card is lost without its camera; ID is its serial, as `custody show` and inventories tell it.

    \b
    Example:
      sealcam --home /mnt/vault lost card 5ea1ca3d000000000000000000000000
    """
    try:
        raw = bytes.fromhex(serial)
    except ValueError:
        raw = b""
    if len(raw) != 16:
        raise BadUsage("a card's serial is 32 hex digits")
    if dry_run:
        return Answer({"card": raw}, [f"it would be card {raw.hex()}"])
    return _told(losing.lose_card(raw, wiring.home().desk()))


@lost.command()
@click.argument("dock_id", metavar="ID")
@_DRY
@answers
def dock(dock_id: str, dry_run: bool) -> Answer:
    """A dock is lost: its keys are trusted no more, and each of its duties needs a new one. ID is the name in
    `[dock]` of the vault's file, or `vault`.

    \b
    Example:
      sealcam --home /mnt/vault lost dock vault
    """
    home = wiring.home()
    if dry_run:
        return Answer({"dock": dock_id}, [f"it would be dock {dock_id}"])
    if dock_id in ("vault", home.config.pack(VAULT).dock.name):
        home.register.put_dock(dock_id, home.key_ids())
    return _told(losing.lose_dock(dock_id, home.desk(), home.keylist))


@lost.command("ls")
@answers
def listed() -> Answer:
    """The clocks that run, and how many hours each has left.

    \b
    Example:
      sealcam --home /mnt/vault lost ls
    """
    now = int(time.time() * 1000)
    running = losing.clocks(wiring.home().custody)
    lines = [_clock_line(one, now) for one in running] or ["no clock runs"]
    return Answer({"clocks": [{**vars(one), "hours_left": one.hours_left(now)} for one in running]}, lines)


def _clock_line(one: losing.Clock, now: int) -> str:
    left = one.hours_left(now)
    words = f"case {one.case}: {one.what} {one.id[:16]}, lost {clock(one.opened)}"
    if left < 0:
        return click.style(f"{words}, {-left:.1f} hours OVERDUE", fg="red")
    return f"{words}, {left:.1f} hours left"


@lost.command()
@click.argument("case", type=int)
@click.option("--reason", required=True, type=click.Choice(losing.REASONS), help="Why it may stop.")
@answers
def close(case: int, reason: str) -> Answer:
    """Stop a clock: the breach was reported, or needs no report.

    \b
    Example:
      sealcam --home /mnt/vault lost close 812 --reason reported
    """
    closed = losing.close(case, reason, wiring.home().desk())
    line = f"case {case} of {closed.what} {closed.id[:16]} is closed"
    return Answer({"case": case, "reason": reason}, [line])


def _told(loss: losing.Loss) -> Answer:
    by = f"case {loss.case}, report by {clock(loss.deadline)}"
    lines = [f"{loss.what} {loss.id[:32]}: trust withdrawn; {by}"]
    lines += [f"last with {loss.officer}"] if loss.officer else []
    lines += [_file_line(one) for one in loss.files]
    if loss.what != "dock":
        lines.append(f"{len(loss.files)} files were on it as far as is known")
        lines += [_bound(*one) for one in loss.known_to] or ["what else was on it is not known"]
    for role in loss.replace:
        lines.append(f"now: sealcam key replace {role}")
    return Answer(_plain(loss), lines)


def _file_line(one: losing.Exposed) -> str:
    kept = "stored here" if one.stored else "NOBODY HAS IT"
    name = f"{one.device_id.hex()[:16]}/{one.sequence}"
    return f"  {name:<28} {KINDS.get(one.kind, 'file'):<10} {kept}  (by its {one.source})"


def _bound(device_id: bytes, last: int, at: int) -> str:
    heard = f"its journal of {clock(at)}" if at else "no journal of it was ever kept"
    known = f"camera {device_id.hex()[:16]}: known up to number {last} ({heard})"
    return f"{known}; what it sealed after that is not known"


def _plain(loss: losing.Loss) -> dict[str, Any]:
    known = [{"camera": d, "last": last, "journal_at": at} for d, last, at in loss.known_to]
    return {**vars(loss), "files": [vars(one) for one in loss.files], "known_to": known}


COMMANDS = (lost,)
