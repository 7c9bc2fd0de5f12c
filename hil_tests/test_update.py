"""Firmware by wire: it runs, proves itself and is kept; an older one is refused."""

import firmware_archive
import pytest
from bench.camera import State
from sealhost.statements import Firmware
from test_dock import film

NEWER, OLDER = 3, 2


@pytest.fixture
def archives(target, dock, folder):
    """Signed, by counter. The older one need not run: two of its modules will do."""
    whole = firmware_archive.build(target).files
    files = {NEWER: whole, OLDER: {name: whole[name] for name in ("main.mpy", "xor.mpy")}}
    for counter, chosen in files.items():
        (folder / f"body-{counter}").write_bytes(Firmware.build(target, counter, chosen).body)
        signed = folder / f"signed-{counter}"
        dock.run("firmware", "sign", folder / f"body-{counter}", "--version", counter, "-o", signed)
    return {counter: folder / f"signed-{counter}" for counter in files}


def firmware(camera):
    """What the camera says of it."""
    told = camera.reach(State.DOCKED).health()["firmware"]
    camera.let_go()
    return told


def test_an_update_runs_proves_itself_and_is_kept_and_an_older_one_is_refused(camera, power, dock, archives):
    """Proves DS-1: the signed firmware file, to the camera that runs it."""
    camera.reach(State.IDLE)
    sent = dock.run("firmware", "send", archives[NEWER], power.port)
    power.camera.wait_for("- restarts.*\n(?s:.*)- ready")
    camera.press("status")
    film(camera, 2)
    dock.run("dock", power.port)
    power.cycle()
    kept = firmware(camera)
    refused = dock.run("firmware", "send", archives[OLDER], power.port, codes=(3,))

    assert sent["version"] == NEWER
    assert kept == {"version": NEWER, "counter": NEWER, "on_trial": False}
    assert "older than the camera's counter" in refused["error"]
    assert firmware(camera) == kept
