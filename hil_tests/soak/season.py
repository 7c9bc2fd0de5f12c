"""A season: one organisation, two cameras, fifty shifts, and an account of every number at its end.

A season depends on nothing before it, so that one can be played again alone.
"""

import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import starting
from bench.dock import Dock
from sealhost import founding, statements
from sealhost.cli import wiring
from sealhost.docked import talk
from sealhost.statements.journal import RECEIPTED

from soak.camera import SoakCamera, new_card
from soak.docking import Docking
from soak.field import Field
from soak.model import Fate, SoakFault, Tally

FAULTS = (
    "power cut",
    "torn write",
    "silent loss",
    "card pulled",
    "card swapped",
    "cable pulled",
    "vault away",
    "clock",
    "full card",
    "wrong PIN run",
    "host killed",
    "flash restored",
)
LENGTH = 50
CAMERAS = 2
POLICY = {"part_bytes": 1 << 17, "chunk_size": 4096, "flags": 7}  # small parts; replay allowed on a desk
_SECOND = 0.3  # how often a shift has two faults
_ISSUED = 0.4
_WEARERS = ("4711", "4712", "4713")
_PIN_WRONG = 25  # event of a usage log


def make_reel(path: Path) -> Path:
    """A second of the street."""
    root = starting.ROOT
    made = [sys.executable, root / "boards/unix/footage.py", root / "hil_tests/footage/street.mp4", path]
    subprocess.run([*made, "--seconds", "1", "--quality", "20"], check=True, capture_output=True)
    return path


def faults_of(seed: str, shift: int) -> list[str]:
    """Every twelve shifts have each fault once, in any order; some have one more."""
    bag = list(FAULTS)
    random.Random(f"{seed}/bag {shift // len(FAULTS)}").shuffle(bag)
    draw = random.Random(f"{seed}/faults {shift}")
    chosen = [bag[shift % len(FAULTS)]]
    if draw.random() < _SECOND:
        chosen.append(draw.choice([fault for fault in FAULTS if fault not in chosen]))
    return chosen


