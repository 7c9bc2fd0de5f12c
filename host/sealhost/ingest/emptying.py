"""The end of a docking: sign for what is stored, and empty cards of what may go, the camera judging first
where it is beside them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sealhost import consent, receipts
from sealhost.consent import Beside
from sealhost.desk import Desk, Tell
from sealhost.ingest.taking import Taking, entry_of
from sealhost.plans import Owed, Plan, Planned
from sealhost.records import Receipt, Verdict
from sealhost.wiping import Wiped, carry_out

WIPE_UNCONFIRMED = 8  # flag 3 of a policy, statements.md
CARVED = "carved from a card without a file system, which is never wiped; format it when all is stored"
UNCONFIRMED = "unconfirmed: neither a later header nor an inventory says that this is all of it"


@dataclass(frozen=True)
class Options:
    """What the person at the dock chose. It can only be stricter than the policy."""

    dry_run: bool = False
    unconfirmed_stays: bool = False


def empty(
    own: Sequence[Taking], desk: Desk, options: Options, tell: Tell, beside: Beside | None
) -> tuple[list[Receipt], list[Wiped]]:
    """Sign for everything stored of one camera, then empty its cards of what may go.

    Order of writes: custody names the receipt, then the plan is durable, then the card changes (C1).
    """
    signed, wiped = [], []
    for taking in own:
        taking.stays = _stays(taking, desk, options)
    asked = [taking for taking in own if beside and beside.speaks_for(taking.device_id, taking.place)]
    for group in _groups([taking for taking in asked if not taking.stays]):
        assert beside is not None
        signed.append(_receipt(group[0].device_id, group, desk))
        wiped.append(_ask_and_wipe(signed[-1], group, desk, tell, beside))
    alone = [taking for taking in own if taking not in asked]
    if alone:
        signed.append(_receipt(alone[0].device_id, alone, desk))
    for place in {id(taking.place): taking.place for taking in alone}.values():
        mine = [taking for taking in alone if taking.place is place and not taking.stays]
        if mine:
            wiped.append(_wipe(signed[-1], mine, place, desk, tell))
    return signed, wiped


def _groups(asked: Sequence[Taking]) -> list[list[Taking]]:
    """As a camera takes them: of one card, at most 200 to a receipt, what needs a release by itself."""
    groups = [[taking] for taking in asked if taking.release]
    for place in {id(taking.place): taking.place for taking in asked}.values():
        own = [taking for taking in asked if taking.place is place and not taking.release]
        groups += [own[at : at + consent.MAX_ENTRIES] for at in range(0, len(own), consent.MAX_ENTRIES)]
    return groups


def _ask_and_wipe(receipt: Receipt, group: list[Taking], desk: Desk, tell: Tell, beside: Beside) -> Wiped:
    """The camera judges first; it wipes its own card, a host a card in a reader, of what it agreed to.

    Order of writes: what the camera owes, the plan, the card, then the camera's record.
    """
    owed = _owed(receipt, group, beside)
    if owed.where == consent.IN_CAMERA:
        wiped = consent.have_wiped(owed, beside, desk, tell)
        _tell_fate(group, wiped)
        return wiped
    refused = consent.ask(owed, beside)
    agreed = [taking for taking in group if not refused[taking.h_core]]
    wiped = Wiped(receipt)
    if agreed:
        desk.wipebook.owe(owed)
        wiped = _wipe(receipt, agreed, group[0].place, desk, tell)
        consent.report(owed, wiped.wiped, beside, desk)
    for h_core, reason in refused.items():
        if reason:
            desk.note("card.kept", h_core.hex(), reason=reason)
            wiped.refused.append((h_core, reason))
    _tell_fate(group, wiped)
    return wiped


def _owed(receipt: Receipt, group: Sequence[Taking], beside: Beside) -> Owed:
    """By what the camera is asked: the receipt, or the evidence office's release."""
    place, release = group[0].place, group[0].release
    what = consent.RELEASE if release else consent.RECEIPT
    where = consent.IN_CAMERA if consent.is_in_camera(place) else consent.IN_READER
    statement = bytes.fromhex(release) if release else receipt.raw
    entries = tuple(map(_planned, group))
    return Owed(beside.device_id, what, where, statement, receipt.raw, place.serial, entries)


def _planned(taking: Taking) -> Planned:
    return Planned(taking.h_core, taking.files, taking.judgement.confirmed, taking.release)


def _receipt(device_id: bytes, own: Sequence[Taking], desk: Desk) -> Receipt:
    """One number, one receipt: the log is a line longer, and signed for elsewhere, before the next is
    numbered.
    """
    with desk.wipebook.alone():
        number = desk.custody.size() + 1  # of a log that only grows: above every number before it
        entries = [entry_of(taking) for taking in own]
        receipt = receipts.build(
            desk.organisation, number, device_id, desk.clock(), desk.keylist, entries, desk.receipt_key
        )
        desk.note(
            "receipt.signed", receipt.digest.hex(), receipt_no=number, count=len(own), device=device_id.hex()
        )
    desk.custody.witness()
    return receipt


def _stays(taking: Taking, desk: Desk, options: Options) -> str:
    """Why a recording that is stored stays on the card all the same; nothing where it may go."""
    if getattr(taking.place, "is_read_only", False):
        return str(getattr(taking.place, "never_wiped", CARVED))
    judgement = taking.judgement
    unconfirmed = judgement.verdict is Verdict.CUT_SHORT and not judgement.confirmed
    allowed = desk.policy.flags & WIPE_UNCONFIRMED and not options.unconfirmed_stays
    return UNCONFIRMED if unconfirmed and not allowed and not taking.release else ""


def _wipe(receipt: Receipt, mine: Sequence[Taking], place: Any, desk: Desk, tell: Tell) -> Wiped:
    planned = tuple(map(_planned, mine))
    plan = Plan(receipt.digest, receipt.raw, receipt.device_id, receipt.receipt_no, place.serial, planned)
    desk.wipebook.begin(plan)
    wiped = carry_out(plan, place, desk, {taking.h_core: taking.judgement for taking in mine}, tell)
    _tell_fate(mine, wiped)
    return wiped


def _tell_fate(mine: Sequence[Taking], wiped: Wiped) -> None:
    refused = dict(wiped.refused)
    for taking in mine:
        taking.stays = refused.get(taking.h_core, "")
        taking.fate = "kept" if taking.stays else "wiped"
