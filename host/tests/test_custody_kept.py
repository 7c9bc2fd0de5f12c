"""C6 of docs/format/custody.md: an old custody log, or a new one, in the place of the signed one."""

import shutil
import sqlite3
from pathlib import Path

import pytest
from sealhost.custody.kept import FILE_NAME
from shift import Shift, found

pytestmark = pytest.mark.slow  # whole docks, one after another


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return found(tmp_path_factory.mktemp("founded") / "home")


@pytest.fixture
def docked(founded: Path, tmp_path: Path) -> Shift:
    """A vault that took one card, with a copy of its custody log from before."""
    shift = Shift.begin(founded, tmp_path)
    shift.film(1)
    with sqlite3.connect(shift.home / "vault" / "custody.sqlite") as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(shift.home / "vault" / "custody.sqlite", tmp_path / "old.sqlite")
    assert shift.run("dock", shift.folder_card(tmp_path))[0] == 0
    return shift


def custody_files(shift: Shift) -> list[Path]:
    return list((shift.home / "vault").glob("custody.sqlite*"))


def assert_refused_everywhere(shift: Shift, card: Path) -> None:
    for words in (["dock", card], ["custody", "verify"], ["audit"], ["index"]):
        code, answer = shift.run(*words)
        assert (code, answer["exit_code"]) == (9, 9), words
    assert (card / "sealcam" / shift.name(shift.films[2])).exists()


def test_rule_c6_the_checkpoint_is_kept_in_the_pack_and_in_every_store(docked: Shift) -> None:
    vault = docked.home / "vault"
    kept = [(folder / FILE_NAME).read_text() for folder in (vault, vault / "store-1", vault / "store-2")]

    assert len(set(kept)) == 1
    assert int(kept[0].splitlines()[1]) == docked.desk.custody.size()


def test_rule_c6_an_old_copy_of_the_log_stops_whatever_would_note(docked: Shift, tmp_path: Path) -> None:
    """Proves promise 7: no receipt number is given twice."""
    for file in custody_files(docked):
        file.unlink()
    shutil.copy(tmp_path / "old.sqlite", docked.home / "vault" / "custody.sqlite")
    docked.put(tmp_path / "card", docked.film(2))

    assert_refused_everywhere(docked, tmp_path / "card")


def test_rule_c6_a_log_that_is_gone_is_not_begun_anew(docked: Shift, tmp_path: Path) -> None:
    for file in custody_files(docked):
        file.unlink()
    docked.put(tmp_path / "card", docked.film(2))

    assert_refused_everywhere(docked, tmp_path / "card")


def test_rule_c6_one_kept_checkpoint_is_enough_and_a_false_one_is_told(docked: Shift, tmp_path: Path) -> None:
    vault = docked.home / "vault"
    (vault / FILE_NAME).unlink()
    (vault / "store-1" / FILE_NAME).unlink()
    note = (vault / "store-2" / FILE_NAME).read_text()
    (vault / "store-2" / FILE_NAME).write_text(note.replace("\n", "\n9", 1))
    docked.put(tmp_path / "card", docked.film(2))

    code, answer = docked.run("dock", tmp_path / "card")

    assert code == 9 and "store-2" in answer["error"]
    (vault / "store-2" / FILE_NAME).write_text(note)
    assert docked.run("dock", tmp_path / "card")[0] == 0


def test_receipt_numbers_rise_from_dock_to_dock(docked: Shift, tmp_path: Path) -> None:
    numbers = []
    for sequence in range(2, 5):
        docked.put(tmp_path / "card", docked.film(sequence))
        numbers += [r["receipt_no"] for r in docked.run("dock", tmp_path / "card")[1]["receipts"]]

    assert len(numbers) == 3 and numbers == sorted(set(numbers))
