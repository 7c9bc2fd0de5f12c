"""One custody entry as bytes: canonical JSON, and back.

Identifiers only. The shape is checked here; that no name, place or description enters is the caller's duty,
and so strings are short and of one line. docs/format/custody.md.
"""

import json
import re
from dataclasses import dataclass, field

from sealhost.errors import InternalFault
from sealhost.records import Actor

EVENTS = frozenset(
    (
        "founded camera.offered camera.certified camera.drilled camera.enrolled camera.suspended "
        "camera.issued camera.returned camera.wiped camera.alarm firmware.sent camera.lost camera.found "
        "card.lost dock.lost breach.opened breach.closed keylist.changed policy.changed "
        "card.seen recording.verified recording.stored recording.readback recording.quarantined "
        "receipt.signed file.wiped card.wiped card.kept log.read recording.lent recording.viewed "
        "recording.indexed quarantine.released gap.found fork.found audit.run catalogue.rebuilt "
        "custody.exported escrow.recovered"
    ).split()
)
Value = int | str | list[int] | list[str]
_SUBJECT = re.compile(r"[0-9a-f]*")
_WORD = re.compile(r"[\x20-\x7e]{0,500}")
_LARGEST = 2**53  # what every JSON reader keeps exactly


@dataclass(frozen=True)
class Entry:
    """One entry, parsed."""

    n: int
    at: int
    event: str
    actor: Actor
    subject: str
    detail: dict[str, Value] = field(default_factory=dict)


def leaf_of(entry: Entry) -> bytes:
    """The bytes that are hashed; InternalFault for what may not stand in a leaf."""
    if entry.event not in EVENTS or not _SUBJECT.fullmatch(entry.subject):
        raise InternalFault(f"custody does not know {entry.event} about {entry.subject!r}")
    for word in (entry.actor.role, entry.actor.id, *entry.detail):
        _refuse_unless(_is_plain(word), entry)
    for value in entry.detail.values():
        _refuse_unless(
            all(map(_is_plain, value)) if isinstance(value, list | tuple) else _is_plain(value), entry
        )
    shape = {
        "n": entry.n,
        "at": entry.at,
        "event": entry.event,
        "actor": {"role": entry.actor.role, "id": entry.actor.id},
        "subject": entry.subject,
        "detail": entry.detail,
    }
    return json.dumps(shape, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _is_plain(value: object) -> bool:
    if isinstance(value, str):
        return _WORD.fullmatch(value) is not None
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LARGEST


def _refuse_unless(is_right: bool, entry: Entry) -> None:
    if not is_right:
        raise InternalFault(f"custody {entry.event} has a detail that is no short word and no whole number")


def parse_leaf(leaf: bytes) -> Entry:
    """The entry of a leaf; ValueError unless it is exactly what `leaf_of` writes."""
    try:
        shape = json.loads(leaf)
        actor = Actor(shape["actor"]["role"], shape["actor"]["id"])
        entry = Entry(shape["n"], shape["at"], shape["event"], actor, shape["subject"], shape["detail"])
        if leaf_of(entry) != leaf:
            raise ValueError("not in canonical form")
    except (KeyError, TypeError, AttributeError, RecursionError, InternalFault) as wrong:
        raise ValueError(f"not a custody leaf ({type(wrong).__name__})") from None
    return entry
