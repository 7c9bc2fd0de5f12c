"""The cable pulled after every byte of the smallest whole docking, and the host killed at every durable step.

The camera is one on paper; `hil_tests` pulls the cable of real ones at random bytes.
"""

import contextlib
import io
import shutil
from pathlib import Path

import pytest
from ledger import killed_at
from paper_line import MemoryLine, PaperCamera, PtyCamera
from sampling import share
from sealhost import docked
from sealhost.cli import run, wiring
from sealhost.docked.line import Lost
from sealhost.docking import Errands, dock_camera
from sealhost.errors import CableGone
from sealhost.ingest import Docked, Options
from shift import Shift, content
from test_docking import on_the_line

pytestmark = pytest.mark.slow


def by_wire(home: wiring.Home, camera: PaperCamera, line: MemoryLine) -> Docked:
    """One docking, as the command does it."""
    on_line = {"line": line, "clock": line.clock, "sleep": line.sleep}
    opened = docked.open_camera("x", home.key("link"), home.config.organisation, home.device_point, **on_line)
    errands = Errands(home.key("time"), home.owed(), docked.CameraPlace)
    return dock_camera(opened, [], home.desk(), errands, Options())


@pytest.fixture
def small(shift: Shift) -> Shift:
    """One recording of one chunk."""
    shift.film(1, "e")
    return shift


def fresh(shift: Shift, folder: Path) -> wiring.Home:
    """The same vault, untouched."""
    shutil.rmtree(folder, ignore_errors=True)
    return wiring.Home(str(shutil.copytree(shift.home, folder)))


@pytest.mark.power
@pytest.mark.promise4
def test_a_cable_pulled_after_any_byte_of_a_docking_is_taken_up_and_ends_the_same(
    small: Shift, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Proves promise 4: nothing is wiped that is not stored, and everything ends wiped, once."""
    clean = on_the_line(small)
    line = MemoryLine(clean)
    by_wire(fresh(small, tmp_path / "clean"), clean, line)
    assert (clean.card, clean.lamps[-1]) == ({}, 4)

    first, every = share(29)
    cuts = range(1 + first, line.passed, every)
    for cut_after in cuts:
        camera = on_the_line(small)
        home = fresh(small, tmp_path / "cut")
        line = MemoryLine(camera, cut_after)
        found = by_wire(home, camera, line)

        noted = [entry.event for entry in home.custody.entries()]
        assert camera.card == {}, cut_after
        assert [taking.fate for taking in found.takings] == ["wiped"], cut_after
        assert (noted.count("camera.wiped"), noted.count("receipt.signed")) == (1, 1), cut_after
        assert len(home.catalogue.all()) == 1 and not home.wipebook.owed(camera.device_id), cut_after
        assert (line.opened, camera.lamps[-1], camera.is_docked) == (2, 4, False), cut_after

    with capsys.disabled():
        print(f"\n{len(cuts)} bytes at which the cable was pulled: every docking ended the same")


@pytest.mark.power
@pytest.mark.promise4
@pytest.mark.parametrize("in_reader", [False, True], ids=["in the camera", "beside it"])
def test_a_docking_by_wire_killed_at_any_step_wipes_nothing_unstored_and_ends_the_same(
    founded: Path, tmp_path: Path, in_reader: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """Proves promise 4: SIGKILL at the n-th durable call of the host, n = 1, 2, ...; then run again."""
    first, every = share(2)
    step, kills = 1 + first, 0
    while True:
        folder = tmp_path / f"run-{step}"
        folder.mkdir()
        shift = Shift.begin(founded, folder)
        film = shift.film(1, "e")
        cards = [shift.folder_card(folder)] if in_reader else []
        with PtyCamera(on_the_line(shift, **({"card": None} if in_reader else {}))) as line:
            words = ["--home", str(shift.home), "dock", line.path, *map(str, cards), "--json"]
            if not killed_at(step, lambda: quietly(words)):  # noqa: B023 - called at once
                break
            kills += 1
            gone = not (cards[0] / "sealcam" / shift.name(film)).exists() if cards else not line.camera.card
            assert not gone or shift.stored(film), f"killed at {step}: wiped and not stored"
            quietly(words)
            noted = [e for e in shift.desk.custody.entries() if e.event == "camera.wiped"]
            assert len({e.detail["statement"] for e in noted}) == 1, step
            assert shift.stored(film) and not list((shift.home / "vault/receipts").glob("*.owed")), step
            assert not (cards[0] / "sealcam" / shift.name(film)).exists() if cards else not line.camera.card
        step += every

    with capsys.disabled():
        print(f"\n{kills} kills of a docking by wire (one step in {every}): every one mended")
    assert kills * every > 30


def quietly(words: list[str]) -> None:
    """In a child: the command itself."""
    with contextlib.redirect_stdout(io.StringIO()) as told:
        code = run(words)
    assert code == 0, told.getvalue()


def test_a_camera_that_acted_is_asked_for_its_record_again(small: Shift, tmp_path: Path) -> None:
    """The answer to *wipe* is lost with the host: the next docking hears of it by *record*."""
    camera = on_the_line(small)
    home = fresh(small, tmp_path / "again")
    line = MemoryLine(camera)
    acted = camera.do_16

    def wipe_and_vanish(digest: bytes):
        list(acted(digest))
        line.cut_after = line.passed
        line.open = gone
        return [b""]

    def gone() -> None:
        raise Lost("the port is not there")

    camera.do_16 = wipe_and_vanish
    with pytest.raises(CableGone):
        by_wire(home, camera, line)
    assert camera.card == {} and len(home.wipebook.owed(camera.device_id)) == 1

    camera.do_16 = acted
    found = by_wire(wiring.Home(str(home.config.home)), camera, MemoryLine(camera))

    assert [len(wiped.wiped) for wiped in found.resumed] == [1]
    assert not home.wipebook.owed(camera.device_id)
    assert [e.event for e in home.custody.entries()].count("camera.wiped") == 1


def test_sixty_four_mebibytes_cost_hardly_more_on_the_line(shift: Shift) -> None:
    """link.efficiency: bytes of a recording over all bytes both ways, from connect to wiped."""
    film = shift.film(1, "e")
    camera = on_the_line(shift)
    name = shift.name(film)
    raw = content(film)
    camera.card = {name: (raw, len(raw)), "zeros.bin": (bytes(8 << 20), 8 << 20)}
    line = MemoryLine(camera)
    on_line = {"line": line, "clock": line.clock, "sleep": line.sleep}
    home = shift.desk
    opened = docked.open_camera("x", home.key("link"), home.config.organisation, home.device_point, **on_line)
    opened.dock()
    part = next(part for part in docked.CameraPlace(opened).every_file() if part.name.endswith("zeros.bin"))
    before, window = line.passed, memoryview(bytearray(512 << 10))

    for _ in range(3):
        part.read_into(0, window[:32772])
    for at in range(0, part.size, len(window)):
        part.read_into(at, window)

    assert part.size / (line.passed - before) > 0.995
    assert camera.asked.count(0x13) <= 4
