"""What the stream tests are built from, on CPython and on the device alike: cores, key lists, a stream read
back.

`read_stream` is written from docs/format/recording.md, section 1.4, and shares nothing with the muxer.
"""

import struct

from sealcam import layout, p256, policy, statements
from sealcam.crypto import sha256
from sealcam.muxer import Muxer
from sealcam.sealer import ChunkBuffer, Sealer
from sealcam.unsealer import Unsealer

ROOT = 0x1234567
KEYS = {role: 1000 + role for role in range(1, 8)}
SECRET = bytes(range(32))
SIGNATURE = bytes(range(64))


class Counted:
    """A generator for tests: every call gives other bytes, and the same ones in the next run."""

    def __init__(self):
        self.calls = 0

    def __call__(self, size):
        self.calls += 1
        pieces = [sha256(struct.pack(">II", self.calls, i)) for i in range((size + 31) // 32)]
        return b"".join(pieces)[:size]


def core_fields(chunk_size=512, **changes):
    fields = {"kind": 1, "chunk_size": chunk_size, "recording_id": bytes(range(16)), "sequence": 1, "boot": 2}
    fields.update({"interval_ms": 10000, "start_utc_ms": 0, "start_ms": 5, "keylist": 3, "clock_source": 0})
    fields["uncertainty_ms"] = layout.UNKNOWN_UNCERTAINTY
    for i, name in enumerate(("device_id", "prev", "anchor", "slot_digest", "firmware")):
        fields[name] = bytes([i + 1]) * 32
    fields.update(changes)
    return fields


def core(chunk_size=512, **changes):
    return layout.pack_core(core_fields(chunk_size, **changes))


def organisation():
    return sha256(p256.public(ROOT))


def key_list_body(version=1, keys=None, named=None):
    points = [(role, p256.public(d)) for role, d in sorted((KEYS if keys is None else keys).items())]
    return key_list_of(points, version, named)


def key_list_of(points, version=1, named=None):
    body = struct.pack(">32sIHH", named or organisation(), version, len(points), 0)
    return body + b"".join([struct.pack(">B3x65s3x", role, point) for role, point in points])


def policy_body(
    version=1, flags=1, interval=10000, part=1 << 20, chunk=16384, copies=2, slot_copies=2, named=None
):
    named = named or organisation()
    return struct.pack(
        ">32sIIIIHHBB42x", named, version, flags, interval, part, chunk, 0, copies, slot_copies
    )


def signed_file(label, version, body, key=ROOT):
    return statements.make(label, key, None, version, sha256(body)) + body


def key_list(version=1):
    file = signed_file(statements.KEY_LIST, version, key_list_body(version))
    return policy.KeyList.parse(file, p256.public(ROOT), organisation())


def seal_records(records, chunk_size=512, secret=SECRET, pads=()):
    """(sealed data chunks, their sealer, their muxer); after each record whose number is in `pads`, a pad."""
    sealer, muxer, chunk = (
        Sealer(core(chunk_size), secret, chunk_size),
        Muxer(chunk_size),
        ChunkBuffer(chunk_size),
    )
    chunks = []

    def put():
        sealer.seal(chunk, muxer.first_record, 7)
        chunks.append(bytes(chunk.to_write()))
        chunk.written()

    for number, (track, flags, ms, body) in enumerate(records):
        muxer.offer(track, flags, ms, body)
        while muxer.pending:
            if muxer.fill(chunk):
                put()
        if number in pads and muxer.pad(chunk):
            put()
    if muxer.pad(chunk):
        put()
    return chunks, sealer, muxer


def open_chunks(chunks, chunk_size=512, secret=SECRET):
    """(first-record offset, plaintext) of each chunk."""
    unsealer = Unsealer(core(chunk_size), secret, chunk_size)
    previous, opened = unsealer.tag_0, []
    for number, chunk in enumerate(chunks):
        copy = bytearray(chunk)
        unsealer.open(copy, number + 1, previous)
        previous = bytes(copy[-32:])
        opened.append((struct.unpack_from(">H", copy, 6)[0], bytes(copy[64:-32])))
    return opened


class BrokenStream(Exception):
    """The stream is not as section 1.4 has it."""


def read_stream(plaintexts):
    """([records], {chunk: where its first record begins}) of the joined plaintexts, all of one size."""
    stream, size = b"".join(plaintexts), len(plaintexts[0]) if plaintexts else 1
    records, firsts, at = [], {}, 0
    while at < len(stream):
        if stream[at] == 0:  # padding: zeros to the end of this chunk
            end = (at // size + 1) * size
            if any(stream[at:end]):
                raise BrokenStream
            at = end
            continue
        firsts.setdefault(at // size, at % size)
        if at + 12 > len(stream):
            raise BrokenStream
        track, flags, zero, ms, length = struct.unpack_from(">BBHII", stream, at)
        if zero or at + 12 + length > len(stream):
            raise BrokenStream
        records.append((track, flags, ms, stream[at + 12 : at + 12 + length]))
        at += 12 + length
    return records, firsts
