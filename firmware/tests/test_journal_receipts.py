"""What a receipt frees in the journal, and what it never frees."""

import struct
import sys
from pathlib import Path

import pytest
from sealcam.errors import JournalFull, OutOfOrder
from sealcam.layout import STATE_CUT, STATE_ENDED

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "boards" / "unix"))
import board as desk
import journal_model as model

DIGEST, SERIAL = model.DIGEST, model.SERIAL


@pytest.fixture
def journal():
    made = model.journal_on(desk.MemoryStore(b"\xff" * 4096 * model.SECTORS))
    made.format()
    return made


def film(journal, state=STATE_ENDED):
    seq = journal.next_sequence()
    journal.open_file(seq, 1, model.id_of(seq), SERIAL)
    journal.close_file(seq, model.id_of(seq), 4, model.tag_of(seq, 4), state)
    return seq


def settle(journal, seq, number=1):
    journal.receipted(seq, model.id_of(seq), SERIAL, number, DIGEST)


def test_a_receipted_entry_is_laid_out_as_the_page_says(journal):
    film(journal)
    settle(journal, 1, 7)

    entry = list(journal.entries())[-1]

    assert entry[:96] == b"SKJ1" + struct.pack(
        ">BB2xQQ16sQ32s16s", 5, 0, 3, 1, model.id_of(1), 7, DIGEST, SERIAL
    )


@pytest.mark.parametrize("act", ["never spent", "open", "twice"])
def test_only_a_file_that_is_over_is_settled_and_once(journal, act):
    film(journal)
    journal.open_file(2, 1, model.id_of(2), SERIAL)
    settle(journal, 1)

    with pytest.raises(OutOfOrder):
        settle(journal, {"never spent": 3, "open": 2, "twice": 1}[act])


@pytest.mark.promise4
def test_a_full_journal_is_empty_after_its_receipts_and_the_newest_closing_entry_stays(journal):
    """Proves BK-1: full is full, nothing goes before a receipt; after it everything may."""
    with pytest.raises(JournalFull):
        while True:
            last = film(journal)
    newest = journal.newest_closing()

    for seq in range(1, last + 1):
        settle(journal, seq)

    assert journal.has_room() and journal.newest_closing() == newest
    while journal.next_sequence() < 3 * last:
        settle(journal, film(journal))
    assert len(list(journal.entries())) < 40


def test_a_settled_number_never_becomes_void_however_its_entries_go(journal):
    for _ in range(60):
        seq = film(journal, STATE_CUT)
        settle(journal, seq)

        again = model.journal_on(journal._ring._flash._device._store)
        again.load()
        assert again.unclosed() == [] and again.told_voids() == []
        assert all(again.is_settled(number) for number in range(1, seq + 1))


def test_only_voids_that_an_inventory_told_of_go_with_a_receipt(journal):
    for _ in range(2):
        seq = journal.next_sequence()
        journal.open_file(seq, 1, model.id_of(seq), SERIAL)
        journal.void(seq)
        if seq == 1:
            journal.tell()

    assert journal.told_voids() == [1]
    journal.receipted(1, bytes(16), bytes(16), 1, DIGEST)
    assert journal.told_voids() == [] and not journal.is_settled(2)


@pytest.mark.promise6
@pytest.mark.parametrize("seed", range(4))
def test_random_days_with_receipts_and_cuts_agree_with_a_plain_model(seed):
    """Proves promise 6, BK-1: nothing that no receipt settled is ever lost, whatever the journal frees."""
    spent, settled = model.play(seed, 40)
    assert spent > 100 and settled > 90


def test_a_camera_that_films_for_years_never_fills():
    spent, entries = model.film_for_years(200)
    assert spent == 601 and entries < 30


@pytest.mark.slow
def test_the_model_agrees_on_the_real_machine(machine):
    said = machine("import journal_model as m\nprint(m.play(11, 20)[1] > 40, m.film_for_years(40)[0])")
    assert said.split() == ["True", "121"]
