"""Into an officer's hands and out of them: what register, custody and camera say, wherever it was cut."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ledger import killed_at
from sampling import share
from sealhost import issuing
from sealhost.cli import hands
from sealhost.errors import BadUsage, CableGone, CameraRefused, Refused
from sealhost.keys import SoftKey
from shift import Shift
from wired import NOBODY, Camera

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LATER = int((datetime.now(UTC) + timedelta(hours=8)).timestamp() * 1000)


@pytest.fixture
def camera(shift):
    home = shift.desk
    home.register.enrol(shift.device.key_id)
    return Camera(shift.device, home.keylist, home.root_point)


def events(home):
    return [
        entry.event
        for entry in home.custody.entries()
        if entry.event.startswith("camera.") and "cert" not in entry.event
    ]


def test_an_issue_stands_in_register_custody_and_camera(shift, camera):
    """Proves BW-10: personal issue, and an id that is never a name."""
    made, asks = issuing.issue(camera, shift.desk.desk(), "4711", LATER, issuing.PERSONAL)

    home = shift.desk
    assert camera.issued == made.issue == home.register.current_issue(camera.device_id).issue
    assert not asks and home.register.current_issue(camera.device_id).told
    assert issuing.give_back(camera, home.desk()) == made.issue and camera.issued == NOBODY
    assert shift.desk.register.open_issues() == []
    assert events(shift.desk) == ["camera.issued", "camera.returned"]


@pytest.mark.promise6
@pytest.mark.parametrize("cut", ["before issue", "after issue"])
def test_an_issue_that_was_cut_is_shown_as_such_and_run_again_ends_the_same(shift, camera, cut):
    camera.gone_at = cut
    with pytest.raises(CableGone):
        issuing.issue(camera, shift.desk.desk(), "4711", LATER, issuing.POOL)
    held = shift.desk.register.current_issue(camera.device_id)
    assert held.told == 0 and camera.issued in (NOBODY, held.issue)
    assert shift.run("issue", "ls")[1]["issues"][0]["told"] == 0
    camera.gone_at = ""

    again, _ = issuing.issue(camera, shift.desk.desk(), "4711", LATER, issuing.POOL)
    assert again.issue == held.issue == camera.issued
    assert shift.desk.register.current_issue(camera.device_id).told
    assert events(shift.desk) == ["camera.issued"]


@pytest.mark.parametrize("cut", ["before return", "after return"])
def test_a_return_that_was_cut_ends_the_same_when_it_is_run_again(shift, camera, cut):
    made, _ = issuing.issue(camera, shift.desk.desk(), "4711", LATER, issuing.POOL)
    camera.gone_at = cut
    with pytest.raises(CableGone):
        issuing.give_back(camera, shift.desk.desk())
    assert shift.desk.register.current_issue(camera.device_id).issue == made.issue
    camera.gone_at = ""

    assert issuing.give_back(camera, shift.desk.desk()) == made.issue
    assert shift.desk.register.open_issues() == [] and camera.issued == NOBODY


class Remembering(Camera):
    """A camera whose issue outlives the host: it stands in a file."""

    def issue(self, issue, until_ms, kind):
        Path(self.calls[0]).write_bytes(issue)
        return False


@pytest.mark.power
@pytest.mark.promise6
def test_an_issue_killed_at_any_step_is_no_half_issue(founded, tmp_path):
    """Proves promise 6: whatever number the camera bears, the register can resolve."""
    first, every = share()
    step = 1 + first
    while True:
        folder = tmp_path / str(step)
        folder.mkdir()
        shift = Shift.begin(founded, folder)
        home, told = shift.desk, folder / "told"
        home.register.enrol(shift.device.key_id)
        camera = Remembering(shift.device, home.keylist, home.root_point, calls=[told])
        if not killed_at(step, lambda: issuing.issue(camera, shift.desk.desk(), "4711", LATER, 1)):  # noqa: B023
            break
        held = shift.desk.register.current_issue(camera.device_id)
        assert not told.exists() or told.read_bytes() == held.issue, step
        if held is None or not held.told:
            issuing.issue(camera, shift.desk.desk(), "4711", LATER, 1)
        now = shift.desk.register.current_issue(camera.device_id)
        assert now.issue == told.read_bytes() and now.told and (held is None or held.issue == now.issue)
        assert events(shift.desk) == ["camera.issued"], step
        step += every
    assert step > 4


def test_what_a_camera_refuses_is_issued_to_nobody(shift, camera):
    camera.refuses = 0x34
    with pytest.raises(CameraRefused):
        issuing.issue(camera, shift.desk.desk(), "4711", LATER, issuing.PERSONAL)

    assert shift.desk.register.open_issues() == []
    assert shift.desk.register.issues_of(camera.device_id)[0].how == "refused"


def test_a_camera_in_other_hands_lost_or_unknown_is_not_issued(shift, camera):
    issuing.issue(camera, shift.desk.desk(), "4711", LATER, issuing.PERSONAL)
    for officer in ("4712", "4711"):
        with pytest.raises(Refused):
            issuing.issue(camera, shift.desk.desk(), officer, LATER, issuing.PERSONAL)
    issuing.give_back(camera, shift.desk.desk())
    shift.desk.register.lose(camera.device_id)
    stranger = Camera(SoftKey.make(), camera.keylist, camera.root_point)
    for other in (camera, stranger):
        with pytest.raises(Refused):
            issuing.issue(other, shift.desk.desk(), "4712", LATER, issuing.PERSONAL)
    assert camera.issued == NOBODY and stranger.issued == NOBODY


def test_the_pool_gives_what_is_free_and_nobodys_own(shift, camera):
    """Proves BW-10: from a pool."""
    own, out, free = (SoftKey.make() for _ in range(3))
    for device in (own, out, free):
        shift.admit(device)
        shift.desk.register.enrol(device.key_id)
    desk = shift.desk.desk()
    mine = Camera(own, camera.keylist, camera.root_point)
    issuing.issue(mine, desk, "4711", LATER, issuing.PERSONAL)
    issuing.give_back(mine, desk)
    issuing.issue(Camera(out, camera.keylist, camera.root_point), desk, "4712", LATER, issuing.POOL)
    connected = [SoftKey.make().key_id, own.key_id, out.key_id, free.key_id]

    assert issuing.free_of(connected, shift.desk.register) == free.key_id
    with pytest.raises(Refused):
        issuing.free_of(connected[:3], shift.desk.register)


def test_docking_ends_an_issue_and_overdue_is_said_in_words(shift, camera):
    register = shift.desk.register
    made = register.issue(camera.device_id, b"\7" * 16, "4711", 1000, 2)
    code, told = shift.run("issue", "ls")
    assert code == 0 and told["issues"][0]["overdue"] is True

    assert register.end_issue(camera.device_id, made.issue, 2000)
    assert shift.run("issue", "ls")[1]["issues"] == []


@pytest.mark.parametrize("line", ["4711", "\x024711\x03\r\n", "AB-4711", " 0A1B2C3D4E\r"])
def test_an_id_is_read_as_typed_or_as_a_badge_reader_types_it(line):
    assert issuing.officer_of(line) == line.strip("\x02\x03\r\n ")


@pytest.mark.parametrize(
    "line", ["", "\x02\x03\r\n", "Smith", "47 11", "4711; drop", "ACAB", "4" * 40, "Åse1"]
)
def test_what_may_be_a_name_or_no_badge_is_refused(line):
    with pytest.raises(BadUsage):
        issuing.officer_of(line)


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("+12h", 12),
        ("+90m", 1.5),
        ("+2d", 48),
        ("2026-11-22T22:00+00:00", 10),
        ("2026-11-22T23:00+01:00", 10),
    ],
)
def test_a_time_is_a_span_or_a_moment(text, hours):
    assert issuing.until_of(text, NOW) == int((NOW + timedelta(hours=hours)).timestamp() * 1000)


def test_an_hour_is_the_next_one_here():
    until = datetime.fromtimestamp(issuing.until_of("22:00", NOW) / 1000).astimezone()
    assert (until.hour, until.minute) == (22, 0) and timedelta(0) < until - NOW <= timedelta(days=1, hours=1)


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "+0h", "+400d", "2020-01-01", "25:00", "+h", "9999-12-31T23:59"]
)
def test_a_time_that_is_none_or_not_ahead_is_refused(text):
    with pytest.raises(BadUsage):
        issuing.until_of(text, NOW)


def test_a_badge_is_one_line_from_the_keyboard(monkeypatch):
    import os

    def badge(typed, ends=True):
        read, write = os.pipe()
        os.write(write, typed)
        if ends:
            os.close(write)
        with os.fdopen(read) as keyboard:
            monkeypatch.setattr("sys.stdin", keyboard)
            return hands._badge()

    assert issuing.officer_of(badge(b"\x024711\x03\r\n", ends=False)) == "4711"
    assert issuing.officer_of(badge(b"4711\n4712\n", ends=False)) == "4711"
    assert len(badge(b"4" * 500)) == 65
    monkeypatch.setattr(hands, "_BADGE_SECONDS", 0.05)
    with pytest.raises(BadUsage):
        badge(b"", ends=False)
    with pytest.raises(BadUsage):
        issuing.officer_of(badge(b""))


def test_the_command_issues_and_returns_over_a_port(shift, camera, monkeypatch):
    monkeypatch.setattr(hands.docked, "who", lambda port: camera.identify())
    monkeypatch.setattr(hands.docked, "open_camera", lambda *given: camera)
    camera.close = lambda: None
    prefix = camera.device_id.hex()[:6]

    assert shift.run("issue", prefix, "--to", "4711", "--until", "+1h", "--port", "p", "--dry-run")[0] == 0
    assert camera.issued == NOBODY
    code, told = shift.run("issue", prefix, "--to", "4711", "--until", "+1h", "--port", "p")
    assert code == 0 and bytes.fromhex(told["issue"]) == camera.issued and told["kind"] == "personal"
    assert shift.run("issue", "--pool", "--to", "4712", "--until", "+1h", "--port", "p")[0] == 3
    assert shift.run("return", prefix, "--port", "p")[0] == 0 and camera.issued == NOBODY
    assert shift.run("issue", "ffff", "--to", "4711", "--until", "+1h", "--port", "p")[0] == 3
    assert shift.run("issue", prefix, "--to", "Smith", "--until", "+1h", "--port", "p")[0] == 2
