"""What a power cut leaves on the card, judged by a reader that shares no line with the firmware."""

import contextlib
import io
import json
import subprocess
import sys

import pytest
import vm

sys.path.insert(0, str(vm.ROOT / "docs" / "format"))
import verify_recording

EVIDENCE = (1001).to_bytes(32, "big")  # as power_bench's office has it
EVERY = 31


def judged(image, folder):
    """[verdicts and reasons] of all files on one card."""
    folder.mkdir()
    subprocess.run(["mcopy", "-n", "-i", image, "::/sealcam/*", folder], check=True, capture_output=True)
    names = sorted(str(path) for path in folder.iterdir() if path.stat().st_size)
    point = image.with_suffix(".point").read_bytes().hex()
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        verify_recording.main(["--json", "--device", point, "--key", EVIDENCE.hex(), *names])
    return [json.loads(line) for line in said.getvalue().splitlines()]


@pytest.mark.power
@pytest.mark.promise6
@pytest.mark.parametrize("kind", ["cut", "torn", "lose", "fail"])
@pytest.mark.parametrize("name", vm.NAMES)
def test_another_reader_finds_nothing_altered_after_any_fault(tmp_path, name, kind):
    """Proves promise 6: every chunk but the one in flight, and what `prev` says of the cut agrees."""
    cards = tmp_path / "cards"
    cards.mkdir()
    first = 7 * vm.NAMES.index(name)
    program = [vm.binary(name), "-X", "heapsize=64m", vm.FIRMWARE / "tests" / "power.py"]
    asked = ["shift", kind, f"SAMPLE={first}/{EVERY}", f"DUMP={cards}"]
    subprocess.run([*program, *asked], check=True, capture_output=True, timeout=600)

    verdicts = set()
    images = sorted(cards.glob("*-again.img"))
    for number, image in enumerate(images):
        found = judged(image, tmp_path / str(number))
        wrong = [(image.name, one["strip"], one["reason"]) for one in found if one["verdict"] == "altered"]
        assert not wrong
        verdicts |= {one["verdict"] for one in found}
    assert len(images) >= 4 and "intact" in verdicts
    assert verdicts <= {"intact", "cut short", "no recording"}
