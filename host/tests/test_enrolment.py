"""Enrolment by exchanged files, against a camera written from the page."""

from pathlib import Path

import pytest
from ledger import killed_at
from paper_camera import Camera
from sampling import share
from sealhost import certificates, statements
from sealhost.keys import SoftKey, key_id_of
from shift import Shift

pytestmark = pytest.mark.slow


def test_a_camera_is_certified_drilled_and_enrolled(shift: Shift, tmp_path: Path) -> None:
    camera = Camera(tmp_path / "exchange")

    waits = [shift.run("enrol", camera.folder)[1]["waiting_for"]]
    camera.answer()
    waits.append(shift.run("enrol", camera.folder)[1]["waiting_for"])
    camera.film_trial()
    waits.append(shift.run("enrol", camera.folder)[1]["waiting_for"])
    camera.enrolled()
    waits.append(shift.run("enrol", camera.folder)[1]["waiting_for"])

    assert waits == ["answer.seal", "trial-0000.skr", "enrolled.seal", ""]
    device = shift.desk.register.get(camera.key.key_id)
    assert device.state == "enrolled"
    assert certificates.point_of(device.certificate) == camera.key.point
    events = [entry.event for entry in shift.desk.custody.entries()]
    assert events[-4:] == ["camera.offered", "camera.certified", "camera.drilled", "camera.enrolled"]


def test_the_host_answers_time_over_the_cameras_nonce_and_keeps_no_seed(shift: Shift, tmp_path: Path) -> None:
    """Proves statements.md: the host deletes the offer when it was answered and keeps no copy."""
    camera = Camera(tmp_path / "exchange")
    shift.run("enrol", camera.folder)
    seed = (camera.folder / "offer.seal").read_bytes()[89:137]
    camera.answer()
    shift.run("enrol", camera.folder)

    raw = (camera.folder / "time.seal").read_bytes()
    size = statements.size_of(statements.TIME)
    time_point = camera.keylist.point(5)
    fields = statements.read(statements.TIME, raw[8 : 8 + size], time_point)
    assert raw[:8] == b"SKTIMES1"
    assert (fields.device_id, fields.nonce) == (camera.key.key_id, camera.time_nonce)
    assert not (camera.folder / "offer.seal").exists()
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and seed in path.read_bytes()]
    assert kept == []


def test_both_drills_are_signed_by_the_release_key_over_the_trial(shift: Shift, tmp_path: Path) -> None:
    camera = Camera(tmp_path / "exchange")
    shift.run("enrol", camera.folder)
    camera.answer()
    camera.film_trial()
    shift.run("enrol", camera.folder)

    raw, size = (camera.folder / "drill.seal").read_bytes(), statements.size_of(statements.DRILL)
    point = camera.keylist.point(statements.RELEASE_KEY)
    drills = [statements.read(statements.DRILL, raw[at : at + size], point) for at in (8, 8 + size)]
    assert raw[:8] == b"SKDRILL1" and len(raw) == 8 + 2 * size
    assert [drill.opened_by for drill in drills] == [1, 2]
    assert {drill.h_core for drill in drills} == {camera.trial.core.h_core}


def test_a_trial_that_escrow_cannot_open_is_not_drilled(shift: Shift, tmp_path: Path) -> None:
    camera = Camera(tmp_path / "exchange")
    shift.run("enrol", camera.folder)
    camera.answer()
    root = shift.desk.key("root")
    entries = [(r, SoftKey.make().point if r == statements.ESCROW else p) for r, p in camera.keylist.entries]
    camera.film_trial(keylist=statements.KeyList.build(root, 9, entries))

    code, answer = shift.run("enrol", camera.folder)

    assert code == 7, answer
    assert not (camera.folder / "drill.seal").exists()
    assert shift.desk.register.get(camera.key.key_id).state == "certified"


