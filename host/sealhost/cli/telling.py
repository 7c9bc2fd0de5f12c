"""What became of a docking, in lines for a person and as one object for a machine."""

from collections.abc import Iterator
from typing import Any

import click

from sealhost import score
from sealhost.cli.console import Answer, printable, size
from sealhost.errors import Kept, SealBroken
from sealhost.ingest import Docked, Taking
from sealhost.layout import KIND_LOG, KIND_PRE_EVENT, KIND_RECORDING
from sealhost.wiping import Wiped

KINDS = {KIND_RECORDING: "recording", KIND_LOG: "log", KIND_PRE_EVENT: "pre-event"}


def docked(found: Docked, dry_run: bool) -> Answer:
    """Every recording, every receipt, every wipe; the exit code says whether anything stays on a card."""
    lines = [line for taking in found.takings for line in _taking(taking, dry_run)]
    for wiped in (*found.resumed, *found.wipes):
        lines += _wiped(wiped, wiped in found.resumed)
    lines += _camera(found.told)
    lines += _remarks(found)
    lines.append(_last_word(found, dry_run))
    return Answer({**_data(found), "lines": lines}, lines, exit_code(found))


def exit_code(found: Docked) -> int:
    """0: the cards may go back; 20: something was altered; 8: something stays for another reason."""
    refused = any(wiped.refused for wiped in (*found.resumed, *found.wipes))
    if any(
        taking.fate == "quarantined" and taking.judgement.verdict.name == "ALTERED"
        for taking in found.takings
    ):
        return SealBroken.exit_code
    return Kept.exit_code if refused or any(taking.stays for taking in found.takings) else 0


def _taking(taking: Taking, dry_run: bool) -> Iterator[str]:
    kind = KINDS.get(taking.kind, "file")
    name = f"{kind} {taking.sequence}" if taking.sequence else printable(taking.files[0])
    yield score.strip(taking.judgement, f"{name:>12}")
    if dry_run:
        return
    if taking.fate in ("stored", "wiped"):
        copies = f"in {taking.copies} places, slots in {taking.slot_copies}, all read back"
        yield f"{'':14}stored {size(taking.size)} {copies}"
    if taking.fate == "quarantined":
        yield f"{'':14}in quarantine as {taking.quarantine.hex()[:16]}: {taking.why}"
    if taking.stays:
        yield f"{'':14}KEPT on the card: {taking.stays}"


def _wiped(wiped: Wiped, resumed: bool) -> Iterator[str]:
    again = " (begun by an earlier run)" if resumed else ""
    yield f"receipt {wiped.receipt.receipt_no}: {len(wiped.wiped)} wiped{again}"
    if wiped.certificate:
        yield f"{'':14}certificate {wiped.certificate}"
    for h_core in wiped.gone:
        yield f"{'':14}not on this card: {h_core.hex()[:16]}"
    for h_core, reason in wiped.refused:
        yield f"{'':14}KEPT {h_core.hex()[:16]}: {reason}"


def _camera(told: Any) -> Iterator[str]:
    """What a camera on the line told of itself, and was given."""
    if told is None:
        return
    name = f"camera {told.device_id.hex()[:16]}"
    for alarm in told.alarms:
        yield click.style(f"ALARM: {name}: {printable(alarm)}", fg="red")
    if not told.has_card:
        yield f"{name}: there is no card in it"
    if told.issue_ended:
        yield f"{name}: its issue has ended"
    if told.clock_ms is not None:
        yield f"{name}: its clock was set by {told.clock_ms} ms"
    for line in told.delivered:
        yield f"{name}: {printable(line)}"


def _remarks(found: Docked) -> Iterator[str]:
    for log in found.logs:
        yield (
            f"usage log of {log.device_id.hex()[:16]}: {log.entries} entries, chain whole"
            if log.broken_at is None
            else (f"usage log of {log.device_id.hex()[:16]}: BROKEN at entry {log.broken_at}: {log.reason}")
        )
        for after, missing in log.gaps:
            yield f"{'':14}missing {missing} entries after entry {after}"
    for device_id, holes in found.gaps.items():
        for hole in holes:
            last = f" to {hole.stop - 1}" if len(hole) > 1 else ""
            yield f"camera {device_id.hex()[:16]}: nobody accounts for number {hole.start}{last}"
    for name in found.strangers:
        yield f"not ours, not touched: {printable(name)}"


def _last_word(found: Docked, dry_run: bool) -> str:
    if dry_run:
        return "dry run: nothing was stored, signed or wiped"
    if found.told and found.told.is_lost:
        return "keep: see the evidence office"
    if not found.takings and not found.resumed:
        return "safe to take" if found.told else "nothing of ours on it"
    stay = [taking for taking in found.takings if taking.stays]
    if any(taking.fate == "quarantined" or taking.stays.startswith("the camera:") for taking in stay):
        return "keep: see the evidence office"
    return (
        "some stays on the card; dock it again when the camera has had its word" if stay else "safe to take"
    )


def _data(found: Docked) -> dict[str, Any]:
    return {
        "recordings": [_plain(taking) for taking in found.takings],
        "receipts": [
            {"receipt_no": r.receipt_no, "digest": r.digest.hex(), "count": len(r.entries)}
            for r in found.receipts
        ],
        "wipes": [_plain_wipe(wiped) for wiped in (*found.resumed, *found.wipes)],
        "logs": [{**vars(log), "device_id": log.device_id.hex()} for log in found.logs],
        "missing": {
            device.hex(): [[hole.start, hole.stop - 1] for hole in holes]
            for device, holes in found.gaps.items()
        },
        "strangers": found.strangers,
        "camera": {**vars(found.told), "device_id": found.told.device_id.hex()} if found.told else None,
    }


def _plain(taking: Taking) -> dict[str, Any]:
    return {
        **score.as_json(taking.judgement),
        "line": taking.strip,
        "kind": KINDS.get(taking.kind, "unknown"),
        "sequence": taking.sequence,
        "fate": taking.fate,
        "why": taking.why,
        "stays": taking.stays,
        "copies": taking.copies,
        "slot_copies": taking.slot_copies,
        "body_sha256": taking.body.hex(),
        "size": taking.size,
        "files": list(taking.files),
        "quarantine": taking.quarantine.hex(),
    }


def _plain_wipe(wiped: Wiped) -> dict[str, Any]:
    return {
        "receipt_no": wiped.receipt.receipt_no,
        "wiped": [h_core.hex() for h_core in wiped.wiped],
        "gone": [h_core.hex() for h_core in wiped.gone],
        "refused": {h_core.hex(): reason for h_core, reason in wiped.refused},
        "certificate": str(wiped.certificate) if wiped.certificate else None,
    }
