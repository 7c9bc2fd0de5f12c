"""Statements, signed and checked; docs/format/statements.md.

A statement is refused whole when its length, label, key or signature is not the one asked for, before one
field of
it is read. Nothing here knows where a statement came from or what it permits.
"""

import hashlib

import construct as c

from sealhost import keys, layout
from sealhost.errors import BadSignature, BadStatement, PointBad

ENTRY = c.Struct(
    "sequence" / c.Int64ub,
    "recording_id" / c.Bytes(16),
    "h_core" / c.Bytes(32),
    "last_index" / c.Int64ub,
    "last_tag" / c.Bytes(32),
    "verdict" / c.Int8ub,
    "ended" / c.Int8ub,
    "copies" / c.Int8ub,
    "slot_copies" / c.Int8ub,
    "body_sha256" / c.Bytes(32),
)
_ROOT = c.Struct("version" / c.Int32ub, "body_sha256" / c.Bytes(32))

INVENTORY = "sealcam/1 device inventory"
WIPED = "sealcam/1 device wiped"
ENROL = "sealcam/1 device enrol"
SESSION = "sealcam/1 device session"
RECEIPT = "sealcam/1 vault receipt"
TIME = "sealcam/1 vault time"
CERTIFICATE = "sealcam/1 vault certificate"
RELEASE = "sealcam/1 office release"
ERASE = "sealcam/1 office erase"
DRILL = "sealcam/1 office drill"
KEYLIST, POLICY, FIRMWARE = "sealcam/1 root keylist", "sealcam/1 root policy", "sealcam/1 root firmware"

FIELDS = {
    INVENTORY: c.Struct(
        "device_id" / c.Bytes(32),
        "nonce" / c.Bytes(16),
        "boot" / c.Int32ub,
        "ms" / c.Int64ub,
        "journal_digest" / c.Bytes(32),
        "receipt_no" / c.Int64ub,
    ),
    WIPED: c.Struct(
        "device_id" / c.Bytes(32),
        "receipt_digest" / c.Bytes(32),
        "boot" / c.Int32ub,
        "ms" / c.Int64ub,
        "count" / c.Int16ub,
        "sample_digest" / c.Bytes(32),
    ),
    ENROL: c.Struct(
        "device_id" / c.Bytes(32),
        "nonce" / c.Bytes(16),
        "organisation" / c.Bytes(32),
        "firmware" / c.Bytes(32),
    ),
    SESSION: c.Struct("transcript_sha256" / c.Bytes(32)),
    TIME: c.Struct(
        "device_id" / c.Bytes(32),
        "nonce" / c.Bytes(16),
        "utc_ms" / c.Int64ub,
        "tree_size" / c.Int64ub,
        "root" / c.Bytes(32),
    ),
    CERTIFICATE: c.Struct("type" / c.Int16ub, "body_sha256" / c.Bytes(32)),
    RELEASE: c.Struct("entry" / ENTRY, "quarantine_sha256" / c.Bytes(32)),
    ERASE: c.Struct("h_core" / c.Bytes(32), "reason" / c.Int16ub, "order_no" / c.Int64ub),
    DRILL: c.Struct(
        "device_id" / c.Bytes(32), "keylist" / c.Int32ub, "h_core" / c.Bytes(32), "opened_by" / c.Int8ub
    ),
    KEYLIST: _ROOT,
    POLICY: _ROOT,
    FIRMWARE: _ROOT,
}


def sign(label: str, fields: bytes, key: keys.SoftKey) -> bytes:
    """Label, zero byte, fields, signature."""
    signed = label.encode() + b"\0" + fields
    return signed + key.sign(signed)


def check(label: str, blob: bytes, point: bytes) -> bytes:
    """The fields, once the signature over them is proved; BadStatement or BadSignature."""
    fields = blob[len(label) + 1 : -layout.SIGNATURE_SIZE]
    known = FIELDS.get(label)
    if blob[: len(label) + 1] != label.encode() + b"\0" or len(blob) < len(label) + 1 + layout.SIGNATURE_SIZE:
        raise BadStatement(f"it is no {label!r}")
    if known is not None and len(fields) != known.sizeof():
        raise BadStatement(f"{label!r} has another length")
    signed, signature = blob[: -layout.SIGNATURE_SIZE], blob[-layout.SIGNATURE_SIZE :]
    try:
        good = keys.verifies(point, hashlib.sha256(signed).digest(), signature)
    except PointBad:
        raise BadSignature(repr(label)) from None
    if not good:
        raise BadSignature(repr(label))
    return bytes(fields)


def make(label: str, key: keys.SoftKey, **fields: object) -> bytes:
    """A statement of known fields."""
    return sign(label, bytes(FIELDS[label].build(fields)), key)


def read(label: str, blob: bytes, point: bytes) -> c.Container:
    """The fields of a statement, parsed after its signature is proved."""
    return FIELDS[label].parse(check(label, blob, point))


def signed_bytes(blob: bytes) -> bytes:
    """Label, zero byte and fields: what an anchor is the SHA-256 of."""
    return blob[: -layout.SIGNATURE_SIZE]


def size_of(label: str) -> int:
    """Bytes of a whole statement of fixed length."""
    return len(label) + 1 + int(FIELDS[label].sizeof()) + layout.SIGNATURE_SIZE


def split(label: str, file: bytes) -> tuple[bytes, bytes]:
    """A file that begins with a statement: the statement and what follows it."""
    if len(file) < size_of(label):
        raise BadStatement(f"it is too short for a {label!r}")
    return file[: size_of(label)], file[size_of(label) :]
