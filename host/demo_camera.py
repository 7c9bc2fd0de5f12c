"""The camera of the demonstration: a process that is switched on, told what to do, and sometimes killed; its
serial line and its screen.

It shows what the camera says, and holds no rule.
"""

import contextlib
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CARD_MB = 512
MARK_EVERY = 10  # chunks
_SERVED_S = 20.0


class DemoFault(Exception):
    """What did not come out as promised."""


def say(text: str = "") -> None:
    """One line of the story."""
    print(text, flush=True)


def short(text: str, folder: Path) -> str:
    """As a person would type it, in the folder of the run."""
    text = text.replace(f"{folder}/", "")
    return f'"{text}"' if " " in text else text


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
    """The camera of `make sim`, its card, its flash, its line and its screen in the folder of the run."""

    def __init__(self, folder: Path, program: Path, reel: Path) -> None:
        self.folder, self.reel = folder, reel
        self.card, self.flash = folder / "card.img", folder / "flash.img"
        self.port, self.screen = folder / "line" / "host", folder / "screen"
        self._program, self._told, self._heard = program, Told(), [""]
        self._process: subprocess.Popen[str] | None = None
        self._beside: list[subprocess.Popen[bytes]] = []

    def plug(self) -> None:
        """What stands beside a camera on this desk: its cable, and what decodes and shows for it."""
        for program, made in (("tools/line.py", self.port), ("unix/screen.py", self.screen / "answer")):
            command = [sys.executable, str(ROOT / "boards" / program), str(made.parent)]
            self._beside.append(subprocess.Popen(command))
            until = time.monotonic() + _SERVED_S
            while not made.exists():
                if time.monotonic() > until:
                    raise DemoFault(f"boards/{program} does not serve {made.parent}")
                time.sleep(0.02)

    def unplug(self) -> None:
        """Nothing that was started stays."""
        for process in [*self._beside, *([self._process] if self._process else [])]:
            process.terminate()
            process.wait()

    def switch_on(self, pace: str, *, has_card: bool = True) -> None:
        """A start like any other: what it knows is on its flash and its card."""
        images = ["--flash", self.flash, "--make-card", CARD_MB, "--reel", self.reel]
        images += ["--card", self.card] if has_card else []
        lines = ["--port", self.port.with_name("camera"), "--screen", self.screen, pace]
        command = [self._program, ROOT / "firmware" / "simulator.py", *images, *lines]
        say("camera> power on" + ("" if has_card else ", without a card"))
        self._process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._hear_until("- ready", "- refuses 0x")

    def press(self, *lines: str, shown: str = "") -> None:
        """Buttons, one line after the other; DemoFault where the camera refuses one."""
        say(f"camera> {shown or '; '.join(lines)}")
        for line in lines:
            self._type(line)
            if self._hear_until("ok", "refused").startswith("refused"):
                raise DemoFault("the camera: " + "".join(self._heard[-20:]))
        self._told.end()

    def ask(self, line: str) -> str:
        """One question, and what the camera answers."""
        say(f"camera> {line}")
        self._type(line)
        answer = self._hear_until("ok", "refused").strip()
        say(f"  {answer}")
        return answer

    def _type(self, line: str) -> None:
        assert self._process is not None and self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # then it says why, and ends
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()

    def _hear_until(self, *wanted: str) -> str:
        assert self._process is not None and self._process.stdout is not None
        for line in self._process.stdout:
            self._heard.append(line)
            self._told.hear(line)
            if line.startswith(wanted):
                return line
        raise DemoFault("the camera ended: " + "".join(self._heard[-20:]))

    def power_off(self) -> None:
        """In order."""
        self.press("power off")
        assert self._process is not None
        if self._process.wait():
            raise DemoFault("the camera: " + "".join(self._heard[-20:]))

    def flat_battery(self, chunks: int) -> None:
        """Record, and kill the process at no particular moment: SIGKILL, as a flat battery does."""
        assert self._process is not None
        self.press("record", f"wait chunks {chunks}")
        time.sleep(random.random() / 2)  # nobody chooses when a battery is flat
        self._process.send_signal(signal.SIGKILL)
        self._process.communicate()
        if self._process.returncode != -signal.SIGKILL:
            raise DemoFault("the camera had finished before it could be killed")
        say("  power gone: SIGKILL while it films on")
