"""One card, emptied entry by entry: what a receipt or a release names, and what still is on the card as it
was judged.

It wipes only what a plan names, and a plan exists only for a receipt that was signed over verified copies.
Killed anywhere and run again it ends in the same state. It never reads what a recording shows.
"""

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sealhost import keys, layout, receipts, statements
from sealhost.desk import Desk, Tell, tell_nobody
from sealhost.durable import durable
from sealhost.plans import Plan, Planned
from sealhost.records import Judgement, Part, Receipt, ReceiptEntry
from sealhost.verify import judge, read_core

CERTIFICATE_OF_WIPE = 1  # the type of a vault certificate, statements.md
METHOD = (
    "clear (NIST SP 800-88r2): slots and heads overwritten, names removed, "
    "extents erased where the driver can"
)


@dataclass
class Wiped:
    """What became of one plan."""

    receipt: Receipt
    wiped: list[bytes] = field(default_factory=list)  # h_core
    gone: list[bytes] = field(default_factory=list)  # was not there when a wipe was taken up again
    refused: list[tuple[bytes, str]] = field(default_factory=list)
    certificate: Path | None = None


def carry_out(
    plan: Plan, place: Any, desk: Desk, judged: dict[bytes, Judgement], tell: Tell = tell_nobody
) -> Wiped:
    """Wipe what the plan names; then leave the receipt on the card, read samples back, and keep the
    certificate.

    `judged` are the judgements of this very docking; of what is missing there (a wipe that was killed is
    taken up again) the card is judged anew. Order of writes: a file of the card, then its note; the receipt
    on the card, the note of the card, the certificate, the plan's end. A cut anywhere leaves the plan
    standing, and what it names is looked at again.
    """
    outcome, done = Wiped(receipts.parse(plan.receipt)), []
    entries = {entry.h_core: entry for entry in outcome.receipt.entries}
    files = {part.name: part for part in place.every_file()}
    for number, planned in enumerate(plan.entries):
        tell("wiping", number / len(plan.entries))
        parts = [files[name] for name in planned.files if name in files]
        if not parts and not judged:
            (outcome.wiped if _was_wiped(planned, plan, desk) else outcome.gone).append(planned.h_core)
            continue
        reason = _refusal(planned, entries[planned.h_core], parts, judged.get(planned.h_core), desk)
        if reason:
            desk.note("card.kept", planned.h_core.hex(), reason=reason)
            outcome.refused.append((planned.h_core, reason))
            continue
        done += [_wipe(part, place, desk, planned.h_core, plan.digest) for part in parts]
        outcome.wiped.append(planned.h_core)
    _finish(plan, place, desk, outcome, done)
    return outcome


def _was_wiped(planned: Planned, plan: Plan, desk: Desk) -> bool:
    """Whether the run that was killed got as far as to note it; else this may be another card."""
    noted = [e for e in desk.custody.entries() if e.event == "file.wiped"]
    return any(e.subject == planned.h_core.hex() and e.detail["receipt"] == plan.digest.hex() for e in noted)


def _wipe(part: Part, place: Any, desk: Desk, h_core: bytes, receipt: bytes) -> dict[str, Any]:
    durable("wipe a file")
    done = place.wipe(part)
    desk.note("file.wiped", h_core.hex(), receipt=receipt.hex())
    return {"h_core": h_core.hex(), "size": part.size, **done}


def _refusal(
    planned: Planned, entry: ReceiptEntry, parts: Sequence[Part], judgement: Judgement | None, desk: Desk
) -> str | None:
    """Why this recording stays, by the rules of statements.md and the card as it is now; None where nothing
    speaks against it.

    Where the heads of a part are zero, a wipe that had passed this check was killed: it is carried on.
    """
    heads = [read_core(part) for part in parts]
    if any(core is not None and core.h_core != entry.h_core for core in heads):
        return "its head is not the one that was judged"
    if not parts:
        return "it is not on the card any more"
    if not all(core or _is_emptied(part) for core, part in zip(heads, parts, strict=True)):
        return "something else lies under its name"
    if None in heads:
        return None
    if planned.release:
        return _release_refused(planned, judgement, desk)
    if judgement is None:
        judgement = judge(parts, desk.openers, device_point=desk.device_point)
        judgement = replace(judgement, confirmed=judgement.confirmed or planned.confirmed)
        if len(parts) < len(planned.files):  # those before went when the wipe was killed; the end counts
            judgement = replace(judgement, verdict=entry.verdict)
    return receipts.may_wipe(entry, judgement, desk.policy) or tail_changed(entry, parts, judgement)


def _is_emptied(part: Part) -> bool:
    """Whether a wipe began there: a name alone carries no authority."""
    first = bytearray(512)
    return not any(first[: part.read_into(0, memoryview(first))])


