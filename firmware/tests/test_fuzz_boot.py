"""Any bytes in any file of the camera's flash, and in any file of the exchange folder: it starts, or says why
not.
"""

import pytest
import vfs
from fuzzing import fuzzed
from hypothesis import given
from hypothesis import strategies as st
from power_bench import Bench
from sealcam.enrolment import Enrolment
from sealcam.errors import NotDrilled, SealcamError

SHARE = 40  # a start is some fifty times dearer than a parser
NAMES = ("identity", "keylist", "policy", "trial", "drill", "boots", "log", "clock", "time", "certificate")
ASKED = ("offer.seal", "time.seal", "drill.seal")


def unmount():
    try:
        vfs.umount("/card")
    except OSError:
        pass


class Enrolled:
    """A camera that is enrolled, and what its flash and card hold."""

    def __init__(self):
        self.bench = Bench()
        camera = self.bench.start()
        steps = Enrolment(camera, self.bench.folder)
        for _ in range(6):
            self.bench.office.attend(self.bench.folder)
            if steps.step() == "enrolled":
                break
        camera.power_off()
        self.saved = self.bench.save()
        self.files = {name: camera.files.read(name) for name in NAMES}

    def start(self, name, content):
        """A start from the same moment of rest, with other bytes in one file."""
        unmount()
        self.bench.load(self.saved)
        camera = self.bench.start()
        unmount()
        for each in NAMES:
            camera.files.replace(each, content if each == name else self.files[each])
        return self.bench.start()


@pytest.fixture(scope="module")
def enrolled():
    made = Enrolled()
    yield made
    made.bench.faults.dark = True
    unmount()


@fuzzed(SHARE)
@given(st.sampled_from(NAMES), st.binary(max_size=300), st.booleans())
def test_a_file_of_flash_that_is_not_what_was_written_stops_the_start_with_its_name(
    enrolled, name, noise, whole
):
    held = enrolled.files[name]
    content = noise if whole else held[: len(held) // 2] + noise + held[len(held) // 2 + len(noise) :]

    camera = enrolled.start(name, content)

    if content == held or name in ("time", "certificate"):  # which are kept, and not read at a start
        assert camera.fault is None
    elif camera.fault is None:  # what says who has opened the trial stops the recording alone
        assert name == "drill"
    else:
        with pytest.raises(SealcamError):
            camera.check_may_record()
    if name == "drill" and content != held:
        with pytest.raises(NotDrilled):
            camera.recorder.start()


@fuzzed(SHARE)
@given(st.sampled_from(ASKED), st.binary(max_size=400), st.integers(0, 3))
def test_no_answer_of_the_office_that_is_not_signed_takes_a_camera_a_step_further(name, noise, keep):
    bench = Bench()
    unmount()
    steps = Enrolment(bench.start(), bench.folder)
    for _ in range(6):
        bench.office.attend(bench.folder)
        if name in bench.folder.files:
            break
        steps.step()
    honest = bench.folder.files[name]
    cut = len(honest) * keep // 4
    bench.folder.files[name] = honest[:cut] + noise

    if bench.folder.files[name] != honest:
        with pytest.raises(SealcamError):
            steps.step()
        assert steps._camera.drilled == 0
    bench.folder.files[name] = honest
    for _ in range(6):
        bench.office.attend(bench.folder)
        if steps.step() == "enrolled":
            break
    assert steps._camera.drilled == 1
