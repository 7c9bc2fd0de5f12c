"""`issue` and `return`: a camera into somebody's hands, and out of them without docking it."""

import glob
import os
import select
import sys
import time
from datetime import UTC, datetime
from typing import Any

import click

from sealhost import docked, issuing
from sealhost.cli import wired, wiring
from sealhost.cli.console import Answer, answers, clock
from sealhost.errors import BadUsage, CableGone, PlaceUnreadable, Refused
from sealhost.records import Issue

_PORTS = ("/dev/serial/by-id/*", "/dev/ttyACM*", "/dev/ttyUSB*")
_BADGE_SECONDS = 60.0
_LONGEST_LINE = 64
_TO = click.option(
    "--to", "officer", default="", help="The officer's id; `-` reads one line, as a badge reader types it."
)
_PORT = click.option("--port", default="", help="The camera's serial port (default: look for it).")


@click.command(short_help="Give a camera to an officer; `issue ls` says who has what.")
@click.argument("camera", required=False, default="")
@_TO
@click.option("--until", default="", help="When it is to be back: +12h, 22:00 or 2026-11-22T22:00.")
@click.option("--pool", is_flag=True, help="From the pool: any that is connected and free, or the one named.")
@_PORT
@click.option("--dry-run", is_flag=True, help="Say which camera it would be; issue nothing.")
@answers
def issue(camera: str, officer: str, until: str, pool: bool, port: str, dry_run: bool) -> Answer:
    """Give a camera to an officer, until a time; docking ends it. CAMERA is the beginning of its id.

    `sealcam issue ls` lists every camera that is out, and what is overdue. An officer is an id, never a name,
    typed or from a badge reader that acts as a keyboard. Stopped at any moment and run again, it ends the
    same.

    \b
    Example:
      sealcam --home /mnt/vault issue 3f2a --to 4711 --until 22:00
      sealcam --home /mnt/vault issue --pool --to - --until +12h
      sealcam --home /mnt/vault issue ls
    """
    home = wiring.home()
    if camera == "ls":
        return _listed(home)
    if not officer or not until or not (camera or pool):
        raise BadUsage("say which camera or --pool, --to whom, and --until when")
    until_ms = issuing.until_of(until, datetime.now(UTC))
    ports = _connected(port)
    here = list(ports)
    device_id = issuing.named(camera, here) if camera else issuing.free_of(here, home.register)
    name = device_id.hex()[:16]
    if dry_run:
        return Answer({"camera": device_id}, [f"it would be camera {name}, at {ports[device_id]}"])
    whom = issuing.officer_of(_badge() if officer == "-" else officer)
    with wired.opened(home, ports[device_id], _say, device_id) as opened:
        kind = issuing.POOL if pool else issuing.PERSONAL
        made, asks = issuing.issue(opened, home.desk(), whom, until_ms, kind)
    replay = "the wearer is now asked to choose a PIN" if asks else "replay is off"
    line = f"camera {name} is with {made.officer} until {clock(made.until)}; {replay}"
    return Answer({**_plain(made), "asks_for_pin": asks}, [line])


def _say(line: str) -> None:
    click.echo(f"  {line}", err=True)


def _badge() -> str:
    """One line as a badge reader types it; BadUsage when none comes, or it does not end."""
    click.echo("badge, please", err=True)
    typed, handle, until = b"", sys.stdin.fileno(), time.monotonic() + _BADGE_SECONDS
    while not typed.strip(b"\x02\x03\r\n \t") or typed[-1:] not in b"\r\n\x03":
        wait = until - time.monotonic()
        if wait <= 0 or not select.select([handle], [], [], wait)[0]:
            raise BadUsage("no badge was read")
        piece = os.read(handle, 1)
        typed += piece
        if not piece or len(typed) > _LONGEST_LINE:
            break
    return typed.decode("ascii", "replace")


def _connected(port: str) -> dict[bytes, str]:
    """Device id: port of every camera on a line; what does not answer is none."""
    found = {}
    for place in [port] if port else sorted({place for pattern in _PORTS for place in glob.glob(pattern)}):
        try:
            here = docked.who(place)
        except (CableGone, PlaceUnreadable, Refused):
            if port:
                raise
            continue
        found[here.device_id] = place
    return found


def _listed(home: wiring.Home) -> Answer:
    now, register = int(time.time() * 1000), home.register
    late = {one.issue for one in register.overdue(now)}
    found = register.open_issues()
    lines = [_line(one, one.issue in late) for one in found] or ["no camera is out"]
    return Answer({"issues": [{**_plain(one), "overdue": one.issue in late} for one in found]}, lines)


def _line(one: Issue, is_late: bool) -> str:
    kind = issuing.KINDS.get(one.kind, "issue")
    words = f"{one.device_id.hex()[:16]}  {one.officer:<12} {kind:<8} until {clock(one.until)}"
    if not one.told:
        words += "  (its camera was not told: run the issue again)"
    return click.style(f"{words}  OVERDUE", fg="red") if is_late else words


def _plain(one: Issue) -> dict[str, Any]:
    return {**vars(one), "camera": one.device_id, "kind": issuing.KINDS.get(one.kind, "")}


@click.command("return", short_help="Take a camera back without docking it.")
@click.argument("camera")
@_PORT
@click.option("--dry-run", is_flag=True, help="Say which camera it would be; change nothing.")
@answers
def give_back(camera: str, port: str, dry_run: bool) -> Answer:
    """End a camera's issue: its replay key is erased, its evidence stays until it is docked.

    \b
    Example:
      sealcam --home /mnt/vault return 3f2a
    """
    home = wiring.home()
    ports = _connected(port)
    device_id = issuing.named(camera, list(ports))
    if dry_run:
        return Answer({"camera": device_id}, [f"it would be camera {device_id.hex()[:16]}"])
    with wired.opened(home, ports[device_id], _say, device_id) as opened:
        ended = issuing.give_back(opened, home.desk())
    told = f"issue {ended.hex()} ended" if any(ended) else "it was in nobody's hands"
    return Answer({"camera": device_id, "issue": ended}, [f"camera {device_id.hex()[:16]}: {told}"])


COMMANDS = (issue, give_back)
