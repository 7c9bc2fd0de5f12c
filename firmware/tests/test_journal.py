"""The journal, on a flash in memory: numbers are spent once, nothing that counts is dropped, no empty start.
"""

import random
import struct
import sys
from hashlib import sha256
from pathlib import Path

import pytest
from sealcam.errors import JournalFault, JournalFull, OutOfOrder
from sealcam.flash import Flash
from sealcam.journal import Journal
from sealcam.layout import STATE_CUT, STATE_ENDED, closing_entry

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "boards" / "unix"))
import board as desk

ID, SERIAL, TAG = bytes(range(16)), b"S" * 16, b"T" * 32
SECTORS = 4


class Faults(desk.Faults):
    def power_lost(self):
        raise desk.PowerLost


@pytest.fixture
def store():
    return desk.MemoryStore(b"\xff" * 4096 * SECTORS)


def journal_on(store, faults=None):
    return Journal(Flash(desk.Blocks(store, 4096, faults or Faults(), False)), 0, SECTORS)


def formatted(store):
    journal = journal_on(store)
    journal.format()
    return journal


def loaded(store):
    journal = journal_on(store)
    journal.load(True)
    return journal


def film(journal, progress=3):
    seq = journal.next_sequence()
    journal.open_file(seq, 1, ID, SERIAL)
    for index in range(1, progress + 1):
        journal.progress(seq, index, TAG)
    journal.close_file(seq, ID, progress + 1, TAG, STATE_ENDED)
    return seq


def test_must_16_a_number_is_spent_before_the_file_and_survives_a_restart(store):
    """Proves M16."""
    journal = formatted(store)

    journal.open_file(1, 1, ID, SERIAL)

    again = loaded(store)
    assert again.next_sequence() == 2
    assert [(file.seq, file.index, file.recording_id) for file in again.unclosed()] == [(1, 0, ID)]


def test_log_segments_are_closed_first(store):
    journal = formatted(store)
    for kind in (1, 2, 1, 2):
        journal.open_file(journal.next_sequence(), kind, ID, SERIAL)

    assert [file.seq for file in journal.unclosed()] == [2, 4, 1, 3]


def test_the_newest_closing_entry_is_what_the_next_header_names(store):
    journal = formatted(store)
    journal.open_file(1, 1, ID, SERIAL)
    journal.progress(1, 7, TAG)
    journal.close_file(1, ID, 7, TAG, STATE_CUT)

    expected = sha256(closing_entry(1, ID, 7, TAG, STATE_CUT)).digest()
    assert journal.newest_closing() == loaded(store).newest_closing() == expected


def test_an_entry_is_laid_out_as_the_page_says(store):
    journal = formatted(store)
    journal.open_file(1, 2, ID, SERIAL)

    (entry,) = journal.entries()

    assert entry[:96] == b"SKJ1" + struct.pack(">BB2xQQ16sQ16s16x16x", 1, 2, 1, 1, ID, 0, SERIAL)
    assert entry[96:] == sha256(entry[:96]).digest()


@pytest.mark.parametrize("act", ["open twice", "close another", "close again", "progress back"])
def test_what_cannot_be_is_refused(store, act):
    journal = formatted(store)
    journal.open_file(1, 1, ID, SERIAL)
    journal.progress(1, 5, TAG)
    acts = {
        "open twice": lambda: journal.open_file(1, 1, ID, SERIAL),
        "close another": lambda: journal.close_file(1, bytes(16), 5, TAG, STATE_ENDED),
        "close again": lambda: [journal.close_file(1, ID, 6, TAG, STATE_ENDED) for _ in range(2)],
        "progress back": lambda: journal.progress(1, 4, TAG),
    }
    with pytest.raises(OutOfOrder):
        acts[act]()


def test_room_is_made_and_nothing_that_lasts_is_dropped(store):
    journal = formatted(store)
    for _ in range(30):
        film(journal, 6)

    kinds = [(entry[4], struct.unpack_from(">Q", entry, 16)[0]) for entry in loaded(store).entries()]
    assert [pair for pair in kinds if pair[0] != 2] == [
        (kind, seq) for seq in range(1, 31) for kind in (1, 3)
    ]


def test_only_the_newest_progress_of_an_open_file_is_kept(store):
    journal = formatted(store)
    journal.open_file(1, 1, ID, SERIAL)
    for index in range(1, 300):
        journal.progress(1, index, TAG)

    newest = [struct.unpack_from(">Q", entry, 40)[0] for entry in loaded(store).entries() if entry[4] == 2]
    assert newest == [299]


