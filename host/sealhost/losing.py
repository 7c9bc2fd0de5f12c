"""Something was lost: withdraw trust, say exactly what was on it, start the breach clock.

What is said comes from the newest inventory, the stored logs, the catalogue and custody; what it sealed after
that nobody knows, and it is said so. What a lost camera signed before stays signed. docs/format/custody.md.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sealhost import statements
from sealhost.desk import Desk
from sealhost.errors import NotFound, Refused
from sealhost.keyring import NUMBERS
from sealhost.keys import key_id_of
from sealhost.layout import KIND_LOG
from sealhost.statements.journal import CLOSED, OPENED, PROGRESS, RECEIPTED, VOID
from sealhost.usagelog import Entry
from sealhost.wiping import certified

HOURS = 72  # to tell the supervisory authority; GDPR and UK GDPR, article 33
REASONS = ("reported", "found", "no-risk", "mistake")
_RECORD_START = 4


@dataclass(frozen=True)
class Exposed:
    """One file that was on what was lost, as far as we know."""

    device_id: bytes
    sequence: int
    kind: int
    card: bytes  # serial; zeros where nobody told
    stored: bool  # the vault holds it: it is exposed, not gone
    source: str  # inventory, log or catalogue


@dataclass(frozen=True)
class Loss:
    """What was on it. `known_to` is the last number heard of by camera, `told_at` when that was; 0 never."""

    what: str
    id: str
    case: int
    deadline: int
    files: tuple[Exposed, ...] = ()
    known_to: tuple[tuple[bytes, int, int], ...] = ()
    officer: str = ""
    replace: tuple[str, ...] = ()  # of a dock: the duties that need a new key


@dataclass(frozen=True)
class Clock:
    """A breach clock that runs."""

    case: int
    what: str
    id: str
    opened: int
    deadline: int

    def hours_left(self, now: int) -> float:
        """Negative once it has passed."""
        return (self.deadline - now) / 3_600_000


def lose_camera(device_id: bytes, desk: Desk) -> Loss:
    """Order of writes: custody (what was on it is in the count), then the register; run again it ends the
    same, with the same clock.
    """
    if desk.register.get(device_id) is None:
        raise NotFound(f"camera {device_id.hex()[:16]}")
    files, known = _on(device_id, desk)
    held = desk.register.current_issue(device_id)
    clock = _open("camera", device_id.hex(), device_id.hex(), files, desk, last=known[1])
    if held is not None:
        desk.register.end_issue(device_id, held.issue, desk.clock(), "lost", desk.actor)
    desk.register.lose(device_id)
    ended = [one for one in desk.register.issues_of(device_id) if one.how == "lost"]
    officer = held.officer if held else (ended[-1].officer if ended else "")
    return Loss("camera", clock.id, clock.case, clock.deadline, files, (known,), officer)


def found_camera(device_id: bytes, desk: Desk) -> None:
    """It is back: it may be docked, and must be enrolled anew before it is issued. The clock runs on until a
    person closes it.
    """
    device = desk.register.get(device_id)
    if device is None or device.state != "lost":
        raise Refused(f"camera {device_id.hex()[:16]} is not lost")
    desk.note("camera.found", device_id.hex())
    desk.register.found(device_id)


def lose_card(serial: bytes, desk: Desk) -> Loss:
    """A card without its camera: what each camera's newest inventory says was on it."""
    files: list[Exposed] = []
    known = []
    for device in desk.register.devices():
        own, reach = _on(device.device_id, desk)
        here = [one for one in own if one.card == serial]
        files += here
        known += [reach] if here else []
    clock = _open("card", serial.hex(), serial.hex(), files, desk)
    return Loss("card", clock.id, clock.case, clock.deadline, tuple(files), tuple(known))


def lose_dock(dock_id: str, desk: Desk, keylist: statements.KeyList) -> Loss:
    """Its keys are trusted no more; which duties still need a new key, the key list in use says."""
    dock = desk.register.dock(dock_id)
    clock = _open("dock", dock_id, "", (), desk)
    desk.register.withdraw_dock(dock_id)
    return Loss("dock", dock_id, clock.case, clock.deadline, replace=to_replace(dock.key_ids, keylist))


def to_replace(key_ids: Iterable[bytes], keylist: statements.KeyList) -> tuple[str, ...]:
    """The duties that the key list still gives to one of these keys."""
    lost = set(key_ids)
    return tuple(
        role for role, number in NUMBERS.items() if (p := keylist.point(number)) and key_id_of(p) in lost
    )


