"""The bytes of the page, field by field, and the refusal of what only looks like them."""

import struct
from hashlib import sha256

import pytest
import stream_parts as parts
from sealcam import layout


def test_every_field_of_the_core_lies_where_the_page_has_it():
    fields = parts.core_fields(
        16384, sequence=0x0102030405060708, boot=9, start_utc_ms=1 << 40, start_ms=77, clock_source=2
    )

    core = layout.pack_core(fields)

    places = [(0, b"SEALCAM\n"), (8, b"\0\1\0\1\1\0\x40\0"), (16, b"\1" * 32), (48, bytes(range(16)))]
    places += [
        (64, bytes(range(1, 9))),
        (72, b"\0\0\0\x09\0\0\x27\x10"),
        (80, struct.pack(">QQ", 1 << 40, 77)),
    ]
    places += [(96, b"\xff\xff\xff\xff\0\0\0\3\2"), (105, bytes(7)), (112, b"\2" * 32), (144, b"\3" * 32)]
    places += [(176, b"\4" * 32), (208, b"\5" * 32), (240, bytes(16))]
    assert all(core[at : at + len(value)] == value for at, value in places)
    assert sum(len(value) for _, value in places) == len(core) == 256
    assert layout.unpack_core(core) == fields


@pytest.mark.parametrize("name", ["device_id", "recording_id", "prev", "anchor", "slot_digest", "firmware"])
@pytest.mark.parametrize("off", [-1, 1])
def test_a_field_of_another_length_is_refused_and_not_padded(name, off):
    fields = parts.core_fields()
    fields[name] = bytes(len(fields[name]) + off)

    with pytest.raises(ValueError):
        layout.pack_core(fields)


@pytest.mark.parametrize("at", [0, 7, 8, 9, 10, 11, 12, 13, 14, *range(105, 112), *range(240, 256)])
def test_must_17_a_core_of_another_format_suite_kind_size_or_reserved_byte_is_not_read(at):
    """Proves M17."""
    core = parts.core()
    core[at] ^= 0xFF

    assert layout.unpack_core(core) is None


@pytest.mark.parametrize("chunk_size", layout.CHUNK_SIZES)
def test_must_11_a_head_block_holds_the_slot_area_that_its_core_names(chunk_size):
    """Proves M11."""
    size = layout.block_size(chunk_size)
    slots = bytes(range(256)) * 3
    area = slots + bytes(size - 512 - 768)
    core = parts.core(chunk_size, slot_digest=sha256(area).digest())
    block = memoryview(bytearray(b"\xaa" * size))

    layout.pack_head(block, core, b"T" * 32, slots)

    assert block[:256] == core and block[256:288] == b"T" * 32 and not any(block[288:512])
    assert sha256(block[512:]).digest() == core[176:208]


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 31, 100, 416, 16288])
def test_clearing_reaches_every_byte_and_no_other(size):
    raw = bytearray(b"\xff" * (size + 2))

    layout.clear(memoryview(raw)[1 : 1 + size])

    assert raw == b"\xff" + bytes(size) + b"\xff"


def test_must_18_a_name_says_device_sequence_and_part_and_nothing_else_is_named_by_it():
    """Proves M18."""
    device_id = bytes(range(0xA0, 0xC0))

    names = [layout.part_name(device_id, 7, part, kind) for part, kind in ((0, 1), (12, 2), (3, 3))]

    prefix = "a0a1a2a3a4a5a6a7-0000000007-"
    assert names == [prefix + "0000.skr", prefix + "0012.skl", prefix + "0003.skp"]
    assert layout.ready_name(3, 2) == "ready-3.skl"


def test_must_16_the_closing_entry_is_the_one_the_page_hashes():
    """Proves M16."""
    entry = layout.closing_entry(5, b"r" * 16, 9, b"t" * 32, layout.STATE_CUT)

    assert (
        entry == b"sealcam/1 closed\0" + bytes(7) + b"\5" + b"r" * 16 + bytes(7) + b"\x09" + b"t" * 32 + b"\2"
    )
    assert layout.closing_digest(5, b"r" * 16, 9, b"t" * 32, 2) == sha256(entry).digest()
    with pytest.raises(ValueError):
        layout.closing_entry(5, b"r" * 15, 9, b"t" * 32, 2)


def test_an_event_is_packed_as_the_page_has_it():
    assert layout.pack_event(6, 0, -2, "road") == b"\x06\0\0\0\xff\xff\xff\xferoad"
