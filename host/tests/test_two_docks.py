"""Docks that meet: two at one card, one that was killed and finds another card, a camera's two cards."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sealhost import durable, statements
from sealhost.reader import hold, open_place
from shift import Shift, content
from test_kill import dock

pytestmark = pytest.mark.slow  # whole docks, one after another

ROOT = Path(__file__).resolve().parents[2]


def killed_before(step: str, shift: Shift, card: Path) -> None:
    """Dock in a child that is killed right before the first step of that name."""
    child = os.fork()
    if child == 0:
        durable.watch(lambda name: os.kill(os.getpid(), signal.SIGKILL) if name == step else None)
        try:
            dock(shift, card)
        finally:
            os._exit(1)
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1])


@pytest.mark.parametrize("as_image", [False, True], ids=["folder", "image"])
def test_a_card_that_is_being_docked_is_busy_for_another_dock(
    shift: Shift, tmp_path: Path, as_image: bool
) -> None:
    film = shift.film(1)
    card = shift.image_card(tmp_path) if as_image else shift.folder_card(tmp_path)

    with hold(card):
        code, answer = shift.run("dock", card)
        dry, _ = shift.run("dock", "--dry-run", card)
    assert (code, answer["kind"], dry) == (3, "PlaceBusy", 0)
    assert not shift.stored(film)

    assert shift.run("dock", card)[0] == 0


def test_two_docks_of_one_image_at_once_leave_it_whole(shift: Shift, tmp_path: Path) -> None:
    """Proves promise 4: two writers of one table would cross its chains."""
    for number in range(1, 4):
        shift.film(number)
    card = shift.image_card(tmp_path)
    command = [sys.executable, "-W", "ignore", "-m", "sealhost", "--home", str(shift.home), "dock", str(card)]

    pair = [
        subprocess.Popen(
            [*command, "--json"], cwd=ROOT / "host", stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(2)
    ]
    answers = [json.loads(process.communicate()[0]) for process in pair]

    assert {process.returncode for process in pair} <= {0, 3}
    assert 0 in {process.returncode for process in pair}, answers
    assert shift.run("dock", card)[0] == 0
    assert not open_place(card).parts()
    assert all(shift.stored(film) for film in shift.films.values())


def test_a_plan_that_meets_another_card_certifies_nothing_and_wipes_nothing(
    shift: Shift, tmp_path: Path
) -> None:
    """Proves promise 7: a mounted folder has no serial of its own, so the next card may lie at its path."""
    (tmp_path / "shift").mkdir()
    first, second = shift.film(1), shift.film(2)
    card = shift.home.parent / "card"
    shift.put(card, first)
    killed_before("wipe a file", shift, card)
    shutil.move(card, tmp_path / "first")
    (card / "sealcam").mkdir(parents=True)
    (card / "sealcam" / shift.name(first)).write_bytes(b"a letter that only bears the name" * 2000)

    code, answer = shift.run("dock", card)

    assert code == 8
    assert [wipe["wiped"] for wipe in answer["wipes"]] == [[]]
    assert "under its name" in answer["wipes"][0]["refused"][first.core.name]
    assert (card / "sealcam" / shift.name(first)).read_bytes().startswith(b"a letter")
    shutil.rmtree(card)
    shift.put(card, second)
    assert shift.run("dock", card)[0] == 0
    shutil.rmtree(card)
    shutil.move(tmp_path / "first", card)
    assert shift.run("dock", card)[0] == 0


def test_what_was_not_there_when_a_wipe_was_taken_up_again_is_not_called_wiped(
    shift: Shift, tmp_path: Path
) -> None:
    first, second = shift.film(1), shift.film(2)
    card = shift.home.parent / "card"
    shift.put(card, first)
    killed_before("wipe a file", shift, card)
    shutil.move(card, tmp_path / "first")
    shift.put(card, second)

    code, answer = shift.run("dock", card)
    resumed = answer["wipes"][0]
    signed = Path(resumed["certificate"]).read_bytes()
    body = json.loads(signed[statements.size_of(statements.CERTIFICATE) :])

    assert code == 0
    assert (resumed["wiped"], resumed["gone"]) == ([], [first.core.name])
    assert (body["wiped"], body["gone"]) == ([], [first.core.name])


@pytest.mark.parametrize("step", ["note file.wiped", "leave the receipt"])
def test_a_wipe_killed_between_two_parts_is_carried_to_its_end(
    shift: Shift, tmp_path: Path, step: str
) -> None:
    """Proves promise 6: the part that is left is no altered recording."""
    film = shift.film(1, "......s..e")
    card = shift.home.parent / "card"
    (card / "sealcam").mkdir(parents=True)
    for number, part in enumerate(film.parts(2)):
        (card / "sealcam" / shift.name(film).replace("-0000.", f"-{number:04d}.")).write_bytes(bytes(part))
    killed_before(step, shift, card)

    code, _ = shift.run("dock", card)

    assert code == 0
    assert {path.suffix for path in card.rglob("*") if path.is_file()} == {".rcp"}
    assert shift.stored(film)


def test_a_folder_behind_a_symbolic_link_gets_no_receipt(shift: Shift, tmp_path: Path) -> None:
    film = shift.film(1)
    card, outside = tmp_path / "card", tmp_path / "outside"
    card.mkdir()
    outside.mkdir()
    (outside / "theirs.skr").write_bytes(content(film))
    (card / "sealcam").symlink_to(outside)
    (card / "a.skr").write_bytes(content(film))

    code, _ = shift.run("dock", card)

    assert code == 0
    assert [path.name for path in outside.iterdir()] == ["theirs.skr"]
    assert [path.suffix for path in card.iterdir() if path.is_file()] == [".rcp"]
