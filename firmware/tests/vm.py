"""Run a script in a real MicroPython from the pinned source: `stock` without counter mode, `ctr` with it.

Runs on the host. Knows where the binaries are and what a failure looks like; nothing of what is tested.
"""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FIRMWARE = ROOT / "firmware"
NAMES = ("stock", "ctr")


class VmFailed(AssertionError):
    """The script raised, or the machine died; the message is what it wrote to standard error."""


def binary(name: str) -> Path:
    """The path of one machine; VmFailed with the command that builds it if it is not there."""
    path = ROOT / "build" / "micropython" / name
    if not path.exists():
        raise VmFailed(f"{path} is not built: make {path.relative_to(ROOT)}")
    return path


def run(
    script: str,
    name: str = "ctr",
    arguments: Sequence[str] = (),
    *,
    heap: str = "",
    timeout_s: float = 600.0,
    cwd: "Path | str | None" = None,
    environment: "Mapping[str, str] | None" = None,
) -> str:
    """What `script` (source text) printed, with `sealcam` and the helpers beside this file importable.

    An argument may be 255 bytes long: the machine makes each an interned string. `heap` as in MicroPython's
    `-X heapsize=`: "512k". Raises VmFailed with its traceback if it raised.
    """
    command = [str(binary(name)), *(["-X", f"heapsize={heap}"] if heap else []), "-c", script, *arguments]
    ended = subprocess.run(
        command,
        capture_output=True,
        timeout=timeout_s,
        cwd=cwd,
        env={**os.environ, "MICROPYPATH": search_path(), **(environment or {})},
        check=False,
    )
    if ended.returncode:
        raise VmFailed(f"{name} ended with {ended.returncode}:\n" + _text(ended.stderr or ended.stdout))
    return _text(ended.stdout)


def search_path() -> str:
    """MICROPYPATH: frozen modules, the firmware, the helpers of its tests, the board's own."""
    folders = (FIRMWARE, FIRMWARE / "tests", ROOT / "boards" / "unix")
    return ":".join([".frozen", *map(str, folders)])


def _text(output: bytes) -> str:
    return output.decode(errors="replace")
