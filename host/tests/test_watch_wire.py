"""`dock --watch` with cameras on their lines: joined with their cards, pulled at any byte, moved from bay to
bay. The camera is one on paper, written from dock-protocol.md.
"""

import os
import random
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from bays import Plug, eventually, row_of
from paper_line import PaperCamera, PtyCamera
from sealhost import durable
from sealhost.bays import Bay, State
from sealhost.keys import SoftKey
from sealhost.spool import Spool
from sealhost.watch import row
from shift import Shift
from test_docking import on_the_line
from test_kill import on_card
from test_spool import bring_back, take_away
from test_watch import WHOLE

pytestmark = pytest.mark.slow  # whole docks


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(row, "POLL_S", 0.05)
    monkeypatch.setattr(row, "RETRY_S", 0.2)
    monkeypatch.setattr("sealhost.watch.spot.VAULT_RETRY_S", 0.2)
    monkeypatch.setattr("sealhost.watch.spot.AGAIN_S", 0.1)
    monkeypatch.setattr("sealhost.docked.talk.PAUSES", (0.0, *[0.1] * 7))
    yield
    durable.watch(None)


@pytest.fixture
def ports(tmp_path: Path) -> Path:
    (tmp_path / "ports").mkdir()
    return tmp_path / "ports"


def states(heard, bay: str) -> list[State]:
    return [state for state in heard.states(bay) if state is not State.WAITING]


def test_a_camera_with_its_card_inside_is_emptied_over_its_line(shift: Shift, ports: Path) -> None:
    """The state of the bay and the lamp of the camera say the same."""
    film = shift.film(1)
    camera = on_the_line(shift)

    with Plug(camera) as plug, row_of(shift, [ports / "*"]) as heard:
        plug.plug(ports / "left")
        heard.comes_to("left", State.SAFE)

    assert states(heard, "left") == WHOLE
    assert camera.lamps == [state.lamp for state in WHOLE]
    assert (camera.card, shift.stored(film)) == ({}, True)
    assert heard.last("left").device == shift.device.key_id


@pytest.mark.parametrize("is_line_first", [True, False], ids=["line-first", "card-first"])
def test_a_card_in_a_reader_is_joined_to_its_camera(
    shift: Shift, tmp_path: Path, ports: Path, is_line_first: bool
) -> None:
    """Two cameras and the card of one of them: the head of a file says which."""
    film = shift.film(1)
    card, away = shift.folder_card(tmp_path), tmp_path / "away"
    card.rename(away)
    camera, other = on_the_line(shift, card=None), on_the_line(shift, card=None)
    shift.admit(key := SoftKey.make())
    other.key = key

    with Plug(camera) as plug, Plug(other) as second, row_of(shift, [ports / "*", card], meet_s=5.0) as heard:
        second.plug(ports / "right")
        steps: list[Callable[[], object]] = [lambda: plug.plug(ports / "left"), lambda: away.rename(card)]
        for step in steps if is_line_first else reversed(steps):
            step()
            heard.until(lambda: {shown.bay for shown in heard.shown} & {"left", "card"})
        heard.comes_to("left", State.SAFE)
        heard.comes_to("right", State.SAFE)

    (record,) = [e for e in shift.desk.custody.entries() if e.event == "camera.wiped"]
    assert (record.subject, record.detail["where"]) == (shift.device.key_id.hex(), 2)
    assert shift.stored(film) and not on_card(card)
    assert camera.lamps[-1] == 4


def test_a_bay_that_names_line_and_card_serves_both_together(
    shift: Shift, tmp_path: Path, ports: Path
) -> None:
    film = shift.film(1)
    card = shift.folder_card(tmp_path)
    camera = on_the_line(shift, card=None)

    with (
        Plug(camera) as plug,
        row_of(shift, [], [Bay("one", str(ports / "one"), str(card))], meet_s=9.0) as heard,
    ):
        plug.plug(ports / "one")
        heard.comes_to("one", State.SAFE)

    assert states(heard, "one") == WHOLE and shift.stored(film)
    assert [e.detail["where"] for e in shift.desk.custody.entries() if e.event == "camera.wiped"] == [2]


def test_what_the_camera_refuses_to_let_go_is_kept_and_its_lamp_says_so(shift: Shift, ports: Path) -> None:
    film = shift.film(1)
    camera = on_the_line(shift, verdicts={film.core.h_core: 0x52})

    with Plug(camera) as plug, row_of(shift, [ports / "*"]) as heard:
        plug.plug(ports / "left")
        heard.comes_to("left", State.KEEP)

    assert camera.lamps[-1] == 5 and camera.card


def test_a_cable_pulled_at_any_byte_is_taken_up_again(shift: Shift, ports: Path) -> None:
    """Proves promise 4: the bytes are drawn; each time another pty stands behind the name."""
    dice = random.Random(6)
    for number in range(1, 4):
        shift.film(number, "....s....e")
    camera, begun = on_the_line(shift), []

    with Plug(camera) as plug, row_of(shift, [ports / "*"]) as heard:
        while not (camera.card == {} and (last := heard.last("left")) and last.state is State.SAFE):
            if not plug.is_plugged:
                begun.append(dice.randrange(9_000) if len(begun) < 8 else -1)
                plug.plug(ports / "left", begun[-1])
            eventually(lambda: not plug.is_plugged or heard.states("left")[-1:] == [State.SAFE])

    assert len(begun) >= 3
    assert all(shift.stored(film) for film in shift.films.values())
    assert camera.lamps[-1] == 4


