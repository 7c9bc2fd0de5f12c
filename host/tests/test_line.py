"""The line itself: two docks at one camera, a camera moved in mid-transfer, a slow wire, a sick camera."""

import os
import pty
import tty
from pathlib import Path

import pytest
from paper_line import MemoryLine, PaperCamera, PtyCamera
from sealhost import docked, docking, enrolment
from sealhost.docked.line import Lost, SerialLine
from sealhost.errors import CableGone, EnrolmentRefused, NotOurCamera, PlaceBusy, PlaceUnreadable
from sealhost.keys import SoftKey
from shift import Shift
from test_docking import on_the_line
from test_session import LINK, ORGANISATION, asked, paper

pytestmark = pytest.mark.slow

BIG = bytes(range(256)) * 20_000


def test_a_second_dock_at_one_port_is_told_that_it_is_in_use(shift: Shift) -> None:
    camera = on_the_line(shift)

    with PtyCamera(camera) as line:
        first = SerialLine(line.path)
        first.open()
        code, answer = shift.run("dock", line.path)
        first.close()

    assert (code, answer["kind"]) == (3, PlaceBusy.__name__)
    assert camera.asked == []


def test_two_hosts_that_reach_one_camera_end_one_anothers_sessions_and_both_come_to_an_end() -> None:
    """D10: each hello ends the session before it; a read goes on where it was."""
    camera = paper(card={"a": (BIG, len(BIG))})
    lines = [MemoryLine(camera), MemoryLine(camera)]
    hosts = [asked(camera, line) for line in lines]
    for host in hosts:
        host.dock()

    halves = [bytearray(len(BIG)) for _ in hosts]
    for at in range(0, len(BIG), 1 << 20):
        for host, half in zip(hosts, halves, strict=True):
            view = memoryview(half)[at : at + (1 << 20)]
            assert host.read_into(0, at, view) == len(view)

    assert [bytes(half) for half in halves] == [BIG, BIG]
    assert all(host.sessions > 1 for host in hosts)


def test_a_camera_moved_to_another_port_in_mid_transfer_is_out_of_reach_here_and_goes_on_there() -> None:
    camera = paper(card={"a": (BIG, len(BIG))})
    line = MemoryLine(camera, cut_after=None)
    here = asked(camera, line)
    here.dock()
    place = docked.CameraPlace(here)

    def gone() -> None:
        raise Lost("the port is not there")

    line.open, line.cut_after = gone, line.passed + 100_000
    with pytest.raises(CableGone, match="out of reach"):
        place.every_file()[0].read_into(0, memoryview(bytearray(len(BIG))))

    there = asked(camera, MemoryLine(camera))
    there.dock()
    whole = bytearray(len(BIG))
    assert docked.CameraPlace(there).every_file()[0].read_into(0, memoryview(whole)) == len(BIG)
    assert whole == BIG


def test_another_camera_on_the_line_after_a_cut_is_never_gone_on_with() -> None:
    camera = paper()
    other = paper()
    known = {one.key.key_id: one.key.point for one in (camera, other)}
    line = MemoryLine(camera)
    on_line = {"line": line, "clock": line.clock, "sleep": line.sleep}
    host = docked.open_camera("x", LINK, ORGANISATION, known.get, **on_line)
    line.camera, line.cut_after = other, line.passed + 1

    with pytest.raises(NotOurCamera, match="another camera"):
        host.health()


def test_another_card_in_the_camera_after_a_cut_is_never_gone_on_with() -> None:
    camera = paper(card={"a": (BIG, len(BIG))})
    line = MemoryLine(camera)
    host = asked(camera, line)
    host.dock()
    (part,) = docked.CameraPlace(host).every_file()
    line.cut_after = line.passed + 200_000
    camera.serial = os.urandom(16)

    with pytest.raises(PlaceUnreadable, match="another card"):
        part.read_into(0, memoryview(bytearray(len(BIG))))


def test_a_slow_wire_asks_for_the_card_unless_it_is_told_to_go_on(
    shift: Shift, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = shift.film(1)
    camera = on_the_line(shift)
    monkeypatch.setattr(docked.CameraPlace, "seconds", lambda self: 601.0)

    with PtyCamera(camera) as line:
        refused, answer = shift.run("dock", line.path)
        stayed = len(camera.card), camera.is_docked, shift.stored(film)
        code, _ = shift.run("dock", "--over-the-wire", line.path)

    assert (refused, answer["kind"]) == (3, "HandMeTheCard")
    assert "hand me the card" in answer["error"] and "10 minutes" in answer["error"]
    assert stayed == (1, False, False)
    assert (code, camera.card) == (0, {})


def test_how_long_a_transfer_takes_is_measured() -> None:
    camera = paper(card={"a": (BIG, len(BIG))})
    line = MemoryLine(camera)
    passed = line._passed

    def slowly(content: bytes, give) -> bytes:
        line.now += len(content) / 10_000
        return passed(content, give)

    line._passed = slowly
    host = asked(camera, line)
    host.dock()

    seconds = docked.CameraPlace(host, line.clock).seconds()

    assert 0.95 < seconds / (len(BIG) / 10_000) < 1.1
    assert docking.minutes(seconds) == "about 9 minutes"


@pytest.mark.parametrize(
    "health, why",
    [
        ({"debug": True, "noise": {"adc": True}}, "debug build"),
        ({"debug": False, "noise": {"adc": True, "rtc": False}}, "not healthy: rtc"),
        ({"debug": False, "noise": {}}, "no source"),
        ({"debug": False, "noise": {"adc": True}, "self_test": False}, "self-test"),
    ],
)
def test_a_debug_build_and_a_sick_camera_are_never_enrolled(health: dict, why: str) -> None:
    camera = PaperCamera(state=0)
    line = MemoryLine(camera)
    on_line = {"line": line, "clock": line.clock, "sleep": line.sleep, "is_enrolled": False}
    host = docked.open_camera("x", LINK, ORGANISATION, lambda _: None, **on_line)
    host.health = lambda: health

    with pytest.raises(EnrolmentRefused, match=why):
        enrolment.refuse_unhealthy(host)


def test_a_camera_that_is_not_enrolled_is_not_docked(shift: Shift) -> None:
    with PtyCamera(PaperCamera(state=0)) as line:
        code, answer = shift.run("dock", line.path)

    assert (code, answer["kind"]) == (3, "NotOurCamera")
    assert "enrol" in answer["hint"]


def test_nobody_on_the_line_is_said_within_seconds(shift: Shift) -> None:
    master, slave = pty.openpty()
    tty.setraw(slave)

    code, answer = shift.run("dock", os.ttyname(slave))

    os.close(master)
    os.close(slave)
    assert (code, answer["kind"]) == (4, "CableGone")
    assert "nobody answers" in answer["error"]


def test_a_port_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(CableGone):
        docked.who(tmp_path / "ttyACM0")
    with pytest.raises(PlaceUnreadable):
        docked.who("/dev/null")


def test_a_key_that_the_key_list_does_not_name_is_sent_away() -> None:
    camera = paper(link_point=SoftKey.make().point)
    line = MemoryLine(camera)

    with pytest.raises(NotOurCamera, match="link key"):
        asked(camera, line)
