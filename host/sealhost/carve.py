"""Find proved chunks on a card whose file system is gone.

Looks at every 512th byte of a device or an image for a head or a chunk of ours, and puts what belongs
together into
parts again. It judges nothing: a carved part is judged like any other, and only tags decide.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sealhost import layout
from sealhost.errors import CardUnreadable
from sealhost.keys import Opener
from sealhost.reader import FilePart
from sealhost.verify.chunks import Prover
from sealhost.verify.groups import part_from
from sealhost.verify.heads import Hand, Opened, Openings, copies_of

SECTOR = 512
_WINDOW = 1 << 20
_MAX_HEADS = 4096


@dataclass
class Carved:
    """One recording found: its proving head, and where its proved chunks lie, by index."""

    opened: Opened
    places: dict[int, int] = field(default_factory=dict)

    def part(self, path: Path) -> FilePart:
        """A part as it would stand in a file: the head twice, then chunks by index; nothing is copied."""
        core, at = self.opened.copy.core, self.head_at
        extents = [(at, core.block_size)] * 2 + [
            (self.places[i], core.chunk_size) for i in sorted(self.places)
        ]
        size = sum(length for _, length in extents)
        return FilePart(path, f"carved {core.name[:16]}", size, tuple(extents))

    head_at: int = 0


def carve(
    path: Path, openers: Sequence[Opener], progress: Callable[[int, int], None] | None = None
) -> list[FilePart]:
    """A part for each recording of which a head opens; chunks in order of index, wherever they lay.

    Two passes over the card, in constant memory but for one number a chunk.
    """
    size = _size(path)
    openings = Openings(Hand(openers))
    found: dict[bytes, Carved] = {}
    for at, block in _sectors(path, size, progress):
        if block[:8] == layout.MAGIC and len(found) < _MAX_HEADS:
            for opened in _heads_at(path, at, openings):
                found.setdefault(opened.copy.headed, Carved(opened, head_at=at))
    by_id: dict[bytes, list[Carved]] = {}
    for carved in found.values():
        by_id.setdefault(carved.opened.copy.core.recording_id[:8], []).append(carved)
    for at, block in _sectors(path, size, progress):
        if block[:4] == layout.CHUNK_MAGIC:
            for carved in by_id.get(bytes(block[16:24]), ()):
                _keep(path, at, carved)
    return [carved.part(path) for carved in found.values()]


def _size(path: Path) -> int:
    try:
        with open(path, "rb") as file:
            return os.lseek(file.fileno(), 0, os.SEEK_END)
    except OSError as trouble:
        raise CardUnreadable(path, trouble.strerror) from trouble


def _sectors(
    path: Path, size: int, progress: Callable[[int, int], None] | None
) -> Iterator[tuple[int, memoryview]]:
    """Offset and bytes of every sector that is no hole; the view is good until the next one."""
    part, view = FilePart(path, str(path), size), memoryview(bytearray(_WINDOW))
    at = 0
    with open(path, "rb") as file:
        while at < size:
            at = _data_from(file.fileno(), at, size)
            got = part.read_into(at, view)
            for inside in range(0, got - SECTOR + 1, SECTOR):
                if view[inside] == 0x53:  # both marks begin with S
                    yield at + inside, view[inside : inside + SECTOR]
            at += _WINDOW
            if progress is not None:
                progress(min(at, size), size)


def _data_from(handle: int, at: int, size: int) -> int:
    """The next byte that is no hole, down to its sector."""
    try:
        return os.lseek(handle, at, os.SEEK_DATA) // SECTOR * SECTOR
    except OSError:  # a device, or nothing but a hole to the end
        return at if os.lseek(handle, 0, os.SEEK_HOLE) == size else size


def _heads_at(path: Path, at: int, openings: Openings) -> list[Opened]:
    block = FilePart(path, str(path), at + max(layout.BLOCK_SIZES))
    front = bytearray(max(layout.BLOCK_SIZES))
    got = block.read_into(at, memoryview(front))
    copies = copies_of(bytes(front[:got]))[:1]
    return [opened for copy in copies if front[:8] == layout.MAGIC and (opened := openings.open(copy))]


def _keep(path: Path, at: int, carved: Carved) -> None:
    """Remember a chunk whose tag proves; of two with one index the first counts."""
    size = carved.opened.copy.core.chunk_size
    chunk = bytearray(size)
    got = FilePart(path, str(path), at + size).read_into(at, memoryview(chunk))
    tag = Prover(carved.opened.keys.k_mac).tag(memoryview(chunk)[: -layout.TAG_SIZE])
    if got == size and tag == chunk[-layout.TAG_SIZE :]:
        carved.places.setdefault(layout.HEADER.parse(bytes(chunk)).index, at)


def content(part: FilePart) -> bytes:
    """All bytes of a small part, for tests and for one-off looks."""
    whole = bytearray(part.size)
    return bytes(whole[: part.read_into(0, memoryview(whole))])


__all__ = ["Carved", "carve", "content", "part_from"]