def _on(device_id: bytes, desk: Desk) -> tuple[tuple[Exposed, ...], tuple[bytes, int, int]]:
    """(files no receipt settled, (camera, last number heard of, when)) of one camera."""
    journal, at = _inventory(device_id, desk)
    stored = {row.sequence: row for row in desk.catalogue.all() if row.device_id == device_id}
    wiped = _wiped(desk)
    settled = {e.sequence for e in journal if e.type in (RECEIPTED, VOID)}
    settled |= {number for number, row in stored.items() if row.h_core in wiped}
    found: dict[int, Exposed] = {}
    for exposed in (
        *_from_journal(device_id, journal, stored),
        *_from_log(device_id, desk, stored),
        *_from_catalogue(device_id, stored),
    ):
        if exposed.sequence not in settled:
            found.setdefault(exposed.sequence, exposed)
    heard = [*(e.sequence for e in journal), *stored, *(e.sequence for e in _starts(device_id, desk))]
    return tuple(found[number] for number in sorted(found)), (device_id, max(heard, default=0), at)


def _inventory(device_id: bytes, desk: Desk) -> tuple[tuple[statements.JournalEntry, ...], int]:
    """The newest journal, its signature checked again, and when it was taken."""
    kept, device = desk.register.newest_inventory(device_id), desk.register.get(device_id)
    if kept is None or device is None:
        return (), 0
    return statements.read_inventory(kept[0], device.point).entries, kept[1]


def _wiped(desk: Desk) -> set[bytes]:
    """`h_core` of everything that left its card: noted one by one in a reader, certified by the camera."""
    noted = (e.subject for e in desk.custody.entries() if e.event == "file.wiped")
    certificates = (certified(raw) for raw in desk.wipebook.certificates())
    return {bytes.fromhex(name) for name in noted}.union(*certificates)


def _from_journal(device_id: bytes, journal: Any, stored: Any) -> Iterator[Exposed]:
    cards = {e.sequence: (e.state, e.tag[:16]) for e in journal if e.type == OPENED}
    for entry in journal:
        if entry.type in (OPENED, PROGRESS, CLOSED):
            kind, card = cards.get(entry.sequence, (0, bytes(16)))
            yield Exposed(device_id, entry.sequence, kind, card, entry.sequence in stored, "inventory")


def _starts(device_id: bytes, desk: Desk) -> list[Entry]:
    return [entry for entry in desk.catalogue.log_of(device_id) if entry.event == _RECORD_START]


def _from_log(device_id: bytes, desk: Desk, stored: Any) -> Iterator[Exposed]:
    """What a stored log tells of and nobody has stored: it was begun, and never reached a dock."""
    for entry in _starts(device_id, desk):
        if entry.sequence not in stored and entry.sequence not in desk.register.accounted(device_id):
            yield Exposed(device_id, entry.sequence, entry.detail, bytes(16), False, "log")


def _from_catalogue(device_id: bytes, stored: Any) -> Iterator[Exposed]:
    """What is stored here and was kept on its card all the same."""
    for number, row in stored.items():
        yield Exposed(device_id, number, row.kind, bytes(16), True, "catalogue")


def _open(what: str, name: str, subject: str, files: Iterable[Exposed], desk: Desk, last: int = 0) -> Clock:
    """The clock of this loss: the one that runs already, or a new one."""
    running = next((one for one in clocks(desk.custody) if (one.what, one.id) == (what, name)), None)
    if running is not None:
        return running
    now, count = desk.clock(), sum(one.kind != KIND_LOG for one in files)
    deadline = now + HOURS * 3_600_000
    desk.note(f"{what}.lost", subject, id=name, last=last)
    told = {"what": what, "id": name, "deadline": deadline, "count": count, "known": int(what == "dock")}
    case = desk.note("breach.opened", subject, **told)
    desk.custody.witness()
    return Clock(case, what, name, now, deadline)


def clocks(custody: Any) -> list[Clock]:
    """The breach clocks that run, the oldest first."""
    running: dict[int, Clock] = {}
    for entry in custody.entries():
        if entry.event == "breach.opened":
            told = entry.detail
            running[entry.n] = Clock(
                entry.n, str(told["what"]), str(told["id"]), entry.at, int(str(told["deadline"]))
            )
        elif entry.event == "breach.closed":
            running.pop(int(str(entry.detail["case"])), None)
    return list(running.values())


def close(case: int, reason: str, desk: Desk) -> Clock:
    """A person says that the clock may stop, and why, in one of four words."""
    if reason not in REASONS:
        raise Refused(f"a clock is closed as {', '.join(REASONS)}")
    running = next((one for one in clocks(desk.custody) if one.case == case), None)
    if running is None:
        raise NotFound(f"open case {case}")
    desk.note("breach.closed", "", case=case, reason=reason)
    desk.custody.witness()
    return running
