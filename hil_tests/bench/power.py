"""The camera's supply and its dock cable: on, off, and off at a moment nobody chose.

Off is a cut: nothing is closed, nothing is flushed.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import starting

from bench.console import Console


class Power:
    """`card` is whatever `cardmux` has put into the camera; `reel` what it sees and hears.

    `port` is the dock line under one name, as udev gives it, over power cuts and pulled cables.
    """

    def __init__(self, target: str, flash: Path, console: Console, reel: Path) -> None:
        self.target, self._flash, self._console, self._reel = target, flash, console, reel
        self.card: Path | None = None
        self.port = flash.with_name("dock-port")
        self.exchange = flash.with_name("exchange")
        self.screen: Path | None = None
        self.fast = False  # the clock of an emulated board runs ahead, as the desk's always does
        self.camera: Any = None
        self._timer: threading.Timer | None = None

    @property
    def is_on(self) -> bool:
        return self.camera is not None and self.camera.is_alive

    def on(self) -> None:
        """Switch it on and wait until it has booted; NotStarted with what it said last."""
        if not self.is_on:
            self.off()
            shown = {"exchange": self.exchange, "screen": self.screen, "fast": self.fast}
            self.camera = starting.start(self.target, self.card, self._flash, reel=self._reel, **shown)
            self._console.attach(self.camera.console)
            self.plug()

    def off(self) -> None:
        """The supply is gone, at once."""
        if self._timer:
            self._timer.cancel()
        camera, self.camera = self.camera, None
        if camera is not None:
            self._console.detach()
            camera.kill()

    def plug(self) -> None:
        """The dock cable, in."""
        self.port.unlink(missing_ok=True)
        self.port.symlink_to(self.camera.cable.plug())

    @contextmanager
    def pulled_after(self, count: int) -> Iterator[None]:
        """While this lasts the dock cable comes out once, after so many more bytes, and goes in again."""
        cable, over = self.camera.cable, threading.Event()
        plugging = threading.Thread(target=self._plug_again, args=(cable, over))
        cable.pull_after(count)
        plugging.start()
        try:
            yield
        finally:
            over.set()
            plugging.join()
            cable.pull_after(1 << 40)

    def _plug_again(self, cable: Any, over: threading.Event) -> None:
        while cable.is_plugged and not over.wait(0.01):
            pass
        if not cable.is_plugged:
            time.sleep(0.1)  # a hand takes longer
            self.plug()

    def cycle(self) -> None:
        """Off and on again."""
        self.off()
        self.on()

    def cut_after_ms(self, milliseconds: int) -> None:
        """The supply goes by itself, so much later."""
        self._timer = threading.Timer(milliseconds / 1000, lambda: self.camera and self.camera.process.kill())
        self._timer.daemon = True
        self._timer.start()

    def wait_off(self) -> None:
        """Until the cut has come."""
        self.camera.process.wait(60)
        self.off()
