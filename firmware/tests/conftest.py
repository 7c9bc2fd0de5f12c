"""What every firmware test can ask for: the repository, the vectors, and a MicroPython of either kind."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
for folder in (HERE.parent / "shim", HERE.parent, HERE):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

import vm  # noqa: E402  (the helpers beside this file are importable from here on)
from sealcam import carrier, p256, sealer  # noqa: E402


@pytest.fixture(scope="session")
def root() -> Path:
    return HERE.parents[1]


@pytest.fixture(params=vm.NAMES)
def machine(request: pytest.FixtureRequest):
    """`machine(script, *arguments)`: what the script printed in a real MicroPython, of each kind in turn."""

    def run(script: str, *arguments: str, **options) -> str:
        return vm.run(script, request.param, arguments, **options)

    run.name = request.param
    return run


@pytest.fixture(autouse=True)
def nothing_of_the_bench_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test's `power_bench.Bench` puts before cipher, sealer and sums is taken away after it."""
    touched = [(sealer, "Ctr"), (carrier, "Sealer")]
    for module, name in [*touched, *((p256, name) for name in ("verify", "public", "self_test"))]:
        monkeypatch.setattr(module, name, getattr(module, name))