def _release_refused(planned: Planned, judgement: Judgement | None, desk: Desk) -> str | None:
    """A release stands in for the receipt's rules; quarantine must still hold what it names."""
    entry, quarantined = receipts.check_release(bytes.fromhex(planned.release), desk.release_point)
    if not desk.quarantine.has(quarantined):
        return "quarantine does not hold what the release names"
    return receipts.may_release(entry, judgement) if judgement else None


def tail_changed(entry: ReceiptEntry, parts: Sequence[Part], judgement: Judgement) -> str | None:
    """Read the end again: the named last chunk must stand there and prove, and no later one may."""
    core = judgement.core
    if core is None or judgement.verify_secret is None:
        return "nothing on the card proves it"
    k_mac = keys.derive(core, verify_secret=judgement.verify_secret).k_mac
    tails = {index: tag for part in parts for index, tag in _tail(part, core, k_mac, entry.last_index)}
    if entry.last_index and tails.get(entry.last_index) != entry.last_tag:
        return f"chunk {entry.last_index} is not the one that was stored"
    return (
        f"there is a chunk {entry.last_index + 1} on the card now" if entry.last_index + 1 in tails else None
    )


def _tail(part: Part, core: Any, k_mac: bytes, last_index: int) -> list[tuple[int, bytes]]:
    """Index and tag of the proved chunks of this part where chunk `last_index` and the next one belong."""
    first = _chunk(part, core, k_mac, 0)
    if first is None or first[0] > last_index + 1:
        return [first] if first else []
    places = [last_index - first[0], last_index - first[0] + 1]
    return [found for position in places if position >= 0 and (found := _chunk(part, core, k_mac, position))]


def _chunk(part: Part, core: Any, k_mac: bytes, position: int) -> tuple[int, bytes] | None:
    buffer = bytearray(core.chunk_size)
    got = part.read_into(2 * core.block_size + position * core.chunk_size, memoryview(buffer))
    body, tag = buffer[: -layout.TAG_SIZE], bytes(buffer[-layout.TAG_SIZE :])
    if got < core.chunk_size or buffer[:4] != layout.CHUNK_MAGIC or hmac.digest(k_mac, body, "sha256") != tag:
        return None
    return layout.HEADER.parse(bytes(buffer)).index, tag


def _finish(plan: Plan, place: Any, desk: Desk, outcome: Wiped, done: list[dict[str, Any]]) -> None:
    if outcome.wiped:
        _leave_papers(plan, place, outcome)
    samples = place.sample()
    durable("sync the card")
    place.sync()
    desk.note(
        "card.wiped" if outcome.wiped else "card.kept",
        plan.digest.hex(),
        files=len(done),
        receipt_no=plan.receipt_no,
        samples=len(samples),
    )
    told = {"method": METHOD, "samples": samples, "files": done}
    outcome.certificate = desk.wipebook.end(plan, certificate(plan, desk, outcome, **told))


def _leave_papers(plan: Plan, place: Any, outcome: Wiped) -> None:
    """The releases of what went by one, then the receipt: the camera settles its journal by them."""
    for planned in plan.entries:
        if planned.release and planned.h_core in outcome.wiped:
            durable("leave a release")
            release = bytes.fromhex(planned.release)
            place.leave(release_name(plan.device_id, release), release)
    durable("leave the receipt")
    place.leave(receipt_name(outcome.receipt), plan.receipt)


def certificate(plan: Plan, desk: Desk, outcome: Wiped, **told: Any) -> bytes:
    """A signed certificate: what was done, and to what; ids and numbers only. `told` is how, and by whom."""
    shape = {
        "card": plan.card_serial.hex(),
        "device": plan.device_id.hex(),
        "gone": sorted({h_core.hex() for h_core in outcome.gone}),
        "kept": {h_core.hex(): reason for h_core, reason in outcome.refused},
        "organisation": desk.organisation.hex(),
        "receipt": plan.digest.hex(),
        "receipt_no": plan.receipt_no,
        "utc_ms": desk.clock(),
        "wiped": sorted({h_core.hex() for h_core in outcome.wiped}),
        **told,
    }
    body = json.dumps(shape, sort_keys=True, separators=(",", ":")).encode()
    fields = {"type": CERTIFICATE_OF_WIPE, "body_sha256": hashlib.sha256(body).digest()}
    return statements.make(statements.CERTIFICATE, desk.certificate_key, **fields) + body


def certified(raw: bytes) -> set[bytes]:
    """`h_core` of what a certificate of ours says is wiped."""
    body = json.loads(raw[statements.size_of(statements.CERTIFICATE) :])
    return {bytes.fromhex(name) for name in body["wiped"]}


def release_name(device_id: bytes, release: bytes) -> str:
    """The name a camera looks for on its card; statements.md."""
    return f"sealcam/release-{device_id.hex()[:16]}-{hashlib.sha256(release).hexdigest()[:16]}.rcp"


def receipt_name(receipt: Receipt) -> str:
    """The name a camera looks for on its card; statements.md."""
    return f"sealcam/receipt-{receipt.device_id.hex()[:16]}-{receipt.receipt_no:010d}.rcp"
