"""Whatever is put into the reader: a clear message, an exit code, nothing lost, nothing wiped."""

import os
from pathlib import Path

import pytest
from sealhost import receipts
from sealhost.errors import StoreFull, StoreUnavailable
from sealhost.vault.store import Draft
from shift import Shift, content, found

pytestmark = pytest.mark.slow  # whole docks, one after another


@pytest.fixture
def shift(founded: Path, tmp_path: Path) -> Shift:
    made = Shift.begin(founded, tmp_path)
    made.film(1)
    return made


def listing(card: Path) -> dict[str, bytes]:
    return {str(path.relative_to(card)): path.read_bytes() for path in card.rglob("*") if path.is_file()}


def test_half_a_file_system_is_refused_in_words_and_left_alone(shift: Shift, tmp_path: Path) -> None:
    image = shift.image_card(tmp_path)
    os.truncate(image, image.stat().st_size // 200)
    before = image.read_bytes()

    code, answer = shift.run("dock", image)

    assert code == 4
    assert answer["error"] and answer["hint"]
    assert image.read_bytes() == before


@pytest.mark.promise5
def test_a_card_without_its_first_block_and_tables_is_carved_stored_and_left_alone(
    shift: Shift, tmp_path: Path
) -> None:
    """Proves promise 5: what is still intact is still recovered."""
    film = shift.films[1]
    image = shift.image_card(tmp_path)
    with open(image, "r+b") as file:
        file.write(bytes(400 << 10))  # boot sector, tables, the root directory and `sealcam`
    before = image.read_bytes()

    plain, trouble = shift.run("dock", image)
    judged, _ = shift.run("verify", "--carve", image)
    carved, answer = shift.run("dock", "--carve", image)

    assert (plain, judged, carved) == (4, 0, 8)
    assert "--carve" in trouble["error"]
    assert shift.stored(film)
    assert answer["recordings"][0]["verdict"] == "intact"
    assert image.read_bytes() == before


def test_foreign_and_empty_files_are_never_touched(shift: Shift, tmp_path: Path) -> None:
    card = shift.folder_card(tmp_path)
    strangers = {
        "holiday.jpg": b"\xff\xd8\xff\xe0 a picture",
        "empty.txt": b"",
        "notes/sealcam.txt": b"SEALCA",
    }
    for name, body in strangers.items():
        (card / name).parent.mkdir(exist_ok=True)
        (card / name).write_bytes(body)

    code, answer = shift.run("dock", card)

    assert code == 0
    assert {name: body for name, body in listing(card).items() if not name.endswith(".rcp")} == strangers
    assert set(answer["strangers"]) >= {"holiday.jpg", "notes/sealcam.txt"}


def test_a_recording_of_another_organisation_is_quarantined_and_stays(
    founded: Path, shift: Shift, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    other = Shift(found(tmp_path / "other" / "home"))
    other.admit(other.device)
    theirs = other.film(1)
    card = shift.folder_card(tmp_path)
    other.put(card, theirs)

    code, answer = shift.run("dock", card)

    fates = {record["verdict"]: record["fate"] for record in answer["recordings"]}
    assert code == 8
    assert fates == {"intact": "wiped", "not_judged": "quarantined"}
    assert listing(card)[f"sealcam/{other.name(theirs)}"] == content(theirs)


@pytest.mark.promise4
def test_must_19_a_receipt_for_a_prefix_wipes_nothing(shift: Shift, tmp_path: Path) -> None:
    """Proves M19: what the receipt names must be what the card shows now."""
    cut = shift.film(2, "..s..s")
    card = shift.folder_card(tmp_path, cut)
    shift.run("dock", card)  # stored, and it stays: unconfirmed
    home = shift.desk
    row = home.catalogue.get(cut.core.h_core)
    judgement = _judged(shift, cut)
    entry = receipts.ReceiptEntry(
        2, row.recording_id, row.h_core, 3, cut.chunks[2][-32:], row.verdict, False, 2, 2, row.body_sha256
    )

    reason = receipts.may_wipe(entry, judgement, home.policy)

    assert reason == "the card holds a later chunk than 3"
    assert listing(card)[f"sealcam/{shift.name(cut)}"] == content(cut)


def _judged(shift: Shift, writer: object) -> object:
    from sealhost import verify

    home = shift.desk
    return verify.judge(
        [verify.part_from(content(writer))], [home.key("verify")], device_point=home.device_point
    )


@pytest.mark.promise4
@pytest.mark.parametrize("fault", [StoreFull, StoreUnavailable], ids=["full", "read-only in mid-store"])
def test_a_store_that_fails_in_mid_store_leaves_the_card_alone(
    shift: Shift, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: type[StoreUnavailable]
) -> None:
    """Proves BK-1, BK-2."""
    card = shift.folder_card(tmp_path)
    before, whole = listing(card), Draft.write_unhashed

    def failing(self: Draft, view: memoryview) -> None:
        if "store-2" in str(self._place):
            raise fault(self._place, "no space left on device")
        whole(self, view)

    with monkeypatch.context() as patched:
        patched.setattr(Draft, "write_unhashed", failing)
        code, answer = shift.run("dock", card)
        while_failing = listing(card)
    again, _ = shift.run("dock", card)

    assert (code, answer["exit_code"]) == (5, 5)
    assert "store-2" in answer["error"] and answer["hint"].startswith("nothing was wiped")
    assert while_failing == before
    assert again == 0


@pytest.mark.promise4
def test_a_store_that_is_not_mounted_stops_the_dock(shift: Shift, tmp_path: Path) -> None:
    """Proves BK-1, BK-2."""
    card = shift.folder_card(tmp_path)
    (shift.home / "vault" / "store-2" / "sealcam-store.toml").unlink()
    before = listing(card)

    code, answer = shift.run("dock", card)

    assert code == 5
    assert "mounted" in answer["error"]
    assert listing(card) == before


def test_a_name_with_line_breaks_cannot_write_a_message_of_its_own(
    shift: Shift, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from sealhost.cli import run

    card = shift.folder_card(tmp_path)
    (card / "innocent\nsafe to take\x1b[2J.txt").write_bytes(b"\0" * 40)

    code = run(["--home", str(shift.home), "dock", str(card)])

    told = capsys.readouterr().out
    assert code == 0
    assert "\x1b" not in told
    assert told.splitlines().count("safe to take") == 1


def test_a_sparse_file_of_forty_gigabytes_takes_no_time_and_no_room(shift: Shift, tmp_path: Path) -> None:
    card = shift.folder_card(tmp_path)
    with open(card / "huge.bin", "wb") as file:
        file.truncate(40 << 30)

    code, answer = shift.run("dock", card)

    assert code == 0
    assert "huge.bin" in answer["strangers"]
    assert (card / "huge.bin").stat().st_size == 40 << 30


def test_must_14_a_part_longer_than_its_recording_is_stored_without_its_stale_space(
    shift: Shift, tmp_path: Path
) -> None:
    """Proves M14: stale space never enters the vault."""
    card = shift.folder_card(tmp_path)
    path = card / "sealcam" / shift.name(shift.films[1])
    with open(path, "ab") as file:
        file.write(b"stale" * 100_000)

    code, _ = shift.run("dock", card)

    row = shift.desk.catalogue.get(shift.films[1].core.h_core)
    assert code == 0
    assert row.size == len(content(shift.films[1]))
