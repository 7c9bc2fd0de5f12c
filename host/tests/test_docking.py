"""A camera docked over the wire: its own card, or a card of it in a reader; what it agrees to and signs for.

The camera is one on paper, written from dock-protocol.md.
"""

import hashlib
import os
import struct
from pathlib import Path

import pytest
from paper_line import PaperCamera, PtyCamera
from sealhost import consent, statements
from sealhost.cli import wiring
from sealhost.keys import SoftKey
from shift import Shift, content
from test_wiping import log_entries

pytestmark = pytest.mark.slow


def on_the_line(shift: Shift, **fields: object) -> PaperCamera:
    """The camera of the shift, its card filled with what it filmed."""
    home = wiring.Home(str(shift.home))
    card = {shift.name(w): (content(w), len(content(w))) for w in shift.films.values()}
    told = {"organisation": home.config.organisation, "link_point": home.key("link").point, "card": card}
    return PaperCamera(key=shift.device, **{**told, **fields})


def events(shift: Shift) -> list[str]:
    return [entry.event for entry in shift.desk.custody.entries()]


def test_the_card_in_a_camera_is_emptied_by_the_camera_and_its_record_kept(shift: Shift) -> None:
    """Proves BW-7."""
    first, second = shift.film(1), shift.film(2)
    camera = on_the_line(shift)

    with PtyCamera(camera) as line:
        code, answer = shift.run("dock", line.path)

    noted = [entry for entry in shift.desk.custody.entries() if entry.event == "camera.wiped"]
    assert (code, camera.card) == (0, {})
    assert shift.stored(first) and shift.stored(second)
    told = [(e.subject, e.detail["count"], e.detail["where"]) for e in noted]
    assert told == [(shift.device.key_id.hex(), 2, 1)]
    (raw,) = (shift.home / "vault" / "receipts").glob("*.record")
    assert noted[0].detail["record"] == hashlib.sha256(raw.read_bytes()).hexdigest()
    assert statements.read(statements.WIPED, raw.read_bytes(), shift.device.point).count == 2
    assert camera.lamps == [1, 2, 3, 4] and not camera.is_docked
    assert "file.wiped" not in events(shift)
    assert answer["camera"]["device_id"] == shift.device.key_id.hex()


@pytest.mark.promise4
def test_a_card_beside_the_camera_is_wiped_by_the_host_as_far_as_the_camera_agrees(
    shift: Shift, tmp_path: Path
) -> None:
    """Proves promise 4: the camera judges entry by entry first."""
    agreed, refused = shift.film(1), shift.film(2)
    card = shift.folder_card(tmp_path)
    camera = on_the_line(shift, card=None, verdicts={refused.core.h_core: 0x52})

    with PtyCamera(camera) as line:
        code, answer = shift.run("dock", line.path, card)

    left = {path.name for path in (card / "sealcam").iterdir() if path.suffix != ".rcp"}
    (record,) = [entry for entry in shift.desk.custody.entries() if entry.event == "camera.wiped"]
    stays = {r["sequence"]: r["stays"] for r in answer["recordings"]}
    assert code == 8
    assert left == {shift.name(refused)}
    assert stays == {1: "", 2: "the camera: the camera knows a later chunk"}
    assert (record.detail["count"], record.detail["where"], set(record.detail["samples"])) == (1, 2, {"0"})
    assert camera.lamps[-1] == 5
    assert agreed.core.h_core != refused.core.h_core


