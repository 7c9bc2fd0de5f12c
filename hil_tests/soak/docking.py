"""How a camera of a soak is docked: by wire, by wire and reader, by its card alone; and what goes wrong."""

import contextlib
import os
import random
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.dock import Dock, DockFault
from sealhost import durable, statements
from sealhost.cli import wiring
from sealhost.desk import utc_ms
from sealhost.errors import CameraRefused

from soak.camera import SoakCamera
from soak.model import SoakFault

TEN_YEARS_MS = 3653 * 86_400_000
_VAULT_AWAY = (0, 1, 5, 6, 7, 9)
_KEPT = (0, 8, 20)
_LAST_STEP, _LAST_BYTE, _LAST_WRITE = 60, 150_000, 200
_TIME_REFUSED = 0x23


class Docking:
    """One docking, repeated until it is done; `way` is `wire`, `reader` or `card`."""

    def __init__(self, home: Path, camera: SoakCamera, draw: random.Random, fault: str) -> None:
        self.home, self.camera, self.draw, self.fault = home, camera, draw, fault
        self.dock = Dock(home)
        self.way = draw.choice(("wire", "reader", "card"))
        self.answers: list[dict[str, Any]] = []

    def work(self) -> None:
        """The camera is on, with its card in it, before and after; what was on its cards is docked."""
        acts: dict[str, Callable[[], None]] = {
            "cable pulled": self.cable_pulled,
            "vault away": self.vault_away,
            "host killed": self.host_killed,
            "clock": self.years_back,
            "power cut": self.power_cut,
        }
        if self.fault == "cable pulled" and self.way == "card":
            self.way = "wire"
        places = self._prepare()
        if self.fault in acts:
            self._places = places
            acts[self.fault]()
        self.run(places)
        self._put_away()

    def _prepare(self) -> list[object]:
        """Put things where they are docked."""
        camera = self.camera
        camera.must("wait idle")
        if self.way == "wire":
            return [camera.port]
        if self.way == "reader":
            camera.must("card out")
            return [camera.port, camera.card]
        journal = camera.inventory()
        camera.off()
        return [camera.card, "--inventory", journal]

    def _put_away(self) -> None:
        """Cards that were filled before, then everything back into the camera."""
        camera = self.camera
        while camera.filled:
            card = camera.filled[0]
            if camera.is_on:
                self.run([camera.port, card])
            else:
                self.run([card, "--inventory", camera.folder / "journal"])
            camera.filled.remove(card)
            (camera.kept if self.stays else camera.spares).append(card)
        if self.stays_inside and camera.card not in camera.kept:
            camera.off()
            camera.kept.append(camera.card)
            camera.card = camera.another_card()
        if not camera.is_on:
            camera.on()
        elif self.way == "reader":
            camera.must(f"card in {camera.card}")

    def run(self, places: list[object], codes: tuple[int, ...] = _KEPT) -> dict[str, Any]:
        """One run of the command; what it answered is kept."""
        try:
            answer = self.dock.run("dock", *places, codes=codes)
        except DockFault as fault:
            raise SoakFault(str(fault)) from None
        self.answers.append(answer)
        self.stays = any(one["stays"] for one in answer.get("recordings", ()))
        if self.camera.card in places or (self.way == "wire" and len(places) == 1):
            self.stays_inside = self.stays
        return answer

    stays = stays_inside = False

    def power_cut(self) -> None:
        """The camera's, at any of its writes while it is docked; a card in a reader is nothing to it."""
        if self.way != "wire":
            return
        self.camera.off()
        self.camera.on("--cut-after", str(self.draw.randrange(20, _LAST_WRITE)))
        if self.camera.is_on:
            self.run(self._places, (*_KEPT, 3, 4))
        self.camera.gone()
        self.camera.on()

    def cable_pulled(self) -> None:
        """Once, after any byte."""
        with self.camera.pulled_after(self.draw.randrange(1, _LAST_BYTE)):
            self.run(self._places, (*_KEPT, 4))

    def vault_away(self) -> None:
        """A store is gone before the docking, or from any step of it on."""
        store = self.home / "vault" / self.draw.choice(("store-1", "store-2"))
        away = store.with_name("away")
        step = self.draw.choice((0, self.draw.randrange(1, _LAST_STEP)))
        lock, seen = threading.Lock(), [0]

        def take_away(_name: str = "") -> None:
            with lock:
                seen[0] += 1
                if seen[0] >= step and store.exists():
                    store.rename(away)

        if step == 0:
            take_away()
        durable.watch(take_away)
        try:
            self.run(self._places, (*_VAULT_AWAY, *_KEPT))
        finally:
            durable.watch(None)
            if away.exists():
                away.rename(store)

    def host_killed(self) -> None:
        """SIGKILL, right before any of its durable steps."""
        step = self.draw.randrange(1, _LAST_STEP)
        child = os.fork()
        if child == 0:
            self._die_at(step)
        os.waitpid(child, 0)

    def _die_at(self, step: int) -> None:
        lock, seen = threading.Lock(), [0]

        def watch(_name: str) -> None:
            with lock:
                seen[0] += 1
                if seen[0] == step:
                    os.kill(os.getpid(), signal.SIGKILL)

        durable.watch(watch)
        with contextlib.suppress(BaseException), open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
            self.dock.run("dock", *self._places, codes=_KEPT)
        os._exit(0)

    def years_back(self) -> None:
        """Whoever holds the time key sets the clock back ten years: refused, whatever it signs."""
        if not self.camera.is_on:
            return
        home = wiring.Home(str(self.home))
        line = self.dock.line(str(self.camera.port))

        def over(nonce: bytes) -> bytes:
            size, root = home.custody.head()
            then = {"utc_ms": utc_ms() - TEN_YEARS_MS, "tree_size": size, "root": root}
            asked = {"device_id": line.device_id, "nonce": nonce}
            return statements.make(statements.TIME, home.key("time"), **asked, **then)

        try:
            line.dock()
            change = line.set_clock(over)
        except CameraRefused as refused:
            if refused.status != _TIME_REFUSED:
                raise SoakFault(f"the clock: {refused}") from None
        else:
            raise SoakFault(f"its clock went back: {change} ms")
        finally:
            line.close()