class Season:
    """`folder` is empty at first; what is wrong is a SoakFault, and the folder is left as it is."""

    def __init__(self, folder: Path, seed: str, reel: Path, cameras: int = CAMERAS) -> None:
        talk.PAUSES = (0.0, *[0.1] * (talk.TRIES - 1))  # a hand here plugs in at once
        self.folder, self.seed, self.reel = folder, seed, reel
        self.home, self.tally = folder / "home", Tally()
        founding.init(self.home, demo=True, policy=POLICY)
        self.dock = Dock(self.home)
        self.made = 0
        self.cameras = [self.enrol() for _ in range(cameras)]
        self.retired: list[SoakCamera] = []

    def enrol(self) -> SoakCamera:
        """A camera as it comes from the shop, into the organisation; it is off."""
        camera = SoakCamera(self.folder / f"camera-{self.made}", self.reel)
        self.made += 1
        new_card(camera.card)
        camera.on()
        told = self.dock.run("enrol", camera.port)
        if told["waiting_for"]:
            raise SoakFault(f"not enrolled: {told}")
        camera.device_id = bytes.fromhex(told["camera"])
        camera.off()
        return camera

    def shift(self, number: int) -> None:
        """One shift, and what must hold after it."""
        draw = random.Random(f"{self.seed}/shift {number}")
        camera, faults = draw.choice(self.cameras), faults_of(self.seed, number)
        self.tally.faults.update(faults)
        try:
            self._play(camera, draw, faults)
            if draw.random() < 0.1:
                self.dock.run("custody", "verify")
        finally:
            camera.kill()

    def _play(self, camera: SoakCamera, draw: random.Random, faults: list[str]) -> None:
        camera.on(*["--clock-unset"] * ("clock" in faults), screen="wrong PIN run" in faults)
        issued = "wrong PIN run" in faults or draw.random() < _ISSUED
        if issued:
            if wiring.Home(str(self.home)).register.current_issue(camera.device_id) is not None:
                self.dock.run("return", camera.device_id.hex()[:8], "--port", camera.port)
            until = ("--until", "+8h", "--port", camera.port)
            self.dock.run("issue", camera.device_id.hex()[:8], "--to", draw.choice(_WEARERS), *until)
        wrong = self._in_the_field(camera, draw, sorted(faults, key=_by_screen), issued)
        self._at_the_dock(camera, draw, faults)
        self._check(camera, issued and self._by_wire, wrong)
        if "flash restored" in faults:
            self._replace(camera)

    def _in_the_field(
        self, camera: SoakCamera, draw: random.Random, faults: list[str], issued: bool
    ) -> int:
        """How often a wrong PIN was typed."""
        wrong = 0
        if "flash restored" in faults:
            old = Field(camera, draw, "", issued)
            old.keep_flash()
            old.film()
            if draw.random() < 0.5:
                self._docked(camera, draw, "")
        for fault in faults:
            field = Field(camera, draw, fault, issued)
            field.work()
            wrong += field.wrong_tries
        if "flash restored" in faults:
            old.restore_flash()
            old.film()
        return wrong

    def _at_the_dock(self, camera: SoakCamera, draw: random.Random, faults: list[str]) -> None:
        ways = [
            self._docked(camera, draw, fault) for fault in (faults if draw.random() < 0.5 else faults[::-1])
        ]
        self._by_wire = ways != ["card"] * len(ways)

    def _docked(self, camera: SoakCamera, draw: random.Random, fault: str) -> str:
        """The way it was docked."""
        docking = Docking(self.home, camera, draw, fault)
        docking.work()
        self.tally.ways[docking.way] += 1
        for answer in docking.answers:
            self._hold(camera, answer)
        return docking.way

    def _hold(self, camera: SoakCamera, answer: dict[str, Any]) -> None:
        """What one docking may say."""
        book = camera.book
        tainted = bool(book.doubtful or book.forked)
        for one in answer.get("recordings", ()):
            if one["fate"] == "wiped" and (one["copies"] < 2 or one["slot_copies"] < 2):
                raise SoakFault(f"wiped and not stored twice: {one}")
            spoiled = book.is_doubtful(one["sequence"]) or book.is_forked(one["sequence"])
            if one["stays"] and not spoiled and not tainted:
                raise SoakFault(f"it stays on the card: {one['sequence']} {one['line']} {one['stays']}")
            if one["kind"] == "recording":
                self.tally.notes[f"{one['verdict']}, {one['fate']}"] += 1
        if tainted:
            return
        told = answer.get("camera") or {}
        if told.get("alarms"):
            raise SoakFault(f"alarm: {told['alarms']}")
        if any(log["broken_at"] for log in answer.get("logs", ())) or answer.get("missing"):
            raise SoakFault(f"its log or its numbers: {answer['logs']} {answer['missing']}")

    def _check(self, camera: SoakCamera, ended: bool, wrong: int) -> None:
        home = wiring.Home(str(self.home))
        if ended and not camera.book.forked and home.register.current_issue(camera.device_id) is not None:
            raise SoakFault("docked, and still issued")
        if wrong:
            heard = [e for e in home.catalogue.log_of(camera.device_id) if e.event == _PIN_WRONG]
            told = sum(1 for _ in heard) - self._pins.get(camera.device_id, 0)
            self._pins[camera.device_id] = len(heard)
            if told != wrong and not camera.book.doubtful and not camera.book.forked:
                raise SoakFault(f"{wrong} wrong PINs, and its log tells of {told}")

    @property
    def _pins(self) -> dict[bytes, int]:
        return self.__dict__.setdefault("pins", {})

    def _replace(self, camera: SoakCamera) -> None:
        """An older flash was in it: the fork was found, and nobody wears it again."""
        home = wiring.Home(str(self.home))
        device = home.register.get(camera.device_id)
        if device is None or device.state != "suspended":
            raise SoakFault(f"an older flash was put back, and it is {device and device.state}")
        camera.off()
        camera.kept += [camera.card, *camera.filled]
        self.cameras[self.cameras.index(camera)] = self.enrol()
        self.retired.append(camera)

    def account(self) -> None:
        """Every number of every camera; then custody and every copy."""
        for camera in (*self.cameras, *self.retired):
            self._account(camera)
        self.dock.run("custody", "verify")
        told = self.dock.run("audit")
        wrong = [one for one in told["recordings"] if one["troubles"] or one["copies"] < 2]
        if wrong or told["custody_trouble"]:
            raise SoakFault(f"audit: {wrong} {told['custody_trouble']}")

    def _account(self, camera: SoakCamera) -> None:
        if camera not in self.retired:
            camera.on()
            self._docked(camera, random.Random(0), "")
            camera.kill()
        fates = self.fates(camera)
        for number, fate in fates.items():
            camera.book.judge(number, fate)
            self.tally.fates[f"{fate.where} {fate.verdict.lower()}".strip()] += 1

    def fates(self, camera: SoakCamera) -> dict[int, Fate]:
        """What became of each number, up to the highest that anybody knows."""
        home, device_id = wiring.Home(str(self.home)), camera.device_id
        rows = {row.sequence: row for row in home.catalogue.all() if row.device_id == device_id}
        held = {case.sequence for case in home.quarantine.cases() if case.device_id == device_id}
        kept = camera.numbers_on(camera.kept)
        kept_inventory = home.register.newest_inventory(device_id)
        point = home.device_point(device_id)
        journal = statements.read_inventory(kept_inventory[0], point) if kept_inventory and point else None
        told = {e.sequence for e in journal.entries if e.type != RECEIPTED} if journal else set()
        highest = max([*rows, *held, *kept, *told, *(journal.sequences if journal else ()), camera.book.last])
        voids, enrolled = set(home.register.voids(device_id)), set(home.register.accounted(device_id))
        places = {"quarantined": held, "void": voids, "kept": kept, "enrolled": enrolled, "lost": told}

        def fate(number: int) -> Fate:
            if number in rows:
                row = rows[number]
                copies = min(row.copies, row.slot_copies)
                return Fate("stored", row.verdict.name, row.last_index, copies)
            return Fate(next((name for name, found in places.items() if number in found), "nowhere"))

        return {number: fate(number) for number in range(1, highest + 1)}

    def end(self) -> None:
        """Everything of it is in order: nothing is kept."""
        shutil.rmtree(self.folder)


def _by_screen(fault: str) -> bool:
    """What needs the screen that the camera was switched on with comes first."""
    return fault != "wrong PIN run"
