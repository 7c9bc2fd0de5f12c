"""One suite for a camera of any kind: a process, an emulated board, a board on a bench.

    pytest hil_tests --target unix,qemu_mps2,qemu_sifive        (all three without --target)

Fixtures: `camera` (in any state), `power`, `cardmux`, `dock`. Nothing here imports the firmware. At the end
stands a table of tests by targets; a cell that is empty and not explained in `matrix.md` fails the run.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import matrix
import pytest
import starting
from bench.camera import BenchCamera
from bench.cardmux import CardMux
from bench.console import Console
from bench.dock import Dock
from bench.power import Power
from sealhost import founding

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
SECONDS = 4  # of footage: some two pictures short of two signatures
CARD_MIB = 64
POLICY = {"part_bytes": 1 << 20}  # several parts in a few seconds of film


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--target` and `--port` are pytest-embedded's own."""
    parser.addoption("--bench", default=None, help="the wiring file of a bench with a board on it")


def pytest_configure(config: pytest.Config) -> None:
    """The table at the end."""
    matrix.refuse_boards(config)
    config.pluginmanager.register(matrix.Table(matrix.targets_of(config)), "matrix")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each test once a target, but for what `matrix.md` explains."""
    if "target" in metafunc.fixturenames:
        spared, test = matrix.explained(), metafunc.function.__name__
        chosen = [name for name in matrix.targets_of(metafunc.config) if (test, name) not in spared]
        metafunc.parametrize("target", chosen, indirect=True)


@pytest.fixture
def target(request: pytest.FixtureRequest) -> str:
    """The kind of camera."""
    return str(request.param)


@pytest.fixture(scope="session")
def reel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the camera sees and hears: the street, a few seconds of it."""
    made = tmp_path_factory.mktemp("reel") / "street.reel"
    command = [sys.executable, ROOT / "boards/unix/footage.py", HERE / "footage/street.mp4", made]
    subprocess.run([*command, "--seconds", str(SECONDS), "--quality", "20"], check=True, capture_output=True)
    return made


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An organisation, and nothing else."""
    home = tmp_path_factory.mktemp("founded") / "home"
    founding.init(home, demo=True, policy=POLICY)
    return home


@pytest.fixture(scope="session")
def enrolled(founded: Path, reel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Home, card and flash of one camera that is enrolled, on the quickest target."""
    folder = tmp_path_factory.mktemp("enrolled")
    shutil.copytree(founded, folder / "home")
    return enrol(folder, reel)


def enrol(folder: Path, reel: Path) -> Path:
    """A camera of the home in this folder: card and flash beside it, enrolled and off."""
    make_card(folder / "card.img")
    images = {"card": folder / "card.img", "flash": folder / "flash.img"}
    camera = starting.start("unix", **images, reel=reel, exchange=folder / "exchange")
    dock = Dock(folder / "home")
    for _ in range(5):
        if not dock.run("enrol", folder / "exchange")["waiting_for"]:
            break
        camera.ask("enrol")
    camera.power_off()
    return folder


@pytest.fixture
def glass(target: str, power: Power, folder: Path) -> Iterator[None]:
    """A display: on a desk the program that decodes and shows; an emulated board has one in memory."""
    power.screen = folder / "glass"
    if target != "unix":
        yield
        return
    shown = subprocess.Popen([sys.executable, ROOT / "boards/unix/screen.py", power.screen])
    try:
        while not (power.screen / "answer").exists():
            assert shown.poll() is None
        yield
        power.off()
    finally:
        shown.terminate()
        shown.wait(10)


def make_card(path: Path) -> None:
    """A card as it is sold: FAT32."""
    with open(path, "wb") as file:
        file.truncate(CARD_MIB << 20)
    subprocess.run(["/sbin/mkfs.vfat", "-F", "32", "-s", "1", str(path)], check=True, capture_output=True)


@pytest.fixture
def folder(enrolled: Path, tmp_path: Path) -> Path:
    """The enrolled camera's home, card and flash, for this test alone."""
    subprocess.run(["cp", "-r", "--sparse=always", enrolled, tmp_path / "bench"], check=True)
    return tmp_path / "bench"


@pytest.fixture
def console() -> Iterator[Console]:
    """The pty that stays."""
    console = Console()
    yield console
    console.close()


@pytest.fixture
def port(console: Console) -> str:
    """What pytest-embedded opens: the console of whatever camera is on."""
    return console.path


@pytest.fixture
def power(target: str, folder: Path, console: Console, reel: Path) -> Iterator[Power]:
    """The supply."""
    power = Power(target, folder / "flash.img", console, reel)
    yield power
    power.off()


@pytest.fixture
def cardmux(folder: Path, power: Power) -> CardMux:
    """The card, in the camera at first."""
    mux = CardMux(folder / "card.img", power)
    mux.to_camera()
    return mux


@pytest.fixture
def dock(folder: Path) -> Dock:
    """The organisation's dock."""
    return Dock(folder / "home")


@pytest.fixture
def camera(dut, power: Power, cardmux: CardMux, dock: Dock) -> BenchCamera:
    """An enrolled camera with its card in it, switched off."""
    return BenchCamera(dut, power, cardmux, lambda: dock.line(str(power.port)))
