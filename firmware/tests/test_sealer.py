"""Plaintext into chunks and back: what the page says, byte for byte, and never the same key stream twice."""

import struct
from hashlib import sha256

import pytest
import stream_parts as parts
from fuzzing import fuzzed
from hypothesis import given
from hypothesis import strategies as st
from sealcam import layout, p256
from sealcam.errors import FormatFault, NotProved, OutOfOrder
from sealcam.sealer import FILLING, SEALED, WRITTEN, ChunkBuffer, Keys, Sealer
from sealcam.unsealer import Unsealer

VECTORS = (
    "recording_intact",
    "recording_4096",
    "recording_16384",
    "recording_four_slots",
    "recording_mute_gap",
)
PLAIN = b"plain picture bytes!" * 20 + bytes(16)


def vector(root, name):
    fields, key = {}, ""
    for line in (root / "docs/vectors" / f"{name}.txt").read_text().splitlines():
        if line.startswith("  "):
            fields[key] += line.strip()
        else:
            key, fields[key] = line.split(": ", 1)
    return fields


def filled(size=512, text=PLAIN):
    chunk = ChunkBuffer(size)
    chunk.begin()
    chunk.payload[: len(text)] = text
    return chunk


def sealer(size=512, secret=parts.SECRET, **changes):
    return Sealer(parts.core(size, **changes), secret, size)


@pytest.mark.parametrize("name", VECTORS)
def test_the_vectors_chunks_come_out_byte_for_byte(root, name):
    case = vector(root, name)
    part, plain = bytes.fromhex(case["part_0"]), bytes.fromhex(case["plaintext"])
    core, size = part[:256], struct.unpack_from(">H", part, 14)[0]
    made = Sealer(core, bytes.fromhex(case["secret"]), size)
    chunk, at, block = ChunkBuffer(size), 0, layout.block_size(size)

    assert made.tag_0 == part[256:288] == bytes.fromhex(case["tag_0"])
    for start in range(2 * block, 2 * block + int(case["last_index"]) * size, size):  # then stale space
        theirs = part[start : start + size]
        kind, first, ms = (
            theirs[4],
            *struct.unpack_from(">H", theirs, 6),
            *struct.unpack_from(">I", theirs, 24),
        )
        if kind == layout.TYPE_DATA:
            made.begin(chunk)
            chunk.payload[:] = plain[at : at + size - 96]
            at += size - 96
            made.seal(chunk, first, ms)
        else:
            covered, tag = struct.unpack_from(">Q32s", theirs, 64)
            totals, signature = theirs[104:192], theirs[192:256]
            digest = made.digest_to_sign(kind, covered, tag, totals)
            assert p256.verify(bytes.fromhex(case["device_point"]), digest, signature)
            made.statement(chunk, kind, covered, tag, totals, signature, ms)
        assert bytes(chunk.to_write()) == theirs
        chunk.written()


def test_the_keys_are_those_of_the_worked_example(root):
    case = vector(root, "recording_intact")

    keys = Keys(bytes.fromhex(case["secret"]), bytes.fromhex(case["part_0"])[:256])

    for name, value in (("h_core", keys.h_core), ("k_enc", keys.k_enc), ("k_mac", keys.k_mac)):
        assert value.hex() == case[name]
    assert keys.v.hex() == case["verify_secret"]


