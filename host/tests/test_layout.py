"""The recording declared twice on the host, by construct and by struct: both agree on every vector and at
random.
"""

import hashlib
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sealhost import layout

sys.path.insert(0, str(Path(__file__).resolve().parent))
from recordings import VECTORS, Office, film, read_vector

RECORDINGS = sorted(path for path in VECTORS.glob("*.txt") if "part_0" in read_vector(path))


def fields_of(parsed: object, declared: layout.c.Struct) -> tuple[object, ...]:
    """Values in the order of the declaration."""
    return tuple(parsed[field.name] for field in declared.subcons)  # type: ignore[index]


@pytest.mark.parametrize("path", RECORDINGS, ids=[path.stem for path in RECORDINGS])
def test_construct_and_struct_read_the_same_chunk_headers(path):
    part = bytes.fromhex(read_vector(path)["part_0"])
    size = int.from_bytes(part[14:16], "big") or 512
    start = 2 * max(2048, size)
    fast = layout.chunk_struct(size)

    for at in range(start, len(part) - size + 1, size):
        chunk = part[at : at + size]
        declared = fields_of(layout.HEADER.parse(chunk), layout.HEADER)
        assert layout.HEADER_STRUCT.unpack_from(chunk) == declared
        _, _, _, first, index, short_id, _, zeros, previous = declared
        assert fast.unpack(chunk) == (chunk[:6], first, index, short_id, zeros, previous, chunk[-32:])


@given(st.binary(min_size=64, max_size=64))
def test_construct_and_struct_agree_on_any_header(raw):
    declared = layout.HEADER.parse(raw)
    assert layout.HEADER_STRUCT.unpack(raw) == fields_of(declared, layout.HEADER)
    assert layout.HEADER.build(declared) == raw


@given(st.binary(min_size=192, max_size=192))
def test_construct_and_struct_agree_on_any_statement(raw):
    declared = layout.STATEMENT.parse(raw)
    fast = layout.STATEMENT_STRUCT.unpack(raw)

    assert fast == fields_of(declared, layout.STATEMENT)
    totals = layout.totals_of(fast)
    assert (totals.data_chunks, totals.muted_ms, totals.reason) == (
        declared.data_chunks,
        declared.muted_ms,
        declared.reason,
    )


@given(st.binary(min_size=12, max_size=12))
def test_construct_and_struct_agree_on_any_record_header(raw):
    assert layout.RECORD_STRUCT.unpack(raw) == fields_of(layout.RECORD.parse(raw), layout.RECORD)


def test_sizes_are_those_of_the_page():
    sizes = [
        s.sizeof()
        for s in (layout.CORE, layout.SLOT, layout.HEADER, layout.STATEMENT, layout.RECORD, layout.LOG_ENTRY)
    ]
    assert sizes == [256, 192, 64, 192, 12, 128]


def test_a_core_is_packed_as_it_was_read():
    core = film(Office(), "e").core
    assert layout.pack_core(core) == core.raw
    assert layout.core_of(core.raw) == core


@pytest.mark.parametrize("at", [0, 9, 11, 12, 13, 14, 105, 111, 240, 255])
def test_a_core_of_another_kind_of_byte_does_not_read(at):
    raw = bytearray(film(Office(), "e").core.raw)
    assert layout.core_reads(bytes(raw))

    raw[at] ^= 0xFF

    assert not layout.core_reads(bytes(raw))


def test_closing_entries_are_those_of_the_vector():
    told = read_vector(VECTORS / "chain_of_headers.txt")
    closing = bytes.fromhex(told["closing_0"])
    parsed = layout.CLOSING.parse(closing)

    made = layout.closing_digest(
        parsed.sequence, parsed.recording_id, parsed.last_index, parsed.last_tag, parsed.state
    )

    assert made == hashlib.sha256(closing).digest()
    assert layout.closing_digest(9, bytes(16), 0, bytes(32), 3).hex() == told["digest_void"]
