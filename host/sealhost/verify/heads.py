"""Which head speaks for a recording, and who can open it; recording.md, section 3.1.

Reads head blocks and nothing behind them.
"""

import hashlib
import hmac
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sealhost import keys, layout
from sealhost.errors import KeyTrouble
from sealhost.records import Core, Part

FRONT = 2 * max(layout.BLOCK_SIZES)  # both copies of the largest head


@dataclass(frozen=True)
class Hand:
    """What the reader holds: private keys, or V, or S."""

    openers: Sequence[keys.Opener] = ()
    verify_secret: bytes | None = field(default=None, repr=False)
    secret: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Copy:
    """One head block that reads: `block` is all of its B bytes."""

    block: bytes
    core: Core

    @property
    def headed(self) -> bytes:
        """Core and tag_0: what makes parts belong together."""
        return self.block[: layout.HEADED]

    @property
    def tag_0(self) -> bytes:
        """The tag that chunk 1 links to."""
        return self.block[layout.CORE_SIZE : layout.HEADED]

    @property
    def between(self) -> bytes:
        """What lies between tag_0 and the slot area: zeros."""
        return self.block[layout.HEADED : layout.SLOT_AREA]

    @property
    def slot_area(self) -> bytes:
        """Everything from 512 to the end of the block."""
        return self.block[layout.SLOT_AREA :]

    @property
    def zeroed(self) -> bytes:
        """The block with its slot area zero, as a body has it (1.7)."""
        return self.block[: layout.SLOT_AREA] + bytes(len(self.block) - layout.SLOT_AREA)

    @property
    def slots_are_sound(self) -> bool:
        """Whether the slot area hashes to the core's digest or is all zero (M11)."""
        area = self.slot_area
        return not any(area) or hashlib.sha256(area).digest() == self.core.slot_digest


@dataclass(frozen=True)
class Opened:
    """A copy that opens, and what follows from it."""

    copy: Copy
    keys: keys.RecordingKeys
    secret: bytes | None = field(default=None, repr=False)


def read_front(part: Part) -> bytes:
    """The first 32 KiB of a part, or all of a shorter one."""
    front = bytearray(min(FRONT, max(0, part.size)))
    return bytes(front[: part.read_into(0, memoryview(front))])


def copies_of(front: bytes) -> list[Copy]:
    """The copies that read, copy 0 first; a copy 1 is believed where its own chunk size puts it (M13)."""
    found = [(_copy_at(front, 0), 0), *((_copy_at(front, size), size) for size in layout.BLOCK_SIZES)]
    return [copy for copy, at in found if copy and at in (0, copy.core.block_size)]


def _copy_at(front: bytes, offset: int) -> Copy | None:
    raw = front[offset : offset + layout.CORE_SIZE]
    if not layout.core_reads(raw):
        return None
    core = layout.core_of(raw)
    block = front[offset : offset + core.block_size]
    return Copy(block, core) if len(block) == core.block_size else None


def has_magic(front: bytes) -> bool:
    """Whether either copy begins like ours, known format or not."""
    return any(front[offset:].startswith(layout.MAGIC) for offset in (0, *layout.BLOCK_SIZES))


class Openings:
    """Opens copies with what is in hand; equal copies are opened once."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand
        self._seen: dict[bytes, Opened | None] = {}
        self.addressed = hand.verify_secret is not None or hand.secret is not None

    def open(self, copy: Copy) -> Opened | None:
        """What opens this copy: a slot of ours, or V or S, whose tag_0 proves; None otherwise."""
        if copy.block not in self._seen:
            self._seen[copy.block] = next((found for found in self._tries(copy) if proves_head(found)), None)
        return self._seen[copy.block]

    def _is_known(self, slot: layout.c.Container) -> bool:
        """A slot addressed to us counts as such; one of another algorithm does not open."""
        self.addressed = True
        return bool(slot.algorithm == layout.SLOT_HPKE)

    def _tries(self, copy: Copy) -> Iterator[Opened]:
        hand = self._hand
        if hand.secret is not None:
            yield Opened(copy, keys.derive(copy.core, secret=hand.secret), hand.secret)
        if hand.verify_secret is not None:
            yield Opened(copy, keys.derive(copy.core, verify_secret=hand.verify_secret))
        for slot in layout.slots_of(copy.slot_area):
            for opener in hand.openers:
                if slot.recipient == opener.key_id and self._is_known(slot):
                    yield from _by_slot(copy, opener, slot)


def _by_slot(copy: Copy, opener: keys.Opener, slot: layout.c.Container) -> Iterator[Opened]:
    try:
        role, payload = keys.open_slot_as(opener, copy.core, slot)
    except KeyTrouble:
        return  # a slot that does not open is one more that does not
    if role == layout.ROLE_OPEN:
        yield Opened(copy, keys.derive(copy.core, secret=payload), payload)
    else:
        yield Opened(copy, keys.derive(copy.core, verify_secret=payload))


def proves_head(found: Opened) -> bool:
    """Whether tag_0 is the tag of the core under the keys found."""
    return hmac.digest(found.keys.k_mac, found.copy.core.raw, "sha256") == found.copy.tag_0


def proving(copies: Sequence[Copy], openings: Openings) -> Opened | None:
    """The copy that speaks: the first that opens with a sound slot area, else the first that opens."""
    opened = [found for copy in copies if (found := openings.open(copy))]
    return next((found for found in opened if found.copy.slots_are_sound), opened[0] if opened else None)


def heads_agree(part: Part, copy: Copy) -> bool:
    """Whether both head blocks of a part are the proving copy in every byte (3.1)."""
    return read_front(part)[: 2 * len(copy.block)] == 2 * copy.block and copy.slots_are_sound


def both_cores_stand(part: Part, copy: Copy) -> bool:
    """Whether neither copy of a part has a zero core: before that, a cut may have come between the two
    writes.
    """
    front = read_front(part)
    size = copy.core.block_size
    return any(front[: layout.CORE_SIZE]) and any(front[size : size + layout.CORE_SIZE])


def first_of(parts: Sequence[Part], copy: Copy) -> Part:
    """The first part that bears the proving head: part 0 of a recording without a chunk."""
    return next(
        part for part in parts if any(own.headed == copy.headed for own in copies_of(read_front(part)))
    )
