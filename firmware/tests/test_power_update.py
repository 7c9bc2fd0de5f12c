"""The power-cut suite of an update, driven from the host: `power_update.py` on both machines in turn."""

import subprocess

import pytest
import vm
from sampling import share

WORKFLOWS = ("put", "confirm", "spend", "refuse")
KINDS = ("cut", "torn", "lose", "fail")


@pytest.mark.power
@pytest.mark.parametrize("workflow", WORKFLOWS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_camera_whose_update_meets_a_fault_boots_old_or_new_and_never_neither(workflow, kind):
    """Proves issue 3, item 4, UA-5: the old one is kept until the new one has proved itself."""
    first, every = share(6)
    turn = WORKFLOWS.index(workflow) + KINDS.index(kind)
    program = [vm.binary(vm.NAMES[(turn + first) % 2]), "-X", "heapsize=64m"]
    program += [vm.FIRMWARE / "tests" / "power_update.py", workflow, kind, f"SAMPLE={first + turn}/{every}"]

    ended = subprocess.run(map(str, program), capture_output=True, text=True, timeout=1800, check=False)

    assert ended.returncode == 0, ended.stdout + ended.stderr[-3000:]
    (last,) = [line for line in ended.stdout.splitlines() if line.startswith(f"{workflow} {kind}: ")]
    assert last.endswith("all rules hold") and not last.startswith(f"{workflow} {kind}: 0 ")
