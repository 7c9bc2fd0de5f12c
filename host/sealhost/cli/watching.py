"""`dock --watch`: the parts of a row of bays introduced to one another, and what a person sees of it."""

import contextlib
import json
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from types import FrameType
from typing import Any, TextIO

from sealhost import arrivals, watch
from sealhost.announce import Announcer
from sealhost.bays import Shown
from sealhost.cli import wired, wiring
from sealhost.cli.console import clock, printable
from sealhost.config import VAULT
from sealhost.desk import Tell, utc_ms
from sealhost.errors import SealcamError
from sealhost.ingest import Docked, Options, ingest
from sealhost.reader import hold, open_place
from sealhost.spool import Spool, Spooled, SpoolPlace

ASK_AGAIN_S = 30.0  # after a camera the register did not hold


def run(folder: str | None, places: Sequence[str], as_json: bool) -> None:
    """Serve the bays of this home, and the places named, until SIGTERM or Ctrl-C."""
    pack = wiring.Home(folder).config.pack(VAULT)
    told = Board(sys.stdout, as_json)
    with contextlib.ExitStack() as held:
        spool = Spool(pack.dock.spool, pack.dock.spool_bytes) if pack.dock.spool else None
        if spool:
            held.callback(spool.close)
        announcer = Announcer(pack.announce, pack.dock.name) if pack.announce else None
        if announcer:
            held.enter_context(announcer)
        patterns = [*pack.dock.ports, *pack.dock.cards, *places]
        both = pack.dock.ports and pack.dock.cards or any(bay.port and bay.card for bay in pack.dock.bays)
        meet_s = watch.MEET_S if both or len(places) > 1 else 0.0
        row = watch.Row(parts(folder, spool, told, announcer), pack.dock.bays, patterns, meet_s)
        held.enter_context(stopped_by_signals(row.stop))
        row.run()


