"""Docks of one vault in one process at once: threads that share its databases, stores and receipts."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sealhost import ingest
from sealhost.cli import wiring
from sealhost.custody import Custody
from sealhost.keys import SoftKey
from sealhost.plans import Plan, Planned
from sealhost.reader import open_place
from sealhost.records import Actor
from sealhost.vault import Vault
from sealhost.wipebook import WipeBook
from shift import Shift

pytestmark = pytest.mark.slow  # whole docks

CARDS = 6


def test_six_cards_docked_at_once_are_all_stored_under_numbers_of_their_own(
    shift: Shift, tmp_path: Path
) -> None:
    """Proves promise 4: each docking opens the vault for itself, in a thread of one process."""
    cards = []
    for number in range(CARDS):
        shift.device = SoftKey.make()
        shift.admit(shift.device)
        cards.append(shift.folder_card(tmp_path / str(number), shift.film(number + 1)))

    def dock(card: Path) -> ingest.Docked:
        return ingest.ingest([open_place(card)], wiring.Home(str(shift.home)).desk())

    with ThreadPoolExecutor(CARDS) as threads:
        docked = list(threads.map(dock, cards))

    assert len({found.receipts[0].receipt_no for found in docked}) == CARDS
    assert [found.takings[0].fate for found in docked] == ["wiped"] * CARDS
    assert all(shift.stored(film) for film in shift.films.values())
    assert shift.desk.custody.verify().signed == shift.desk.custody.size()


def test_checkpoints_kept_by_many_at_once_end_with_the_newest(shift: Shift) -> None:
    def note(_: int) -> None:
        custody: Custody = wiring.Home(str(shift.home)).custody
        custody.note("card.seen", Actor("vault", "uid-1"), "00")
        custody.witness()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(note, range(24)))

    assert shift.desk.custody.verify().signed == shift.desk.custody.size()
    assert len({(place / "custody.checkpoint").read_text() for place in shift.desk.config.stores}) == 1
    shift.desk.custody.refuse_a_rollback()


def test_a_plan_that_another_dock_ends_in_that_moment_is_no_fault(tmp_path: Path, monkeypatch) -> None:
    book = WipeBook(tmp_path)
    plan = Plan(bytes(32), b"receipt", bytes(32), 1, bytes(16), (Planned(bytes(32), ("a",)),))
    book.begin(plan)
    read = Path.read_bytes

    def gone(path: Path) -> bytes:
        path.unlink()
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", gone)
    assert book.pending(bytes(16)) == []


def test_a_store_opened_while_others_write_neither_fails_nor_takes_their_drafts(shift: Shift) -> None:
    places = shift.desk.config.stores

    def write(number: int) -> bytes:
        with Vault.at(places).draft() as draft:
            draft.write(json.dumps(number).encode() * 100)
            return draft.commit()

    with ThreadPoolExecutor(8) as threads:
        digests = list(threads.map(write, range(200)))

    assert all(Vault.at(places).has(digest) for digest in digests)
