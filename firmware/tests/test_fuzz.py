"""Random and broken bytes into what the camera reads from its own flash, its card and the exchange folder: an
answer or a fault of the flat family, and never anything else.
"""

import sys
from pathlib import Path

import pytest
import stream_parts as parts
from fuzzing import fuzzed
from hypothesis import example, given
from hypothesis import strategies as st
from memory_flash import MemoryFlash
from sealcam import layout
from sealcam.drbg import StoredDrbg
from sealcam.enrolment import _parse_offer
from sealcam.errors import EntropyFault, FormatFault, JournalFault, SealcamError
from sealcam.flash import Flash
from sealcam.journal import Journal
from sealcam.keystore import KeyStore
from sealcam.unsealer import Unsealer

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "boards" / "unix"))
import board as desk

SECTOR, SECTORS = 4096, 4
NOISE = bytes((i * 167 + (i >> 3)) & 0xFF for i in range(1024))
PIECE = st.tuples(st.integers(0, 1 << 16), st.binary(min_size=1, max_size=40))
PIECES = st.lists(PIECE, min_size=1, max_size=6)


def broken(content: bytes, pieces) -> bytearray:
    """A copy with each (place, bytes) written over it, wherever it then lies."""
    changed = bytearray(content)
    for at, piece in pieces:
        at %= len(changed)
        changed[at : at + len(piece)] = piece[: len(changed) - at]
    return changed


def journal_on(content):
    """A journal, not loaded, and the store under it."""
    store = desk.MemoryStore(bytes(content))
    return Journal(Flash(desk.Blocks(store, SECTOR, desk.Faults(), False)), 0, SECTORS), store


def written_journal() -> bytes:
    journal, store = journal_on(b"\xff" * SECTOR * SECTORS)
    journal.format()
    journal.open_file(1, 1, bytes(16), b"S" * 16)
    journal.progress(1, 4, b"T" * 32)
    return bytes(store.bytes)


JOURNAL = written_journal()


@fuzzed()
@given(PIECES)
def test_a_broken_journal_is_refused_or_has_spent_every_number_it_shows(pieces):
    journal, _ = journal_on(broken(JOURNAL, pieces))

    try:
        journal.load()
    except JournalFault:
        return

    shown = [int.from_bytes(entry[16:24], "big") for entry in journal.entries()]
    assert journal.next_sequence() > max(shown, default=0)


@fuzzed()
@given(st.binary(max_size=512), st.binary(max_size=512))
def test_random_flash_is_no_journal(one, other):
    journal, _ = journal_on((one.ljust(SECTOR, b"\xff") + other.ljust(SECTOR, b"\xff")) * 2)

    for may_be_empty in (False, True):
        try:
            journal.load(may_be_empty)
        except JournalFault:
            continue
        assert may_be_empty and journal.next_sequence() == 1


@fuzzed()
@given(st.binary(max_size=512), st.binary(max_size=512))
def test_random_flash_is_no_state_of_the_generator(one, other):
    flash = MemoryFlash(2, SECTOR)
    flash.sectors = [bytearray(content.ljust(SECTOR, b"\xff")) for content in (one, other)]
    stored = StoredDrbg(flash, 0, 1)

    with pytest.raises(EntropyFault):
        stored.boot(NOISE)


@fuzzed()
@given(PIECES)
@example([(8, b"\x01")])
def test_a_broken_core_is_one_of_ours_or_is_none(pieces):
    core = broken(parts.core(), pieces)

    fields = layout.unpack_core(core)

    if fields is None:
        try:
            Unsealer(core, parts.SECRET, 512)
        except FormatFault:
            return
        raise AssertionError("an unsealer of a core that is none of ours")
    assert fields["kind"] in layout.KINDS and fields["chunk_size"] in layout.CHUNK_SIZES


@fuzzed()
@given(st.binary(max_size=400), st.booleans())
def test_any_offer_is_refused_or_taken_apart_to_its_last_byte(noise, ours):
    offer = b"SKOFFER1" + noise if ours else noise

    try:
        pieces = _parse_offer(offer)
    except FormatFault:
        return

    assert sum(map(len, pieces)) + 8 == len(offer)


class Files:
    """A folder of the flash that answers every name with the same bytes."""

    def __init__(self, content):
        self.content = content

    def read(self, name):
        return self.content


@fuzzed()
@given(st.binary(max_size=400))
def test_a_key_store_of_random_bytes_gives_faults_and_no_identity_by_half(noise):
    store = KeyStore(Files(noise))

    for ask in (store.identity, store.trial, store.drilled, store.keylist, store.policy, store.certificate):
        try:
            ask()
        except SealcamError as fault:
            assert type(fault).status