@contextlib.contextmanager
def stopped_by_signals(stop: threading.Event) -> Iterator[None]:
    """The first SIGTERM or Ctrl-C ends the row cleanly, a second one at once."""

    def end(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        stop.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def parts(folder: str | None, spool: Spool | None, told: "Board", announcer: Announcer | None) -> watch.Parts:
    """What a row of bays works with. A home is opened anew for each docking: the vault may have been away."""

    is_known = known_to(folder)

    def changed(shown: Shown) -> None:
        told.bay(shown)
        if announcer:
            announcer.bay(shown if is_known(shown.device) else replace(shown, device=b""))

    def late(issue: Any) -> None:
        told.late(issue)
        if announcer:
            announcer.late(issue)

    def copy(card: str, tell: Tell) -> Spooled:
        assert spool is not None
        with hold(card):
            return spool.take(open_place(card), utc_ms(), lambda done: tell("copying to the spool", done))

    def take_in(copied: Spooled, tell: Tell) -> None:
        assert spool is not None
        watch.take_in(SpoolPlace(copied), wiring.Home(folder).desk(), tell)
        spool.free(copied)

    return watch.Parts(
        find=arrivals.find,
        look=arrivals.look,
        owners=arrivals.owners,
        who=who,
        dock=lambda port, card, tell: dock(folder, port, card, tell),
        spool=copy if spool else None,
        waiting=spool.entries if spool else list,
        take_in=take_in,
        overdue=lambda now: overdue(folder, now),
        changed=changed,
        late=late,
    )


def known_to(folder: str | None) -> Callable[[bytes], bool]:
    """Whether a camera is in the register, asked anew after a while: what a line or a card says of itself is
    told to no broker.
    """
    asked: dict[bytes, tuple[bool, float]] = {}

    def is_known(device: bytes) -> bool:
        known, at = asked.get(device, (False, -ASK_AGAIN_S))
        if device and not known and time.monotonic() - at >= ASK_AGAIN_S:
            with contextlib.suppress(SealcamError):  # the vault is away: nobody is known
                known = wiring.Home(folder).register.get(device) is not None
            asked[device] = known, time.monotonic()
        return known

    return is_known


def who(port: str) -> bytes:
    """The device id of the camera on a line."""
    from sealhost import docked

    return bytes(docked.who(port).device_id)


def dock(folder: str | None, port: str, card: str, tell: Tell) -> Docked:
    """One docking, as `sealcam dock PORT CARD` does it; a bay waits while its line is lost."""
    home = wiring.Home(folder)

    def say(words: str) -> None:
        if words.endswith("beginning again"):
            tell(f"waiting: {words}", 0.0)

    with contextlib.ExitStack() as held:
        if card:
            held.enter_context(hold(card))
        opened = [open_place(card)] if card else []
        if port:
            return wired.dock(home, port, opened, Options(), tell, say)
        return ingest(opened, home.desk(), None, Options(), tell)


def overdue(folder: str | None, now: int) -> Iterable[Any]:
    """Issues that should have ended by now."""
    return list(wiring.Home(folder).register.overdue(now))


class Board:
    """One line for each bay: redrawn in place for a person, a line for each change in a log, a JSON object a
    line for a program.
    """

    def __init__(self, out: TextIO, as_json: bool) -> None:
        self._out, self._as_json = out, as_json
        self._in_place = out.isatty() and not as_json
        self._bays: dict[str, Shown] = {}
        self._drawn = 0

    def bay(self, shown: Shown) -> None:
        """A bay changed, or is further than it was."""
        before = self._bays.get(shown.bay)
        self._bays[shown.bay] = shown
        if self._in_place:
            self._redraw()
        elif before is None or _said(before, self._as_json) != _said(shown, self._as_json):
            self._write(json.dumps(plain(shown), sort_keys=True) if self._as_json else line(shown))

    def late(self, issue: Any) -> None:
        """A camera is not back by the end of its issue."""
        told = {
            "event": "overdue",
            "device": issue.device_id.hex(),
            "issue": issue.issue.hex(),
            "until": issue.until,
        }
        named = f"camera {issue.device_id.hex()[:16]}, issue {issue.issue.hex()[:16]}"
        text = f"overdue: {named}, due {clock(issue.until)}"
        self._above(json.dumps(told, sort_keys=True) if self._as_json else text)

    def _above(self, text: str) -> None:
        """A line that stays, over those that are redrawn."""
        if self._in_place and self._drawn:
            self._out.write(f"\x1b[{self._drawn}A\x1b[J")
            self._drawn = 0
        self._write(text)
        if self._in_place:
            self._redraw()

    def _redraw(self) -> None:
        up = f"\x1b[{self._drawn}A" if self._drawn else ""
        width = max(20, shutil.get_terminal_size().columns - 1)
        rows = [line(shown)[:width] for _, shown in sorted(self._bays.items())]
        self._out.write(up + "".join(f"\r\x1b[K{row}\n" for row in rows))
        self._out.flush()
        self._drawn = len(rows)

    def _write(self, text: str) -> None:
        self._out.write(text + "\n")
        self._out.flush()


def _said(shown: Shown, as_json: bool) -> tuple[Any, ...]:
    """What has to differ for another line: for a log the state, for a program every tenth as well."""
    tenth = int(shown.progress * 10) if as_json else 0
    detail = "" if 0 < shown.progress < 1 else shown.detail
    return shown.state, detail, shown.device, shown.charging, tenth


def line(shown: Shown) -> str:
    """One bay for a person: name, state, how far, whose, and why."""
    far = f" {100 * shown.progress:3.0f} %" if 0 < shown.progress < 1 else ""
    device = f"  camera {shown.device.hex()[:16]}" if shown.device else ""
    detail = f"  ({printable(shown.detail)})" if shown.detail else ""
    charging = "  charging" if shown.charging else ""
    return f"{shown.bay:>12}  {shown.state.words}{far}{charging}{device}{detail}"


def plain(shown: Shown) -> dict[str, Any]:
    """One bay for a program."""
    return {
        "event": "bay",
        "bay": shown.bay,
        "state": shown.state.words,
        "lamp": shown.state.lamp,
        "detail": shown.detail,
        "progress": round(shown.progress, 3),
        "device": shown.device.hex(),
        "charging": shown.charging,
        "at": shown.at,
    }
