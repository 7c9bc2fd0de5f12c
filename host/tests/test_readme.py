"""The ten minutes of README.md, typed as they stand there."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CAMERA = ROOT / "build" / "micropython" / "ctr"


def typed() -> str:
    """Every block of the section, in order."""
    section = (ROOT / "README.md").read_text().split("\n## Ten minutes", 1)[1].split("\n## ", 1)[0]
    return "\n".join(re.findall(r"```\n(.*?)```", section, re.DOTALL))


@pytest.mark.slow
@pytest.mark.skipif(not CAMERA.exists(), reason="the camera of the desk is not built: make setup")
def test_the_ten_minutes_of_the_readme_end_in_a_film_and_an_empty_card(tmp_path: Path) -> None:
    """Proves issue 2: a newcomer follows the page to a verified recording."""
    script = (
        typed()
        .replace("make setup && ", "")
        .replace("$PWD/desk", "desk")
        .replace("desk/", f"{tmp_path}/desk/")
    )
    script = script.replace("mkdir desk", f"mkdir {tmp_path}/desk")
    name = "ID=$(sealcam ls | tail -1 | cut -d' ' -f1)"
    script = script.replace("sealcam view ID", f"{name}\nsealcam view $ID")

    ran = subprocess.run(["bash", "-ec", script], cwd=ROOT, capture_output=True, text=True)

    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]
    assert "486 chunks" in ran.stdout and "safe to take" in ran.stdout
    assert "sealed and proved" in ran.stdout and "by the old bridge" in ran.stdout
    assert "recording.viewed" in ran.stdout and "NotEnrolled" in ran.stdout
    assert (tmp_path / "desk" / "clip.mp4").stat().st_size > 100_000
