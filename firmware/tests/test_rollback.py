"""An old image of the camera's flash is put back: the card loses nothing by it, and the fork is reported."""

import contextlib
import io
import subprocess
import sys

import pytest
import vm
from desk_camera import Desk

sys.path.insert(0, str(vm.ROOT / "docs" / "format"))
import verify_recording

pytestmark = pytest.mark.slow  # every test enrols a camera of its own


@pytest.fixture(params=vm.NAMES)
def desk(request, tmp_path):
    return Desk(tmp_path, request.param, part_bytes=16 * 16384).enrol()


def contents(desk, name):
    """{file name: content} of the folder on the card."""
    out = desk.folder / name
    out.mkdir()
    subprocess.run(["mcopy", "-n", "-i", desk.card, "::/sealcam/*", out], check=True, capture_output=True)
    return {path.name: path.read_bytes() for path in out.iterdir()}


def judged(desk, name):
    key = desk.office.keys[1].private_numbers().private_value.to_bytes(32, "big").hex()
    said, files = io.StringIO(), sorted(map(str, (desk.folder / name).iterdir()))
    with contextlib.redirect_stdout(said):
        status = verify_recording.main(["--device", desk.office.device_point.hex(), "--key", key, *files])
    return status, said.getvalue()


def test_what_was_recorded_before_stays_byte_for_byte_and_the_fork_is_reported(desk):
    """Proves M16 and promise 5: no name of an older file is ever taken over."""
    flash = desk.flash.read_bytes()
    desk.run("record; wait end; stop; power off")
    before = contents(desk, "before")
    desk.flash.write_bytes(flash)

    said = desk.run("record; wait end; stop; power off")

    after = contents(desk, "after")
    assert {name: after.get(name) for name in before} == before
    assert len(after) > len(before) and "older than the card" in said
    status, lines = judged(desk, "after")
    assert status == 20 and lines.count("fork") >= 2


def test_a_camera_goes_on_after_its_flash_was_put_back_in_mid_recording(desk):
    flash = desk.flash.read_bytes()
    desk.run("record; wait end; stop; power off", "--cut-after", "70", returncode=-9)
    before = contents(desk, "before")
    desk.flash.write_bytes(flash)

    for _ in range(2):
        assert "ended" in desk.run("record; wait end; stop; power off")

    after = contents(desk, "after")
    recordings = {name for name in before if not name.startswith("ready-")}
    assert {name: after.get(name) for name in recordings} == {name: before[name] for name in recordings}
