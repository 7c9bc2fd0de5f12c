"""The custody log: C1 to C5 of docs/format/custody.md, with real databases and real processes."""

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from ledger import ACTOR, ORGANISATION, custody_at, killed_at
from sealhost import merkle, notes
from sealhost.custody import EVENTS, Custody, Entry, leaf_of, parse_leaf, verify_export
from sealhost.errors import (
    BadSignature,
    CheckpointRefused,
    CustodyBroken,
    InternalFault,
    KeyMissing,
    OutputExists,
)
from sealhost.records import Actor

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "format" / "custody.md"
ENTRY = Entry(3, 1000, "card.seen", Actor("vault", "u1"), "ab" * 16, {"b": 1, "a": ["x", "y"]})


def filled(folder, count=9):
    custody = custody_at(folder)
    for number in range(count):
        custody.note("card.seen", ACTOR, "ab" * 16, number=number)
    return custody


def tampered(folder, *statements):
    """What somebody with the file in hand does: guards off, then SQL."""
    database = sqlite3.connect(folder / "custody.sqlite")
    names = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for (name,) in names:
        database.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        database.execute(*statement)
    database.commit()
    database.close()


def test_a_leaf_is_canonical_json_with_the_keys_of_the_document():
    leaf = leaf_of(ENTRY)

    assert leaf == (
        b'{"actor":{"id":"u1","role":"vault"},"at":1000,"detail":{"a":["x","y"],"b":1},'
        b'"event":"card.seen","n":3,"subject":"' + b"ab" * 16 + b'"}'
    )
    assert parse_leaf(leaf) == ENTRY


def test_the_events_are_those_of_the_document():
    line = DOCUMENT.read_text().split("Events: ", 1)[1].split("\n\n")[0]

    assert {word.strip("`.,\n ") for word in line.split()} == EVENTS


@pytest.mark.promise7
@pytest.mark.parametrize(
    "detail", [{"x": 1.5}, {"x": None}, {"x": {"y": 1}}, {"x": "two\nlines"}, {"x": True}, {"x": 2**60}]
)
def test_rule_c5_what_is_no_id_word_or_whole_number_does_not_enter_a_leaf(tmp_path, detail):
    """Proves C5."""
    custody = custody_at(tmp_path)

    with pytest.raises(InternalFault):
        custody.note("card.seen", ACTOR, "", **detail)
    assert custody.size() == 0


@pytest.mark.parametrize("change", [b" ", b'{"n":3}', b"[]", b"\xff", b"[" * 100000])
def test_a_leaf_in_any_other_form_is_refused(change):
    with pytest.raises(ValueError):
        parse_leaf(change)
    with pytest.raises(ValueError):
        parse_leaf(leaf_of(ENTRY) + b" ")


@pytest.mark.promise7
def test_rule_c1_an_entry_survives_a_kill_right_after_note_returns(tmp_path):
    """Proves C1."""
    custody_at(tmp_path)

    killed = killed_at(2, lambda: [custody_at(tmp_path).note("founded", ACTOR) for _ in range(3)])

    assert killed
    assert custody_at(tmp_path).size() == 1
    assert custody_at(tmp_path).verify().size == 1


def test_two_processes_at_once_lose_nothing_and_break_nothing(tmp_path):
    custody_at(tmp_path)
    code = (
        "import sys; sys.path[:0] = sys.argv[2].split(':'); from ledger import *; from pathlib import Path\n"
        "c = custody_at(Path(sys.argv[1]))\nfor n in range(40): c.note('card.seen', ACTOR, '', n=n)"
    )
    paths = ":".join(str(Path(p).resolve()) for p in (Path(__file__).parent, Path(__file__).parents[1]))
    children = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), paths]) for _ in range(2)]

    assert [child.wait() for child in children] == [0, 0]
    assert custody_at(tmp_path).verify().size == 80


@pytest.mark.promise7
@pytest.mark.parametrize("table", ["entries", "nodes", "checkpoints"])
@pytest.mark.parametrize(
    "deed", ["UPDATE {} SET rowid = rowid", "DELETE FROM {}", "REPLACE INTO {} SELECT * FROM {}"]
)
def test_rule_c3_the_database_refuses_change_and_removal(tmp_path, table, deed):
    """Proves C3."""
    custody = filled(tmp_path)
    custody.checkpoint()

    with (
        custody._database.engine.connect() as connection,
        pytest.raises(sa.exc.IntegrityError, match="append-only"),
    ):
        connection.exec_driver_sql(deed.replace("{}", table))
    assert custody.verify().size == 9


@pytest.mark.promise7
def test_rule_c2_a_checkpoint_signs_the_tree_and_only_once_for_each_size(tmp_path):
    """Proves C2."""
    custody = filled(tmp_path)
    note = custody.checkpoint()
    name, public = notes.parse_vkey(custody.vkey)
    signed = notes.parse_checkpoint(notes.check(note, name, public))

    assert name == f"sealcam/{ORGANISATION.hex()[:16]}"
    assert (signed.size, signed.root) == custody.head()
    assert custody.checkpoint() == note
    custody.note("card.seen", ACTOR)
    assert custody.checkpoint() != note


@pytest.mark.promise7
def test_rule_c2_no_checkpoint_is_signed_over_a_tree_that_does_not_extend_the_last(tmp_path):
    """Proves C2."""
    custody = filled(tmp_path)
    custody.checkpoint()
    tampered(tmp_path, ("UPDATE nodes SET hash = ? WHERE level = 3 AND place = 0", (b"\1" * 32,)))
    custody.note("card.seen", ACTOR)

    with pytest.raises(CheckpointRefused):
        custody.checkpoint()


