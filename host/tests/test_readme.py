"""The ten minutes of README.md, typed as they stand there: at a shell, and at the camera's console."""

import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CAMERA = ROOT / "build" / "micropython" / "ctr"


def blocks() -> list[tuple[str, str]]:
    """(terminal, lines) of every block of the section that is typed, in order."""
    section = (ROOT / "README.md").read_text().split("\n## Ten minutes", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"```(sh|camera)\n(.*?)```", section, re.DOTALL)


class Terminal:
    """A shell, or what was started in it; everything it said."""

    def __init__(self, *command: str) -> None:
        self.said = ""
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def type(self, text: str, *ends: str) -> str:
        """The line that ends it; AssertionError with what was said where it never comes."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(text)
        self.process.stdin.flush()
        for line in self.process.stdout:
            self.said += line
            if line.startswith(ends):
                return line
        raise AssertionError(self.said[-3000:])


def buttons(lines: str) -> Iterator[str]:
    """Each line, and the moment a person takes."""
    for line in lines.splitlines():
        yield line
        if line.startswith("press"):
            yield "wait idle"


@pytest.mark.slow
@pytest.mark.skipif(not CAMERA.exists(), reason="the camera of the desk is not built: make setup")
def test_the_ten_minutes_of_the_readme_end_in_a_film_and_an_empty_card(tmp_path: Path) -> None:
    """Proves issue 3, "Done when": a newcomer follows the page to a verified recording."""
    shell, camera = Terminal("bash", "-e"), None
    begun = "trap 'echo; echo --- failed; kill $(jobs -p)' EXIT\n"
    name = "ID=$(sealcam ls | tail -1 | cut -d' ' -f1)"
    try:
        for terminal, lines in blocks():
            lines = lines.replace("make setup && ", "").replace("$PWD/desk", "desk")
            lines = re.sub(r"\bdesk(?=[/ ])", f"{tmp_path}/desk", lines)
            if terminal == "sh":
                lines = lines.replace("sealcam view ID", f"{name}\nsealcam view $ID")
                ended = shell.type(f"{begun}{lines}echo; echo --- done\n", "--- done", "--- failed")
                assert ended == "--- done\n", shell.said[-3000:]
                begun = ""
            elif camera is None:
                while not (tmp_path / "desk" / "screen" / "answer").exists():
                    time.sleep(0.05)  # a person at a second terminal is slower
                camera = Terminal("bash", "-c", lines)
                camera.type("", "- refuses 0x")
            else:
                for line in buttons(lines):
                    assert camera.type(line + "\n", "ok", "refused").startswith("ok"), camera.said
    finally:
        for started in (shell, camera):
            if started is not None:
                started.process.communicate()
    assert re.search(r"48\d chunks", shell.said) and "safe to take" in shell.said
    assert "sealed and proved" in shell.said and "by the old bridge" in shell.said
    assert "recording.viewed" in shell.said and "camera.wiped" in shell.said
    assert camera is not None and "NotEnrolled" in camera.said
    assert len(list((tmp_path / "desk" / "screen").glob("frame-*.png"))) > 240
    assert (tmp_path / "desk" / "clip.mp4").stat().st_size > 100_000
