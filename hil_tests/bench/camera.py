"""The camera under test, moved between named states from wherever it is.

Buttons are pressed on its console (pytest-embedded's `dut`); everything else is said over the dock line, by
`sealhost`, as a customer's dock says it. The first failure sticks: every step after it fails with its words.
"""

import re
import struct
from collections.abc import Callable
from enum import Enum
from typing import Any

from bench.cardmux import CardMux
from bench.power import Power

ANSWER_S = 240
_ANSWER = re.compile(rb"(?m)^(ok|refused)([^\r\n]*)\r?\n")


class State(Enum):
    """Where a camera can be."""

    OFF = "off"
    IDLE = "idle"
    RECORDING = "recording"
    DOCKED = "docked"


class Frame:
    """A frame of a small screen: its `width`, `height` and `pixels`, RGB565, row by row."""

    def __init__(self, raw: bytes) -> None:
        self.width, self.height = struct.unpack(">HH", raw[:4])
        self.pixels = struct.unpack(f"<{self.width * self.height}H", raw[4:])

    def corner(self, wide: int, high: int) -> set[int]:
        """The colours near the upper left corner, one dot from it; 160 dots make the width of the screen."""
        scale = self.width // 160
        rows = (self.pixels[y * self.width + scale :][: wide * scale] for y in range(scale, high * scale))
        return {colour for row in rows for colour in row}


class BenchFault(AssertionError):
    """What the camera said instead."""


class BenchCamera:
    """`dut` is pytest-embedded's; `open_line` gives a `docked.Camera` in a session."""

    def __init__(self, dut: Any, power: Power, cardmux: CardMux, open_line: Callable[[], Any]) -> None:
        self.dut, self.power, self.cardmux, self._open_line = dut, power, cardmux, open_line
        self._fault: BenchFault | None = None
        self._line: Any = None

    def press(self, words: str, *, refused: bool = False) -> str:
        """Press a button, or several in one; what it answers behind `ok` or `refused`."""
        self._stuck()
        self.dut.write(words)
        found = self.dut.expect(_ANSWER, timeout=ANSWER_S)
        answer = (found[1] + found[2]).decode()
        if (found[1] == b"refused") != refused:
            raise self._stick(f"{words}: {answer}")
        return answer.partition(" ")[2]

    def wait(self, what: str) -> str:
        """`chunks 12`, `end`, `idle`: until it is there."""
        return self.press(f"wait {what}")

    def type_pin(self, pin: str) -> None:
        """As a thumb types it; then until it is judged, or refused."""
        words: list[str] = []
        for at, digit in enumerate(pin):
            words += ["right"] * bool(at) + ["up"] * int(digit)
        self.press("press " + " ".join([*words, "ok"]))
        self.wait("idle")

    def pull_card(self) -> None:
        """As a hand does, at any moment; where there is a slot, nobody tells the camera."""
        if not self.power.camera.eject():
            self.press("card out")

    def frame(self) -> Frame:
        """What its screen shows, as the device holds it."""
        path = self.power.exchange / "frame"
        self.press(f"screen {path if self.power.target == 'unix' else '/exchange/frame'}")
        return Frame(path.read_bytes())

    def state(self) -> State:
        """Where it is now, by its own word."""
        if not self.power.is_on:
            return State.OFF
        told = self.press("status")
        if "recording" in told.split(",")[0]:
            return State.RECORDING
        return State.DOCKED if self._line is not None else State.IDLE

    def reach(self, state: State) -> Any:
        """Go there from wherever it is; docked, the line is answered."""
        self._stuck()
        now = self.state()
        if now is state:
            return self._line
        if now is State.DOCKED:
            self.let_go()
        if state is State.OFF:
            self.power.off()
        elif now is State.OFF:
            self.power.on()
        if now is State.RECORDING and state is State.IDLE:
            self.press("stop")
        if state is State.RECORDING:
            self.press("record")
        if state is State.DOCKED:
            self._line = self._open_line()
            self._line.dock()
        return self._line

    def let_go(self) -> None:
        """Undock, and let go of the line."""
        line, self._line = self._line, None
        if line is not None:
            line.undock()
            line.close()

    def let_go_with_alarms(self) -> int:
        """The same; what the camera had to raise the alarm about (dock-protocol.md, *alarms*)."""
        alarms = int(self._line.alarms)
        self.let_go()
        return alarms

    def _stuck(self) -> None:
        if self._fault is not None:
            raise self._fault

    def _stick(self, words: str) -> BenchFault:
        self._fault = BenchFault(words)
        return self._fault
