"""Ask the camera before anything it made is wiped, and keep its signed record that it was.

A record that is owed is durable before anything is wiped, and goes only when the record is in custody: killed
or cut anywhere, the next docking asks for it again. It wipes nothing itself and knows no line.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sealhost import receipts, statements
from sealhost.desk import Desk, Tell
from sealhost.durable import durable
from sealhost.errors import STATUS, BadStatement, CameraRefused, WireBroken
from sealhost.plans import Owed, Plan
from sealhost.records import Receipt
from sealhost.wiping import Wiped, certificate, certified

RECEIPT, RELEASE = 1, 2  # what is judged; dock-protocol.md
IN_CAMERA, IN_READER = 1, 2  # where the card is
MAX_ENTRIES = 200  # of a receipt for a camera
_MAY_GO, _NO_CARD, _NOT_NOW, _OLD, _SETTLED = 0x00, 0x30, 0x34, 0x55, 0x56
METHOD = "clear (NIST SP 800-88r2), by the camera itself: slots and heads, names, extents, samples read back"


@dataclass(frozen=True)
class Beside:
    """The camera on the line while cards are docked; `log` is what its flash holds of its usage log."""

    camera: Any
    device_id: bytes
    point: bytes
    log: tuple[bytes, ...] = ()

    def speaks_for(self, device_id: bytes, place: Any) -> bool:
        """Whether it judges before these files go: they are its own, or lie on the card in it."""
        return device_id == self.device_id or is_in_camera(place)


def is_in_camera(place: Any) -> bool:
    """Whether only a camera can wipe this place."""
    return bool(getattr(place, "by_camera", False))


def ask(owed: Owed, beside: Beside) -> dict[bytes, str]:
    """Why each recording of a statement stays, by `h_core`; nothing where it may go. Changes nothing."""
    _, statuses = beside.camera.judge(owed.what, owed.where, owed.statement)
    if len(statuses) != len(owed.entries):
        raise WireBroken("it judged another number of recordings")
    told = zip(owed.entries, statuses, strict=True)
    return {entry.h_core: "" if status == _MAY_GO else refusal_of(status) for entry, status in told}


def refusal_of(status: int) -> str:
    """Why something stays, in the camera's words."""
    return "the camera: " + STATUS.get(status, f"status 0x{status:02x}, which no page names")


def have_wiped(owed: Owed, beside: Beside, desk: Desk, tell: Tell) -> Wiped:
    """Have the camera wipe its own card by a statement it has judged just now.

    Order of writes: what is owed, the camera's own wipe, custody, certificate, record. Cut anywhere, `settle`
    takes it up: a camera that acted says so again, one that did not is asked anew.
    """
    outcome = Wiped(receipts.parse(owed.receipt))
    refused = ask(owed, beside)
    if not all(refused.values()):
        desk.wipebook.owe(owed)
        durable("have the camera wipe")
        record = beside.camera.wipe(owed.digest, lambda done, of: tell("wiping", done / of if of else 1.0))
        _take(owed, record, refused, outcome, beside, desk)
    outcome.refused += [(h_core, reason) for h_core, reason in refused.items() if reason]
    for h_core, reason in outcome.refused:
        desk.note("card.kept", h_core.hex(), reason=reason)
    return outcome


def _take(
    owed: Owed, record: bytes, refused: dict[bytes, str], outcome: Wiped, beside: Beside, desk: Desk
) -> None:
    """The record of a camera that wiped its own card: checked, noted, certified, kept."""
    found = check(owed, record, beside.point)
    left = _left(owed, beside)
    for entry in owed.entries:
        if refused.get(entry.h_core):
            continue
        if left is None:
            (outcome.wiped if found.count == len(owed.entries) else outcome.gone).append(entry.h_core)
        elif any(name.rpartition("/")[2] in left for name in entry.files):
            refused[entry.h_core] = "the camera could not wipe it"
        else:
            outcome.wiped.append(entry.h_core)
    _note(owed, record, found, desk)
    receipt, told = outcome.receipt, {"method": METHOD, "record": record.hex(), "samples": [], "files": []}
    plan = Plan(
        receipt.digest, owed.receipt, receipt.device_id, receipt.receipt_no, owed.card_serial, owed.entries
    )
    outcome.certificate = desk.wipebook.certify(receipt.digest, certificate(plan, desk, outcome, **told))
    desk.wipebook.settle(owed, record)


