"""The root-signed key list and policy: signature checked, version only rises; the strictest where they say
nothing.

Rules only: where the files are kept, and what is done when one is refused, is not known here.
"""

import struct

from sealcam import p256, statements
from sealcam.crypto import sha256
from sealcam.errors import BadPoint, BadSignature, KeyListFault, PolicyFault
from sealcam.layout import (
    CHUNK_SIZES,
    KIND_LOG,
    KINDS,
    ROLE_OPEN,
    ROLE_VERIFY,
)

EVIDENCE, ESCROW, VAULT, RECEIPT, TIME, CERTIFICATE, RELEASE, LINK, ENROLMENT = 1, 2, 3, 4, 5, 6, 7, 8, 9
_ROLES = (EVIDENCE, ESCROW, VAULT, RECEIPT, TIME, CERTIFICATE, RELEASE, LINK, ENROLMENT)
_NEEDED = (EVIDENCE, ESCROW, VAULT, RECEIPT, TIME, RELEASE)
_LIST_HEAD = ">32sIHH"
_ENTRY = 72
_MAX_ENTRIES = 16

_POLICY = ">32sIIIIHHBB42x"
_POLICY_SIZE = 96
_SOUND, _REPLAY, _REPLAY_UNPROTECTED, _WIPE_UNCONFIRMED, _OVERWRITE, _PRE_EVENT_SOUND = 1, 2, 4, 8, 16, 32
_KNOWN_FLAGS = 63
_MAX_PART = 1 << 30


class KeyList:
    """Who may open, verify, receipt and release, as the organisation's root has signed it."""

    def __init__(self, version: int, points: dict, digest: bytes):
        self.version = version
        self.digest = digest  # of the body
        self._points = points

    @classmethod
    def parse(
        cls, file_bytes, root_point: bytes, organisation: bytes, at_least: int = 0, held=None
    ) -> "KeyList":
        """A key list file, every point checked; KeyListFault for anything statements.md refuses.

        `at_least` is the lowest version taken; `held` the list in force: an older one is refused, and so is
        another body under the same version.
        """
        version, body = _open(statements.KEY_LIST, file_bytes, root_point, organisation, KeyListFault)
        _check_rise(version, sha256(body), at_least, held, KeyListFault)
        return cls(version, _points_of(version, body, organisation), sha256(body))

    def point(self, role: int) -> bytes:
        """The 65-byte point of a role; KeyListFault if the list has none."""
        if role not in self._points:
            raise KeyListFault  # nobody has this duty
        return self._points[role]

    def recipients(self, kind: int) -> list:
        """(slot role, point) of everyone a file of this kind is sealed for (recording.md, section 1.2)."""
        if kind not in KINDS:
            raise ValueError
        if kind == KIND_LOG:
            return [(ROLE_OPEN, self.point(EVIDENCE)), (ROLE_OPEN, self.point(VAULT))]
        return [
            (ROLE_OPEN, self.point(EVIDENCE)),
            (ROLE_OPEN, self.point(ESCROW)),
            (ROLE_VERIFY, self.point(VAULT)),
        ]


def _open(label, file_bytes, root_point, organisation, fault):
    if sha256(root_point) != bytes(organisation):
        raise fault  # the organisation id is the key id of its root
    try:
        return statements.check_file(label, file_bytes, root_point)
    except BadSignature:
        raise fault from None  # not signed by this organisation's root, or not whole


def _check_rise(version, digest, at_least, held, fault):
    if version < at_least or version == 0:
        raise fault  # versions only rise, from 1
    if held is not None and (version < held.version or (version == held.version and digest != held.digest)):
        raise fault  # older than what is in force, or another body under its number


def _points_of(version, body, organisation):
    head = struct.calcsize(_LIST_HEAD)
    if len(body) < head:
        raise KeyListFault
    named, stated, count, zero = struct.unpack(_LIST_HEAD, body[:head])
    if named != bytes(organisation) or stated != version or zero or count > _MAX_ENTRIES:
        raise KeyListFault  # of another organisation, or not what the statement says it is
    if len(body) != head + count * _ENTRY:
        raise KeyListFault
    points = {}
    for at in range(head, len(body), _ENTRY):
        role, point = _entry(body[at : at + _ENTRY])
        if role in points:
            raise KeyListFault  # two keys for one duty: which one would be a guess
        points[role] = point
    for role in _NEEDED:
        if role not in points:
            raise KeyListFault
    return points


def _entry(entry):
    if any(entry[1:4]) or any(entry[69:72]) or entry[0] not in _ROLES:
        raise KeyListFault
    point = bytes(entry[4:69])
    try:
        p256.decode_point(point)
    except BadPoint:
        raise KeyListFault from None  # sealed for such a point, a secret may tell itself
    return entry[0], point


class Policy:
    """What the organisation allows and asks for. Made without a file, it is the strictest there is."""

    def __init__(self):
        self.version = 0
        self.digest = bytes(32)
        self.sound = self.replay = self.replay_unprotected = False
        self.wipe_unconfirmed = self.pre_event_sound = False
        self.full_overwrite = True
        self.signature_interval_ms = 1000
        self.part_bytes = 64 << 20
        self.chunk_size = 16384
        self.pre_event_s = 0
        self.copies = self.slot_copies = 2

    @classmethod
    def parse(
        cls, file_bytes, root_point: bytes, organisation: bytes, at_least: int = 0, held=None
    ) -> "Policy":
        """A policy file; PolicyFault for anything statements.md refuses. `at_least` and `held` as in
        KeyList.parse.
        """
        version, body = _open(statements.POLICY, file_bytes, root_point, organisation, PolicyFault)
        _check_rise(version, sha256(body), at_least, held, PolicyFault)
        if len(body) != _POLICY_SIZE or any(body[54:]):
            raise PolicyFault
        values = struct.unpack(_POLICY, body)
        if values[0] != bytes(organisation) or values[1] != version:
            raise PolicyFault  # of another organisation, or not what the statement says it is
        policy = cls()
        policy.version, policy.digest = version, sha256(body)
        policy._take(values[2:])
        return policy

    def _take(self, values):
        flags, interval_ms, part_bytes, chunk_size, pre_event_s, copies, slot_copies = values
        if flags & ~_KNOWN_FLAGS:
            raise PolicyFault  # a rule this firmware does not know cannot be kept
        if copies < 2 or slot_copies < 2 or not 1000 <= interval_ms <= 10000:
            raise PolicyFault
        if chunk_size not in CHUNK_SIZES or part_bytes % chunk_size:
            raise PolicyFault
        if not 16 * chunk_size <= part_bytes <= _MAX_PART:
            raise PolicyFault
        self._set_flags(flags)
        self.signature_interval_ms, self.part_bytes, self.chunk_size = interval_ms, part_bytes, chunk_size
        self.pre_event_s, self.copies, self.slot_copies = pre_event_s, copies, slot_copies

    def _set_flags(self, flags):
        self.sound = bool(flags & _SOUND)
        self.replay = bool(flags & _REPLAY)
        self.replay_unprotected = bool(flags & _REPLAY_UNPROTECTED)
        self.wipe_unconfirmed = bool(flags & _WIPE_UNCONFIRMED)
        self.full_overwrite = bool(flags & _OVERWRITE)
        self.pre_event_sound = bool(flags & _PRE_EVENT_SOUND)
