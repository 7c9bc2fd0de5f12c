"""Which parts belong together; recording.md, section 3.1. Names carry no authority: heads decide."""

from collections.abc import Sequence

from sealhost import keys, layout
from sealhost.records import Core, Part
from sealhost.verify import heads


class BytesPart:
    """A part in memory."""

    def __init__(self, content: bytes, name: str = "bytes") -> None:
        self.name, self.content = name, content
        self.size = len(content)

    def read_into(self, offset: int, view: memoryview) -> int:
        """See `records.Part`."""
        piece = self.content[offset : offset + len(view)]
        view[: len(piece)] = piece
        return len(piece)


def part_from(content: bytes, name: str = "bytes") -> BytesPart:
    """Bytes as a part."""
    return BytesPart(content, name)


def read_core(part: Part) -> Core | None:
    """The core of the first copy that reads, proved or not; None for what is no recording."""
    copies = heads.copies_of(heads.read_front(part))
    return copies[0].core if copies else None


def group(
    parts: Sequence[Part],
    openers: Sequence[keys.Opener] = (),
    *,
    verify_secret: bytes | None = None,
    secret: bytes | None = None,
) -> list[list[Part]]:
    """Parts of one recording together, in the order they were given; files that are none of ours are left
    out.

    A part two recordings claim is given to both. One whose heads are gone is given to the recording whose
    id stands
    in its first chunk.
    """
    openings = heads.Openings(heads.Hand(openers, verify_secret, secret))
    copies = [heads.copies_of(heads.read_front(part)) for part in parts]
    claims = {
        found.copy.headed: found.copy.core for own in copies for copy in own if (found := openings.open(copy))
    }
    groups: dict[bytes, list[int]] = {}
    for number, own in enumerate(copies):
        for headed in _belongs(parts[number], own, claims):
            groups.setdefault(headed, []).append(number)
    return [[parts[number] for number in numbers] for numbers in groups.values()]


def _belongs(part: Part, own: list[heads.Copy], claims: dict[bytes, Core]) -> list[bytes]:
    claimed = [headed for headed in dict.fromkeys(copy.headed for copy in own) if headed in claims]
    if claimed:
        return claimed
    lost = [headed for headed, core in claims.items() if _holds_chunk_of(part, core)]
    if lost or own:
        return lost or [own[0].headed]
    # a head of a newer format stands for itself, so that somebody is told of it
    return [b"alone" + str(id(part)).encode()] if heads.has_magic(heads.read_front(part)) else []


def _holds_chunk_of(part: Part, core: Core) -> bool:
    header = bytearray(layout.CHUNK_HEADER)
    if part.read_into(2 * core.block_size, memoryview(header)) < len(header):
        return False
    found = layout.HEADER.parse(bytes(header))
    return bool(found.magic == layout.CHUNK_MAGIC and found.recording_id_start == core.recording_id[:8])
