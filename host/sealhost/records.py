"""The plain data that moves between modules.

Everything here is frozen and knows no file, key or database. Times are UTC milliseconds since 1970 unless a
name says otherwise; digests and ids are bytes; `h_core` is the SHA-256 of a core and names a recording.
"""

import hashlib
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol


class Verdict(Enum):
    """What may be said of a recording; recording.md, section 3.4."""

    INTACT = "every chunk is proved and the camera signed the end"
    CUT_SHORT = "every chunk present is proved; no end was signed"
    ALTERED = "at least one chunk was changed after it was sealed"
    NOT_JUDGED = "sealed by a newer Sealcam, or under a key this host does not hold"

    @property
    def exit_code(self) -> int:
        """Exit status of a program that judges; recording.md, section 3.7."""
        return _EXIT_CODES[self.name]

    @property
    def code(self) -> int:
        """The byte a receipt entry holds; statements.md."""
        return _WIRE_CODES[self.name]

    @property
    def may_store(self) -> bool:
        """Intact and cut short go to the vault, the rest to quarantine."""
        return self in (Verdict.INTACT, Verdict.CUT_SHORT)

    @classmethod
    def of_code(cls, code: int) -> "Verdict":
        """The verdict a receipt byte names; KeyError for any other byte."""
        return {verdict.code: verdict for verdict in cls}[code]


_EXIT_CODES = {"INTACT": 0, "CUT_SHORT": 21, "ALTERED": 20, "NOT_JUDGED": 22}
_WIRE_CODES = {"INTACT": 1, "CUT_SHORT": 2, "ALTERED": 3, "NOT_JUDGED": 4}
_WORST_FIRST = (Verdict.ALTERED, Verdict.NOT_JUDGED, Verdict.CUT_SHORT, Verdict.INTACT)


def worst(verdicts: "list[Verdict]") -> Verdict:
    """Of several recordings the verdict that speaks for all; recording.md, section 3.7."""
    return min(verdicts, key=_WORST_FIRST.index, default=Verdict.INTACT)


class Part(Protocol):
    """One file of sealed bytes, wherever it lies."""

    @property
    def name(self) -> str:
        """What a person calls it."""

    @property
    def size(self) -> int:
        """Its length in bytes."""

    def read_into(self, offset: int, view: memoryview) -> int:
        """Fill `view` from `offset`; fewer bytes only at the end; CardUnreadable when it cannot."""


@dataclass(frozen=True)
class Core:
    """Bytes 0..255 of a head block, parsed; recording.md, section 1.1."""

    raw: bytes
    kind: int
    chunk_size: int
    device_id: bytes
    recording_id: bytes
    sequence: int
    boot: int
    interval_ms: int
    start_utc_ms: int
    start_ms: int
    uncertainty_ms: int
    keylist: int
    clock_source: int
    prev: bytes
    anchor: bytes
    slot_digest: bytes
    firmware: bytes

    @property
    def h_core(self) -> bytes:
        """SHA-256 of the core, 32 bytes."""
        return hashlib.sha256(self.raw).digest()

    @property
    def name(self) -> str:
        """The recording's name everywhere, 64 hex digits."""
        return self.h_core.hex()

    @property
    def block_size(self) -> int:
        """Bytes of one head block."""
        return max(2048, self.chunk_size)


@dataclass(frozen=True)
class Word:
    """The camera's word on a recording: its closing entry, from a journal or a later header."""

    state: int  # 1 ended, 2 cut, 3 void
    last_index: int
    last_tag: bytes
    source: str  # "journal" or "header"


@dataclass(frozen=True)
class Totals:
    """What the newest valid signature says was sealed so far; recording.md, section 1.3."""

    data_chunks: int = 0
    pictures: int = 0
    sounds: int = 0
    dropped: int = 0
    muted_ms: int = 0
    utc_ms: int = 0
    ms: int = 0
    reason: int = 0


@dataclass(frozen=True)
class Judgement:
    """All that `verify` found in one recording; `marks` holds one byte for each index from 1."""

    verdict: Verdict
    confirmed: bool = False
    core: Core | None = None
    marks: bytes = b""
    last_index: int = 0
    last_tag: bytes = bytes(32)
    signed_to: int = 0
    place: int | None = None
    reason: str = ""
    ended: bool = False
    covered: tuple[tuple[int, bytes], ...] = ()  # what proved chunks of type 2 and 3 state
    ends: tuple[tuple[int, bytes], ...] = ()  # index and tag of proved chunks of type 3
    slot_area: bytes | None = None
    verify_secret: bytes | None = field(default=None, repr=False)
    totals: Totals = Totals()

    @property
    def name(self) -> str:
        """The recording's name, or nothing where no head proved."""
        return self.core.name if self.core else ""


@dataclass(frozen=True)
class ReceiptEntry:
    """What a receipt says of one recording, 132 bytes on the wire; statements.md."""

    sequence: int
    recording_id: bytes
    h_core: bytes
    last_index: int
    last_tag: bytes
    verdict: Verdict
    ended: bool
    copies: int
    slot_copies: int
    body_sha256: bytes


@dataclass(frozen=True)
class Receipt:
    """A vault's signed word on what it holds of one camera; `raw` is the whole statement."""

    organisation: bytes
    receipt_no: int
    device_id: bytes
    utc_ms: int
    keylist: int
    entries: tuple[ReceiptEntry, ...]
    raw: bytes = b""

    @property
    def digest(self) -> bytes:
        """SHA-256 of the whole statement, its name in custody."""
        return hashlib.sha256(self.raw).digest()


@dataclass(frozen=True)
class Actor:
    """Who did it: a role and an id, never a name."""

    role: str
    id: str


@dataclass(frozen=True)
class Device:
    """One camera of the register; `since` is when it was certified."""

    device_id: bytes
    point: bytes
    since: int
    state: str
    certificate: bytes = b""
    keylist: int = 0


@dataclass(frozen=True)
class Issue:
    """One issue of a camera: a number that its log and journal may bear, and who wears it by an id, never a
    name. `told` is when the camera answered that it knows, `ended` when it ended; 0 not yet.
    """

    issue: bytes
    device_id: bytes
    officer: str
    kind: int  # 1 personal, 2 pool
    since: int
    until: int
    told: int = 0
    ended: int = 0
    how: str = ""  # docked, returned or lost


@dataclass(frozen=True)
class DockPlace:
    """A dock, the ids of the keys it holds, and whether they are trusted."""

    dock_id: str
    key_ids: tuple[bytes, ...]
    state: str  # trusted or withdrawn
    since: int


@dataclass(frozen=True)
class KeyRow:
    """The slots of one recording, apart from its body."""

    h_core: bytes
    device_id: bytes
    sequence: int
    recording_id: bytes
    slot_area: bytes = field(repr=False)


@dataclass(frozen=True)
class Recording:
    """One row of the catalogue. `place` and `description` are known once the evidence office indexed it."""

    h_core: bytes
    device_id: bytes
    sequence: int
    recording_id: bytes
    kind: int
    start_utc_ms: int
    duration_ms: int
    verdict: Verdict
    confirmed: bool
    ended: bool
    marks: str
    signed_to: int
    last_index: int
    last_tag: bytes
    size: int
    body_sha256: bytes
    copies: int
    slot_copies: int
    stored_at: int
    keylist: int = 0
    clock_source: int = 0
    pictures: int = 0
    dropped: int = 0
    muted_ms: int = 0
    reason: str = ""
    place: str | None = None
    description: str | None = None
    interpreter: str | None = None
