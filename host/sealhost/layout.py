"""The recording and the log, declared once with `construct`.

Bytes and fields only: nothing here opens, proves or judges. In the one loop where a parse would cost as
much as
the HMAC, the same chunk header is read with `struct`; `host/tests/test_layout.py` holds that both agree.
docs/format/recording.md, section 1.
"""

import hashlib
import struct

import construct as c

from sealhost.records import Core, Totals

MAGIC = b"SEALCAM\n"
FORMAT, SUITE = 1, 1
KIND_RECORDING, KIND_LOG, KIND_PRE_EVENT, KIND_LIVE = 1, 2, 3, 4
KINDS = (KIND_RECORDING, KIND_LOG, KIND_PRE_EVENT, KIND_LIVE)
CHUNK_SIZES = (512, 4096, 16384)
BLOCK_SIZES = (2048, 4096, 16384)  # of a head, for the chunk sizes above

CORE_SIZE = 256
TAG_SIZE = 32
HEADED = CORE_SIZE + TAG_SIZE  # core and tag_0: what makes parts belong together
SLOT_AREA = 512  # offset of the slot area in a head block
SLOT_SIZE, MAX_SLOTS = 192, 4
ROLE_OPEN, ROLE_VERIFY = 1, 2
SLOT_HPKE = 1

CHUNK_MAGIC = b"SKC1"
CHUNK_HEADER = 64
CHUNK_OVERHEAD = CHUNK_HEADER + TAG_SIZE
TYPE_DATA, TYPE_SIGNATURE, TYPE_END = 1, 2, 3
NO_RECORD = 0xFFFF
STATEMENT_SIZE, SIGNATURE_SIZE = 128, 64
STATED = slice(40, 128)  # the 88 bytes of a statement that the signed digest takes as they are

RECORD_HEADER = 12
TRACK_PADDING, TRACK_PICTURE, TRACK_SOUND, TRACK_POSITION = 0, 1, 2, 3
TRACK_EVENT, TRACK_DESCRIPTION, TRACK_LOG = 4, 5, 6
TRACKS = (TRACK_PICTURE, TRACK_SOUND, TRACK_POSITION, TRACK_EVENT, TRACK_DESCRIPTION, TRACK_LOG)

LOG_ENTRY_SIZE = 128
STATE_ENDED, STATE_CUT, STATE_VOID = 1, 2, 3

CORE = c.Struct(
    "magic" / c.Bytes(8),
    "format" / c.Int16ub,
    "suite" / c.Int16ub,
    "kind" / c.Int8ub,
    "flags" / c.Int8ub,
    "chunk_size" / c.Int16ub,
    "device_id" / c.Bytes(32),
    "recording_id" / c.Bytes(16),
    "sequence" / c.Int64ub,
    "boot" / c.Int32ub,
    "interval_ms" / c.Int32ub,
    "start_utc_ms" / c.Int64ub,
    "start_ms" / c.Int64ub,
    "uncertainty_ms" / c.Int32ub,
    "keylist" / c.Int32ub,
    "clock_source" / c.Int8ub,
    "reserved" / c.Bytes(7),
    "prev" / c.Bytes(32),
    "anchor" / c.Bytes(32),
    "slot_digest" / c.Bytes(32),
    "firmware" / c.Bytes(32),
    "reserved_end" / c.Bytes(16),
)

SLOT = c.Struct(
    "role" / c.Int8ub,
    "algorithm" / c.Int8ub,
    "reserved" / c.Bytes(2),
    "keylist" / c.Int32ub,
    "recipient" / c.Bytes(32),
    "enc" / c.Bytes(65),
    "sealed" / c.Bytes(48),
    "reserved_end" / c.Bytes(39),
)

HEADER = c.Struct(
    "magic" / c.Bytes(4),
    "type" / c.Int8ub,
    "reserved" / c.Int8ub,
    "first_record" / c.Int16ub,
    "index" / c.Int64ub,
    "recording_id_start" / c.Bytes(8),
    "ms" / c.Int32ub,
    "reserved_end" / c.Int32ub,
    "previous_tag" / c.Bytes(32),
)

STATEMENT = c.Struct(
    "covered_index" / c.Int64ub,
    "covered_tag" / c.Bytes(32),
    "data_chunks" / c.Int64ub,
    "pictures" / c.Int64ub,
    "sounds" / c.Int64ub,
    "dropped" / c.Int64ub,
    "muted_ms" / c.Int64ub,
    "utc_ms" / c.Int64ub,
    "ms" / c.Int32ub,
    "reason" / c.Int8ub,
    "reserved" / c.Bytes(35),
    "signature" / c.Bytes(64),
)

