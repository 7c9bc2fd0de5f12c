"""One simulated camera of a soak: its images, its buttons, and its page in the model."""

import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import starting

from soak.glass import Glass
from soak.model import Book, End, Film, SoakFault

CARD_MIB = 8
PIN, WRONG = "483926", "271604"
_CHUNK = re.compile(r"- chunk (\d+)")
_STARTED = re.compile(r"- recording (\d+) started")
_GONE_S = 20.0


def new_card(path: Path) -> Path:
    """A card as it is sold, and small: three recordings, and it has to be docked."""
    with open(path, "wb") as file:
        file.truncate(CARD_MIB << 20)
    made = ["/sbin/mkfs.vfat", "-F", "16", "-s", "1", str(path)]
    subprocess.run(made, check=True, capture_output=True)
    return path


def presses(pin: str) -> str:
    """A PIN as a thumb types it."""
    words: list[str] = []
    for at, digit in enumerate(pin):
        words += ["right"] * bool(at) + ["up"] * int(digit)
    return "press " + " ".join([*words, "ok"])


class SoakCamera:
    """Off at first. `card` is in its slot, `spares` lie beside it, `filled` hold what nobody has docked."""

    def __init__(self, folder: Path, reel: Path) -> None:
        self.folder, self.reel = folder, reel
        folder.mkdir(parents=True, exist_ok=True)
        self.flash, self.port = folder / "flash.img", folder / "dock-port"
        self.card = folder / "card-0.img"
        self.cards_made = 1
        self.filled: list[Path] = []
        self.kept: list[Path] = []  # in the evidence office
        self.spares: list[Path] = []
        self.book, self.device_id = Book(), b""
        self.running: Any = None
        self._glass: Glass | None = None
        self._film: Film | None = None
        self._from = 0

    def another_card(self) -> Path:
        """A spare one, or one from the shop."""
        if self.spares:
            return self.spares.pop(0)
        self.cards_made += 1
        return new_card(self.folder / f"card-{self.cards_made - 1}.img")

    def on(self, *flags: str, screen: bool = False, card: bool = True) -> None:
        """Switch it on. A camera that the power left before it was ready is simply off."""
        if screen:
            glass = self.folder / "glass"
            shutil.rmtree(glass, ignore_errors=True)
            self._glass = Glass(glass)
            flags = (*flags, "--screen", str(glass))
        slot = self.card if card else None
        try:
            self.running = starting.start("unix", slot, self.flash, reel=self.reel, flags=flags)
        except starting.NotStarted as said:
            if "--cut-after" not in flags:
                raise SoakFault(f"it did not start: {said}") from None
            self.running = None
            return
        self._from = 0
        self.plug()

    @property
    def is_on(self) -> bool:
        return self.running is not None and self.running.is_alive

    def plug(self) -> None:
        """The dock cable, under one name."""
        self.port.unlink(missing_ok=True)
        self.port.symlink_to(self.running.cable.plug())

    def ask(self, words: str) -> str:
        """Press a button; what it answers, or nothing where the power went."""
        try:
            answer = str(self.running.ask(words))
        except (TimeoutError, OSError):
            if self.is_on:
                raise SoakFault(f"{words}: no answer; {self.running.heard[-300:]}") from None
            answer = ""
        self._hear()
        return answer

    def must(self, words: str) -> str:
        """The same, where nothing may stand in the way."""
        answer = self.ask(words)
        if not answer.startswith("ok"):
            raise SoakFault(f"{words}: {answer or 'it is off'}; {self.running.heard[-300:]}")
        return answer

    def _hear(self) -> None:
        """What it told of itself since: recordings begun, chunks written."""
        heard = self.running.heard
        begin, self._from = self._from, max(self._from, heard.rfind("\n") + 1)
        for line in heard[begin : self._from].splitlines():
            if begun := _STARTED.match(line):
                self._film = self.book.begin(int(begun[1]))
            elif (chunk := _CHUNK.match(line)) and self._film:
                self._film.heard = int(chunk[1])

    def film(self, chunks: int) -> bool:
        """A recording of so many chunks; whether it was begun and stopped in order."""
        if not self.ask("record").startswith("ok"):
            self._end(End.CUT)
            return False
        self.ask(f"wait chunks {chunks}")
        stopped = self.ask("stop").startswith("ok")
        self._end(End.STOPPED if stopped else End.CUT)
        return stopped

    def film_into(self, chunks: int) -> None:
        """A recording that something is about to happen to."""
        self.must("record")
        self.must(f"wait chunks {chunks}")

    def _end(self, end: End) -> None:
        film, self._film = self._film, None
        if film is not None and film.end is End.RUNNING:
            film.end = end

    def interrupted(self) -> None:
        """Whatever it was filming did not end as it should."""
        if self.running is not None:
            self._hear()
        self._end(End.CUT)

    def gone(self) -> None:
        """The power went by itself; or it goes now."""
        if self.running is not None:
            end = time.monotonic() + 0.05
            while self.is_on and time.monotonic() < end:
                time.sleep(0.01)
            self.kill()

    def kill(self) -> None:
        """The power goes."""
        if self.running is not None:
            self.running.process.kill()
            self.running.process.wait(_GONE_S)
            time.sleep(0.01)  # its last words are in the cable
            self.interrupted()
            self._closed(self.running.kill)

    def off(self) -> None:
        """In order."""
        if self.running is not None:
            self._hear()
            self._closed(self.running.power_off)
            self._end(End.STOPPED)  # the camera ends a recording before it is off

    def _closed(self, how: Any) -> None:
        how()
        self.running = None
        self.port.unlink(missing_ok=True)
        if self._glass:
            self._glass.close()
            self._glass = None

    @contextmanager
    def pulled_after(self, count: int) -> Iterator[None]:
        """While this lasts the dock cable comes out once, so many bytes on, and goes in again."""
        cable, over = self.running.cable, threading.Event()

        def watch() -> None:
            while cable.is_plugged and not over.wait(0.01):
                pass
            if not cable.is_plugged:
                self.plug()

        hand = threading.Thread(target=watch)
        cable.pull_after(count)
        hand.start()
        try:
            yield
        finally:
            over.set()
            hand.join()
            cable.pull_after(1 << 40)

    def inventory(self) -> Path:
        """Its signed journal, by the console."""
        path = self.folder / "journal"
        self.must(f"inventory {os.urandom(16).hex()} {path}")
        return path

    def numbers_on(self, cards: Sequence[Path]) -> set[int]:
        """The numbers of the files on cards, by their names."""
        found = set()
        for card in cards:
            listing = ["mdir", "-b", "-i", str(card), "::/sealcam"]
            listed = subprocess.run(listing, capture_output=True, text=True)
            own = self.device_id.hex()[:16] + "-"
            names = [line.rpartition("/")[2].lower() for line in listed.stdout.splitlines()]
            found |= {int(name.split("-")[1]) for name in names if name.startswith(own)}
        return found