@pytest.mark.promise7
def test_rule_c2_no_checkpoint_is_signed_after_a_rollback(tmp_path):
    """Proves C2."""
    custody = filled(tmp_path)
    custody.checkpoint()
    tampered(
        tmp_path, ("DELETE FROM entries WHERE n >= 5",), ("DELETE FROM nodes WHERE (place + 1) << level > 5",)
    )

    with pytest.raises(CheckpointRefused):
        custody.checkpoint()
    with pytest.raises(CustodyBroken):
        custody.verify()


def test_a_log_without_its_key_notes_and_verifies_and_signs_nothing(tmp_path):
    custody = filled(tmp_path)
    keyless = Custody(tmp_path / "custody.sqlite", ORGANISATION, custody._public)
    keyless.note("card.seen", ACTOR)

    assert keyless.verify().size == 10
    with pytest.raises(KeyMissing):
        keyless.checkpoint()


@pytest.mark.promise7
@pytest.mark.parametrize("n", range(9))
def test_rule_c4_verify_names_the_first_entry_that_was_edited(tmp_path, n):
    """Proves C4."""
    custody = filled(tmp_path)
    leaf = dict(custody.leaves())[n].replace(b"ab", b"ac", 1)
    tampered(tmp_path, ("UPDATE entries SET leaf = ? WHERE n = ?", (leaf, n)))

    with pytest.raises(CustodyBroken, match=f"entry {n} "):
        custody.verify()


@pytest.mark.promise7
@pytest.mark.parametrize("n", range(8))
def test_rule_c4_verify_names_an_entry_that_is_gone(tmp_path, n):
    """Proves C4."""
    custody = filled(tmp_path)
    tampered(tmp_path, ("DELETE FROM entries WHERE n = ?", (n,)))

    with pytest.raises(CustodyBroken, match=f"entry {n} "):
        custody.verify()


@pytest.mark.promise7
def test_rule_c4_a_log_rewritten_with_all_its_hashes_is_found_by_its_checkpoint(tmp_path):
    """Proves C4."""
    custody = filled(tmp_path, 4)
    custody.checkpoint()
    note = custody.checkpoint()
    (tmp_path / "other").mkdir()
    forged = filled(tmp_path / "other", 4)
    root = forged.head()[1]
    database = sqlite3.connect(tmp_path / "other" / "custody.sqlite")
    database.execute("INSERT INTO checkpoints VALUES (4, ?, ?)", (root, note))
    database.commit()

    with pytest.raises(CustodyBroken, match="signed over others"):
        forged.verify()


def test_a_proof_leads_from_each_entry_to_the_root(tmp_path):
    custody = filled(tmp_path)
    size, root = custody.head()

    for n, leaf in custody.leaves():
        assert merkle.proves_inclusion(merkle.leaf_hash(leaf), n, size, custody.prove(n), root)


@pytest.mark.promise7
def test_an_export_checks_by_its_own_readme_with_the_standard_library(tmp_path):
    """Proves CC-9."""
    custody = filled(tmp_path)
    custody.export(tmp_path / "out")
    readme = (tmp_path / "out" / "README.txt").read_text()
    code = readme[readme.index("import base64") : readme.index("\n\nprints")]

    printed = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path / "out", capture_output=True, text=True
    ).stdout

    assert printed.strip() == (tmp_path / "out" / "checkpoint").read_text().splitlines()[2]
    assert verify_export(tmp_path / "out", custody.vkey).size == 9
    with pytest.raises(OutputExists):
        custody.export(tmp_path / "out")


@pytest.mark.promise7
@pytest.mark.parametrize("n", range(9))
def test_rule_c4_an_edited_export_names_its_first_bad_entry(tmp_path, n):
    """Proves C4, DS-1."""
    custody = filled(tmp_path)
    custody.export(tmp_path / "out", [] if n % 2 else None)
    path = tmp_path / "out" / "entries.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    lines[n] = lines[n].replace(b"ab", b"ac", 1)
    path.write_bytes(b"".join(lines))

    with pytest.raises(CustodyBroken, match=f"entry {0 if n % 2 else n} "):
        verify_export(tmp_path / "out", custody.vkey)


def test_an_export_that_is_cut_longer_or_by_another_key_is_refused(tmp_path):
    custody = filled(tmp_path)
    custody.export(tmp_path / "out")
    path = tmp_path / "out" / "entries.jsonl"
    whole = path.read_bytes()

    path.write_bytes(b"".join(whole.splitlines(keepends=True)[:-1]))
    with pytest.raises(CustodyBroken, match="entry 8 "):
        verify_export(tmp_path / "out")
    path.write_bytes(whole + whole.splitlines(keepends=True)[-1])
    with pytest.raises(CustodyBroken, match="entry 9 "):
        verify_export(tmp_path / "out")
    path.write_bytes(whole)
    with pytest.raises(BadSignature):
        verify_export(tmp_path / "out", notes.vkey(custody.origin, bytes(31) + b"\1"))
    proofs = json.loads((tmp_path / "out" / "proofs.json").read_text())
    (tmp_path / "out" / "proofs.json").write_text(json.dumps(proofs | {"size": 8}))
    with pytest.raises(CustodyBroken):
        verify_export(tmp_path / "out")


def test_a_half_made_database_is_finished_by_the_next_start(tmp_path):
    for step in range(1, 4):
        killed_at(step, lambda: custody_at(tmp_path).note("founded", ACTOR))

    custody = custody_at(tmp_path)
    custody.note("card.seen", ACTOR)
    assert custody.verify().size >= 1
    assert os.path.exists(tmp_path / "custody.sqlite")


def test_one_entry_is_read_by_its_index(tmp_path):
    custody = filled(tmp_path, 3)

    assert custody.entry(1).detail == {"number": 1}
    with pytest.raises(IndexError):
        custody.entry(3)
