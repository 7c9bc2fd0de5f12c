"""The benches: pairs, medians, bars, and a ceiling that does what it says. Nothing is timed."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[1] / "bench"
sys.path.append(str(BENCH))

import ceiling  # noqa: E402
import figures  # noqa: E402


@pytest.fixture
def card(tmp_path):
    """Bytes that are no whole number of blocks, and two stretches of them."""
    path = tmp_path / "card"
    path.write_bytes(bytes(range(251)) * 12000)
    return path, [(512, 1 << 20), (1500000, 1234567)]


@pytest.mark.parametrize("order", ["serial", "overlapped"])
def test_the_ceiling_writes_both_copies_whole(tmp_path, card, order):
    """What is skipped would make a ceiling that nobody can reach."""
    path, stretches = card
    assert ceiling.ingest_seconds(order, str(tmp_path), str(path), stretches) > 0
    content = path.read_bytes()
    wanted = b"".join(content[start : start + length] for start, length in stretches)
    assert (tmp_path / "one").read_bytes() == wanted
    assert (tmp_path / "two").read_bytes() == wanted


def test_the_ceiling_hashes_every_piece_once_whatever_the_number_of_processes(monkeypatch):
    """Two processes share the pieces and leave none out."""
    shares = []
    monkeypatch.setattr(ceiling, "hmac_pieces", lambda _, first, last: shares.append((first, last)))
    monkeypatch.setattr(ceiling.multiprocessing, "get_context", lambda _: Inline)
    ceiling.hmac_seconds(bytearray(5 * ceiling.PIECE - 7), 2)
    assert sorted(shares) == [(0, 2 * ceiling.PIECE), (2 * ceiling.PIECE, 5 * ceiling.PIECE)]


class Inline:
    """A process that runs where it is started."""

    class Process:
        def __init__(self, target, args):
            self.start = lambda: target(*args)

        def join(self):
            """Nothing to wait for."""


def test_a_figure_is_the_median_of_its_pairs_with_lowest_and_highest():
    """Not the ratio of medians, and not the best run."""
    said = figures.of_pairs([(1.0, 2.0), (9.0, 3.0), (4.0, 4.0)], ">=", 0.75, "a over b")
    assert (said["value"], said["lowest"], said["highest"], said["runs"]) == (1.0, 0.5, 3.0, [0.5, 3.0, 1.0])
    assert (said["over"], said["under"]) == (4.0, 3.0)


@pytest.mark.parametrize(
    ("op", "value", "met"), [(">=", 0.75, True), (">", 0.75, False), (">=", 0.7499, False)]
)
def test_a_bar_is_met_or_missed_at_its_edge(op, value, met):
    """`more than` is not `at least`."""
    assert figures.is_met({"op": op, "value": value, "bar": 0.75}) is met


def test_sides_alternate_and_answer_in_their_own_order():
    """What goes first warms the caches for what comes after it."""
    ran = []

    def side(name):
        return lambda: ran.append(name) or float(ord(name))

    sides = [side(name) for name in "abc"]
    assert figures.alternating(0, sides) == figures.alternating(1, sides) == [97.0, 98.0, 99.0]
    assert "".join(ran) == "abccba"


def test_what_others_measured_stays_in_the_file(tmp_path, monkeypatch):
    """Device and host write to one flat file."""
    monkeypatch.setattr(figures, "RESULTS", tmp_path / "build" / "bench.json")
    figures.merge({"device.x": {"value": 1}})
    figures.merge({"host.y": {"value": 2}})
    assert json.loads(figures.RESULTS.read_text()) == {"device.x": {"value": 1}, "host.y": {"value": 2}}


def test_a_name_nobody_knows_is_refused_with_those_that_are_known():
    """ONLY=misspelt measures nothing and says so."""
    command = [sys.executable, BENCH / "run.py", "--only", "host.x"]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 2
    assert "host.ingest" in ran.stderr


PAGE = BENCH.parents[1] / "docs" / "decisions" / "0014-how-the-figures-are-made.md"
DEVICE = BENCH.parents[1] / "firmware" / "bench" / "run.py"


def bars():
    """{name: (op, bar)} of the page."""
    rows = re.findall(r"^\| `([\w.]+)` \| ([<>]=?) ([\d.]+) \|", PAGE.read_text(), re.MULTILINE)
    return {name: (op, float(bar)) for name, op, bar in rows}


def names_known_to(program):
    """What it measures, as it says itself to whoever asks for something else."""
    ran = subprocess.run([sys.executable, program, "--only", "nothing"], capture_output=True, text=True)
    assert ran.returncode == 2
    return set(re.findall(r"\b(?:device|host|link|dock)\.[\w.]*\w", ran.stderr))


def test_every_figure_stands_on_the_page_and_is_measured_by_one_of_the_two():
    """A bar that nobody measures, or that nobody can look up, is none."""
    device, host = names_known_to(DEVICE), names_known_to(BENCH / "run.py")
    assert not device & host
    assert device | host == set(bars()) | {"device.long_recording"}  # which has no bar


@pytest.fixture
def device(monkeypatch):
    """The other program, under a name that is not this one's."""
    monkeypatch.setattr(sys, "path", [str(DEVICE.parent), *sys.path])
    spec = importlib.util.spec_from_file_location("device_figures", DEVICE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_bars_of_the_device_are_those_of_the_page(device):
    """Nobody lowers one in passing."""
    assert {name: (op, bar) for name, (op, bar, *_) in device.FIGURES.items()} == {
        name: said for name, said in bars().items() if name in device.FIGURES
    }


def test_a_bench_of_the_device_divides_what_its_script_says(device, monkeypatch):
    """The ceiling's own figures are asked for only where the script has none of that name."""
    said = {"ceiling": {"ceiling": 90, "hashing": 35}, "range_read": {"answering": 50}}
    said |= {"unlock": {"pbkdf2": 19, "judging": 20}, "chunk_path": {"path": 100, "passing": 7, "left": 0}}
    asked = []
    monkeypatch.setattr(device, "_measure", lambda _, script, __: asked.append(script) or said[script])

    values = [device._entry(f"{name}", "")["value"] for name in ("link.m3", "device.m3.unlock")]
    values += [device._entry(f"device.m3.{name}", "")["value"] for name in ("seal_proved", "heap_passing")]

    assert values == [0.7, 0.95, 0.9, 7]
    assert asked == ["range_read", "ceiling", "unlock", "chunk_path", "ceiling", "chunk_path"]
