"""A working copy: who may make one, what is on the record first, what it says."""

import json
from pathlib import Path

import av
import films
import pytest
from sealhost import layout, media
from shift import Shift

pytestmark = pytest.mark.slow


def docked(shift: Shift, folder: Path, whole: bool = True, pictures: int = 5) -> str:
    """A recording of real pictures at 100 ms, in the vault; its name."""
    film = shift.film(1, "")
    told = {"picture": "jpeg", "width": 64, "height": 48, "place": "a quiet street", "interpreter": "test"}
    film.record(layout.TRACK_DESCRIPTION, json.dumps(told).encode())
    for number in range(pictures):
        film.record(layout.TRACK_PICTURE, jpeg(number), ms=100 * number, flags=1)
    film.end() if whole else film.sign()
    shift.run("dock", shift.folder_card(folder))
    return film.core.name


def jpeg(number: int) -> bytes:
    """One small picture."""
    return films.jpeg(64, 48, number)


@pytest.mark.promise7
def test_rule_c1_a_view_is_in_custody_before_the_first_picture_is_written(
    shift: Shift, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Proves C1."""
    name, seen = docked(shift, tmp_path), []
    render = media.write_mp4

    def looking(*arguments: object, **named: object) -> object:
        seen.append([entry.event for entry in shift.desk.custody.entries()][-1])
        return render(*arguments, **named)

    monkeypatch.setattr(media, "write_mp4", looking)

    code, _ = shift.run("view", name[:10], "-o", tmp_path / "out.mp4", "--reason", "request 17")

    assert (code, seen) == (0, ["recording.viewed"])


def test_rule_c5_the_reason_itself_stays_out_of_custody(shift: Shift, tmp_path: Path) -> None:
    """Proves C5."""
    name = docked(shift, tmp_path)

    shift.run("view", name, "-o", tmp_path / "out.mp4", "--reason", "the neighbour's dog")

    assert not any(b"neighbour" in leaf for _, leaf in shift.desk.custody.leaves())


def test_every_picture_has_its_own_millisecond(shift: Shift, tmp_path: Path) -> None:
    name = docked(shift, tmp_path)

    shift.run("view", name, "-o", tmp_path / "out.mp4", "--reason", "look")

    with av.open(str(tmp_path / "out.mp4")) as container:
        stamps = [round(float(f.pts * f.time_base) * 1000) for f in container.decode(video=0)]
        comment = container.metadata["comment"]
    assert stamps == [0, 100, 200, 300, 400]
    assert "intact" in comment


def test_a_cut_recording_says_where_it_ends_and_why(shift: Shift, tmp_path: Path) -> None:
    name = docked(shift, tmp_path, whole=False)

    _, answer = shift.run("view", name, "-o", tmp_path / "out.mp4", "--reason", "look")

    with av.open(str(tmp_path / "out.mp4")) as container:
        comment = container.metadata["comment"]
    assert "CUT SHORT" in answer["note"] and "CUT SHORT" in comment
    assert f"ends at {answer['end_ms'] / 1000:.3f} s" in comment


def test_nothing_is_written_over_and_no_view_goes_without_a_reason(shift: Shift, tmp_path: Path) -> None:
    name = docked(shift, tmp_path)
    (tmp_path / "there.mp4").write_bytes(b"mine")

    over, _ = shift.run("view", name, "-o", tmp_path / "there.mp4", "--reason", "look")
    bare, _ = shift.run("view", name, "-o", tmp_path / "out.mp4", "--reason", " ")

    assert (over, bare) == (3, 2)
    assert (tmp_path / "there.mp4").read_bytes() == b"mine"
    assert "recording.viewed" not in [entry.event for entry in shift.desk.custody.entries()]


def test_a_body_that_was_changed_in_the_store_is_not_shown(shift: Shift, tmp_path: Path) -> None:
    name = docked(shift, tmp_path)
    for body in (shift.home / "vault").glob("store-*/bodies/*/*"):
        content = bytearray(body.read_bytes())
        content[-700] ^= 0xFF
        body.chmod(0o600)
        body.write_bytes(content)

    code, _ = shift.run("view", name, "-o", tmp_path / "out.mp4", "--reason", "look")

    assert code == 20
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.promise3
def test_the_vault_alone_cannot_view(shift: Shift, tmp_path: Path) -> None:
    """Proves MD-3, MD-4, promise 3: the vault proves without watching."""
    name = docked(shift, tmp_path)
    lonely = tmp_path / "elsewhere"
    lonely.mkdir()
    (shift.home / "vault").rename(lonely / "vault")
    vault = Shift(lonely / "vault", shift.device)

    code, answer = vault.run("view", name, "-o", tmp_path / "out.mp4", "--reason", "look")

    assert code == 7, answer
    assert not (tmp_path / "out.mp4").exists()


def test_place_and_description_are_known_only_after_the_office_indexed(shift: Shift, tmp_path: Path) -> None:
    name = docked(shift, tmp_path)
    before = shift.run("show", name)[1]["place"]

    shift.run("index")
    after = shift.run("show", name)[1]

    assert before is None
    assert (after["place"], after["interpreter"]) == ("a quiet street", "test")
    assert not any(b"quiet" in leaf for _, leaf in shift.desk.custody.leaves())


def test_an_audit_rebuilds_the_catalogue_and_agrees(shift: Shift, tmp_path: Path) -> None:
    docked(shift, tmp_path)
    before = listed(shift)
    for path in (shift.home / "vault").glob("catalogue.sqlite*"):
        path.unlink()

    code, _ = shift.run("audit")

    assert code == 0
    assert listed(shift) == before


def listed(shift: Shift) -> list[dict]:
    """What `ls` tells, but for the millisecond it was stored at: custody has its own."""
    return [{**row, "stored_at": 0} for row in shift.run("ls")[1]["recordings"]]