RECORD = c.Struct(
    "track" / c.Int8ub, "flags" / c.Int8ub, "reserved" / c.Int16ub, "ms" / c.Int32ub, "length" / c.Int32ub
)

POSITION = c.Struct(
    "latitude" / c.Int32sb, "longitude" / c.Int32sb, "altitude_cm" / c.Int32sb, "uncertainty_cm" / c.Int32ub
)

EVENT = c.Struct("code" / c.Int8ub, "reason" / c.Int8ub, "reserved" / c.Int16ub, "value" / c.Int32sb)

CLOSING = c.Struct(
    "label" / c.Const(b"sealcam/1 closed\x00"),
    "sequence" / c.Int64ub,
    "recording_id" / c.Bytes(16),
    "last_index" / c.Int64ub,
    "last_tag" / c.Bytes(32),
    "state" / c.Int8ub,
)

LOG_ENTRY = c.Struct(
    "magic" / c.Bytes(4),
    "event" / c.Int16ub,
    "detail" / c.Int16ub,
    "number" / c.Int64ub,
    "boot" / c.Int32ub,
    "ms" / c.Int64ub,
    "utc_ms" / c.Int64ub,
    "reserved" / c.Int32ub,
    "sequence" / c.Int64ub,
    "data" / c.Bytes(16),
    "previous" / c.Bytes(32),
    "digest" / c.Bytes(32),
)

# the same fields for the inner loop: 0.2 us instead of 13 (recording.md, sections 1.3 and 1.4)
HEADER_STRUCT = struct.Struct(">4sBBHQ8sII32s")
STATEMENT_STRUCT = struct.Struct(">Q32s6QIB35s64s")
RECORD_STRUCT = struct.Struct(">BBHII")


def chunk_struct(chunk_size: int) -> struct.Struct:
    """What is looked at in every chunk of a window; milliseconds and payload are skipped.

    Mark, type and zero in one; first record; index; recording id; zeros; previous tag; tag.
    """
    return struct.Struct(f">6sHQ8s4xI32s{chunk_size - CHUNK_OVERHEAD}x32s")


def core_of(raw: bytes) -> Core:
    """Fields of 256 bytes that `core_reads` accepts."""
    found = CORE.parse(raw)
    names = [name for name in Core.__dataclass_fields__ if name != "raw"]
    return Core(raw=bytes(raw), **{name: found[name] for name in names})


def pack_core(core: Core) -> bytes:
    """The 256 bytes of a core; `raw` is ignored."""
    fields = {name: value for name, value in vars(core).items() if name != "raw"}
    fixed = {"magic": MAGIC, "format": FORMAT, "suite": SUITE, "flags": 0}
    return bytes(CORE.build({**fields, **fixed, "reserved": bytes(7), "reserved_end": bytes(16)}))


def core_reads(raw: bytes) -> bool:
    """Whether these 256 bytes are a core of format 1; recording.md, section 3.1."""
    if len(raw) < CORE_SIZE or raw[:8] != MAGIC:
        return False
    found = CORE.parse(raw)
    known = found.format == FORMAT and found.suite == SUITE and found.kind in KINDS
    plain = not found.flags and not any(found.reserved) and not any(found.reserved_end)
    return known and plain and found.chunk_size in CHUNK_SIZES


def slots_of(area: bytes) -> list[c.Container]:
    """The slots of a slot area: at most four, ended by role 0; recording.md, section 1.1."""
    found = []
    for start in range(0, min(len(area), MAX_SLOTS * SLOT_SIZE) - SLOT_SIZE + 1, SLOT_SIZE):
        slot = SLOT.parse(area[start : start + SLOT_SIZE])
        if slot.role == 0:
            break
        found.append(slot)
    return found


def closing_digest(sequence: int, recording_id: bytes, last_index: int, last_tag: bytes, state: int) -> bytes:
    """What the next header's `prev` is when the journal closed a file so; recording.md, section 1.5."""
    fields = {"sequence": sequence, "recording_id": recording_id, "state": state}
    return hashlib.sha256(CLOSING.build({**fields, "last_index": last_index, "last_tag": last_tag})).digest()


def digest_to_sign(h_core: bytes, kind: int, index: int, tag: bytes, stated: bytes) -> bytes:
    """SHA-256 that the device signs in a chunk of type 2 or 3; `stated` is payload 40..127, section 1.3."""
    head = b"sealcam/1 device chunk\x00" + h_core + bytes([kind]) + index.to_bytes(8, "big")
    return hashlib.sha256(head + tag + stated).digest()


def totals_of(fields: tuple[int, ...]) -> Totals:
    """The counters among the fields that `STATEMENT_STRUCT` gives."""
    return Totals(*fields[2:10])
