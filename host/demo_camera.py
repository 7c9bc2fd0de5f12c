"""The camera of the demonstration: a process that is switched on, told what to do, and sometimes killed.

It shows what the camera says, and holds no rule.
"""

import random
import signal
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CARD_MB = 512
MARK_EVERY = 10  # chunks


class DemoFault(Exception):
    """What did not come out as promised."""


def say(text: str = "") -> None:
    """One line of the story."""
    print(text, flush=True)


def near(text: str, folder: Path) -> str:
    """Without the folder of the run."""
    return text.replace(f"{folder}/", "")


def short(word: str, folder: Path) -> str:
    """A word as a person would type it, in the folder of the run."""
    word = word.replace(f"{folder}/", "")
    return f'"{word}"' if " " in word else word


class Told:
    """What a camera says while it works: its events a line each, its chunks as marks on one line."""

    def __init__(self) -> None:
        self._chunks = 0

    def hear(self, line: str) -> None:
        """One line of its console."""
        if line.startswith("- chunk "):
            self._chunk(int(line.split()[2]))
        elif line.startswith("- "):
            self.end()
            say(f"  {line[2:].rstrip()}")

    def _chunk(self, number: int) -> None:
        if not self._chunks:
            print("  sealing ", end="")
        self._chunks = number
        if number % MARK_EVERY == 0:
            print(".", end="", flush=True)

    def end(self) -> None:
        """Close the line of marks."""
        if self._chunks:
            say(f" {self._chunks} chunks")
        self._chunks = 0


class DeskCamera:
    """The camera of `make sim`, its card and flash in the folder of the run."""

    folder: Path
    camera_program: Path
    reel: Path
    card: Path
    exchange: Path

    def camera_command(self, *more: str, pace: str = "--fast") -> list[str]:
        images = [
            "--card",
            str(self.card),
            "--flash",
            str(self.folder / "flash.img"),
            "--make-card",
            str(CARD_MB),
        ]
        feed = ["--reel", str(self.reel), "--exchange", str(self.exchange), pace]
        return [str(self.camera_program), str(ROOT / "firmware" / "simulator.py"), *images, *feed, *more]

    def camera(self, script: str) -> None:
        """Switch the camera on, press its buttons, switch it off."""
        say(f"camera> {near(script, self.folder)}")
        told, lines = Told(), []
        with subprocess.Popen(
            self.camera_command("--run", script),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            for line in process.stdout:
                lines.append(line)
                told.hear(line)
        told.end()
        if process.returncode or any(line.startswith("refused") and "wait" not in line for line in lines):
            raise DemoFault("the camera: " + "".join(lines[-20:]))

    def camera_killed(self, chunks: int) -> None:
        """Switch the camera on, record at the pace of the clip, and kill its process at no particular moment:
        SIGKILL, as a flat battery does.
        """
        say(f"camera> record; wait chunks {chunks}")
        process = subprocess.Popen(
            self.camera_command(pace="--real-time"),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        process.stdin.write(f"record\nwait chunks {chunks}\nwait chunks {chunks + 200}\n")
        process.stdin.flush()
        told = Told()
        for line in process.stdout:
            told.hear(line)
            if line.startswith("ok waited chunks"):
                break
        time.sleep(random.random() / 2)  # nobody chooses when a battery is flat
        process.send_signal(signal.SIGKILL)
        process.communicate()
        told.end()
        if process.returncode != -signal.SIGKILL:
            raise DemoFault("the camera had finished before it could be killed")
        say("  power gone: SIGKILL while it films on")