def test_a_camera_moved_to_another_bay_in_the_middle_is_finished_there(shift: Shift, ports: Path) -> None:
    film = shift.film(1, "...................s..e")
    camera = on_the_line(shift)

    with Plug(camera) as plug, row_of(shift, [ports / "*"]) as heard:
        plug.plug(ports / "left", 4_000)
        eventually(lambda: not plug.is_plugged)
        plug.plug(ports / "right")
        heard.comes_to("right", State.SAFE)
        eventually(lambda: heard.states("left")[-1] is State.WAITING)

    assert camera.card == {} and shift.stored(film)
    assert State.SAFE not in heard.states("left")


def test_eight_cameras_at_once_are_all_served(shift: Shift, ports: Path) -> None:
    cameras = []
    for number in range(8):
        shift.device = SoftKey.make()
        shift.admit(shift.device)
        shift.films = {number + 1: shift.film(number + 1)}
        cameras.append(on_the_line(shift))
    lines = [PtyCamera(camera) for camera in cameras]
    for number, line in enumerate(lines):
        (ports / str(number)).symlink_to(line.path)

    with row_of(shift, [ports / "*"]) as heard:
        for number in range(8):
            heard.comes_to(str(number), State.SAFE)
    for line in lines:
        line.__exit__()

    assert all(camera.card == {} and camera.lamps[-1] == 4 for camera in cameras)
    receipts = [e for e in shift.desk.custody.entries() if e.event == "receipt.signed"]
    assert len({e.detail["receipt_no"] for e in receipts}) == 8
    assert shift.desk.custody.verify().size > 0


def test_while_the_vault_is_away_the_card_is_copied_and_the_camera_waits(
    shift: Shift, tmp_path: Path, ports: Path
) -> None:
    """Proves promise 4: the lamp of the camera says *leave here*."""
    film = shift.film(1)
    card, marker, spool = shift.folder_card(tmp_path), take_away(shift), Spool(tmp_path / "spool", 1 << 30)
    camera = on_the_line(shift, card=None)

    bays = [Bay("one", str(ports / "one"), str(card))]
    with Plug(camera) as plug, row_of(shift, [], bays, spool=spool, meet_s=9.0) as heard:
        plug.plug(ports / "one")
        heard.until(lambda: (last := heard.last("one")) and last.detail == "copied to the spool")
        assert heard.states("one")[-1] is State.LEAVE and camera.lamps[-1] == 6 and on_card(card)
        bring_back(marker)
        heard.comes_to("one", State.SAFE)
        eventually(lambda: not spool.entries())

    assert shift.stored(film) and not on_card(card) and camera.lamps[-1] == 4


def test_a_watch_killed_while_cameras_dock_ends_the_same_when_it_is_started_again(
    shift: Shift, ports: Path
) -> None:
    """Proves promise 6: SIGKILL before steps that were drawn, again and again, until one run ends."""
    dice = random.Random(9)
    films = [shift.film(number) for number in (1, 2)]
    camera, kills = on_the_line(shift), 0

    with PtyCamera(camera) as line:
        (ports / "left").symlink_to(line.path)
        while camera.card and kills < 6:
            kills += run_until_killed(shift, ports, dice.randrange(1, 50))
        with row_of(shift, [ports / "*"]) as heard:
            heard.comes_to("left", State.SAFE)

    assert kills and camera.card == {} and all(shift.stored(film) for film in films)
    assert shift.desk.custody.verify().size > 0


def run_until_killed(shift: Shift, ports: Path, step: int) -> bool:
    child = os.fork()
    if child == 0:
        seen: list[str] = []

        def kill(name: str) -> None:
            seen.append(name)
            if len(seen) == step:
                os.kill(os.getpid(), signal.SIGKILL)

        durable.watch(kill)
        try:
            with row_of(shift, [ports / "*"]) as heard:
                heard.comes_to("left", State.SAFE)
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def test_a_camera_that_is_not_back_by_the_end_of_its_issue_is_told_once(shift: Shift, ports: Path) -> None:
    """Proves MD-ex: a camera not docked by the end of its shift."""
    register, now = shift.desk.register, shift.desk.desk().clock()
    register.issue(shift.device.key_id, bytes(range(16)), "4711", now - 1000, 1)
    other = SoftKey.make()
    shift.admit(other)
    register.issue(other.key_id, bytes(range(1, 17)), "4712", now + 3_600_000, 1)

    with row_of(shift, [ports / "*"]) as heard:
        heard.until(lambda: heard.overdue)
        heard.news.acquire()
        heard.news.wait(0.5)
        heard.news.release()

    assert [issue.issue for issue in heard.overdue] == [bytes(range(16))]


def test_a_camera_of_nobody_is_left_alone(shift: Shift, ports: Path) -> None:
    with Plug(PaperCamera(state=0)) as plug, row_of(shift, [ports / "*"]) as heard:
        plug.plug(ports / "left")
        heard.until(lambda: (last := heard.last("left")) and "no organisation" in last.detail)

    assert set(heard.states("left")) <= {State.WAITING, State.VERIFYING}
    assert plug.camera.lamps == [] and not plug.camera.is_docked
