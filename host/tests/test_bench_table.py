"""The table of the bench: no cell of tests by targets is empty without a reason, and nothing is ignored."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path += [str(ROOT / part) for part in ("boards/tools", "hil_tests")]

import matrix  # noqa: E402 - reachable from here on

pytestmark = pytest.mark.slow

TARGETS = ["unix", "qemu_mps2"]
OK = pytest.ExitCode.OK


def report(test: str, target: str, outcome: str, when: str = "call", told: str = "") -> pytest.TestReport:
    """What pytest says of one test on one target."""
    name, said = f"test_any.py::{test}[{target}]", [("told", told)] if told else []
    facts = (name, ("", 0, ""), {}, outcome, None, when)
    return pytest.TestReport(*facts, user_properties=said)  # type: ignore[arg-type]


def table_of(*reports: pytest.TestReport) -> matrix.Table:
    table = matrix.Table(TARGETS)
    for one in reports:
        table.pytest_runtest_logreport(one)
    return table


def ended(table: matrix.Table) -> object:
    """The exit status of a run that was fine until then."""
    session = SimpleNamespace(config=SimpleNamespace(), exitstatus=OK)
    table.pytest_sessionfinish(session)  # type: ignore[arg-type]
    return session.exitstatus


def test_a_test_that_passed_on_every_target_leaves_no_empty_cell() -> None:
    table = table_of(*(report("test_it", target, "passed") for target in TARGETS))

    assert (table.empty(), ended(table)) == ([], OK)


@pytest.mark.parametrize(
    "other",
    [[], [report("test_it", "qemu_mps2", "skipped", "setup")], [report("test_it", "qemu_mps2", "skipped")]],
    ids=["never made", "skipped before", "skipped within"],
)
def test_an_empty_cell_fails_the_run(other: list[pytest.TestReport]) -> None:
    table = table_of(report("test_it", "unix", "passed"), *other)

    assert table.empty() == ["test_it on qemu_mps2"]
    assert ended(table) == pytest.ExitCode.TESTS_FAILED


def test_a_row_of_the_page_explains_an_empty_cell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page = tmp_path / "matrix.md"
    page.write_text("| test | target | why |\n| --- | --- | --- |\n| `test_it` | `qemu_mps2` | no slot |\n")
    monkeypatch.setattr(matrix, "PAGE", page)

    assert table_of(report("test_it", "unix", "passed")).empty() == []


def test_one_case_that_fails_fails_its_cell() -> None:
    table = table_of(report("test_it", "unix-400", "failed"), report("test_it", "unix-1500", "passed"))

    assert table.cells["test_it"]["unix"] == "FAILED"


def test_what_a_test_tells_stands_under_the_table() -> None:
    table = table_of(report("test_it", "unix", "passed", told="longest stall 3 ms"))

    assert table.told == ["test_it on unix: longest stall 3 ms"]


@pytest.mark.parametrize("option", ["--port", "--bench"])
def test_a_board_is_refused_in_so_many_words(option: str) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "--collect-only", "hil_tests", option, "any"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    assert ran.returncode == pytest.ExitCode.USAGE_ERROR
    assert "no board with a chip on it yet" in ran.stderr + ran.stdout
