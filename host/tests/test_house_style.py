"""The house style that a machine can hold: layers, one sentence a module, short functions, short files."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HALVES = {"sealcam": ROOT / "firmware" / "sealcam", "sealhost": ROOT / "host" / "sealhost"}
CEILINGS = [ROOT / "firmware" / "bench" / "ceiling.py", ROOT / "host" / "bench" / "ceiling.py"]
LONGEST_FUNCTION = 40
LONGEST_MODULE = 300
APART = {"edges", "work"}  # these two never import each other
ROW = re.compile(r"^\|(?P<layer>[^|]*)\|(?P<names>[^|]*)\|(?P<sentence>.*)\|\s*$")


def rows_of(package: str) -> list[tuple[str, list[str]]]:
    """The layer table of one half, top row first: (layer, names that share the row)."""
    text = (ROOT / "docs" / "architecture.md").read_text()
    section = text.split(f"/{package}`\n", 1)[1].split("\n## ", 1)[0]
    rows: list[tuple[str, list[str]]] = []
    for line in section.splitlines():
        found = ROW.match(line)
        if not found or set(found["layer"].strip()) <= {"-"} and "`" not in line:
            continue
        names = re.findall(r"`(\w+)`", found["names"])
        layer = found["layer"].strip(" *") or rows[-1][0]
        if names:
            rows.append((layer, names))
    return rows


def modules_of(package: str) -> dict[str, list[Path]]:
    """Module name to its files: one, or all of a folder; the package's own doors apart."""
    found: dict[str, list[Path]] = {}
    for path in sorted(HALVES[package].rglob("*.py")):
        parts = path.relative_to(HALVES[package]).with_suffix("").parts
        if parts not in [("__init__",), ("__main__",)] and "migrations" not in parts:
            found.setdefault(parts[0], []).append(path)
    return found


def imports_of(path: Path, package: str) -> set[str]:
    """Our own modules that a file imports: `import sealcam.x`, `from sealcam import x`, `from . import x`."""
    depth = len(path.relative_to(HALVES[package]).parts)
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            dotted = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = absolute(node, package, depth)
            dotted = [base] if "." in base else [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        found |= {name.split(".")[1] for name in dotted if name.startswith(package + ".")}
    return found


def absolute(node: ast.ImportFrom, package: str, depth: int) -> str:
    """The dotted name after `from`; inside a folder one dot is the folder itself, no edge of the table."""
    if node.level == 0:
        return node.module or ""
    if node.level < depth:
        return "(own folder)"
    return f"{package}.{node.module}" if node.module else package


def may_import(package: str) -> dict[str, set[str]]:
    """For every name in the table, the names it may import."""
    allowed: dict[str, set[str]] = {}
    above: list[tuple[str, str]] = []
    for layer, names in rows_of(package):
        for name in names:
            allowed[name] = {other for room, other in above if not ({layer, room} == APART)}
            above.append((layer, name))
    return allowed


@pytest.mark.parametrize("package", HALVES)
def test_every_layer_table_is_read(package):
    layers = list(dict.fromkeys(layer for layer, _ in rows_of(package)))

    assert layers[:2] == ["words", "sums"]
    assert {"edges", "work"} <= set(layers)
    assert len(may_import(package)) >= 20


@pytest.mark.parametrize("package", HALVES)
def test_every_module_has_a_row(package):
    assert set(modules_of(package)) - set(may_import(package)) == set()


@pytest.mark.parametrize("package", HALVES)
def test_modules_import_only_from_rows_above(package):
    allowed = may_import(package)

    wrong = [
        f"{path.relative_to(ROOT)} imports {imported}"
        for name, paths in modules_of(package).items()
        for path in paths
        for imported in sorted(imports_of(path, package) - {name} - {"__version__"})
        if imported not in allowed.get(name, set())
    ]

    assert wrong == []


@pytest.mark.parametrize("package", HALVES)
def test_neither_half_imports_the_other(package):
    (other,) = set(HALVES) - {package}

    wrong = [path for paths in modules_of(package).values() for path in paths if names(path, other)]

    assert wrong == []


def names(path: Path, other: str) -> bool:
    """Whether a file imports anything of that package."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            dotted = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            dotted = [node.module or ""]
        else:
            continue
        if any(name.split(".")[0] == other for name in dotted):
            return True
    return False


@pytest.mark.parametrize("path", CEILINGS, ids=lambda path: str(path.relative_to(ROOT)))
def test_bench_ceilings_import_nothing_of_ours(path):
    if not path.parent.exists():
        pytest.skip(f"{path.parent.relative_to(ROOT)} is not there yet")

    assert path.exists()
    assert not any(names(path, ours) for ours in HALVES)
    assert not re.search(r"^\s*from \.", path.read_text(), re.M)


def files_of_both_halves() -> list[Path]:
    return [path for package in HALVES for path in sorted(HALVES[package].rglob("*.py"))]


@pytest.mark.parametrize("path", files_of_both_halves(), ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_open_with_a_sentence_and_stay_short(path):
    text = path.read_text()
    tree = ast.parse(text)

    assert ast.get_docstring(tree) or path.name == "__init__.py"
    assert text.count("\n") <= LONGEST_MODULE


@pytest.mark.parametrize("path", files_of_both_halves(), ids=lambda path: str(path.relative_to(ROOT)))
def test_functions_stay_under_forty_lines(path):
    long = [
        f"{node.name}: {lines_of(node)} lines"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and lines_of(node) > LONGEST_FUNCTION
    ]

    assert long == []


def lines_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """From `def` to the last line, docstring apart: what has to be held in mind at once."""
    first = node.body[0]
    is_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    docstring = (first.end_lineno or 0) - first.lineno + 1 if is_docstring else 0
    return (node.end_lineno or node.lineno) - node.lineno + 1 - docstring


def test_the_layer_test_sees_an_import_that_points_the_wrong_way(tmp_path, monkeypatch):
    folder = tmp_path / "sealcam"
    folder.mkdir()
    wrong = folder / "sealer.py"
    lines = ["from sealcam import card", "from sealcam.recorder import Recorder", "from . import layout"]
    wrong.write_text("\n".join(lines))
    monkeypatch.setitem(HALVES, "sealcam", folder)

    imported = imports_of(wrong, "sealcam")

    assert imported == {"card", "recorder", "layout"}
    assert imported - may_import("sealcam")["sealer"] == {"card", "recorder"}


def test_the_bench_speaks_to_a_camera_as_a_host_does() -> None:
    """Nothing of hil_tests imports the firmware."""
    for path in sorted((ROOT / "hil_tests").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in names if name.split(".")[0] in ("sealcam", "main", "console")], path
