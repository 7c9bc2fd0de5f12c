"""`dock --watch` on cards: served as they come, pulled at any time, killed and started again."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from bays import row_of
from sealhost import durable
from sealhost.bays import Bay, State
from sealhost.cli import watching
from sealhost.keys import SoftKey
from sealhost.reader import hold, open_place
from sealhost.watch import row
from shift import Shift, content
from test_kill import end_state, on_card, prepared

pytestmark = pytest.mark.slow  # whole docks

ROOT = Path(__file__).resolve().parents[2]
WHOLE = [State.VERIFYING, State.STORED, State.WIPED, State.SAFE]


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(row, "POLL_S", 0.05)
    monkeypatch.setattr(row, "RETRY_S", 0.2)
    yield


@pytest.fixture(autouse=True)
def nobody_watches() -> Iterator[None]:
    yield
    durable.watch(None)


@pytest.mark.parametrize("as_image", [False, True], ids=["folder", "image"])
def test_a_card_that_comes_is_verified_stored_twice_wiped_and_safe_to_take(
    shift: Shift, tmp_path: Path, as_image: bool
) -> None:
    film = shift.film(1)
    card = shift.image_card(tmp_path) if as_image else shift.folder_card(tmp_path)
    away = card.rename(tmp_path / "away")

    with row_of(shift, [tmp_path / "card*"]) as heard:
        away.rename(card)
        name = heard.comes_to("card-img" if as_image else "card", State.SAFE).bay
        card.rename(away)
        heard.comes_to(name, State.WAITING)

    assert [state for state in heard.states(name) if state is not State.WAITING] == WHOLE
    assert shift.stored(film) and not on_card(away)


def test_every_card_has_a_bay_of_its_own_and_all_are_served(shift: Shift, tmp_path: Path) -> None:
    for number in range(4):
        shift.device = SoftKey.make()
        shift.admit(shift.device)
        shift.folder_card(tmp_path / f"bay{number}", shift.film(number + 1))

    with row_of(shift, [tmp_path / "bay*" / "card"]) as heard:
        for name in ("card", "card-2", "card-3", "card-4"):
            heard.comes_to(name, State.SAFE)

    assert all(shift.stored(film) for film in shift.films.values())
    assert len({shown.device for shown in heard.shown if shown.state is State.SAFE}) == 4


def test_two_names_of_one_card_are_one_bay(shift: Shift, tmp_path: Path) -> None:
    shift.film(1)
    card = shift.folder_card(tmp_path)
    (tmp_path / "other").symlink_to(card)

    with row_of(shift, [tmp_path / "other"], [Bay("left", card=str(card))]) as heard:
        heard.comes_to("left", State.SAFE)

    assert {shown.bay for shown in heard.shown} == {"left"}


def test_what_is_altered_is_kept_for_the_evidence_office(shift: Shift, tmp_path: Path) -> None:
    film = shift.film(1)
    card = shift.folder_card(tmp_path)
    raw = bytearray(content(film))
    raw[2 * len(film.head) + 2 * 512 + 100] ^= 0xFF
    (card / "sealcam" / shift.name(film)).write_bytes(raw)

    with row_of(shift, [card]) as heard:
        heard.comes_to("card", State.KEEP)

    assert on_card(card) and State.WIPED not in heard.states("card")


def test_what_waits_for_its_cameras_word_is_stored_twice_and_not_called_safe(
    shift: Shift, tmp_path: Path
) -> None:
    film = shift.film(1, "..s.")
    card = shift.folder_card(tmp_path)

    with row_of(shift, [card]) as heard:
        heard.until(lambda: (last := heard.last("card")) and "camera has had its word" in last.detail)

    assert heard.states("card")[-1] is State.STORED
    assert on_card(card) and shift.stored(film)


def test_a_card_that_another_dock_works_on_is_waited_for(shift: Shift, tmp_path: Path) -> None:
    film = shift.film(1)
    card = shift.folder_card(tmp_path)

    with row_of(shift, [card]) as heard:
        with hold(card):
            heard.until(lambda: (last := heard.last("card")) and "another dock" in last.detail)
            assert heard.states("card")[-1] is State.WAITING
        heard.comes_to("card", State.SAFE)

    assert shift.stored(film)


def test_a_card_pulled_at_any_moment_is_taken_up_again_when_it_is_back(shift: Shift, tmp_path: Path) -> None:
    """Proves promise 4: the moments are drawn; whatever was begun ends the same."""
    dice = random.Random(3)
    for number in range(1, 9):
        shift.film(number, "......s......s..e")
    card, away = shift.folder_card(tmp_path), tmp_path / "away"

    with row_of(shift, [card]) as heard:
        for _ in range(12):
            time.sleep(dice.random() * 0.15)
            card.rename(away)
            time.sleep(dice.random() * 0.1)
            away.rename(card)
        heard.until(lambda: (last := heard.last("card")) and last.state is State.SAFE and not on_card(card))

    assert all(shift.stored(film) for film in shift.films.values())
    assert shift.desk.custody.verify().signed == shift.desk.custody.size()


def start(shift: Shift, *patterns: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "ignore", "-m", "sealhost", "--home", str(shift.home), "dock", "--watch"]
    return subprocess.Popen(
        [*command, *map(str, patterns), "--json"], cwd=ROOT / "host", stdout=subprocess.PIPE, text=True
    )


def told_until(process: subprocess.Popen[str], state: State) -> list[str]:
    """States a machine reads, until that one."""
    assert process.stdout is not None
    found: list[str] = []
    for text in process.stdout:
        found.append(json.loads(text)["state"])
        if found[-1] == state.words:
            return found
    raise AssertionError(found)


def test_the_command_ends_cleanly_when_it_is_told_to(shift: Shift, tmp_path: Path) -> None:
    film = shift.film(1)
    process = start(shift, shift.folder_card(tmp_path))
    told_until(process, State.SAFE)

    process.send_signal(signal.SIGTERM)

    assert process.wait(30) == 0
    assert shift.stored(film)


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGKILL])
def test_ended_in_the_middle_and_started_again_it_ends_the_same(
    founded: Path, tmp_path: Path, sent: signal.Signals
) -> None:
    """Proves promise 4 and promise 6: the step in the middle is the second file that is wiped."""
    clean, shift = prepared(founded, tmp_path / "clean", False), prepared(founded, tmp_path / "cut", False)
    assert clean[0].run("dock", clean[1])[0] == 0
    seen: list[str] = []

    def end(step: str) -> None:
        seen.append(step)
        if step == "wipe a file" and seen.count(step) == 2:
            os.kill(os.getpid(), sent)

    child = os.fork()
    if child == 0:
        durable.watch(end)
        from sealhost.cli import run

        os._exit(run(["--home", str(shift[0].home), "dock", "--watch", str(shift[1]), "--json"]))
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) == (sent is signal.SIGKILL)
    with row_of(shift[0], [shift[1]]) as heard:
        heard.until(lambda: heard.states("card")[-1:] == [State.SAFE])

    rows, bodies, key_rows, left = end_state(*shift)
    assert [row[1:3] for row in rows] == [row[1:3] for row in end_state(*clean)[0]]
    assert (len(bodies), key_rows, left) == (len(end_state(*clean)[1]), *end_state(*clean)[2:])
    assert not open_place(shift[1]).parts()


def test_a_camera_that_the_register_does_not_hold_is_named_to_no_broker(shift: Shift) -> None:
    is_known = watching.known_to(str(shift.home))

    assert is_known(shift.device.key_id)
    assert not is_known(bytes(range(32)))
    assert not is_known(b"")
