"""An update by the wire, whole: a camera that is a process takes a newer build, tries it, docks, keeps it."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from sealhost.cli import wired, wiring
from shift import Shift

ROOT = Path(__file__).resolve().parents[2]
sys.path += [str(ROOT / part) for part in ("boards/tools", "boards/unix")]

import firmware_archive  # noqa: E402 - reachable from here on
import starting  # noqa: E402

pytestmark = pytest.mark.slow


def health(shift: Shift, port: str) -> dict:
    """The firmware's part of *health*, asked in a session of its own."""
    home = wiring.Home(str(shift.home))
    with wired.opened(home, port, lambda line: None) as camera:
        return dict(camera.health()["firmware"])


def restarted(camera: starting.Camera, times: int) -> None:
    """Wait until the console has said so."""
    until = time.monotonic() + 60
    while camera.heard.count("- restarts") < times or not camera.heard.rstrip().endswith("- ready"):
        assert time.monotonic() < until, camera.heard
        time.sleep(0.05)


def test_an_update_is_sent_tried_and_kept_after_its_first_docking(shift: Shift, tmp_path: Path) -> None:
    """Proves issue 3, item 4."""
    card = tmp_path / "card.img"
    with open(card, "wb") as image:
        image.truncate(512 << 20)
    subprocess.run(["/usr/sbin/mkfs.vfat", "-F", "32", card], check=True, capture_output=True)
    bodies = {2: firmware_archive.build("unix", 2), 3: firmware_archive.build("unix", 1)}
    for version, body in bodies.items():
        (tmp_path / f"body-{version}").write_bytes(body.body)
        words = ("--version", str(version), "-o", tmp_path / f"signed-{version}")
        assert shift.run("firmware", "sign", tmp_path / f"body-{version}", *words)[0] == 0
    camera = starting.start("unix", card, tmp_path / "flash.img")
    try:
        assert shift.run("enrol", camera.port)[0] == 0
        factory = health(shift, camera.port)
        code, told = shift.run("firmware", "send", tmp_path / "signed-2", camera.port)
        assert code == 0, told
        restarted(camera, 1)
        on_trial = health(shift, camera.port)
        camera.ask("record")
        camera.ask("wait ms 3000")
        camera.ask("stop")
        docked, _ = shift.run("dock", camera.port)
        kept = health(shift, camera.port)
        refused, why = shift.run("firmware", "send", tmp_path / "signed-3", camera.port)
    finally:
        camera.power_off()

    assert factory == {"version": 1, "counter": 1, "on_trial": False}
    assert (on_trial["version"], on_trial["on_trial"], docked) == (2, True, 0)
    assert kept == {"version": 2, "counter": 2, "on_trial": False}
    assert refused == 3 and "older than the camera's counter" in why["error"]
    sent = [entry.detail for entry in shift.desk.custody.entries() if entry.event == "firmware.sent"]
    assert [(one["version"], one["digest"]) for one in sent] == [(2, bodies[2].digest.hex())]
