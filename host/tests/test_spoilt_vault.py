"""One copy of a vault is spoilt, or its catalogue is gone: the other copy speaks, nothing is called empty."""

import json
import sqlite3
from pathlib import Path

import pytest
from shift import Shift, found

pytestmark = pytest.mark.slow  # whole docks, one after another


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return found(tmp_path_factory.mktemp("founded") / "home")


@pytest.fixture
def docked(founded: Path, tmp_path: Path) -> Shift:
    shift = Shift.begin(founded, tmp_path)
    shift.film(1)
    assert shift.run("dock", shift.folder_card(tmp_path))[0] == 0
    return shift


def body_of(shift: Shift, place: str) -> Path:
    return next((shift.home / "vault" / place / "bodies").glob("??/*"))


@pytest.mark.parametrize("spoil", ["flipped", "emptied", "gone"])
def test_a_spoilt_body_does_not_hide_the_whole_one(docked: Shift, spoil: str) -> None:
    """Proves promise 5: what is still intact is still recovered."""
    path = body_of(docked, "store-1")
    path.chmod(0o600)
    changed = bytearray(path.read_bytes())
    changed[len(changed) // 2] ^= 0xFF
    path.write_bytes(changed if spoil == "flipped" else b"")
    if spoil == "gone":
        path.unlink()

    code, answer = docked.run("index")

    assert code == 0
    assert json.loads(answer["indexed"][0]["description"])["place"] == "a desk"


def test_a_body_that_is_spoilt_in_every_place_is_never_opened(docked: Shift) -> None:
    for place in ("store-1", "store-2"):
        path = body_of(docked, place)
        path.chmod(0o600)
        changed = bytearray(path.read_bytes())
        changed[-600] ^= 0xFF
        path.write_bytes(changed)

    code, answer = docked.run("index")

    assert (code, answer["kind"]) == (20, "SealBroken")


def test_spoilt_slots_are_taken_from_the_other_place_and_audit_names_them(docked: Shift) -> None:
    with sqlite3.connect(docked.home / "vault" / "store-1" / "keytable.sqlite") as database:
        triggers = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (trigger,) in triggers:
            database.execute(f"DROP TRIGGER {trigger}")
        database.execute("UPDATE slots SET wrapped = zeroblob(length(wrapped))")
    database.close()

    indexed, _ = docked.run("index")
    audited, answer = docked.run("audit")

    assert (indexed, audited) == (0, 5)
    assert "does not unwrap" in answer["recordings"][0]["troubles"][0]
    assert answer["recordings"][0]["copies"] == 2


@pytest.mark.parametrize("how", ["gone", "empty"])
def test_a_catalogue_that_is_gone_is_said_and_built_again(docked: Shift, tmp_path: Path, how: str) -> None:
    for file in (docked.home / "vault").glob("catalogue.sqlite*"):
        file.unlink()
    if how == "empty":
        (docked.home / "vault" / "catalogue.sqlite").write_bytes(b"")
    docked.put(tmp_path / "card", docked.film(2))

    for words in (["ls"], ["show", "ab"], ["dock", tmp_path / "card"]):
        code, answer = docked.run(*words)
        assert (code, answer["kind"]) == (6, "CatalogueGone"), words
        assert "audit" in answer["hint"]

    assert docked.run("audit")[0] == 0
    assert len(docked.run("ls")[1]["recordings"]) == 1
    assert docked.run("dock", tmp_path / "card")[0] == 0
