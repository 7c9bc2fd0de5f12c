"""Check a device's log chain and read its entries; docs/format/usage-log.md.

Bytes in, entries out. A log says what a camera did and never who or where.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sealhost import layout

MAGIC = b"SKU1"
EVENTS = {
    1: "power on",
    2: "power down",
    3: "self-test failed",
    4: "record start",
    5: "record stop",
    6: "found cut",
    7: "bookmark",
    8: "mute",
    9: "unmute",
    10: "category",
    11: "lens",
    12: "battery",
    13: "clock set",
    14: "card",
    15: "card fault",
    16: "card full",
    17: "refused to record",
    18: "enrolled",
    19: "key list accepted",
    20: "policy accepted",
    21: "drill accepted",
    22: "issued",
    23: "returned",
    24: "replay",
    25: "PIN wrong",
    26: "replay key erased",
    27: "docked",
    28: "receipt",
    29: "wiped",
    30: "receipt refused",
    31: "emptied without a receipt",
    32: "firmware",
    33: "void number",
    34: "key list, policy or drill refused",
    35: "time statement refused",
    36: "host refused",
}


@dataclass(frozen=True)
class Entry:
    """One entry of a device's log; times in milliseconds."""

    event: int
    detail: int
    number: int
    boot: int
    ms: int
    utc_ms: int
    sequence: int
    data: bytes
    previous: bytes
    digest: bytes

    @property
    def name(self) -> str:
        """What happened; a code that is not in the table is shown by its number (L6)."""
        return EVENTS.get(self.event, f"event {self.event}")


@dataclass(frozen=True)
class Checked:
    """What a chain shows: entries that hold, gaps (after number, missing), and the first that fails, if
    any.
    """

    entries: tuple[Entry, ...]
    gaps: tuple[tuple[int, int], ...] = ()
    broken_at: int | None = None  # number of the entry that fails, or that should stand there
    reason: str = ""


def first_previous(device_id: bytes) -> bytes:
    """What entry 1 states as the digest before it."""
    return hashlib.sha256(b"sealcam/1 log first\x00" + device_id).digest()


def digest_of(raw: bytes) -> bytes:
    """The digest of an entry, over its bytes 0..95."""
    return hashlib.sha256(b"sealcam/1 log\x00" + raw[:96]).digest()


def parse(raw: bytes) -> Entry | None:
    """One entry of 128 bytes, None when it is none."""
    if len(raw) != layout.LOG_ENTRY_SIZE or raw[:4] != MAGIC or digest_of(raw) != raw[96:]:
        return None
    found = layout.LOG_ENTRY.parse(raw)
    names = ("event", "detail", "number", "boot", "ms", "utc_ms", "sequence", "data", "previous", "digest")
    return None if found.reserved else Entry(**{name: found[name] for name in names})


def runs(entries: Iterable[bytes]) -> list[list[bytes]]:
    """Entries in order of their numbers, cut where a number is missing: what was missing stays missing, and
    breaks no chain that goes on behind it.
    """
    found: list[list[bytes]] = []
    last = -1
    for raw in entries:
        number = layout.LOG_ENTRY.parse(raw).number
        if not found or number != last + 1:
            found.append([])
        found[-1].append(raw)
        last = number
    return found


def check(device_id: bytes, segments: Iterable[Sequence[bytes]]) -> Checked:
    """Check the entries of one camera, segment by segment in order of sequence (L2, L3, L4).

    A segment may begin with entries that stand in an earlier one; they must be identical. Between segments
    numbers
    may be missing, which is said; within one they may not.
    """
    kept: dict[int, Entry] = {}
    gaps: list[tuple[int, int]] = []
    last = 0
    for segment in segments:
        for place, raw in enumerate(segment):
            entry = parse(raw)
            trouble = "does not hold its own digest"
            if entry is not None:
                trouble = _refused(entry, kept, last, device_id, place)
            if entry is None or trouble:
                return Checked(
                    tuple(kept.values()), tuple(gaps), entry.number if entry else last + 1, trouble
                )
            if entry.number > last + 1:
                gaps.append((last, entry.number - last - 1))
            kept.setdefault(entry.number, entry)
            last = max(last, entry.number)
    return Checked(tuple(kept.values()), tuple(gaps))


def _refused(entry: Entry, kept: dict[int, Entry], last: int, device_id: bytes, place: int) -> str:
    """Why an entry does not fit what stands before it; nothing where it does."""
    if entry.number <= last:
        same = kept.get(entry.number)
        return "" if same is None or same == entry else "differs from the one told before"
    if entry.number > last + 1:
        return "" if place == 0 else "does not follow the one before it"
    before = kept[last].digest if last else first_previous(device_id)
    return "" if entry.previous == before else "does not link to the one before it"