def test_no_receipt_for_a_camera_names_more_than_it_takes(
    shift: Shift, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert consent.MAX_ENTRIES == 200
    monkeypatch.setattr(consent, "MAX_ENTRIES", 2)
    for number in range(1, 4):
        shift.film(number, "e")
    camera = on_the_line(shift)

    with PtyCamera(camera) as line:
        code, answer = shift.run("dock", line.path)

    assert (code, camera.card) == (0, {})
    assert [receipt["count"] for receipt in answer["receipts"]] == [2, 1]
    assert [c for c in camera.asked if c in (0x15, 0x16, 0x17)] == [0x15, 0x16, 0x15, 0x16]


def test_what_needs_a_release_is_shown_to_the_camera_as_a_release(shift: Shift) -> None:
    """Proves M19 with a camera on the line."""
    film = shift.film(1, "....e")
    raw = bytearray(content(film))
    raw[2 * 2048 + 512 + 200] ^= 0xFF
    camera = on_the_line(shift, card={shift.name(film): (bytes(raw), len(raw))})

    with PtyCamera(camera) as line:
        first, _ = shift.run("dock", line.path)
        kept = dict(camera.card)
        case = shift.run("quarantine", "ls")[1]["cases"][0]
        shift.run("quarantine", "release", case["digest"][:12])
        second, _ = shift.run("dock", line.path)

    assert (first, len(kept)) == (20, 1)
    assert (second, camera.card) == (0, {})
    assert camera.receipt_no == 0  # a release has no number


def test_alarms_are_told_and_noted_and_the_issue_has_ended(
    shift: Shift, capfd: pytest.CaptureFixture[str]
) -> None:
    """Proves BW-10: docking ends an issue."""
    issue = os.urandom(16)
    shift.film(1)
    shift.desk.register.issue(shift.device.key_id, issue, "4711", 2**40, 1)
    camera = on_the_line(shift, alarms=5, issue=issue)

    with PtyCamera(camera) as line:
        code, answer = shift.run("dock", line.path)

    (alarm,) = [entry for entry in shift.desk.custody.entries() if entry.event == "camera.alarm"]
    assert code == 0
    assert alarm.detail == {"alarms": 5}
    assert "ALARM" in capfd.readouterr().err
    assert len(answer["camera"]["alarms"]) == 2
    assert shift.desk.register.current_issue(shift.device.key_id) is None
    assert "camera.returned" in events(shift)


def test_the_usage_log_in_flash_is_read_with_the_card(shift: Shift) -> None:
    shift.film(1)
    entries = log_entries(shift, [(1, 0, 0), (4, 1, 1), (7, 0, 1), (5, 1, 1)])
    camera = on_the_line(shift, log=entries)

    with PtyCamera(camera) as line:
        _, first = shift.run("dock", line.path)
        _, second = shift.run("dock", line.path)

    assert (first["logs"][0]["entries"], first["logs"][0]["broken_at"]) == (4, None)
    assert second["logs"] == []
    assert len(camera.times) == 2
    assert statements.read(
        statements.TIME, camera.times[0], shift.desk.keylist.point(5)
    ).device_id == shift.device.key_id


@pytest.mark.parametrize(("days", "is_told"), [(0, False), (-2, True), (400, True)])
def test_a_clock_that_moved_by_more_than_a_day_is_told_aloud(
    shift: Shift, days: int, is_told: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    """docs/decisions/0013: a vault that runs ahead is heard of at its first docking."""
    camera = on_the_line(shift, card=None)
    camera.do_1b = lambda body: struct.pack(">q", days * 86_400_000 + 5)

    with PtyCamera(camera) as line:
        code, _ = shift.run("dock", line.path)

    assert (code, "CLOCK" in capfd.readouterr().err) == (0, is_told)


def test_an_empty_camera_is_given_back(shift: Shift) -> None:
    camera = on_the_line(shift, card=None)

    with PtyCamera(camera) as line:
        code, answer = shift.run("dock", line.path)

    assert (code, answer["lines"][-1]) == (0, "safe to take")
    assert camera.lamps == [4]


def test_a_camera_of_another_organisation_is_sent_away(shift: Shift) -> None:
    shift.film(1)
    camera = on_the_line(shift, organisation=os.urandom(32))

    with PtyCamera(camera) as line:
        code, answer = shift.run("dock", line.path)

    assert (code, answer["kind"]) == (3, "NotOurCamera")
    assert len(camera.card) == 1 and not camera.asked


def test_a_camera_that_signs_with_another_key_is_asked_nothing(shift: Shift) -> None:
    """D7: the register's point, before anything is sent."""
    camera = on_the_line(shift)
    camera.key = SoftKey.make()

    with PtyCamera(camera) as line:
        code, answer = shift.run("dock", line.path)

    assert (code, answer["kind"]) == (3, "NotOurCamera")
    assert not camera.asked


def test_a_receipt_that_is_replayed_is_refused(shift: Shift) -> None:
    shift.film(1)
    camera = on_the_line(shift, receipt_no=2**40)

    with PtyCamera(camera) as line:
        code, answer = shift.run("dock", line.path)

    assert (code, answer["kind"]) == (3, "CameraRefused")
    assert "not newer than the last one" in answer["error"]
    assert len(camera.card) == 1


def test_a_dry_run_changes_nothing(shift: Shift) -> None:
    film = shift.film(1)
    camera = on_the_line(shift, alarms=1)
    before = events(shift)

    with PtyCamera(camera) as line:
        code, answer = shift.run("dock", "--dry-run", line.path)

    assert (code, events(shift)) == (0, before)
    assert len(camera.card) == 1 and not shift.stored(film)
    assert not {0x15, 0x16, 0x17, 0x1B} & set(camera.asked)
