"""The organisation and its dock: the commands a person types, in a home of the test's own."""

import contextlib
import io
import json
from pathlib import Path
from typing import Any

from sealhost import docked
from sealhost.cli import run, wiring


class DockFault(AssertionError):
    """What `sealcam` answered instead."""


class Dock:
    """`sealcam --home HOME ...`, in this process; and the same home's link key for a session of one's own."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def run(self, *words: object, codes: tuple[int, ...] = (0,)) -> dict[str, Any]:
        """The answer of one command, as `--json` gives it."""
        told = io.StringIO()
        with contextlib.redirect_stdout(told):
            code = run(["--home", str(self.home), *map(str, words), "--json"])
        text = told.getvalue()
        answer = json.loads(text) if text.strip() else {}
        if code not in codes:
            shown = " ".join(map(str, words))
            raise DockFault(f"sealcam {shown}: exit {code}: {answer.get('error', answer)}")
        return {**answer, "exit": code}

    def at_home(self) -> wiring.Home:
        """What the organisation holds, opened anew."""
        return wiring.Home(str(self.home))

    def line(self, port: str) -> Any:
        """A camera in a session; `docked.open_camera`."""
        home = self.at_home()
        return docked.open_camera(port, home.key("link"), home.config.organisation, home.device_point)
