"""Signed statements: label, fields, signature; checked before a field is read (docs/format/statements.md).

Bytes in, bytes out. A statement knows points and digests; it never touches flash, card or clock.
"""

import struct

from sealcam import p256
from sealcam.crypto import sha256
from sealcam.errors import BadPoint, BadSignature, FormatFault

INVENTORY = b"sealcam/1 device inventory"
WIPED = b"sealcam/1 device wiped"
ENROL = b"sealcam/1 device enrol"
SESSION = b"sealcam/1 device session"
RECEIPT = b"sealcam/1 vault receipt"
TIME = b"sealcam/1 vault time"
CERTIFICATE = b"sealcam/1 vault certificate"
RELEASE = b"sealcam/1 office release"
ERASE = b"sealcam/1 office erase"
DRILL = b"sealcam/1 office drill"
KEY_LIST = b"sealcam/1 root keylist"
POLICY = b"sealcam/1 root policy"
FIRMWARE = b"sealcam/1 root firmware"

_SIGNATURE = 64
_ROOT = ">I32s"  # version, SHA-256 of the body that follows the signature in a file
FIELDS = {
    INVENTORY: ">32s16sIQ32sQ",  # device id, nonce, boot, ms, journal digest, receipt number
    WIPED: ">32s32sIQH32s",  # device id, receipt digest, boot, ms, count, sample digest
    ENROL: ">32s16s32s32s",  # device id, nonce, organisation, firmware
    SESSION: ">32s",  # SHA-256 of the transcript (docs/dock-protocol.md, section 2)
    TIME: ">32s16sQQ32s",  # device id, nonce, UTC ms, tree size, root
    DRILL: ">32sI32sB",  # device id, key list, H(core), opened by: 1 evidence, 2 escrow
    KEY_LIST: _ROOT,
    POLICY: _ROOT,
    FIRMWARE: _ROOT,
}
OPENED_BY_EVIDENCE, OPENED_BY_ESCROW = 1, 2
_DRILLS = b"SKDRILL1"


def size_of(label: bytes) -> int:
    """Bytes of a whole statement whose fields have a fixed length."""
    return len(label) + 1 + struct.calcsize(FIELDS[label]) + _SIGNATURE


def sign(label: bytes, fields, d: int, rand=None) -> bytes:
    """`label 00 fields r s`; `d` is the private key."""
    signed = label + b"\x00" + bytes(fields)
    return signed + p256.sign(d, sha256(signed), rand)


def make(label: bytes, d: int, rand, *values) -> bytes:
    """A statement of the table in `FIELDS`, from its values."""
    return sign(label, struct.pack(FIELDS[label], *values), d, rand)


def check(label: bytes, size: int, blob, point: bytes):
    """The `size` bytes of fields, as a memoryview, once the signature has proved.

    BadSignature for another length, another label, or a signature that `point` did not make.
    """
    start = len(label) + 1
    if len(blob) != start + size + _SIGNATURE:
        raise BadSignature  # longer or shorter than the statement it claims to be
    view = memoryview(blob)
    if bytes(view[:start]) != label + b"\x00":
        raise BadSignature  # another statement: one key never signs two meanings
    end = start + size
    if not _proves(point, view[:end], view[end:]):
        raise BadSignature
    return view[start:end]


def _proves(point, signed, signature):
    try:
        return p256.verify(point, sha256(signed), bytes(signature))
    except BadPoint:  # a key that is none signed nothing
        return False


def read(label: bytes, blob, point: bytes) -> tuple:
    """The values of a statement of the table, proved; BadSignature as in `check`."""
    fields = FIELDS[label]
    return struct.unpack(fields, check(label, struct.calcsize(fields), blob, point))


def digest(blob) -> bytes:
    """SHA-256 of the signed bytes, as a header's `anchor` names a time statement."""
    return sha256(memoryview(blob)[:-_SIGNATURE])


def check_file(label: bytes, file_bytes, point: bytes) -> tuple:
    """(version, body) of a root-signed file: statement, then the body it names.

    BadSignature if the file is too short, the statement does not prove, or the body is another.
    """
    size = size_of(label)
    if len(file_bytes) < size:
        raise BadSignature  # not even a statement
    view = memoryview(file_bytes)
    version, named = read(label, view[:size], point)
    body = bytes(view[size:])
    if sha256(body) != named:
        raise BadSignature  # signed, and not this body
    return version, body


def check_drills(raw, point: bytes, device_id: bytes, version: int, h_core) -> None:
    """`drill.seal`: evidence key and escrow have each opened this trial recording of this camera, sealed
    under this key list. FormatFault or BadSignature; an `h_core` of None takes any recording.
    """
    size = size_of(DRILL)
    if raw[:8] != _DRILLS or len(raw) != 8 + 2 * size:
        raise FormatFault
    opened_by = []
    for at in (8, 8 + size):
        device, list_version, opened, by = read(DRILL, raw[at : at + size], point)
        if (device, list_version) != (device_id, version) or h_core not in (None, opened):
            raise BadSignature  # signed, and for another camera, list or recording
        opened_by.append(by)
    if sorted(opened_by) != [OPENED_BY_EVIDENCE, OPENED_BY_ESCROW]:
        raise BadSignature  # one of the two has not opened it
