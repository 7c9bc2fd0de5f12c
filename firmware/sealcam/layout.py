"""Sizes, offsets and struct strings of everything written to the card (docs/format/recording.md).

Bytes only: no key, no clock, no card. Nothing here is called between two chunks but `pack_totals`, every few
seconds.
"""

import struct
from hashlib import sha256

from micropython import const

MAGIC = b"SEALCAM\n"
FORMAT = const(1)
SUITE = const(1)
KIND_RECORDING, KIND_LOG, KIND_PRE_EVENT, KIND_LIVE = 1, 2, 3, 4
KINDS = (KIND_RECORDING, KIND_LOG, KIND_PRE_EVENT, KIND_LIVE)
CHUNK_SIZES = (512, 4096, 16384)
LOG_CHUNK_SIZE = 512
CLOCK_NONE, CLOCK_STATEMENT, CLOCK_KEPT = 0, 1, 2
UNKNOWN_UNCERTAINTY = 0xFFFFFFFF

# section 1.1, the head block
CORE_SIZE = const(256)
TAG_SIZE = const(32)
TAG_0_AT = const(256)
SLOTS_AT = const(512)
SLOT_SIZE = const(192)
MAX_SLOTS = const(4)
ROLE_OPEN, ROLE_VERIFY = 1, 2
ALGORITHM_HPKE = const(1)
CORE_FIELDS = ">8sHHBBH32s16sQIIQQIIB7x32s32s32s32s16x"
SLOT_FIELDS = ">BB2xI32s65s48s39x"

# section 1.2, what keys and slots are bound to
LABEL_ENC = b"sealcam/1 enc\x00"
LABEL_VERIFY = b"sealcam/1 verify\x00"
LABEL_MAC = b"sealcam/1 mac\x00"
LABEL_SLOT = b"sealcam/1 slot\x00"
LABEL_OPENED = b"sealcam/1 opened\x00"
SLOT_INFO_FIELDS = ">HBB32s16s32s"

# section 1.3, the chunk
CHUNK_MAGIC = b"SKC1"
TYPE_DATA, TYPE_SIGNATURE, TYPE_END = 1, 2, 3
CHUNK_FIELDS = ">4sBBHQ8sII"  # the 32 bytes before the previous tag
PREVIOUS_AT = const(32)
PAYLOAD_AT = const(64)
CHUNK_OVERHEAD = const(96)
NO_RECORD = const(0xFFFF)  # no record begins in this chunk
LABEL_STATEMENT = b"sealcam/1 device chunk\x00"
COVERED_FIELDS = ">Q32s"
TOTALS_FIELDS = ">QQQQQQIB35x"
TOTALS_AT = const(40)
TOTALS_SIZE = const(88)
SIGNATURE_AT = const(128)
SIGNATURE_SIZE = const(64)
REASON_NONE, REASON_BUTTON, REASON_CARD_FULL, REASON_BATTERY = 0, 1, 2, 3
REASON_DOCKED, REASON_FAULT, REASON_POWER_DOWN, REASON_LIMIT = 4, 5, 6, 7

# section 1.4, the records
RECORD_FIELDS = ">BBHII"
RECORD_HEADER = const(12)
TRACK_PADDING, TRACK_PICTURE, TRACK_SOUND, TRACK_POSITION = 0, 1, 2, 3
TRACK_EVENT, TRACK_DESCRIPTION, TRACK_LOG = 4, 5, 6
FLAG_WHOLE_PICTURE = const(1)
POSITION_FIELDS = ">iiiI"
EVENT_FIELDS = ">BBHi"
EVENT_START, EVENT_STOP, EVENT_BOOKMARK, EVENT_MUTE, EVENT_UNMUTE, EVENT_CATEGORY = 1, 2, 3, 4, 5, 6
EVENT_LENS_COVERED, EVENT_LENS_CLEAR, EVENT_BATTERY, EVENT_CLOCK_STEP = 7, 8, 9, 10
EVENT_DROPPED, EVENT_POSITION_LOST, EVENT_TAKE_OFF, EVENT_LANDING = 11, 12, 13, 14

# section 1.5, the closing entry
LABEL_CLOSED = b"sealcam/1 closed\x00"
CLOSING_FIELDS = ">Q16sQ32sB"
STATE_ENDED, STATE_CUT, STATE_VOID = 1, 2, 3

# section 1.6, names on the card
FOLDER = "sealcam"
_SUFFIXES = {KIND_RECORDING: "skr", KIND_LOG: "skl", KIND_PRE_EVENT: "skp"}


class _Slice:
    def __getitem__(self, key):
        return key


