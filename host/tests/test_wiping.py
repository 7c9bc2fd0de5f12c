"""What may leave a card, what stays, and what is left behind."""

import json
from pathlib import Path

import pytest
from sealhost import layout, receipts, statements
from sealhost.reader import open_place
from shift import Shift, content
from test_kill import closing

pytestmark = pytest.mark.slow


def names(card: Path) -> set[str]:
    return {Path(part.name).name for part in open_place(card).every_file()}


@pytest.mark.promise4
def test_the_receipt_left_on_the_card_names_what_was_wiped(shift: Shift, tmp_path: Path) -> None:
    """Proves promise 4: a camera finds the receipt on its emptied card."""
    film = shift.film(1)
    card = shift.image_card(tmp_path)

    code, _ = shift.run("dock", card)

    (name, raw), *others = open_place(card).receipts()
    receipt = receipts.check(raw, shift.desk.keylist.point(4))
    assert (code, others) == (0, [])
    assert Path(name).name == f"receipt-{shift.device.key_id.hex()[:16]}-{receipt.receipt_no:010d}.rcp"
    assert [(e.h_core, e.copies, e.slot_copies) for e in receipt.entries] == [(film.core.h_core, 2, 2)]
    assert names(card) == {Path(name).name}


@pytest.mark.promise4
def test_nothing_of_the_slots_is_left_on_the_image(shift: Shift, tmp_path: Path) -> None:
    """Proves PH-5."""
    film = shift.film(1)
    card = shift.image_card(tmp_path)
    assert film.area[:192] in card.read_bytes()

    shift.run("dock", card)

    assert film.area[40:105] not in card.read_bytes()
    assert film.core.raw[16:64] not in card.read_bytes()


@pytest.mark.promise7
def test_rule_c1_custody_names_the_receipt_before_the_first_file_goes(shift: Shift, tmp_path: Path) -> None:
    """Proves C1."""
    shift.film(1)
    shift.film(2)
    shift.run("dock", shift.folder_card(tmp_path))

    events = [entry.event for entry in shift.desk.custody.entries()]

    assert events.index("recording.readback") < events.index("receipt.signed") < events.index("file.wiped")
    assert events[-1] == "card.wiped"
    assert events.count("file.wiped") == 2


@pytest.mark.promise4
def test_the_certificate_says_what_was_done_and_is_signed(shift: Shift, tmp_path: Path) -> None:
    """Proves PH-5, BW-7."""
    film = shift.film(1)
    _, answer = shift.run("dock", shift.image_card(tmp_path))
    raw = Path(answer["wipes"][0]["certificate"]).read_bytes()

    size = statements.size_of(statements.CERTIFICATE)
    fields = statements.read(statements.CERTIFICATE, raw[:size], shift.desk.keylist.point(6))
    body = json.loads(raw[size:])

    assert fields.type == 1
    assert body["wiped"] == [film.core.name]
    assert body["method"].startswith("clear")
    assert body["samples"] and all(sample["zero"] for sample in body["samples"])


@pytest.mark.promise4
def test_must_15_what_is_cut_short_and_unconfirmed_is_stored_and_stays(shift: Shift, tmp_path: Path) -> None:
    """Proves M15 and statements.md: a reader alone does not wipe what the camera has not had its word on."""
    cut = shift.film(1, "..s.")
    card = shift.folder_card(tmp_path)

    code, answer = shift.run("dock", card)

    assert code == 8
    assert shift.stored(cut)
    assert shift.name(cut) in names(card)
    assert "unconfirmed" in answer["recordings"][0]["stays"]


def test_a_later_header_is_the_cameras_word_and_frees_it(shift: Shift, tmp_path: Path) -> None:
    cut = shift.film(1, "..s.")
    card = shift.folder_card(tmp_path)
    shift.run("dock", card)
    signature = next(chunk for chunk in cut.chunks if chunk[4] == layout.TYPE_SIGNATURE)
    covered = int.from_bytes(signature[64:72], "big")
    prev = closing(cut, layout.STATE_CUT, covered, signature[72:104])
    shift.put(card, shift.film(2, "e", kind=layout.KIND_LOG, prev=prev))

    code, _ = shift.run("dock", card)

    assert code == 0
    assert {Path(name).suffix for name in names(card)} == {".rcp"}
    assert shift.desk.catalogue.get(cut.core.h_core).confirmed


@pytest.mark.promise4
def test_must_19_an_altered_recording_is_quarantined_in_every_place_until_it_is_released(
    shift: Shift, tmp_path: Path
) -> None:
    """Proves M19."""
    film = shift.film(1, "....e")
    card = shift.folder_card(tmp_path)
    path = card / "sealcam" / shift.name(film)
    changed = bytearray(content(film))
    changed[2 * 2048 + 512 + 200] ^= 0xFF
    path.write_bytes(changed)

    first, answer = shift.run("dock", card)
    kept = path.read_bytes()
    case = shift.run("quarantine", "ls")[1]["cases"][0]
    released, _ = shift.run("quarantine", "release", case["digest"][:12])
    second, _ = shift.run("dock", card)

    assert (first, answer["recordings"][0]["fate"]) == (20, "quarantined")
    assert kept == bytes(changed)
    assert (released, second) == (0, 0)
    assert not path.exists()
    (paper,) = (card / "sealcam").glob(f"release-{shift.device.key_id.hex()[:16]}-*.rcp")  # for the camera
    released, _ = receipts.check_release(paper.read_bytes(), shift.desk.keylist.point(7))
    assert released.h_core == film.core.h_core
    assert len(shift.desk.quarantine.open(shift.desk.quarantine.find(film.core.name[:8]))) == 1


