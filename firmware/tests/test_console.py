"""The desk camera's console meets whatever can be typed, piped or pasted at it: an answer to each line."""

import subprocess

import pytest
import vm
from desk_camera import Desk

pytestmark = pytest.mark.slow  # every test enrols a camera of its own

WRONG = (
    b"stop", b"mute", b"bookmark x", b"category", b"inventory", b"inventory zz /x", b"wait",
    b"wait foo", b"wait chunks x", b"__init__", b"\x00\xff\xfe", b"caf\xc3", b"x" * 5000,
    b"place " + b"x" * 300, b"enrol now",
)  # fmt: skip


@pytest.fixture(params=vm.NAMES)
def desk(request, tmp_path):
    return Desk(tmp_path, request.param).enrol()


def typed(desk, lines, *flags):
    ended = subprocess.run(
        desk.command(*flags), input=b"\n".join(lines) + b"\n", capture_output=True, timeout=120, check=False
    )
    assert ended.returncode == 0 and ended.stderr == b"", ended.stderr
    return ended.stdout.decode().splitlines()


def answers(said):
    return [line for line in said if not line.startswith("- ")]


def test_each_wrong_line_has_its_answer_and_the_camera_goes_on(desk):
    said = answers(typed(desk, [*WRONG, b"record", b"record", *WRONG[1:], b"wait end", b"stop"]))

    assert len(said) == 2 * len(WRONG) + 4
    can_be_meant = 3  # `mute` in a recording, and `enrol now`, twice
    assert sum(line.startswith("refused") for line in said) == 2 * len(WRONG) - can_be_meant
    assert max(desk.recordings(1).items())[1].state == "ended"


def test_numbers_and_words_that_do_not_fit_are_refused_rather_than_cut(desk):
    said = typed(
        desk, [b"record", b"bookmark 4294967295", b"category 99999999999", b"category 1 " + b"z" * 201]
    )

    assert [line[:12] for line in answers(said)[1:4]] == ["refused 0x15"] * 3


def test_the_end_of_the_input_in_mid_recording_is_an_orderly_power_off(desk):
    typed(desk, [b"record", b"wait chunks 4"])

    assert max(desk.recordings(1).items())[1].state == "ended"


def test_a_card_out_and_in_costs_the_log_no_entry(desk):
    """Proves promise 7: what the segment that was given up had taken of it is told by the next one."""
    lines = [b"record", b"wait chunks 4", b"bookmark 1", b"wait ms 1", b"card out"]
    typed(desk, [*lines, b"card in", b"record", b"wait chunks 2", b"stop"])

    segments = [[*recording.records()] for _, recording in sorted(desk.recordings(2).items())]
    numbers = {int.from_bytes(entry[8:16], "big") for segment in segments for *_, entry in segment}
    assert numbers == set(range(1, max(numbers) + 1))


def test_who_keeps_pressing_keeps_no_chunk_waiting(tmp_path):
    desk = Desk(tmp_path, "ctr", chunk_size=512).enrol()

    said = typed(desk, [b"record", *[b"bookmark 1"] * 300, b"status"])

    (status,) = [line for line in said if line.startswith("ok recording ") and "chunks" in line]
    assert int(status.split("chunks ")[1].split(",")[0]) > 5


@pytest.mark.parametrize(
    "flags",
    [
        ["--cut-after", "x"],
        ["--card-fails-at", "-1"],
        ["--reel", "/no/film"],
        ["--card", "/"],
        ["--flash", "/x/y"],
    ],
)
def test_a_flag_that_cannot_be_meant_is_answered_with_two(tmp_path, flags):
    program = [str(vm.binary("ctr")), str(vm.FIRMWARE / "simulator.py"), "--flash", str(tmp_path / "f.img")]

    ended = subprocess.run([*program, *flags], capture_output=True, text=True, check=False)

    assert ended.returncode == 2 and "usage: " in ended.stdout
