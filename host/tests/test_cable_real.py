"""The cable pulled after every byte, and after every frame, of the smallest whole docking: firmware and host
in one process, nothing of the protocol stubbed.

After every frame always; after every byte a share of it, and all of them with SAMPLE=1/1.
"""

import contextlib
import io
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest
from real_camera import RealCamera, forked
from sampling import share
from sealhost import docked, enrolment, founding, statements
from sealhost.cli import wiring
from sealhost.docking import Errands, dock_camera
from sealhost.exchange import Exchange
from sealhost.ingest import Docked, Options
from sealhost.reader import open_place

SMALL = {"chunk_size": 512, "part_bytes": 8192}
pytestmark = [pytest.mark.power, pytest.mark.promise4]


def by_wire(home: wiring.Home, camera: RealCamera, cards: Iterable[Path]) -> Docked:
    """One docking, as the command does it."""
    line = camera.line
    on_line = {"line": line, "clock": line.clock, "sleep": line.sleep}
    opened = docked.open_camera("x", home.link_key, home.config.organisation, home.device_point, **on_line)
    errands = Errands(home.key("time"), home.owed(), lambda found: docked.CameraPlace(found, line.clock))
    return dock_camera(opened, [open_place(card) for card in cards], home.desk(), errands, Options())


class Evening:
    """One organisation and its camera at the end of a shift: one recording of one picture, one log segment.
    """

    def __init__(self, folder: Path, in_reader: bool) -> None:
        self.folder = folder
        founding.init(folder / "home", demo=True, policy=SMALL)
        self.camera = RealCamera()
        home = wiring.Home(str(folder / "home"))
        exchange = Exchange(folder / "exchange")
        exchange.prepare()
        self.camera.enrol(exchange.folder, lambda: enrolment.enrol(exchange, home.authority([])))
        self.camera.rest()
        self.camera.line.begin(None)
        by_wire(home, self.camera, [])  # the trial goes, and a new segment begins
        self.camera.rest()
        self.before = home.custody.size()
        self.receipts_before = self.camera.camera.wiper.last_number()
        self.h_core = self.camera.film()
        self.cards: list[Path] = []
        if in_reader:
            self._into_a_reader()

    def _into_a_reader(self) -> None:
        self.camera.take_out()
        card = self.folder / "card"
        (card / "sealcam").mkdir(parents=True)
        for name, content in self.camera.files.items():
            (card / "sealcam" / name).write_bytes(content)
        self.cards = [card]

    def dock(self, cut_after: int | None, copy: Path) -> None:
        """In a fork: docked with the cable pulled there, and how it must be afterwards."""
        os.fsync = lambda handle: None
        shutil.copytree(self.folder / "home", copy / "home")
        cards = [Path(shutil.copytree(card, copy / "card")) for card in self.cards]
        home, line = wiring.Home(str(copy / "home")), self.camera.line
        line.begin(cut_after)
        with contextlib.redirect_stderr(io.StringIO()):
            found = by_wire(home, self.camera, cards)
        assert line.opened == (1 if cut_after is None else 2), line.opened
        self._check(home, found, cards)
        if cut_after is None:
            (copy / "line").write_text(" ".join(map(str, [line.passed, *line.frames])))

    def _check(self, home: wiring.Home, found: Docked, cards: list[Path]) -> None:
        """Stored twice, wiped once, signed for once, and nobody owes anything."""
        camera = self.camera.camera
        events = [entry.event for entry in home.custody.entries()][self.before :]
        assert [taking.fate for taking in found.takings] == ["wiped"] * len(found.takings), found.takings
        assert not any(taking.stays for taking in found.takings)
        row = home.catalogue.get(self.h_core)
        assert row is not None and row.copies == 2
        assert (events.count("receipt.signed"), events.count("camera.wiped")) == (1, 1), events
        assert not home.wipebook.owed(camera.identity.device_id)
        assert not found.gaps and "gap.found" not in events and "camera.alarm" not in events
        number, digest, record = camera.keystore.receipt()
        assert number > self.receipts_before
        assert (home.wipebook.folder / f"{digest.hex()}.record").read_bytes() == record
        told = statements.read(statements.WIPED, record, camera.identity.point)
        assert (told.receipt_digest, told.count) == (digest, 2)  # the recording and its log segment
        assert not camera.docked and camera.fault is None and not camera.alarms
        self._check_card(camera, cards)

    def _check_card(self, camera, cards: list[Path]) -> None:
        """Nothing of the shift is left; and a card that comes back raises no alarm."""
        for card in cards:
            self.camera.put_in({path.name: path.read_bytes() for path in (card / "sealcam").iterdir()})
        self.camera.rest()
        assert not camera.alarms and camera.card_fault is None, self.camera.said
        assert not any(name.endswith(".skr") and "ready" not in name for name in self.camera.files)
        assert not any(name.endswith(".rcp") for name in self.camera.files)
        assert not camera.files.find("wiping-" + camera.card.serial[-4:].hex())


@pytest.fixture(scope="module", params=[False, True], ids=["in the camera", "beside it"])
def evening(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Evening:
    return Evening(tmp_path_factory.mktemp("evening"), request.param)


def clean_run(evening: Evening, folder: Path) -> tuple[int, list[int]]:
    """(bytes on the line, the places behind each frame) of a docking that nobody disturbs."""
    assert not (wrong := forked(lambda: evening.dock(None, folder))), wrong
    passed, *frames = map(int, (folder / "line").read_text().split())
    return passed, frames


def sweep(evening: Evening, folder: Path, cuts: Iterable[int]) -> int:
    """How many places at which it was pulled; every one ended the same."""
    count = 0
    for cut_after in cuts:
        copy = folder / f"cut-{cut_after}"
        copy.mkdir()
        wrong = forked(lambda: evening.dock(cut_after, copy))  # noqa: B023 - called at once
        assert not wrong, f"after byte {cut_after}: {wrong}"
        shutil.rmtree(copy)
        count += 1
    return count


def test_after_every_frame(evening: Evening, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Proves promise 4."""
    passed, frames = clean_run(evening, tmp_path)
    assert frames[-1] == passed and sorted(set(frames)) == frames

    count = sweep(evening, tmp_path, frames[:-1])

    with capsys.disabled():
        print(f"\npulled after each of {count} frames: every docking ended the same")
    assert count > 40


def test_after_every_byte(evening: Evening, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Proves promise 4: SAMPLE=1/1 is all of them."""
    passed, _ = clean_run(evening, tmp_path)
    first, every = share(23)

    count = sweep(evening, tmp_path, range(1 + first, passed, every))

    with capsys.disabled():
        print(f"\npulled after {count} of {passed} bytes: every docking ended the same")
    assert count
