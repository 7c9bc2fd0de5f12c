"""Make and check receipts and releases; say what they allow to be wiped. docs/format/statements.md.

Bytes and rules only: nothing here wipes, and nothing here knows a card.
"""

from collections.abc import Sequence
from typing import Protocol

import construct as c

from sealhost import keys, statements
from sealhost.errors import BadStatement
from sealhost.records import Judgement, Receipt, ReceiptEntry, Verdict
from sealhost.statements.root import WIPE_UNCONFIRMED
from sealhost.statements.signed import RECEIPT, RELEASE

_HEAD = c.Struct(
    "organisation" / c.Bytes(32),
    "receipt_no" / c.Int64ub,
    "device_id" / c.Bytes(32),
    "utc_ms" / c.Int64ub,
    "keylist" / c.Int32ub,
    "count" / c.Int16ub,
)
MAX_ENTRIES = 0xFFFF


class Rules(Protocol):
    """What a policy says of wiping."""

    @property
    def copies(self) -> int:
        """Verified copies of a body."""

    @property
    def slot_copies(self) -> int:
        """Verified copies of its slots."""

    @property
    def flags(self) -> int:
        """Bit 3: what is unconfirmed may go."""


def build(
    organisation: bytes,
    receipt_no: int,
    device_id: bytes,
    utc_ms: int,
    keylist: int,
    entries: Sequence[ReceiptEntry],
    key: keys.SoftKey,
) -> Receipt:
    """A signed receipt."""
    if len(entries) > MAX_ENTRIES:
        raise BadStatement("a receipt names at most 65535 recordings")
    head = {"organisation": organisation, "receipt_no": receipt_no, "device_id": device_id, "utc_ms": utc_ms}
    fields = bytes(_HEAD.build({**head, "keylist": keylist, "count": len(entries)}))
    return parse(statements.sign(RECEIPT, fields + b"".join(map(pack_entry, entries)), key))


def pack_entry(entry: ReceiptEntry) -> bytes:
    """132 bytes."""
    return bytes(
        statements.ENTRY.build({**vars(entry), "verdict": entry.verdict.code, "ended": int(entry.ended)})
    )


def parse(raw: bytes) -> Receipt:
    """The receipt of bytes whose signature somebody has checked, or will; BadStatement for bytes of another
    shape.
    """
    fields = raw[len(RECEIPT) + 1 : -64]
    if raw[: len(RECEIPT) + 1] != RECEIPT.encode() + b"\0" or len(fields) < _HEAD.sizeof():
        raise BadStatement("it is no receipt")
    head = _HEAD.parse(fields)
    body, size = fields[_HEAD.sizeof() :], statements.ENTRY.sizeof()
    if len(body) != head.count * size:
        raise BadStatement("the receipt names another number of recordings than it holds")
    entries = tuple(unpack_entry(body[at : at + size]) for at in range(0, len(body), size))
    return Receipt(
        head.organisation, head.receipt_no, head.device_id, head.utc_ms, head.keylist, entries, bytes(raw)
    )


def unpack_entry(raw: bytes) -> ReceiptEntry:
    """An entry of 132 bytes; BadStatement for a verdict or a yes-or-no nobody knows."""
    found = statements.ENTRY.parse(raw)
    if found.verdict not in range(1, 5) or found.ended > 1:
        raise BadStatement("an entry has a verdict nobody knows")
    fields = {name: found[name] for name in ReceiptEntry.__dataclass_fields__}
    return ReceiptEntry(**{**fields, "verdict": Verdict.of_code(found.verdict), "ended": bool(found.ended)})


def check(raw: bytes, point: bytes) -> Receipt:
    """The receipt, once its signature by the receipt key is proved."""
    statements.check(RECEIPT, raw, point)
    return parse(raw)


def release(entry: ReceiptEntry, quarantine_sha256: bytes, key: keys.SoftKey) -> bytes:
    """The evidence office's word that one quarantined recording may leave its card."""
    return statements.sign(RELEASE, pack_entry(entry) + quarantine_sha256, key)


def check_release(raw: bytes, point: bytes) -> tuple[ReceiptEntry, bytes]:
    """(entry, SHA-256 of what is in quarantine) of a release whose signature proves."""
    fields = statements.check(RELEASE, raw, point)
    return unpack_entry(fields[:-32]), fields[-32:]


def may_wipe(entry: ReceiptEntry, judgement: Judgement, policy: Rules) -> str | None:
    """Why a recording, as the card shows it now, may not go against this entry; None where nothing speaks
    against it.

    The rules of statements.md, "When a file may be wiped"; *altered* and *not judged* never go against a
    receipt (M19).
    """
    core = judgement.core
    if core is None or core.h_core != entry.h_core:
        return "the entry names another recording"
    if (core.sequence, core.recording_id) != (entry.sequence, entry.recording_id):
        return "the entry names another number"
    if not (entry.verdict.may_store and judgement.verdict.may_store):
        return "only what is intact or cut short goes against a receipt"
    if judgement.last_index > entry.last_index:
        return f"the card holds a later chunk than {entry.last_index}"
    if (judgement.last_index, judgement.last_tag) != (entry.last_index, entry.last_tag):
        return f"the entry names another last chunk than {judgement.last_index}"
    if entry.copies < policy.copies or entry.slot_copies < policy.slot_copies:
        return "it is not stored in as many copies as the policy asks for"
    unconfirmed = judgement.verdict is Verdict.CUT_SHORT and not judgement.confirmed
    if unconfirmed and not policy.flags & WIPE_UNCONFIRMED:
        return "unconfirmed: the camera has not said that this is all of it"
    return None


def may_release(entry: ReceiptEntry, judgement: Judgement) -> str | None:
    """The same for a release, which names verdict and recording."""
    if judgement.core is None or judgement.core.h_core != entry.h_core:
        return "the release names another recording"
    if judgement.verdict is not entry.verdict:
        return f"the release was signed over {entry.verdict.name.lower()}"
    if (judgement.last_index, judgement.last_tag) != (entry.last_index, entry.last_tag):
        return "the release was signed over another last chunk"
    return None