def test_a_full_ring_refuses_to_open_and_still_closes_what_is_open(store):
    journal = formatted(store)
    with pytest.raises(JournalFull):
        for _ in range(100):
            film(journal, 1)
            last = journal.next_sequence()
    assert not journal.has_room()

    opened = formatted(store)
    with pytest.raises(JournalFull):
        for _ in range(100):
            opened.open_file(opened.next_sequence(), 1, ID, SERIAL)
    for file in opened.unclosed():
        opened.progress(file.seq, 1, TAG)
        opened.close_file(file.seq, ID, 2, TAG, STATE_ENDED)
    assert last > 20
    assert loaded(store).unclosed() == []


def test_an_empty_ring_is_no_beginning_for_an_enrolled_camera(store):
    with pytest.raises(JournalFault):
        journal_on(store).load()
    formatted(store)
    with pytest.raises(JournalFault):
        journal_on(store).load()
    journal_on(store).load(may_be_empty=True)


def test_a_torn_last_entry_is_passed_over_and_never_written_over(store):
    journal = formatted(store)
    film(journal)
    count = len(list(journal.entries()))
    place = store.bytes.index(b"\xff" * 128, 128)
    store.bytes[place : place + 40] = b"SKJ1" + bytes(36)

    again = loaded(store)
    again.open_file(again.next_sequence(), 1, ID, SERIAL)

    assert len(list(loaded(store).entries())) == count + 1


def test_a_damaged_entry_in_the_middle_is_a_fault(store):
    journal = formatted(store)
    film(journal)
    store.bytes[128 + 20] ^= 0xFF

    with pytest.raises(JournalFault):
        loaded(store)


def test_a_lost_header_of_a_sector_in_use_is_a_fault(store):
    journal = formatted(store)
    for _ in range(10):
        film(journal, 1)
    store.bytes[:128] = b"\xff" * 128

    with pytest.raises(JournalFault):
        loaded(store)


def test_a_lost_write_is_noticed_and_nothing_follows_it(store):
    formatted(store)
    journal = journal_on(store, Faults(loses_at=1, flash_too=True))
    journal.load(True)

    with pytest.raises(JournalFault):
        journal.open_file(1, 1, ID, SERIAL)
    with pytest.raises(JournalFault):
        journal.open_file(1, 1, ID, SERIAL)


@pytest.mark.promise6
@pytest.mark.parametrize("torn", [0.0, 0.3, 0.999])
def test_a_cut_at_every_write_of_a_ring_that_turns_loses_nothing(store, torn):
    """Proves promise 6. A plain list plays along and must agree."""
    journal = formatted(store)
    for _ in range(12):
        film(journal, 4)
    before = bytes(store.bytes)
    number = 0
    while True:
        number += 1
        store.bytes[:] = before
        faults = Faults(cut_after=number, torn=torn)
        done = []
        try:
            journal = journal_on(store, faults)
            journal.load()
            for _ in range(8):
                done.append(film(journal, 4))
        except desk.PowerLost:
            pass
        again = loaded(store)
        closed = [struct.unpack_from(">Q", entry, 16)[0] for entry in again.entries() if entry[4] == 3]
        assert closed[: 12 + len(done)] == list(range(1, 13 + len(done)))
        assert again.next_sequence() > max(closed)
        for file in again.unclosed():
            again.void(file.seq)
        film(again)
        if not faults.dark:
            break
    assert number > 60


def test_random_days_agree_with_a_plain_model(store):
    chance = random.Random(7)
    journal = formatted(store)
    model, unclosed = {}, {}
    for _ in range(400):
        act = chance.choice(["open", "progress", "progress", "close", "restart"])
        if act == "open" and len(unclosed) < 2 and len(model) < 20:
            seq = journal.next_sequence()
            journal.open_file(seq, 1, ID, SERIAL)
            unclosed[seq] = 0
        elif act == "progress" and unclosed:
            seq = chance.choice(list(unclosed))
            unclosed[seq] += 1
            journal.progress(seq, unclosed[seq], TAG)
        elif act == "close" and unclosed:
            seq, index = unclosed.popitem()
            journal.close_file(seq, ID, index + 1, TAG, STATE_ENDED)
            model[seq] = index + 1
        elif act == "restart":
            journal = loaded(store)
        assert {file.seq: file.index for file in journal.unclosed()} == unclosed
    found = {
        struct.unpack_from(">Q", e, 16)[0]: struct.unpack_from(">Q", e, 40)[0]
        for e in journal.entries()
        if e[4] == 3
    }
    assert found == model
