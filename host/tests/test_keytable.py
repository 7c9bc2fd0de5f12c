"""The key table: slots apart, wrapped, insert only, the same in every place."""

import os
import sqlite3

import pytest
from ledger import killed_at, places_in
from sealhost.errors import CopyDamaged, KeyMissing, KeyTrouble, NotFound, StoreUnavailable
from sealhost.keytable import FILE_NAME, KeyTable, KeyTables, load_erasure_key
from sealhost.records import KeyRow

KEY = bytes(range(32))
AREA = bytes(range(256)) * 6
ROW = KeyRow(b"\1" * 32, b"\2" * 32, 7, b"\3" * 16, AREA)


def test_a_row_comes_back_from_every_place(tmp_path):
    tables = KeyTables(places_in(tmp_path), KEY)
    tables.insert(ROW)

    assert tables.get(ROW.h_core) == ROW
    assert tables.read_back(ROW) == tables.copies(ROW.h_core) == 2
    assert list(tables.rows()) == [ROW]
    with pytest.raises(NotFound):
        tables.get(bytes(32))


def test_inserting_again_changes_nothing_and_another_row_is_refused(tmp_path):
    (place,) = places_in(tmp_path, 1)
    table = KeyTable(place, KEY)
    table.insert(ROW)
    table.insert(ROW)

    with pytest.raises(CopyDamaged):
        table.insert(KeyRow(ROW.h_core, ROW.device_id, 7, ROW.recording_id, bytes(len(AREA))))
    assert list(table.rows()) == [ROW]


def test_no_byte_of_a_slot_reaches_the_disk_unwrapped(tmp_path):
    """Proves MD-3, MD-4."""
    (place,) = places_in(tmp_path, 1)
    KeyTable(place, KEY).insert(ROW)

    written = b"".join(path.read_bytes() for path in place.iterdir())
    assert ROW.h_core in written
    assert not any(AREA[start : start + 16] in written for start in range(0, len(AREA), 16))


def test_without_the_erasure_key_every_row_is_dead(tmp_path):
    (place,) = places_in(tmp_path, 1)
    KeyTable(place, KEY).insert(ROW)

    with pytest.raises(KeyTrouble, match="does not unwrap"):
        KeyTable(place, bytes(32)).get(ROW.h_core)


def test_a_row_changed_on_disk_is_found_at_read_back(tmp_path):
    (place,) = places_in(tmp_path, 1)
    table = KeyTable(place, KEY)
    table.insert(ROW)
    database = sqlite3.connect(place / FILE_NAME)
    database.execute("DROP TRIGGER slots_no_update")
    database.execute("UPDATE slots SET sequence = 8")
    database.commit()
    database.close()

    with pytest.raises(CopyDamaged):
        table.read_back(ROW)


def test_the_database_refuses_to_change_a_row(tmp_path):
    (place,) = places_in(tmp_path, 1)
    KeyTable(place, KEY).insert(ROW)

    with pytest.raises(sqlite3.IntegrityError, match="insert-only"):
        sqlite3.connect(place / FILE_NAME).execute("UPDATE slots SET sequence = 8")


def test_killed_at_every_step_the_next_run_ends_the_same(tmp_path):
    step, killed = 0, True
    while killed:
        step += 1
        places = places_in(tmp_path / str(step))
        killed = killed_at(step, lambda places=places: KeyTables(places, KEY).insert(ROW))
        tables = KeyTables(places, KEY)
        tables.insert(ROW)
        assert tables.read_back(ROW) == 2
        assert list(tables.rows()) == [ROW]
    assert step > 4


def test_a_place_that_went_away_is_named(tmp_path):
    places = places_in(tmp_path)
    (places[1] / "sealcam-store.toml").unlink()

    with pytest.raises(StoreUnavailable, match="store-2"):
        KeyTables(places, KEY)


def test_a_file_that_is_no_database_is_named_and_left_alone(tmp_path):
    (place,) = places_in(tmp_path, 1)
    (place / FILE_NAME).write_bytes(b"not a database" * 1000)

    with pytest.raises(StoreUnavailable, match=FILE_NAME):
        KeyTable(place, KEY)
    assert (place / FILE_NAME).read_bytes().startswith(b"not a database")


def test_an_erasure_key_of_another_size_is_refused(tmp_path):
    path = tmp_path / "erasure.key"
    with pytest.raises(KeyMissing):
        load_erasure_key(path)
    path.write_bytes(os.urandom(31))
    with pytest.raises(KeyTrouble):
        load_erasure_key(path)