def _left(owed: Owed, beside: Beside) -> set[str] | None:
    """Names on the card that was wiped; None where another is in the camera now, or none."""
    try:
        serial, files = beside.camera.list()
    except CameraRefused as refused:
        if refused.status != _NO_CARD:
            raise
        return None
    return {file.name for file in files} if serial == owed.card_serial else None


def report(owed: Owed, wiped: Collection[bytes], beside: Beside, desk: Desk) -> None:
    """Tell the camera what was wiped in a reader of what it agreed to, and keep its record."""
    refused = ask(owed, beside)
    if all(refused.values()):  # it knows already, by a receipt on its card
        desk.wipebook.settle(owed, b"")
        return
    flags = bytes(int(entry.h_core in wiped and not refused[entry.h_core]) for entry in owed.entries)
    record = beside.camera.wiped(owed.digest, flags)
    found = check(owed, record, beside.point)
    if found.count != sum(flags):
        raise BadStatement(f"the camera's wipe record counts {found.count} files, {sum(flags)} were wiped")
    _note(owed, record, found, desk)
    desk.wipebook.settle(owed, record)


def check(owed: Owed, record: bytes, point: bytes) -> Any:
    """The fields of a wipe record, its signature proved, of this statement and of no other."""
    found = statements.read(statements.WIPED, record, point)
    if found.device_id != owed.camera or found.receipt_digest != owed.digest:
        raise BadStatement("the camera's wipe record answers another statement")
    if found.count > len(owed.entries):
        raise BadStatement("the camera's wipe record counts more files than the statement names")
    if any(found.sample_digest) and owed.where == IN_READER:
        raise BadStatement("the camera's wipe record tells of samples of a card it does not hold")
    return found


def _note(owed: Owed, record: bytes, found: Any, desk: Desk) -> None:
    """Into custody; twice where a run was killed right behind it."""
    about = {"statement": owed.digest.hex(), "record": hashlib.sha256(record).hexdigest()}
    told = {"count": int(found.count), "samples": found.sample_digest.hex(), "where": owed.where}
    desk.note("camera.wiped", owed.camera.hex(), **about, **told)


def settle(beside: Beside, desk: Desk, tell: Tell) -> list[Wiped]:
    """Everything the camera owes from dockings that were cut: its record again, or the wipe taken up.

    For a reader's card that is not here it waits, until the camera has acted on a newer receipt; then the
    receipt left on that card tells it.
    """
    all_owed = desk.wipebook.owed(beside.device_id)
    return [found for owed in all_owed if (found := _settle(owed, beside, desk, tell))]


def _settle(owed: Owed, beside: Beside, desk: Desk, tell: Tell) -> Wiped | None:
    receipt = receipts.parse(owed.receipt)
    record = _record(owed, beside)
    try:
        if owed.where == IN_CAMERA:
            return _settle_in_camera(owed, record, receipt, beside, desk, tell)
        if record:
            _note(owed, record, check(owed, record, beside.point), desk)
            desk.wipebook.settle(owed, record)
        elif wiped := _wiped_in_reader(receipt, desk):
            report(owed, wiped, beside, desk)
        elif not desk.wipebook.is_pending(receipt.digest):
            desk.wipebook.settle(owed, b"")  # killed before the wipe began: there is nothing to tell
    except CameraRefused as refused:
        if refused.status == _NO_CARD:
            return None  # it is asked for when its card is back in the camera
        if refused.status not in (_OLD, _SETTLED):
            raise
        desk.wipebook.settle(owed, b"")
    return None


def _settle_in_camera(
    owed: Owed, record: bytes, receipt: Receipt, beside: Beside, desk: Desk, tell: Tell
) -> Wiped:
    outcome = Wiped(receipt)
    if record:
        _take(owed, record, {}, outcome, beside, desk)
        return outcome
    outcome = have_wiped(owed, beside, desk, tell)
    outcome.refused = []  # what stays is looked at anew in this docking
    desk.wipebook.settle(owed, b"")
    return outcome


def _record(owed: Owed, beside: Beside) -> bytes:
    """The record of a camera that acted already; nothing where it did not, or on a newer one since."""
    try:
        return bytes(beside.camera.record(owed.digest))
    except CameraRefused as refused:
        if refused.status != _NOT_NOW:
            raise
        return b""


def _wiped_in_reader(receipt: Receipt, desk: Desk) -> set[bytes]:
    """What the certificate says, once the card in the reader is done with."""
    path = desk.wipebook.certificate(receipt.digest)
    return certified(path.read_bytes()) if path else set()
