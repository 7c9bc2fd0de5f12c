"""Which statements of the device are valid, and how far they reach back along the links; recording.md,
section 3.3.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from sealhost import keys, layout
from sealhost.records import Core, Totals
from sealhost.verify.chunks import Index


@dataclass
class Statements:
    """What the chunks of type 2 and 3 say."""

    valid_ends: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)  # of type 3, valid or not
    refused: list[int] = field(default_factory=list)
    reaches: list[int] = field(default_factory=list)  # covered and proved indices, by valid signatures
    covered: list[tuple[int, bytes]] = field(default_factory=list)
    totals: Totals = Totals()


def weigh(special: Iterable[tuple[int, int, bytes]], index: Index, core: Core, point: bytes) -> Statements:
    """Check every statement chunk, given by rising index as (index, type, statement and signature)."""
    found = Statements()
    h_core = core.h_core
    for own, kind, payload in special:
        fields = layout.STATEMENT_STRUCT.unpack(payload)
        covered, tag, signature = fields[0], fields[1], fields[-1]
        found.covered.append((covered, tag))
        if kind == layout.TYPE_END:
            found.ends.append(own)
        digest = layout.digest_to_sign(h_core, kind, covered, tag, payload[layout.STATED])
        if not _fits(own, kind, covered, tag, index) or not keys.verifies(point, digest, signature):
            found.refused.append(own)
            continue
        found.totals = layout.totals_of(fields)
        if kind == layout.TYPE_END:
            found.valid_ends.append(own)
        if index.tag(covered) is not None:
            found.reaches.append(covered)
    return found


def _fits(own: int, kind: int, covered: int, tag: bytes, index: Index) -> bool:
    """Whether what is covered stands before, and is what it is said to be where it can be seen (M10)."""
    if covered >= own or (kind == layout.TYPE_END and covered != own - 1):
        return False
    stands = index.tag(covered)
    return stands is None or stands == tag


def signed_for(reaches: Iterable[int], index: Index) -> list[tuple[int, int]]:
    """Spans (first, last) of indices that a signature covers, or that a signed-for chunk links back to
    (M8).
    """
    spans: list[tuple[int, int]] = []
    lowest = None  # the newest signature first: what an older one reaches may be reached already
    for reach in sorted(set(reaches), reverse=True):
        if reach == 0 or (lowest is not None and lowest <= reach):
            continue
        lowest = _walk_back(reach, index, spans)
    return spans


def _walk_back(reach: int, index: Index, spans: list[tuple[int, int]]) -> int:
    """Follow the links down from one index; returns the lowest reached."""
    while True:
        stretch = index.find(reach)
        first = stretch[0] if stretch else reach
        spans.append((first, reach))
        if first <= 1 or not index.links(first):
            return first
        reach = first - 1
