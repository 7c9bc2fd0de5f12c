"""The dock line: who is there, one session, its inventory, its files; and what is refused."""

import os

import pytest
from bench.camera import State
from bench.dock import Dock
from sealhost import docked, founding
from sealhost.errors import NotOurCamera
from sealhost.statements import read_inventory


def test_a_camera_says_who_it_is_in_any_state(camera, power):
    camera.reach(State.IDLE)

    idle = docked.who(str(power.port))
    camera.reach(State.RECORDING)
    recording = docked.who(str(power.port))

    assert idle.state == 2
    assert not idle.is_recording
    assert not idle.is_debug
    assert recording.is_recording
    assert recording.device_id == idle.device_id != bytes(32)


def test_the_inventory_is_signed_over_the_docks_own_nonce(camera):
    line, nonce = camera.reach(State.DOCKED), os.urandom(16)

    raw = line.inventory(nonce)
    told = read_inventory(raw, line.device_point, nonce)

    assert told.sequences
    camera.let_go()


def test_health_tells_of_noise_and_of_the_known_answers(camera):
    line = camera.reach(State.DOCKED)

    told = line.health()

    assert told["self_test"]
    assert told["noise"]
    assert told["debug"] is False
    camera.let_go()


def test_docking_ends_a_recording(camera):
    camera.reach(State.RECORDING)
    camera.wait("chunks 4")

    camera.reach(State.DOCKED)

    assert "recording" not in camera.press("status").split(",")[0]
    camera.let_go()


def test_a_dock_of_another_organisation_is_sent_away(camera, power, tmp_path):
    founding.init(tmp_path / "other", demo=True)
    camera.reach(State.IDLE)

    with pytest.raises(NotOurCamera):
        Dock(tmp_path / "other").line(str(power.port))

    assert docked.who(str(power.port)).state == 2
