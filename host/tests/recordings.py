"""Recordings of any shape for tests, sealed from the document: several parts, interim signatures, logs, cut
tails.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sealhost import keys, layout, seal, verify
from sealhost.records import Judgement, Part, Word

ROOT = Path(__file__).resolve().parents[2]
VECTORS = ROOT / "docs" / "vectors"
DESCRIPTION = {
    "picture": "jpeg",
    "width": 640,
    "height": 480,
    "board": "bench",
    "interpreter": "test",
    "place": "a desk",
}


def scalar(number: int) -> bytes:
    """A private key that is the same in every run."""
    return number.to_bytes(32, "big")


@dataclass
class Office:
    """Every key of one organisation with one camera; `number` makes another one."""

    number: int = 0
    device: keys.SoftKey = field(init=False)

    def __post_init__(self) -> None:
        """Make the keys."""
        base = 1000 * (self.number + 1)
        self.device = keys.SoftKey.of_scalar(scalar(base + 1))
        self.evidence = keys.SoftKey.of_scalar(scalar(base + 2), layout.ROLE_OPEN)
        self.escrow = keys.SoftKey.of_scalar(scalar(base + 3), layout.ROLE_OPEN)
        self.vault = keys.SoftKey.of_scalar(scalar(base + 4), layout.ROLE_VERIFY)
        self.replay = keys.SoftKey.of_scalar(scalar(base + 5), layout.ROLE_OPEN)

    def recipients(self, kind: int = layout.KIND_RECORDING, replay: bool = False) -> list[seal.Recipient]:
        """Who gets a slot; recording.md, section 1.2."""
        opens, vault = layout.ROLE_OPEN, self.vault.point
        if kind == layout.KIND_LOG:
            return [(opens, self.evidence.point), (opens, vault)]
        slots = [(opens, self.evidence.point), (opens, self.escrow.point), (layout.ROLE_VERIFY, vault)]
        return slots + [(opens, self.replay.point)] * replay

    def point_of(self, device_id: bytes) -> bytes | None:
        """The one camera this office knows."""
        return self.device.point if device_id == self.device.key_id else None

    def writer(
        self, *, kind: int = layout.KIND_RECORDING, replay: bool = False, **fields: object
    ) -> seal.Writer:
        """A recording begun for this office; chunks of 512 bytes where nothing else is said."""
        fields.setdefault("chunk_size", 512)
        slots = self.recipients(kind, replay)
        return seal.begin(self.device, slots, kind=kind, **fields)

    def judge(self, parts: Sequence[Part | bytes], word: Word | None = None, **rest: object) -> Judgement:
        """As the vault judges, with nothing but its verify key."""
        rest.setdefault("openers", [self.vault])
        return verify.judge(as_parts(parts), device_point=self.point_of, word=word, **rest)  # type: ignore[arg-type]


def as_parts(parts: Sequence[Part | bytes]) -> list[Part]:
    """Bytes become parts in memory."""
    return [
        verify.part_from(bytes(p), f"part {n}") if isinstance(p, bytes | bytearray) else p
        for n, p in enumerate(parts)
    ]


def describe(writer: seal.Writer, **more: object) -> None:
    """The first record of every recording."""
    writer.record(layout.TRACK_DESCRIPTION, json.dumps({**DESCRIPTION, **more}).encode())


def fill(writer: seal.Writer, chunks: int, flavour: int = 0) -> None:
    """Pictures until that many data chunks more are sealed."""
    goal = writer.totals.data_chunks + chunks
    while writer.totals.data_chunks < goal:
        number = writer.totals.data_chunks
        picture = bytes((flavour + number + i) & 0xFF for i in range(writer.room - layout.RECORD_HEADER))
        writer.record(layout.TRACK_PICTURE, picture, ms=40 * number, flags=1)


def film(office: Office, script: str = "..s..e", *, flavour: int = 0, **fields: object) -> seal.Writer:
    """Seal by script: `.` a data chunk, `s` an interim signature, `e` the end."""
    writer = office.writer(**fields)
    steps = {".": lambda: fill(writer, 1, flavour), "s": writer.sign, "e": writer.end}
    for step in script:
        steps[step]()
    return writer


def part_with(writer: seal.Writer, area: bytes) -> bytes:
    """The recording in one part, under another slot area in both heads."""
    head = writer.head[: layout.SLOT_AREA] + area
    return head * 2 + b"".join(writer.chunks)


def read_vector(path: Path) -> dict[str, str]:
    """Fields of a vector file; docs/vectors/README.md."""
    found: dict[str, str] = {}
    key = ""
    for line in path.read_text().splitlines():
        if line.startswith("  "):
            found[key] += line[2:]
        else:
            key, _, value = line.partition(":")
            found[key] = value.strip()
    return found
