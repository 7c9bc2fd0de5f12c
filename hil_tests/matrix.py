"""The table of tests by targets, and the page that explains its empty cells."""

import re
from pathlib import Path

import pytest
import starting

PAGE = Path(__file__).with_name("matrix.md")
_MARKS = {"passed": "ok", "failed": "FAILED", "skipped": "skipped"}


def targets_of(config: pytest.Config) -> list[str]:
    """The targets asked for; all virtual ones when nobody asks."""
    asked = config.getoption("target", None)
    chosen = str(asked).split(",") if asked else list(starting.TARGETS)
    unknown = [name for name in chosen if name not in starting.TARGETS]
    if unknown:
        raise pytest.UsageError(f"no target {', '.join(unknown)}; there are {', '.join(starting.TARGETS)}")
    return chosen


def refuse_boards(config: pytest.Config) -> None:
    """A port or a wiring file is a board's, and there is none: better said than ignored."""
    if config.getoption("port", None) or config.getoption("bench", None):
        raise pytest.UsageError("boards/ has no board with a chip on it yet: --port and --bench are for one")


def explained() -> dict[tuple[str, str], str]:
    """(test, target): why it is not tested there."""
    lines = [line.strip("|").split("|") for line in PAGE.read_text().splitlines()]
    rows = [[cell.strip(" `") for cell in line] for line in lines if len(line) == 3]
    return {(row[0], row[1]): row[2] for row in rows if row[0].startswith("test_") and row[2]}


class Table:
    """Collects what became of every test on every target; under xdist in the process that reports."""

    def __init__(self, targets: list[str]) -> None:
        self.targets = targets
        self.cells: dict[str, dict[str, str]] = {}
        self.told: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test with several cases on one target has failed there if one of them has."""
        found = re.search(r"::(test_\w+)\[([\w-]+)\]", report.nodeid)
        if found is None or (report.when != "call" and report.passed):
            return
        if report.when == "call":
            words = [text for what, text in report.user_properties if what == "told"]
            self.told += [f"{found[1]} on {found[2]}: {text}" for text in words]
        row = self.cells.setdefault(found[1], {})
        for target in [name for name in self.targets if name in found[2]]:
            if row.get(target) != "FAILED":
                row[target] = _MARKS[report.outcome]

    def empty(self) -> list[str]:
        """Cells without a result that the page does not explain."""
        spared = explained()
        return [
            f"{test} on {target}"
            for test, row in self.cells.items()
            for target in self.targets
            if row.get(target) in (None, "skipped") and (test, target) not in spared
        ]

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """An empty cell is a failure."""
        is_worker = hasattr(session.config, "workerinput")
        if not is_worker and session.exitstatus == pytest.ExitCode.OK and self.empty():
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The table."""
        if not self.cells:
            return
        write, spared = terminalreporter.write_line, explained()
        width = max(len(test) for test in self.cells)
        write("")
        write(" " * width + "".join(f"  {target:<11}" for target in self.targets))
        for test, row in sorted(self.cells.items()):
            marks = [row.get(t) or ("-" if (test, t) in spared else "EMPTY") for t in self.targets]
            write(f"{test:<{width}}" + "".join(f"  {mark:<11}" for mark in marks))
        for (test, target), why in spared.items():
            if test in self.cells and target in self.targets:
                write(f"- {test} on {target}: {why}")
        for line in self.told:
            write(line)
        for cell in self.empty():
            write(f"EMPTY: {cell}, and matrix.md does not say why")