@pytest.mark.promise5
def test_must_16_two_cores_under_one_number_are_reported_and_the_camera_is_suspended(
    shift: Shift, tmp_path: Path
) -> None:
    """Proves M16: a fork."""
    first = shift.film(1)
    card = shift.folder_card(tmp_path, first)
    second = shift.film(1)
    (card / "sealcam" / "again.skr").write_bytes(content(second))

    code, answer = shift.run("dock", card)

    assert code == 20
    assert {record["fate"] for record in answer["recordings"]} == {"quarantined"}
    assert shift.desk.register.get(shift.device.key_id).state == "suspended"
    assert "fork.found" in [entry.event for entry in shift.desk.custody.entries()]


def test_a_fork_with_what_is_stored_already_is_found_too(shift: Shift, tmp_path: Path) -> None:
    shift.film(1)
    card = shift.folder_card(tmp_path)
    shift.run("dock", card)
    second = shift.film(1)
    shift.put(card, second)

    code, answer = shift.run("dock", card)

    assert (code, answer["recordings"][0]["reason"].split(":")[0]) == (20, "fork")
    assert (card / "sealcam" / shift.name(second)).exists()


@pytest.mark.promise7
def test_missing_numbers_are_named(shift: Shift, tmp_path: Path) -> None:
    """Proves BW-3."""
    shift.film(1)
    shift.film(4)

    _, answer = shift.run("dock", shift.folder_card(tmp_path))

    assert answer["missing"] == {shift.device.key_id.hex(): [[2, 3]]}
    assert "gap.found" in [entry.event for entry in shift.desk.custody.entries()]


def test_a_card_that_shows_less_than_the_vault_holds_is_kept(shift: Shift, tmp_path: Path) -> None:
    """A rolled back card: nothing stored is replaced, nothing is wiped."""
    film = shift.film(1, "..s..s.")
    card = shift.folder_card(tmp_path)
    shift.run("dock", card)
    whole = shift.desk.catalogue.get(film.core.h_core)
    path = card / "sealcam" / shift.name(film)
    path.write_bytes(content(film)[: -2 * 512])

    code, answer = shift.run("dock", card)

    assert (code, answer["recordings"][0]["fate"]) == (8, "kept")
    assert path.exists()
    assert shift.desk.catalogue.get(film.core.h_core) == whole


def test_a_chunk_that_appears_between_judging_and_wiping_keeps_the_file(
    shift: Shift, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The card is read again right before each wipe."""
    film = shift.film(1, "...e")
    card = shift.folder_card(tmp_path)
    path = card / "sealcam" / shift.name(film)
    from sealhost.wipebook import WipeBook

    begin = WipeBook.begin

    def swap(self: WipeBook, plan: object) -> None:
        begin(self, plan)
        changed = bytearray(path.read_bytes())
        changed[-1] ^= 0xFF
        path.write_bytes(changed)

    monkeypatch.setattr(WipeBook, "begin", swap)

    code, answer = shift.run("dock", card)

    assert code == 8
    assert path.exists()
    assert "not the one that was stored" in answer["recordings"][0]["stays"]


@pytest.mark.promise7
def test_a_usage_log_reaches_the_catalogue_chain_checked(shift: Shift, tmp_path: Path) -> None:
    """Proves BW-7."""
    shift.film(1)
    log = shift.film(2, "", kind=layout.KIND_LOG)
    for entry in log_entries(shift, [(1, 0, 0), (4, 1, 1), (7, 0, 1), (5, 1, 1)]):
        log.record(layout.TRACK_LOG, entry)
    log.end()

    code, answer = shift.run("dock", shift.folder_card(tmp_path))

    told = shift.run("show", shift.films[1].core.name[:12])[1]["log"]
    assert code == 0
    assert (answer["logs"][0]["entries"], answer["logs"][0]["broken_at"]) == (4, None)
    assert [entry["event"] for entry in told] == ["record start", "bookmark", "record stop"]


def log_entries(shift: Shift, events: list[tuple[int, int, int]]) -> list[bytes]:
    """A chain of (event, detail, sequence), from usage-log.md."""
    from sealhost import usagelog

    previous, chain = usagelog.first_previous(shift.device.key_id), []
    for number, (event, detail, sequence) in enumerate(events, 1):
        fields = {
            "magic": b"SKU1",
            "event": event,
            "detail": detail,
            "number": number,
            "boot": 1,
            "ms": number,
        }
        fields |= {"utc_ms": 0, "reserved": 0, "sequence": sequence, "data": bytes(16), "previous": previous}
        raw = bytes(layout.LOG_ENTRY.build({**fields, "digest": bytes(32)}))
        previous = usagelog.digest_of(raw)
        chain.append(raw[:96] + previous)
    return chain
