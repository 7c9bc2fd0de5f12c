"""The stream of records: whatever is offered, wherever it is padded, comes back as it was."""

import pytest
import stream_parts as parts
from fuzzing import fuzzed
from hypothesis import given
from hypothesis import strategies as st
from sealcam import layout
from sealcam.errors import FormatFault, OutOfOrder
from sealcam.muxer import Muxer
from sealcam.sealer import ChunkBuffer

RECORDS = st.lists(
    st.tuples(
        st.integers(1, 6),
        st.integers(0, 1),
        st.integers(0, 2**32 - 1),
        st.one_of(
            st.binary(max_size=64), st.sampled_from([403, 404, 405, 416, 832, 4000, 16276, 20480]).map(bytes)
        ),
    ),
    max_size=12,
)


def plain_chunks(records, chunk_size, pads):
    """What the muxer fills, unsealed: (first_record, payload) of each chunk, and the muxer."""
    muxer, chunk, filled = Muxer(chunk_size), ChunkBuffer(chunk_size), []
    chunk.payload[:] = b"\xaa" * len(chunk.payload)  # what stood there before must not shine through

    def take():
        filled.append((muxer.first_record, bytes(chunk.payload)))
        chunk.state = 0

    for number, (track, flags, ms, body) in enumerate(records):
        muxer.offer(track, flags, ms, memoryview(body))
        while muxer.pending:
            if muxer.fill(chunk):
                take()
        if number in pads and muxer.pad(chunk):
            take()
    if muxer.pad(chunk):
        take()
    return filled, muxer


@fuzzed()
@given(RECORDS, st.sampled_from(layout.CHUNK_SIZES), st.sets(st.integers(0, 11)))
def test_any_records_in_any_chunk_size_with_pads_anywhere_come_back_exactly(records, chunk_size, pads):
    filled, muxer = plain_chunks(records, chunk_size, pads)

    found, firsts = parts.read_stream([payload for _, payload in filled])

    assert found == records
    assert [first for first, _ in filled] == [firsts.get(i, layout.NO_RECORD) for i in range(len(filled))]
    assert (muxer.chunks, muxer.pictures) == (len(filled), sum(track == 1 for track, _, _, _ in records))
    assert all(len(payload) == layout.payload_size(chunk_size) for _, payload in filled)


@pytest.mark.parametrize("left", range(14))
def test_a_header_that_straddles_two_chunks_is_whole_again_when_they_are_joined(left):
    records = [(1, 1, 1, bytes(range(256))), (5, 0, 2, bytes(416 - 256 - 24 - left)), (2, 0, 3, b"sound")]

    filled, _ = plain_chunks(records, 512, ())
    found, firsts = parts.read_stream([payload for _, payload in filled])

    assert found == records
    assert firsts == {i: first for i, (first, _) in enumerate(filled) if first != layout.NO_RECORD}


def test_must_06_padding_lies_inside_the_plaintext_of_one_size():
    """Proves M6."""
    filled, _ = plain_chunks([(4, 0, 0, b"event")], 512, ())

    assert filled == [(0, b"\x04" + bytes(7) + b"\0\0\0\x05event" + bytes(416 - 17))]


def test_must_21_what_the_muxer_pads_is_zeros_and_no_record_runs_past_the_end():
    """Proves M21."""
    records = [(1, 0, 1, b"\xff" * 1000), (2, 0, 2, b"\xff" * 7)]

    filled, _ = plain_chunks(records, 512, {0, 1})

    assert parts.read_stream([payload for _, payload in filled])[0] == records
    assert not any(filled[-1][1][19:])


@pytest.mark.parametrize("track", [0, 7, 255])
def test_an_unknown_track_is_refused(track):
    with pytest.raises(FormatFault):
        Muxer(512).offer(track, 0, 0, b"")


def test_a_second_record_is_refused_while_the_first_is_pending():
    muxer = Muxer(512)
    muxer.offer(1, 0, 0, b"first")

    with pytest.raises(OutOfOrder):
        muxer.offer(1, 0, 0, b"second")
    with pytest.raises(OutOfOrder):
        muxer.pad(ChunkBuffer(512))


def test_an_open_chunk_is_not_exchanged_for_another():
    muxer = Muxer(512)
    muxer.offer(1, 0, 0, b"first")
    muxer.fill(ChunkBuffer(512))

    with pytest.raises(OutOfOrder):
        muxer.fill(ChunkBuffer(512))
    with pytest.raises(OutOfOrder):
        muxer.pad(ChunkBuffer(512))
    with pytest.raises(ValueError):
        Muxer(512).attach(ChunkBuffer(4096))


def test_a_sealed_buffer_is_not_filled_again_before_it_is_written():
    muxer, chunk = Muxer(512), ChunkBuffer(512)
    chunk.state = 2

    muxer.offer(1, 0, 0, b"picture")

    with pytest.raises(OutOfOrder):
        muxer.fill(chunk)
    assert bytes(chunk.payload) == bytes(416)


def test_between_mute_and_unmute_no_sound_is_taken_and_the_time_is_counted():
    muxer = Muxer(512)
    muxer.mute(1000)
    with pytest.raises(OutOfOrder):
        muxer.offer(2, 0, 1100, b"sound")
    running = muxer.totals(0, 1500)
    muxer.mute(1600)  # pressed again: still the same mute
    muxer.unmute(3000)
    muxer.unmute(4000)
    muxer.offer(2, 0, 4000, b"sound")

    assert muxer.muted_ms == 2000
    assert int.from_bytes(running[32:40], "big") == 500


def test_the_totals_are_the_88_bytes_of_the_page():
    muxer = Muxer(512)
    muxer.chunks, muxer.pictures, muxer.sounds, muxer.dropped, muxer.muted_ms = 1, 2, 3, 4, 5

    totals = muxer.totals(0x123456789AB, 7, 6)

    assert (
        totals.hex()
        == "".join(f"{n:016x}" for n in (1, 2, 3, 4, 5, 0x123456789AB)) + "0000000706" + "00" * 35
    )


def test_when_the_chunk_began_is_the_time_of_its_first_record():
    muxer, chunk = Muxer(512), ChunkBuffer(512)
    before = muxer.begun_ms
    for ms in (40, 80):
        muxer.offer(1, 0, ms, b"picture")
        muxer.fill(chunk)

    assert (before, muxer.begun_ms, muxer.used) == (-1, 40, 38)


ON_THE_VM = """
import stream_parts as parts
seed = [12345]
def number(end):
    seed[0] = (seed[0] * 1103515245 + 12345) & 0x7fffffff
    return (seed[0] >> 8) % end
for size in (512, 4096, 16384):
    for turn in range(12):
        records = []
        for i in range(number(9)):
            body = bytes([1 + i]) * (number(30) if i & 1 else number(2 * size))
            records.append((1 + number(6), number(2), number(1 << 30), body))
        pads = [i for i in range(9) if not number(3)]
        chunks, sealer, muxer = parts.seal_records(records, size, pads=pads)
        opened = parts.open_chunks(chunks, size)
        found, firsts = parts.read_stream([text for first, text in opened])
        assert found == records, (size, turn)
        assert [first for first, text in opened] == [firsts.get(i, 0xFFFF) for i in range(len(opened))]
print("same")
"""


def test_records_go_through_sealer_and_back_on_both_machines(machine):
    assert machine(ON_THE_VM) == "same\n"
