"""What happens to a camera between two dockings: recordings, and one of the faults of the street."""

import random
import shutil
import subprocess
from collections.abc import Callable

from soak.camera import PIN, WRONG, SoakCamera, presses
from soak.model import SoakFault

MOST_CHUNKS = 30
_LAST_WRITE = 260  # of a start and a recording or two
_WAITS_MS = (0, 0, 0, 5_000, 30_000, 60_000, 120_000, 300_000, 600_000, 600_000)  # replay.md
_TRIES = (1, 2, 2, 3, 3, 4, 5)


class Field:
    """One shift's time outside; `draw` decides, and nothing else does."""

    def __init__(self, camera: SoakCamera, draw: random.Random, fault: str, issued: bool) -> None:
        self.camera, self.draw, self.fault, self.issued = camera, draw, fault, issued
        self.wrong_tries = 0

    def work(self) -> None:
        """Film, with the fault drawn; the camera is on and idle before and after."""
        acts: dict[str, Callable[[], None]] = {
            "power cut": self.cut,
            "torn write": self.torn,
            "silent loss": self.silent_loss,
            "card pulled": self.card_pulled,
            "card swapped": self.card_swapped,
            "full card": self.full_card,
            "wrong PIN run": self.wrong_pins,
        }
        if self.fault in acts:
            if self.draw.random() < 0.5:
                self.film()
            acts[self.fault]()
        else:
            self.film()
        if self.draw.random() < 0.5:
            self.film()

    def film(self) -> None:
        """A recording that nothing happens to."""
        if not self.camera.film(self.draw.randrange(2, MOST_CHUNKS)):
            heard = self.camera.running.heard[-400:] if self.camera.running else ""
            raise SoakFault(f"it does not film: {heard}")

    def restart(self, *flags: str, screen: bool = False) -> None:
        """Off, by its button or by the battery; and on."""
        (self.camera.off if self.draw.random() < 0.5 else self.camera.kill)()
        self.camera.on(*flags, screen=screen)

    def cut(self, *more: str) -> None:
        """The power goes at a write nobody chose, or in the middle of a recording."""
        self.restart("--cut-after", str(self.draw.randrange(1, _LAST_WRITE)), *more)
        while self.camera.is_on and self.camera.film(self.draw.randrange(2, MOST_CHUNKS)):
            pass
        self.camera.gone()
        self.camera.on()

    def torn(self) -> None:
        """The same, and half of that write lands."""
        self.cut("--torn")

    def silent_loss(self) -> None:
        """A write to the card that is reported as done and never was."""
        self.camera.book.doubt()
        self.restart("--card-loses-at", str(self.draw.randrange(1, _LAST_WRITE)))
        for _ in range(self.draw.randrange(1, 4)):
            if not self.camera.film(self.draw.randrange(2, MOST_CHUNKS)):
                break
        self.camera.interrupted()
        self.restart()
        self.camera.book.trust()

    def card_pulled(self) -> None:
        """Out in the middle of a recording, and in again."""
        self.camera.film_into(self.draw.randrange(1, MOST_CHUNKS))
        self.camera.must("card out")
        self.camera.interrupted()
        if self.camera.ask("record").startswith("ok"):
            raise SoakFault("it records without a card")
        self.camera.must("card in")

    def card_swapped(self) -> None:
        """Out, often in the middle of a recording, and another one in; the first is docked later."""
        if self.draw.random() < 0.7:
            self.camera.film_into(self.draw.randrange(1, MOST_CHUNKS))
        other = self.camera.another_card()
        self.camera.must("card out")
        self.camera.interrupted()
        self.camera.must(f"card in {other}")
        self.camera.filled.append(self.camera.card)
        self.camera.card = other
        self.film()

    def full_card(self) -> None:
        """Somebody else's file has taken all the room; until it is gone."""
        self.restart("--card-full")
        for _ in range(2):
            if not self.camera.film(self.draw.randrange(2, MOST_CHUNKS)):
                break
        self.camera.interrupted()
        self.camera.off()
        gone = ["mdel", "-i", str(self.camera.card), "::/sealcam/full.bin"]
        subprocess.run(gone, check=True, capture_output=True)
        self.camera.on()

    def wrong_pins(self) -> None:
        """A wearer who chose a PIN, films, and is asked for it by somebody who guesses."""
        camera = self.camera
        for _ in range(2):
            camera.must(presses(PIN))
            camera.must("wait idle")
        self.film()
        tries = 10 if self.draw.random() < 0.03 else self.draw.choice(_TRIES)
        for spent in range(tries):
            camera.must(f"wait ms {_WAITS_MS[spent] + 100}")
            camera.must(presses(WRONG))
            camera.must("wait idle")
        self.wrong_tries = tries

    def keep_flash(self) -> None:
        """Somebody reads the flash out."""
        self.camera.off()
        shutil.copyfile(self.camera.flash, self.camera.folder / "flash-old.img")
        self._kept_at = self.camera.book.last
        self.camera.on()

    def restore_flash(self) -> None:
        """And puts it back when more was filmed."""
        self.camera.off()
        shutil.copyfile(self.camera.folder / "flash-old.img", self.camera.flash)
        self.camera.book.go_back(self._kept_at)
        self.camera.on()
