"""Frames: under every split, flip, truncation and run of noise; docs/dock-protocol.md, section 1."""

import os
import random
import zlib

import pytest
from sealhost import frames
from sealhost.frames import Deframer, Frame, head_of, head_reads, pack_open

PAYLOADS = [b"\x04\x01\x00\x00", bytes(range(200)), b"SK" * 30]


def read_all(content: bytes, piece: int = 1 << 20) -> list[Frame]:
    """Every frame in a stream that comes in pieces."""
    deframer, found = Deframer(), []
    for at in range(0, len(content), piece):
        rest = content[at : at + piece]
        while rest:
            room = deframer.room
            deframer.push(rest[:room])
            rest = rest[room:]
            if frame := deframer.next():
                found.append(frame)
    return found


@pytest.mark.parametrize("piece", range(1, 40))
def test_rule_d1_frames_come_whole_however_they_are_split(piece: int) -> None:
    stream = b"".join(map(pack_open, PAYLOADS))

    assert [frame.payload for frame in read_all(stream, piece)] == PAYLOADS


def test_rule_d1_noise_before_between_and_behind_frames_means_nothing() -> None:
    noise = [b"S", b"SK", b"SSK\x01", b"SKSKSKSK", bytes(9), b"SK\x01\x00\x00\x04\x00\x00"]
    for one in noise:
        for other in noise:
            stream = one + pack_open(PAYLOADS[1]) + other + pack_open(PAYLOADS[0]) + one

            assert [frame.payload for frame in read_all(stream)] == [PAYLOADS[1], PAYLOADS[0]]


@pytest.mark.parametrize("at", range(8))
def test_rule_d1_a_head_with_any_byte_flipped_is_none(at: int) -> None:
    head = bytearray(head_of(frames.OPEN, 300))
    head[at] ^= 0xFF

    assert head_reads(head_of(frames.OPEN, 300))
    assert not head_reads(bytes(head))


@pytest.mark.parametrize("length", [0, frames.MAX_PAYLOAD + 1, 0xFFFF])
def test_rule_d1_a_length_out_of_bounds_is_no_head(length: int) -> None:
    assert not head_reads(head_of(frames.OPEN, length))
    assert head_reads(head_of(frames.OPEN, frames.MAX_PAYLOAD))


@pytest.mark.parametrize("form", [0, 4, 255])
def test_rule_d1_an_unknown_form_is_no_head(form: int) -> None:
    raw = bytes([0x53, 0x4B, form, 0, 0, 9])

    assert not head_reads(raw + (zlib.crc32(raw) & 0xFFFF).to_bytes(2, "big"))


def test_rule_d2_a_reader_holds_no_more_than_one_frame() -> None:
    largest = frames.HEAD_SIZE + frames.MAX_PAYLOAD + 16
    deframer, stream = Deframer(), os.urandom(1 << 16) + pack_open(bytes(frames.MAX_PAYLOAD)) * 3

    held = 0
    while stream:
        room = deframer.room
        assert 0 < room <= largest
        deframer.push(stream[:room])
        stream = stream[room:]
        held = max(held, len(deframer._held))
        deframer.next()

    assert held <= largest


@pytest.mark.parametrize("at", range(8, 8 + 4 + 4))
def test_rule_d3_an_open_frame_whose_checksum_fails_is_dropped_without_a_word(at: int) -> None:
    broken = bytearray(pack_open(PAYLOADS[0]))
    broken[at] ^= 0xFF

    assert [frame.payload for frame in read_all(bytes(broken) + pack_open(PAYLOADS[1]))] == [PAYLOADS[1]]


@pytest.mark.parametrize("cut", range(1, 8 + 200 + 4 - 16))  # what follows does not make it whole
def test_rule_d4_a_frame_cut_anywhere_is_given_up_and_the_bytes_behind_it_looked_through(cut: int) -> None:
    """A frame that was cut swallows the whole ones behind it; after a second of silence they are found."""
    cut_off = pack_open(PAYLOADS[1])[:cut]
    deframer, found, rest = Deframer(), [], cut_off + pack_open(PAYLOADS[0])

    while rest:
        room = deframer.room
        deframer.push(rest[:room])
        rest = rest[room:]
        if frame := deframer.next():
            found.append(frame)
    while deframer.is_midway:
        found += deframer.give_up()

    assert [frame.payload for frame in found] == [PAYLOADS[0]]


def test_rule_d4_random_noise_never_stops_a_reader() -> None:
    drawn = random.Random(7)
    for _ in range(200):
        noise = bytes(drawn.choice(b"SK\x00\x01\x02\x03\xff") for _ in range(drawn.randrange(200)))
        deframer = Deframer()
        for byte in noise:
            deframer.push(bytes([byte]))
            deframer.next()
        while deframer.is_midway:
            deframer.give_up()
        frame = pack_open(PAYLOADS[0])
        while frame:
            room = deframer.room
            deframer.push(frame[:room])
            frame = frame[room:]

        assert deframer.next() is not None