def test_a_trial_that_is_not_whole_yet_is_waited_for_and_an_altered_one_is_refused(
    shift: Shift, tmp_path: Path
) -> None:
    camera = Camera(tmp_path / "exchange")
    shift.run("enrol", camera.folder)
    camera.answer()
    camera.film_trial("..")
    waiting = shift.run("enrol", camera.folder)[1]["waiting_for"]
    camera.film_trial("..e")
    part = camera.folder / "trial-0000.skr"
    changed = bytearray(part.read_bytes())
    changed[2 * 2048 + 100] ^= 0xFF
    part.write_bytes(changed)

    code, answer = shift.run("enrol", camera.folder)

    assert waiting == "the rest of the trial recording"
    assert code == 3, answer
    assert not (camera.folder / "drill.seal").exists()


@pytest.mark.parametrize("at", [0, 40, 100, 300])
def test_an_answer_that_was_changed_certifies_nobody(shift: Shift, tmp_path: Path, at: int) -> None:
    camera = Camera(tmp_path / "exchange")
    shift.run("enrol", camera.folder)
    camera.answer()
    answer = bytearray((camera.folder / "answer.seal").read_bytes())
    answer[at] ^= 0xFF
    (camera.folder / "answer.seal").write_bytes(answer)
    cameras = len(list(shift.desk.register.devices()))

    code, _ = shift.run("enrol", camera.folder)

    assert code in (3, 7)
    assert len(list(shift.desk.register.devices())) == cameras


def test_an_answer_to_another_offer_is_refused(shift: Shift, tmp_path: Path) -> None:
    camera = Camera(tmp_path / "exchange")
    shift.run("enrol", camera.folder)
    camera.answer()
    (camera.folder / "offer.seal").unlink()
    stale = shift.run("enrol", camera.folder)
    (camera.folder / "answer.seal").rename(tmp_path / "kept")
    shift.run("enrol", camera.folder)
    (tmp_path / "kept").rename(camera.folder / "answer.seal")

    other = shift.run("enrol", camera.folder)

    assert stale[0] == other[0] == 3
    assert "another offer" in other[1]["error"]


def test_enrolled_over_another_nonce_does_not_count(shift: Shift, tmp_path: Path) -> None:
    camera = Camera(tmp_path / "exchange")
    shift.run("enrol", camera.folder)
    camera.answer()
    camera.film_trial()
    camera.enrolled(nonce=bytes(16))

    code, _ = shift.run("enrol", camera.folder)

    assert code == 3
    assert shift.desk.register.get(camera.key.key_id).state == "drilled"


@pytest.mark.power
@pytest.mark.promise6
def test_an_enrolment_killed_at_any_step_goes_on_where_it_was(founded: Path, tmp_path: Path) -> None:
    """Proves promise 6: order of writes is register, custody, file."""
    first, every = share()
    step = 1 + first
    while True:
        (tmp_path / str(step)).mkdir()
        shift = Shift.begin(founded, tmp_path / str(step))
        camera = Camera(tmp_path / str(step) / "exchange")
        shift.run("enrol", camera.folder)
        camera.answer()
        camera.film_trial()
        camera.enrolled()
        if not killed_at(step, lambda: shift.run("enrol", camera.folder)):  # noqa: B023 - called at once
            break
        code, answer = shift.run("enrol", camera.folder)
        assert (code, answer["waiting_for"]) == (0, ""), f"killed at {step}"
        assert shift.desk.register.get(camera.key.key_id).state == "enrolled"
        step += every
    assert step > 10


def test_escrow_recover_needs_m_shares_and_names_the_trouble(shift: Shift) -> None:
    shares = sorted((shift.home / "root" / "escrow").glob("share-*"))

    enough, told = shift.run("escrow", "recover", *shares[1:4])
    few, trouble = shift.run("escrow", "recover", *shares[:2])

    escrow = shift.desk.keylist.point(statements.ESCROW)
    assert (enough, told["key_id"]) == (0, key_id_of(escrow).hex())
    assert (few, trouble["kind"]) == (7, "SharesTooFew")
