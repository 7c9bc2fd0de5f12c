"""What the documents promise, against the tests that prove it: rules, promises, requirements.

Reads the tests as text; runs none of them. A rule is proved by tests with its number in their names (M7:
`must_07`, C2: `rule_c2`), a promise by tests that bear its marker, a requirement by docstrings that cite it.
"""

import ast
import re
import tomllib
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
SUITES = [ROOT / "firmware" / "tests", ROOT / "host" / "tests", DOCS / "format"]
PAGES = {
    "M": "format/recording.md",
    "L": "format/usage-log.md",
    "C": "format/custody.md",
    "D": "dock-protocol.md",
    "R": "format/replay.md",
}
ID = re.compile(r"\b(?:ICO|CD|USB|EM|EE|EA|DS|BK|SH|MD|FX|OF|CC|PH|BW|LE|AU|UA|DK)-\w+\b")


@cache
def every_test() -> tuple[tuple[str, str, frozenset[str]], ...]:
    """(name, docstring, markers) of every test of every suite."""
    found = []
    for path in sorted(path for suite in SUITES for path in suite.glob("test_*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                found.append((node.name, ast.get_docstring(node) or "", markers_of(node)))
    return tuple(found)


def markers_of(node: ast.FunctionDef) -> frozenset[str]:
    """`name` of every `@pytest.mark.name` over a test."""
    written = [ast.unparse(decorator) for decorator in node.decorator_list]
    return frozenset(found[1] for text in written if (found := re.match(r"pytest\.mark\.(\w+)", text)))


def table(page: Path) -> list[list[str]]:
    """The rows of the first table of a page, without its head."""
    lines = page.read_text().splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("| ---"))
    rows = []
    for line in lines[first + 1 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def rules() -> list[str]:
    """Every rule of every page that has some: M1, ..., L1, ..., C1, ..., D1, ..."""
    return [
        rule
        for letter, page in PAGES.items()
        for rule in re.findall(rf"\*\*({letter}\d+)\*\*", (DOCS / page).read_text())
    ]


def token(rule: str) -> str:
    """What the name of a test of this rule holds."""
    letter, number = rule[0], int(rule[1:])
    return f"must_{number:02}_" if letter == "M" else f"rule_{letter.lower()}{number}_"


def test_the_pages_have_their_rules_in_order():
    for letter, fewest in {"M": 21, "L": 6, "C": 5, "D": 16, "R": 11}.items():
        numbers = [int(rule[1:]) for rule in rules() if rule[0] == letter]
        assert numbers == list(range(1, len(numbers) + 1)) and len(numbers) >= fewest


@pytest.mark.parametrize("rule", rules())
def test_every_rule_has_a_test_with_its_number(rule):
    assert any(name.startswith(f"test_{token(rule)}") for name, _, _ in every_test())


def test_no_test_bears_the_number_of_a_rule_that_is_not_there():
    known = {token(rule) for rule in rules()}

    named = [name for name, _, _ in every_test() if re.match(r"test_(must_\d|rule_[lcdr]\d)", name)]

    assert named
    assert [name for name in named if not any(name.startswith(f"test_{each}") for each in known)] == []


def test_a_docstring_that_cites_a_rule_cites_one_that_is_there():
    cited = {rule for _, said, _ in every_test() for rule in re.findall(r"\b[MLCD]\d{1,2}\b", said)}

    assert cited - set(rules()) == set()


def promises() -> list[tuple[str, str]]:
    """(number, what stands in the column *today*)."""
    return [(row[0], row[2]) for row in table(DOCS / "promises.md")]


def promised(number: str) -> list[str]:
    """The tests that bear a promise's marker."""
    return [name for name, _, markers in every_test() if f"promise{number}" in markers]


@pytest.mark.parametrize("number, today", promises())
def test_a_promise_has_tests_if_it_is_kept_and_none_if_it_is_not_yet(number, today):
    assert bool(promised(number)) == (not today.startswith("*not yet*"))


def test_every_promise_has_its_marker_and_no_marker_is_of_another():
    pytest_options = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    marked = re.findall(r"^promise(\d+):", "\n".join(pytest_options["markers"]), re.M)

    assert marked == [number for number, _ in promises()]


def test_requirements_and_the_tests_that_cite_them_are_in_step():
    stated = {row[0]: row[2] for row in table(DOCS / "requirements.md")}
    citing = defaultdict(list)
    for name, said, _ in every_test():
        for cited in ID.findall(said):
            citing[cited].append(name)

    assert set(citing) - set(stated) == set()
    assert [i for i, today in stated.items() if today.startswith("later") and citing[i]] == []
    assert [i for i, today in stated.items() if not today.startswith("later") and not citing[i]] == []
    assert all(re.match(r"(proved$|part: |later$)", today) for today in stated.values())