ALL = _Slice()[:]  # `view[ALL] = piece` makes no slice object, `view[:] = piece` makes one each time


def block_size(chunk_size: int) -> int:
    """B: the size of one head block of a recording with these chunks."""
    return max(2048, chunk_size)


def payload_size(chunk_size: int) -> int:
    return chunk_size - CHUNK_OVERHEAD


def pack_core(fields: dict) -> bytearray:
    """The 256 bytes everything is bound to; `fields` has the names unpack_core gives, all of them."""
    core = bytearray(CORE_SIZE)
    struct.pack_into(
        CORE_FIELDS,
        core,
        0,
        MAGIC,
        FORMAT,
        SUITE,
        fields["kind"],
        0,
        fields["chunk_size"],
        _exactly(fields["device_id"], 32),
        _exactly(fields["recording_id"], 16),
        fields["sequence"],
        fields["boot"],
        fields["interval_ms"],
        fields["start_utc_ms"],
        fields["start_ms"],
        fields["uncertainty_ms"],
        fields["keylist"],
        fields["clock_source"],
        _exactly(fields["prev"], 32),
        _exactly(fields["anchor"], 32),
        _exactly(fields["slot_digest"], 32),
        _exactly(fields["firmware"], 32),
    )
    return core


def _exactly(value, size):
    if len(value) != size:
        raise ValueError  # struct would pad or cut it without a word
    return bytes(value)


_CORE_NAMES = (
    "kind flags chunk_size device_id recording_id sequence boot interval_ms start_utc_ms start_ms "
    "uncertainty_ms keylist clock_source prev anchor slot_digest firmware"
).split()


def unpack_core(core) -> "dict | None":
    """The fields of a core we may judge by; None if magic, format, suite, kind, size or reserved bytes are
    not ours.
    """
    values = struct.unpack(CORE_FIELDS, core)
    fields = dict(zip(_CORE_NAMES, values[3:]))
    known = (
        values[:3] == (MAGIC, FORMAT, SUITE)
        and fields["kind"] in KINDS
        and fields["chunk_size"] in CHUNK_SIZES
    )
    if not known or fields.pop("flags") or any(core[105:112]) or any(core[240:256]):
        return None
    return fields


def pack_head(block, core, tag_0, slot_area) -> None:
    """Lay a head block into `block`, a writable view of B bytes: core, tag_0, zeros, slots, zeros.

    A part made ahead has `core` and `tag_0` of zeros and its slots already; 512 bytes are written over it
    later.
    """
    clear(block)
    block[:CORE_SIZE][:] = core
    block[TAG_0_AT : TAG_0_AT + TAG_SIZE][:] = tag_0
    block[SLOTS_AT : SLOTS_AT + len(slot_area)][:] = slot_area


def clear(view) -> None:
    """Zero a writable memoryview with a few words of garbage: what is zero already is copied on, doubling."""
    size = len(view)
    done = min(16, size)
    for i in range(done):
        view[i] = 0
    while done < size:
        step = min(done, size - done)
        view[done : done + step][:] = view[:step]
        done += step


def pack_totals(into, chunks, pictures, sounds, dropped, muted_ms, utc_ms, ms, reason) -> None:
    """Payload bytes 40..127 of a signature or end chunk."""
    struct.pack_into(TOTALS_FIELDS, into, 0, chunks, pictures, sounds, dropped, muted_ms, utc_ms, ms, reason)


def pack_event(code: int, reason: int = 0, value: int = 0, text: str = "") -> bytes:
    """The bytes of a record of track 4."""
    return struct.pack(EVENT_FIELDS, code, reason, 0, value) + text.encode()


def closing_entry(seq: int, recording_id, last_index: int, last_tag, state: int) -> bytes:
    """What the journal says of a file that is over; the next header's `prev` is its SHA-256 (section 1.5)."""
    return LABEL_CLOSED + struct.pack(
        CLOSING_FIELDS, seq, _exactly(recording_id, 16), last_index, _exactly(last_tag, 32), state
    )


def closing_digest(seq: int, recording_id, last_index: int, last_tag, state: int) -> bytes:
    return sha256(closing_entry(seq, recording_id, last_index, last_tag, state)).digest()


def part_name(device_id, sequence: int, part: int, kind: int) -> str:
    """A name for people and tools; readers go by the head (section 1.6)."""
    prefix = "".join(["%02x" % byte for byte in device_id[:8]])
    return "%s-%010d-%04d.%s" % (prefix, sequence, part, _SUFFIXES[kind])


def ready_name(number: int, kind: int) -> str:
    """The name of a part made before it has a number."""
    return "ready-%d.%s" % (number, _SUFFIXES[kind])
