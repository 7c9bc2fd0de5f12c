"""A camera's signed journal: what it says of every file it made; statements.md, inventory file."""

import hashlib
from dataclasses import dataclass

import construct as c

from sealhost import keys, layout
from sealhost.errors import BadStatement
from sealhost.records import Word
from sealhost.statements.signed import INVENTORY, read, split

ENTRY_SIZE = 128
_JOURNAL = c.Struct(
    "magic" / c.Bytes(4),
    "type" / c.Int8ub,
    "state" / c.Int8ub,
    "reserved" / c.Int16ub,
    "number" / c.Int64ub,
    "sequence" / c.Int64ub,
    "recording_id" / c.Bytes(16),
    "index" / c.Int64ub,
    "tag" / c.Bytes(32),
    "reserved_end" / c.Bytes(16),
    "check" / c.Bytes(32),
)
OPENED, PROGRESS, CLOSED, VOID, RECEIPTED = 1, 2, 3, 4, 5


@dataclass(frozen=True)
class JournalEntry:
    """One entry of a camera's journal."""

    type: int
    state: int
    number: int
    sequence: int
    recording_id: bytes
    index: int
    tag: bytes
    raw: bytes


@dataclass(frozen=True)
class Inventory:
    """A camera's signed journal."""

    device_id: bytes
    nonce: bytes
    boot: int
    ms: int
    receipt_no: int
    entries: tuple[JournalEntry, ...]

    def word_on(self, sequence: int, recording_id: bytes) -> Word | None:
        """The journal's word: a closing where there is one, else the newest progress (recording.md 1.5)."""
        own = [entry for entry in self.entries if entry.sequence == sequence]
        for entry in reversed(own):
            if entry.type == VOID:
                return Word(layout.STATE_VOID, 0, bytes(32), "journal")
            if entry.type == CLOSED and entry.recording_id == recording_id:
                return Word(entry.state, entry.index, entry.tag, "journal")
        for entry in reversed(own):
            if entry.type == PROGRESS and entry.recording_id == recording_id:
                return Word(layout.STATE_CUT, entry.index, entry.tag, "journal")
        return None

    @property
    def sequences(self) -> dict[int, str]:
        """Every number the journal speaks of, and what became of it: void, spent, or receipted.

        A void that was receipted bears no recording id. What was receipted long ago is not spoken of any
        more.
        """
        found: dict[int, str] = {}
        for entry in self.entries:
            is_void = entry.type == VOID or (entry.type == RECEIPTED and not any(entry.recording_id))
            if is_void or found.get(entry.sequence) == "void":
                found[entry.sequence] = "void"
            else:
                found[entry.sequence] = "receipted" if entry.type == RECEIPTED else "spent"
        found.pop(0, None)
        return found


def journal_entry(**fields: object) -> bytes:
    """128 bytes of a journal entry, check included; fields as in `JournalEntry`."""
    fixed = {"magic": b"SKJ1", "reserved": 0, "reserved_end": bytes(16), "check": bytes(32)}
    body = bytes(_JOURNAL.build({"state": 0, "index": 0, "tag": bytes(32), **fields, **fixed}))[:96]
    return body + hashlib.sha256(body).digest()


def read_inventory(file: bytes, device_point: bytes, nonce: bytes | None = None) -> Inventory:
    """The inventory of one camera; BadStatement when it is over another nonce or does not hold its digest."""
    statement, rest = split(INVENTORY, file)
    fields = read(INVENTORY, statement, device_point)
    if fields.device_id != keys.key_id_of(device_point) or (nonce is not None and fields.nonce != nonce):
        raise BadStatement("the inventory answers somebody else's question")
    if len(rest) % ENTRY_SIZE or hashlib.sha256(rest).digest() != fields.journal_digest:
        raise BadStatement("the inventory does not hold the journal it was signed over")
    entries = tuple(_entry(rest[at : at + ENTRY_SIZE]) for at in range(0, len(rest), ENTRY_SIZE))
    if any(after.number <= before.number for before, after in zip(entries, entries[1:], strict=False)):
        raise BadStatement("the journal is out of order")
    return Inventory(fields.device_id, fields.nonce, fields.boot, fields.ms, fields.receipt_no, entries)


def _entry(raw: bytes) -> JournalEntry:
    found = _JOURNAL.parse(raw)
    if found.magic != b"SKJ1" or hashlib.sha256(raw[:96]).digest() != found.check:
        raise BadStatement("a journal entry does not hold its own digest")
    names = ("type", "state", "number", "sequence", "recording_id", "index", "tag")
    return JournalEntry(**{name: found[name] for name in names}, raw=raw)