@pytest.mark.parametrize("bit", range(0, 2048, 97))
def test_must_02_another_bit_in_the_core_gives_other_keys(bit):
    """Proves M2."""
    changed = parts.core()
    changed[bit // 8] ^= 1 << bit % 8

    first, second = Keys(parts.SECRET, parts.core()), Keys(parts.SECRET, changed)

    assert first.k_enc != second.k_enc and first.k_mac != second.k_mac and first.h_core != second.h_core


def test_must_02_a_core_that_changes_later_changes_nothing_in_the_sealer():
    """Proves M2."""
    core = parts.core()
    made, same = Sealer(core, parts.SECRET, 512), sealer()
    core[48:64] = bytes(16)

    one, two = filled(), filled()
    made.seal(one, 0, 1)
    same.seal(two, 0, 1)

    assert bytes(one.view) == bytes(two.view)


def test_must_04_a_sealed_buffer_is_never_sealed_again():
    """Proves M4."""
    made, chunk = sealer(), filled()
    made.seal(chunk, 0, 0)
    once = bytes(chunk.view)

    for state in (SEALED, WRITTEN):
        chunk.state = state
        with pytest.raises(OutOfOrder):
            made.seal(chunk, 0, 0)
        with pytest.raises(OutOfOrder):
            sealer().seal(chunk, 0, 0)

    assert bytes(chunk.view) == once and PLAIN[:16] not in once and made.index == 2


def test_must_04_a_retry_gets_identical_bytes():
    """Proves M4."""
    made, chunk = sealer(), filled()
    made.seal(chunk, 0, 0)

    tries = [bytes(chunk.to_write()) for _ in range(3)]
    chunk.written()

    assert tries[0] == tries[1] == tries[2]
    with pytest.raises(OutOfOrder):
        chunk.to_write()


@pytest.mark.parametrize("broken", ["_ctr", "_mac"])
def test_must_04_the_index_is_spent_before_the_cipher_runs_and_no_plaintext_is_left(broken):
    """Proves M4."""

    class Fails:
        def crypt(self, view, index):
            raise MemoryError

        def tag(self, view, out=None):
            raise MemoryError

    made, chunk = sealer(), filled()
    sound = getattr(made, broken)
    setattr(made, broken, Fails())
    with pytest.raises(MemoryError):
        made.seal(chunk, 0, 0)
    setattr(made, broken, sound)

    assert not any(chunk.view) and chunk.state == WRITTEN
    second = filled()
    with pytest.raises(OutOfOrder):
        made.seal(second, 0, 0)
    assert second.state == FILLING
    made.statement(ChunkBuffer(512), layout.TYPE_END, 0, made.tag_0, bytes(88), parts.SIGNATURE, 0)
    assert made.index == 2


def test_must_05_indices_start_at_one_and_rise_by_one_through_every_type():
    """Proves M5."""
    made, chunk, found = sealer(), ChunkBuffer(512), []
    for turn in range(6):
        if turn % 3 == 2:
            made.statement(chunk, 2, made.index - 1, made.tag, bytes(88), parts.SIGNATURE, 0)
        else:
            made.begin(chunk)
            made.seal(chunk, 0, 0)
        found.append(struct.unpack_from(">Q", chunk.to_write(), 8)[0])
        chunk.written()

    assert found == [1, 2, 3, 4, 5, 6]


def test_must_05_no_other_size_uses_the_same_header():
    """Proves M5."""
    with pytest.raises(ValueError):
        Sealer(parts.core(512), parts.SECRET, 4096)
    with pytest.raises(ValueError):
        sealer().begin(ChunkBuffer(4096))
    with pytest.raises(OutOfOrder):
        sealer().seal(filled(4096), 0, 0)


@pytest.mark.promise5
def test_must_06_every_bit_of_a_chunk_is_under_its_tag_or_is_it():
    """Proves M6."""
    chunks, _, _ = parts.seal_records([(1, 1, 0, b"picture" * 50)])
    opener = Unsealer(parts.core(), parts.SECRET, 512)

    for bit in range(512 * 8):
        copy = bytearray(chunks[0])
        copy[bit // 8] ^= 1 << bit % 8
        before = bytes(copy)
        with pytest.raises(NotProved):
            opener.open(copy, 1, opener.tag_0)
        assert copy == before  # nothing was decrypted


def test_must_07_each_chunk_carries_the_whole_tag_before_it():
    """Proves M7."""
    chunks, made, _ = parts.seal_records([(1, 1, 0, bytes(2000))])

    assert chunks[0][32:64] == made.tag_0
    assert all(chunk[32:64] == before[-32:] for before, chunk in zip(chunks, chunks[1:], strict=False))
    assert made.tag == chunks[-1][-32:]


def test_must_09_an_end_vouches_only_for_the_chunk_before_it():
    """Proves M9."""
    chunks, made, _ = parts.seal_records([(1, 1, 0, bytes(2000))])
    last = len(chunks)

    with pytest.raises(OutOfOrder):
        made.statement(ChunkBuffer(512), layout.TYPE_END, last - 1, made.tag, bytes(88), parts.SIGNATURE, 0)
    with pytest.raises(OutOfOrder):
        made.statement(
            ChunkBuffer(512), layout.TYPE_SIGNATURE, last + 1, made.tag, bytes(88), parts.SIGNATURE, 0
        )
    made.statement(ChunkBuffer(512), layout.TYPE_END, last, made.tag, bytes(88), parts.SIGNATURE, 0)

    assert made.index == last + 2


def test_must_10_a_signature_covers_label_core_type_index_tag_and_statement():
    """Proves M10."""
    made, totals = sealer(), bytes(range(88))
    tag = bytes(range(32))
    by_hand = b"sealcam/1 device chunk\0" + made.h_core + b"\x02" + (5).to_bytes(8, "big") + tag + totals

    digest = made.digest_to_sign(2, 5, tag, totals)

    assert digest == sha256(by_hand).digest()
    others = [(3, 5, tag, totals), (2, 6, tag, totals), (2, 5, tag[::-1], totals), (2, 5, tag, totals[::-1])]
    assert digest not in [made.digest_to_sign(*other) for other in others]
    assert digest != sealer(sequence=2).digest_to_sign(2, 5, tag, totals)


def test_must_17_what_proves_and_is_not_of_this_format_is_refused_and_not_guessed():
    """Proves M17."""
    opener, made = Unsealer(parts.core(), parts.SECRET, 512), sealer()
    for at, value in ((4, 9), (4, 0), (5, 1), (28, 1), (31, 1), (6, 1)):
        chunk = filled()
        made.seal(chunk, layout.NO_RECORD, 0)
        raw = bytearray(chunk.view)
        raw[at] = raw[at] ^ 0xFE if at == 6 else value
        raw[8:16], raw[32:64] = (1).to_bytes(8, "big"), opener.tag_0
        raw[-32:] = opener._mac.tag(memoryview(raw)[:-32])
        before = bytes(raw)
        with pytest.raises(FormatFault):
            opener.open(raw, 1, opener.tag_0)
        assert raw == before


def test_must_20_a_buffer_that_is_being_filled_cannot_be_written():
    """Proves M20."""
    chunk = filled()

    with pytest.raises(OutOfOrder):
        chunk.to_write()
    with pytest.raises(OutOfOrder):
        chunk.written()
    with pytest.raises(OutOfOrder):
        chunk.begin()
    chunk.wipe()

    assert not any(chunk.view) and chunk.state == WRITTEN


def test_must_01_a_tag_out_of_place_is_refused_before_one_byte_is_decrypted():
    """Proves M1."""
    chunks, _, _ = parts.seal_records([(1, 1, 0, bytes(2000))])
    opener = Unsealer(parts.core(), parts.SECRET, 512)

    for number, chunk in enumerate(chunks[:3]):
        for index, before in ((number + 2, opener.tag_0), (number + 1, bytes(32))):
            copy = bytearray(chunk)
            with pytest.raises(NotProved):
                opener.open(copy, index, before)
            assert bytes(copy) == chunk


def test_a_chunk_of_another_recording_does_not_open():
    chunks, _, _ = parts.seal_records([(1, 1, 0, b"mine")])

    for core, secret in ((parts.core(sequence=9), parts.SECRET), (parts.core(), bytes(32))):
        opener = Unsealer(core, secret, 512)
        with pytest.raises(NotProved):
            opener.open(bytearray(chunks[0]), 1, opener.tag_0)
    with pytest.raises(NotProved):
        opener.open(bytearray(chunks[0][:-1]), 1, opener.tag_0)


@fuzzed()
@given(st.binary(min_size=512, max_size=512))
def test_random_bytes_never_open(noise):
    opener = Unsealer(parts.core(), parts.SECRET, 512)

    with pytest.raises(NotProved):
        opener.open(bytearray(noise), 1, opener.tag_0)
    with pytest.raises(NotProved):
        opener.open(bytearray(b"SKC1" + noise[4:16] + bytes(range(8)) + noise[24:]), 1, opener.tag_0)


def test_a_core_of_another_size_or_format_has_no_unsealer():
    for change in (0, 8, 10, 12, 13, 105, 240):
        core = parts.core()
        core[change] ^= 0xFF
        with pytest.raises(FormatFault):
            Unsealer(core, parts.SECRET, 512)
    with pytest.raises(FormatFault):
        Unsealer(parts.core(512), parts.SECRET, 4096)


ON_THE_VM = """
import stream_parts as parts
from hashlib import sha256
records = [(1, 1, 40 * i, bytes([i]) * 5000) for i in range(9)]
chunks, sealer, muxer = parts.seal_records(records, 4096, pads=(3,))
digest = sha256(b"".join(chunks)).digest()
print("".join(["%02x" % byte for byte in digest]))
"""


def test_both_machines_seal_the_very_bytes_that_cpython_seals(machine):
    records = [(1, 1, 40 * i, bytes([i]) * 5000) for i in range(9)]
    chunks, _, _ = parts.seal_records(records, 4096, pads=(3,))

    assert machine(ON_THE_VM).strip() == sha256(b"".join(chunks)).hexdigest()
