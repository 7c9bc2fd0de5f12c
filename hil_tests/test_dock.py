"""A whole shift by the commands a person types: enrolled by wire, filmed, docked, wiped, and in custody."""

import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
import starting
from bench.camera import State
from bench.dock import Dock
from conftest import make_card
from sampling import sampled


def film(camera, chunks=6):
    """One recording, ended."""
    camera.reach(State.RECORDING)
    camera.wait(f"chunks {chunks}")
    camera.press("stop")


def verdicts(docked):
    """What became of the recordings proper."""
    return [(r["verdict"], r["fate"]) for r in docked["recordings"] if r["kind"] == "recording"]


def test_one_command_enrols_a_camera_over_its_line(founded, tmp_path, target, reel):
    """Proves BW-6."""
    home = Dock(shutil.copytree(founded, tmp_path / "home"))
    make_card(tmp_path / "card.img")
    camera = starting.start(target, tmp_path / "card.img", tmp_path / "flash.img", reel=reel)
    try:
        told = home.run("enrol", camera.port)
        status = camera.ask("status")
    finally:
        camera.power_off()

    assert not told["waiting_for"]
    assert "drilled 1" in status
    assert home.run("custody", "verify")["size"] > 3


def test_a_card_in_the_camera_is_docked_over_the_line_and_wiped_by_the_camera(camera, power, cardmux, dock):
    """Proves PH-5, BK-1."""
    film(camera)

    docked = dock.run("dock", power.port)

    assert verdicts(docked)
    assert set(verdicts(docked)) == {("intact", "wiped")}
    assert not verdicts(dock.run("dock", cardmux.to_host(), "--dry-run", codes=(0, 8)))
    events = {entry["event"] for entry in dock.run("custody", "show")["entries"]}
    assert {"receipt.signed", "camera.wiped"} <= events


def test_a_card_in_the_reader_is_wiped_when_its_camera_agrees_which_then_finds_it_in_order(
    camera, power, cardmux, dock
):
    film(camera)
    camera.press("power off")
    card = cardmux.to_host()
    power.on()

    docked = dock.run("dock", power.port, card)

    assert set(verdicts(docked)) == {("intact", "wiped")}
    assert dock.run("dock", card, "--dry-run", codes=(0, 8))["recordings"] == []

    cardmux.to_camera()
    camera.reach(State.DOCKED)
    assert camera.let_go_with_alarms() == 0


def test_another_card_in_the_camera_is_no_alarm(camera, cardmux):
    film(camera)
    camera.press("power off")
    make_card(cardmux.to_host())

    cardmux.to_camera()
    camera.reach(State.DOCKED)

    assert camera.let_go_with_alarms() == 0


def test_a_card_emptied_without_a_receipt_raises_the_alarm_until_a_dock_has_heard_it(camera, cardmux):
    """Proves BW-7."""
    film(camera)
    camera.press("power off")
    subprocess.run(["mdel", "-i", cardmux.to_host(), "::sealcam/*.skr"], check=True)

    cardmux.to_camera()
    camera.reach(State.DOCKED)
    first = camera.let_go_with_alarms()
    camera.reach(State.DOCKED)

    assert first & 1
    assert camera.let_go_with_alarms() == 0


def test_a_second_docking_finds_nothing_and_the_camera_films_on(camera, power, dock):
    film(camera)
    dock.run("dock", power.port)

    again = dock.run("dock", power.port)
    film(camera)
    newer = dock.run("dock", power.port)

    assert not verdicts(again)
    assert set(verdicts(newer)) == {("intact", "wiped")}


@pytest.mark.parametrize("moment_ms", sampled([400, 1500]))
def test_a_power_cut_in_a_docking_is_taken_up_when_the_power_is_back(camera, power, dock, moment_ms):
    film(camera)
    power.cut_after_ms(moment_ms)
    with ThreadPoolExecutor(1) as pool:
        docking = pool.submit(dock.run, "dock", power.port, codes=(0, 4, 8))
        power.wait_off()
        power.on()
        docking.result()

    docked = dock.run("dock", power.port)

    assert all(fate == "wiped" for _, fate in verdicts(docked))
    assert {r["verdict"] for r in dock.run("ls")["recordings"]} <= {"intact", "cut_short"}
    assert "camera.wiped" in {entry["event"] for entry in dock.run("custody", "show")["entries"]}
