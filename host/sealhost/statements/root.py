"""What the root signs: the key list and the policy; statements.md."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import construct as c

from sealhost import keys, layout
from sealhost.errors import BadStatement, PointBad, VersionFell
from sealhost.statements.signed import KEYLIST, POLICY, make, read, split

EVIDENCE, ESCROW, VAULT, RECEIPT_KEY, TIME_KEY, CERTIFICATE_KEY, RELEASE_KEY, LINK, ENROLMENT = range(1, 10)
_ONCE = (EVIDENCE, ESCROW, VAULT, RECEIPT_KEY, TIME_KEY, RELEASE_KEY)
MAX_ENTRIES = 16
_ENTRY = c.Struct("role" / c.Int8ub, "zero" / c.Bytes(3), "point" / c.Bytes(65), "zero_end" / c.Bytes(3))
_LIST = c.Struct("organisation" / c.Bytes(32), "version" / c.Int32ub, "count" / c.Int16ub, "zero" / c.Int16ub)
_POLICY = c.Struct(
    "organisation" / c.Bytes(32),
    "version" / c.Int32ub,
    "flags" / c.Int32ub,
    "signature_interval_ms" / c.Int32ub,
    "part_bytes" / c.Int32ub,
    "chunk_size" / c.Int16ub,
    "pre_event_s" / c.Int16ub,
    "copies" / c.Int8ub,
    "slot_copies" / c.Int8ub,
    "zero" / c.Bytes(42),
)
SOUND, REPLAY, REPLAY_UNPROTECTED, WIPE_UNCONFIRMED, OVERWRITE, PRE_EVENT_SOUND = (
    1 << bit for bit in range(6)
)
_KNOWN_FLAGS = 63


def sign_file(label: str, body: bytes, version: int, key: keys.SoftKey) -> bytes:
    """A root statement followed by the body it signs."""
    return make(label, key, version=version, body_sha256=hashlib.sha256(body).digest()) + body


def read_file(label: str, file: bytes, root_point: bytes) -> tuple[int, bytes]:
    """(version, body) of a root-signed file."""
    statement, body = split(label, file)
    fields = read(label, statement, root_point)
    if hashlib.sha256(body).digest() != fields.body_sha256:
        raise BadStatement(f"{label!r} was signed over another body")
    return int(fields.version), body


def refuse_older(what: str, version: int, body: bytes, known_version: int, known_body: bytes | None) -> None:
    """A version only rises; the same version with another body is refused too."""
    if version < known_version:
        raise VersionFell(what, version, known_version)
    if version == known_version and known_body is not None and known_body != body:
        raise BadStatement(f"{what}: version {version} is known with another body")


@dataclass(frozen=True)
class KeyList:
    """The points of an organisation, by role."""

    organisation: bytes
    version: int
    entries: tuple[tuple[int, bytes], ...]
    raw: bytes

    def point(self, role: int) -> bytes | None:
        """The point of a role, None where the list has none."""
        return next((point for own, point in self.entries if own == role), None)

    def recipients(self, kind: int) -> list[tuple[int, bytes]]:
        """(role in the slot, point) for a file of this kind; recording.md, section 1.2."""
        evidence, escrow, vault = (self.point(role) or b"" for role in (EVIDENCE, ESCROW, VAULT))
        if kind == layout.KIND_LOG:
            return [(layout.ROLE_OPEN, evidence), (layout.ROLE_OPEN, vault)]
        return [(layout.ROLE_OPEN, evidence), (layout.ROLE_OPEN, escrow), (layout.ROLE_VERIFY, vault)]

    @classmethod
    def build(cls, root: keys.SoftKey, version: int, entries: Sequence[tuple[int, bytes]]) -> "KeyList":
        """A signed list; `raw` is the file."""
        head = {"organisation": root.key_id, "version": version, "count": len(entries), "zero": 0}
        zeros = {"zero": bytes(3), "zero_end": bytes(3)}
        body = _LIST.build(head) + b"".join(
            _ENTRY.build({"role": r, "point": p, **zeros}) for r, p in entries
        )
        return cls.parse(sign_file(KEYLIST, body, version, root), root.point)

    @classmethod
    def parse(cls, file: bytes, root_point: bytes, at_least: int = 0) -> "KeyList":
        """Check and read a key list file; BadStatement or VersionFell."""
        version, body = read_file(KEYLIST, file, root_point)
        refuse_older("the key list", version, body, at_least, None)
        if len(body) < _LIST.sizeof():
            raise BadStatement("the key list is too short")
        head = _LIST.parse(body)
        _same_root("the key list", head, version, root_point)
        if (
            head.count > MAX_ENTRIES
            or head.zero
            or len(body) != _LIST.sizeof() + head.count * _ENTRY.sizeof()
        ):
            raise BadStatement("the key list has another length than it says")
        entries = tuple(
            _key(body[at : at + _ENTRY.sizeof()]) for at in range(_LIST.sizeof(), len(body), _ENTRY.sizeof())
        )
        roles = [role for role, _ in entries]
        if any(roles.count(role) != 1 for role in _ONCE):
            raise BadStatement("the key list must name each key that cameras and vaults need exactly once")
        return cls(head.organisation, version, entries, file)


def _key(raw: bytes) -> tuple[int, bytes]:
    entry = _ENTRY.parse(raw)
    if not EVIDENCE <= entry.role <= ENROLMENT or any(entry.zero) or any(entry.zero_end):
        raise BadStatement("the key list has a role nobody knows")
    try:
        keys.decode_point(entry.point)
    except PointBad:
        raise BadStatement("the key list holds a point that is not on the curve") from None
    return entry.role, entry.point


def _same_root(what: str, head: c.Container, version: int, root_point: bytes) -> None:
    if head.organisation != keys.key_id_of(root_point) or head.version != version:
        raise BadStatement(f"{what} is of another organisation or version than its signature")


@dataclass(frozen=True)
class Policy:
    """What an organisation asks of its cameras and vaults."""

    organisation: bytes
    version: int
    flags: int = SOUND
    signature_interval_ms: int = 10_000
    part_bytes: int = 64 << 20
    chunk_size: int = 16384
    pre_event_s: int = 0
    copies: int = 2
    slot_copies: int = 2
    raw: bytes = b""

    def allows(self, flag: int) -> bool:
        """Whether a flag is set."""
        return bool(self.flags & flag)

    @property
    def sound(self) -> bool:
        """Whether sound is recorded."""
        return self.allows(SOUND)

    @classmethod
    def build(cls, root: keys.SoftKey, version: int, **fields: Any) -> "Policy":
        """A signed policy; `raw` is the file."""
        wanted = vars(cls(root.key_id, version, **fields))
        body = bytes(_POLICY.build({**wanted, "zero": bytes(42)}))
        return cls.parse(sign_file(POLICY, body, version, root), root.point)

    @classmethod
    def parse(cls, file: bytes, root_point: bytes, at_least: int = 0) -> "Policy":
        """Check and read a policy file; BadStatement or VersionFell."""
        version, body = read_file(POLICY, file, root_point)
        refuse_older("the policy", version, body, at_least, None)
        if len(body) != _POLICY.sizeof():
            raise BadStatement("the policy has another length")
        found = _POLICY.parse(body)
        _same_root("the policy", found, version, root_point)
        if trouble := _impossible(found):
            raise BadStatement(f"the policy {trouble}")
        names = (
            "flags",
            "signature_interval_ms",
            "part_bytes",
            "chunk_size",
            "pre_event_s",
            "copies",
            "slot_copies",
        )
        return cls(found.organisation, version, raw=file, **{name: int(found[name]) for name in names})


def _impossible(found: c.Container) -> str:
    """What is wrong with a policy's fields; nothing where all is well."""
    if found.flags & ~_KNOWN_FLAGS or any(found.zero):
        return "has a flag nobody knows"
    if found.copies < 2 or found.slot_copies < 2:
        return "asks for fewer than two copies"
    if not 1000 <= found.signature_interval_ms <= 10_000:
        return "has a signature interval outside one to ten seconds"
    if found.chunk_size not in layout.CHUNK_SIZES:
        return "has a chunk size nobody knows"
    whole = found.part_bytes % found.chunk_size == 0
    return (
        ""
        if whole and 16 * found.chunk_size <= found.part_bytes <= 1 << 30
        else "has an impossible part size"
    )
