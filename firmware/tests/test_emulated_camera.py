"""The whole camera on both emulated boards: it films, is killed, starts again; the host judges its films.

On qemu_sifive the card and the flash chip stand behind their own protocols, driven by `firmware/drivers`.
"""

import collections
import copy
import shutil
import subprocess
import time
from pathlib import Path

import pytest
import starting
from desk_camera import MARK, Desk, make_reel
from office import Recording
from sealhost import keys, layout, verify
from sealhost.records import Verdict

pytestmark = [pytest.mark.m3, pytest.mark.slow]
BOARDS = ("qemu_mps2", "qemu_sifive")


@pytest.fixture
def started():
    """`starting.start`; whatever still runs at the end is killed."""
    running = []

    def start(*arguments, **options):
        running.append(starting.start(*arguments, **options))
        return running[-1]

    yield start
    for camera in running:
        if camera.is_alive:
            camera.kill()


@pytest.fixture(scope="module")
def enrolled(tmp_path_factory):
    """A camera enrolled as a process; its images are copied for each test."""
    return Desk(tmp_path_factory.mktemp("enrolled"), "ctr").enrol()


@pytest.fixture(params=BOARDS)
def desk(request, enrolled, tmp_path):
    """The enrolled camera's images, ready for a board."""
    made = copy.copy(enrolled)
    made.target, made.folder = request.param, tmp_path
    for name in ("card", "flash", "reel"):
        path = getattr(enrolled, name)
        setattr(made, name, Path(shutil.copy(path, tmp_path)))
    return made


def judged(desk, sequence):
    """What the vault makes of one recording: with the verify key alone, and no word of the camera's."""
    out = desk.folder / "judged"
    out.mkdir()
    subprocess.run(["mcopy", "-n", "-i", desk.card, "::/sealcam/*", out], check=True, capture_output=True)
    found = collections.defaultdict(list)
    for path in sorted(out.iterdir()):
        content = path.read_bytes()
        if any(content[:256]) and Recording([content]).sequence == sequence:
            found[sequence].append(verify.part_from(content, path.name))
    vault = keys.SoftKey(desk.office.keys[3], layout.ROLE_VERIFY)
    points = {desk.office.device_id: desk.office.device_point}
    return verify.judge(found[sequence], [vault], device_point=points.get)


def number_of(answer):
    assert answer.startswith("ok recording "), answer
    return int(answer.split()[2])


@pytest.mark.promise1
@pytest.mark.promise5
def test_what_it_films_is_judged_intact_by_the_vault_and_opened_by_the_office(desk, started):
    """Proves promises 1 and 5 on a board: sealed there, on its own card; proved and opened here."""
    camera = started(desk.target, desk.card, desk.flash, reel=desk.reel)
    number = number_of(camera.ask("record"))
    camera.ask("wait end")
    assert camera.ask("stop") == f"ok stopped {number}"
    assert camera.power_off() == 0

    judgement = judged(desk, number)
    recording = desk.recordings(1)[number]
    assert judgement.verdict is Verdict.INTACT and judgement.ended
    pictures = [body for track, _, _, body in recording.records() if track == 1]
    assert len(pictures) == 40 and set(pictures) == {(MARK * 313)[:5000]}
    assert desk.target.encode() in next(recording.records())[3]
    for image in (desk.card, desk.flash):
        assert MARK not in image.read_bytes()


@pytest.mark.promise6
def test_killed_in_mid_recording_it_loses_one_chunk_and_says_so_next_time(desk, started):
    """Proves promise 6, UA-4, UA-5 on a board: SIGKILL, nothing flushed."""
    make_reel(desk.reel, pictures=400)
    camera = started(desk.target, desk.card, desk.flash, reel=desk.reel)
    number = number_of(camera.ask("record"))
    camera.wait_for("- chunk 9\r?\n")
    camera.kill()

    again = started(desk.target, desk.card, desk.flash)
    assert f"recording {number} was cut short" in again.heard
    assert "sound" in again.ask("status")
    again.power_off()
    judgement = judged(desk, number)
    assert judgement.verdict is Verdict.CUT_SHORT and judgement.last_index >= 9


def test_flash_is_kept_over_restarts_and_from_target_to_target(desk, started):
    """The same images on a board, as a process and on the board again: one journal, no number twice."""
    numbers = []
    for target in (desk.target, "unix", desk.target):
        camera = started(target, desk.card, desk.flash, reel=desk.reel)
        numbers.append(number_of(camera.ask("record")))
        camera.ask("wait chunks 2")
        camera.ask("stop")
        camera.power_off()

    assert numbers == sorted(set(numbers))
    assert set(numbers) <= set(desk.recordings(1))
    assert {desk.recordings(1)[number].state for number in numbers} == {"ended"}


def test_an_empty_slot_is_said_and_nothing_is_filmed(desk, started):
    camera = started(desk.target, None, desk.flash, reel=desk.reel)

    assert camera.ask("record").startswith("refused 0x30")


@pytest.mark.parametrize("target", starting.TARGETS)
def test_its_clock_goes_and_waiting_costs_the_host_little(target, tmp_path, started):
    """Real milliseconds on every target; a camera that has nothing to do leaves the processor to others."""
    camera = started(target, None, tmp_path / "flash.img", flags=["--real-time"] if target == "unix" else [])
    began, used = time.monotonic(), processor_s(camera)

    camera.ask("wait ms 1500")

    assert time.monotonic() - began >= 1.4
    assert processor_s(camera) - used < 1.2


def processor_s(camera):
    """Seconds of processor, user and system, from proc(5)."""
    with open(f"/proc/{camera.process.pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
