"""A real camera on a desk, docked over a pty: enrolled, filmed, emptied, refused; firmware in MicroPython."""

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import starting
from sampling import sampled
from sealhost import founding
from sealhost.docked import talk
from sealhost.errors import CameraRefused
from sealhost.reader import open_place
from shift import Shift

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def reel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds of the street."""
    made = tmp_path_factory.mktemp("reel") / "street.reel"
    clip = ROOT / "hil_tests" / "footage" / "street.mp4"
    subprocess.run(
        [sys.executable, ROOT / "boards/unix/footage.py", clip, made, "--seconds", "3"], check=True
    )
    return made


@pytest.fixture(scope="module")
def enrolled(tmp_path_factory: pytest.TempPathFactory, reel: Path) -> Path:
    """A home, a card and the flash of a camera that it enrolled by wire; to be copied."""
    folder = tmp_path_factory.mktemp("desk")
    founding.init(folder / "home", demo=True, policy={"part_bytes": 1 << 20})
    card = folder / "card.img"
    with open(card, "wb") as file:
        file.truncate(64 << 20)
    subprocess.run(["mkfs.vfat", "-F", "16", card], check=True, stdout=subprocess.DEVNULL)
    camera = starting.start("unix", card, folder / "flash.img", reel=reel)
    code, answer = Shift(folder / "home").run("enrol", camera.port)
    (folder / "bytes").write_text(str(camera.cable.passed))
    camera.power_off()
    assert (code, answer["waiting_for"]) == (0, ""), answer
    (folder / "camera.id").write_text(answer["camera"])
    return folder


class Desk:
    """A copy of all of it, and the camera running."""

    def __init__(self, enrolled: Path, folder: Path, reel: Path) -> None:
        self.folder = Path(shutil.copytree(enrolled, folder / "desk"))
        self.shift, self.reel = Shift(self.folder / "home"), reel
        self.camera = starting.start("unix", self.card, self.folder / "flash.img", reel=reel)

    @property
    def card(self) -> Path:
        return self.folder / "card.img"

    def film(self, chunks: int = 12) -> None:
        """A recording, stopped in order."""
        self.camera.ask("record")
        self.camera.ask(f"wait chunks {chunks}", 60)
        self.camera.ask("stop", 60)

    def events(self) -> list[str]:
        return [entry.event for entry in self.shift.desk.custody.entries()]

    def record(self):
        """The newest wipe record in custody."""
        return [entry for entry in self.shift.desk.custody.entries() if entry.event == "camera.wiped"][-1]


@pytest.fixture
def desk(enrolled: Path, tmp_path: Path, reel: Path) -> Iterator[Desk]:
    started = Desk(enrolled, tmp_path, reel)
    yield started
    started.camera.kill()


def test_a_camera_is_enrolled_with_one_command(enrolled: Path) -> None:
    """Proves issue 3.3: nothing is left of the seed."""
    shift = Shift(enrolled / "home")
    (device,) = shift.desk.register.devices()
    events = [entry.event for entry in shift.desk.custody.entries()]

    assert (device.device_id.hex(), device.state) == ((enrolled / "camera.id").read_text(), "enrolled")
    assert [e for e in events if e.startswith("camera.")] == [
        "camera.offered",
        "camera.certified",
        "camera.drilled",
        "camera.enrolled",
    ]
    assert not list((enrolled / "home").rglob("offer.seal"))


def test_a_docking_by_wire_empties_the_card_in_the_camera(desk: Desk) -> None:
    desk.film()

    code, answer = desk.shift.run("dock", desk.camera.port)

    assert code == 0, json.dumps(answer, indent=1)
    assert "recording" in {one["kind"] for one in answer["recordings"]}
    assert all(one["fate"] == "wiped" for one in answer["recordings"])
    assert answer["lines"][-1] == "safe to take"
    assert desk.record().detail["where"] == 1 and set(desk.record().detail["samples"]) != {"0"}
    assert "lamp safe to take" in desk.camera.heard
    desk.film()
    assert desk.shift.run("dock", desk.camera.port)[0] == 0


def test_with_the_card_in_a_reader_the_camera_judges_and_the_host_wipes(desk: Desk) -> None:
    desk.film()
    desk.camera.ask("card out")

    code, answer = desk.shift.run("dock", desk.camera.port, desk.card)
    left, record = [part.name for part in open_place(desk.card).parts()], desk.record()
    desk.camera.ask("card in")
    again, told = desk.shift.run("dock", desk.camera.port)

    assert code == 0, json.dumps(answer, indent=1)
    assert (left, record.detail["where"], set(record.detail["samples"])) == ([], 2, {"0"})
    assert (again, told["camera"]["alarms"]) == (0, [])


def test_another_organisation_is_refused_and_learns_nothing(desk: Desk, founded: Path) -> None:
    desk.film()
    other = Shift(founded)

    code, answer = other.run("dock", desk.camera.port)

    assert (code, answer["kind"]) == (3, "NotOurCamera")
    assert "camera.wiped" not in desk.events()


def test_a_replayed_receipt_is_refused(desk: Desk) -> None:
    """The receipt of an earlier docking, word for word; what was acted on is answered by its record."""
    from sealhost import docked

    desk.film()
    kept = desk.shift.home / "vault" / "receipts"
    desk.shift.run("dock", desk.camera.port)
    (first,) = (path.with_suffix(".record") for path in kept.glob("*.record"))
    old = first.with_suffix(".receipt").read_bytes()
    desk.film()
    desk.shift.run("dock", desk.camera.port)
    home = desk.shift.desk
    camera = docked.open_camera(
        desk.camera.port, home.key("link"), home.config.organisation, home.device_point
    )
    try:
        camera.dock()
        _, statuses = camera.judge(1, 1, old)
        with pytest.raises(CameraRefused, match="not now"):
            camera.wipe(hashlib.sha256(old).digest())
        newest = next(path for path in kept.glob("*.record") if path != first)
        assert set(statuses) <= {0x55, 0x56}
        assert camera.record(bytes.fromhex(newest.stem)) == newest.read_bytes()
    finally:
        camera.close()


@pytest.mark.power
@pytest.mark.parametrize("at", sampled([*range(150, 5000, 350), 0.02, 0.5, 0.95, 0.998]))
def test_a_cable_pulled_while_a_camera_is_enrolled_is_taken_up_by_the_next_run(
    enrolled: Path, founded: Path, tmp_path: Path, reel: Path, at: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exchange folder is durable, so that the second run goes on where the first was cut."""
    monkeypatch.setattr(talk, "PAUSES", (0.0,) * talk.TRIES)
    home = Shift(Path(shutil.copytree(founded, tmp_path / "home")))
    with open(tmp_path / "card.img", "wb") as file:
        file.truncate(256 << 20)
    subprocess.run(["mkfs.vfat", "-F", "32", file.name], check=True, stdout=subprocess.DEVNULL)
    camera = starting.start("unix", tmp_path / "card.img", tmp_path / "flash.img", reel=reel)
    try:
        camera.cable.pull_after(int(at if at > 1 else at * int((enrolled / "bytes").read_text())))
        first, told = home.run("enrol", camera.port)
        camera.cable.plug()
        second, answer = home.run("enrol", camera.port)
    finally:
        camera.kill()

    events = [entry.event for entry in home.desk.custody.entries()]
    assert (first, told["kind"]) == (4, "CableGone")
    assert (second, answer.get("waiting_for")) == (0, ""), answer
    assert (events.count("camera.certified"), events.count("camera.enrolled")) == (1, 1)
    assert not [path for path in home.home.rglob("offer.seal") if (path.parent / "answer.seal").exists()]
