"""The power-cut suite, driven from the host: `power.py` on both machines, every k-th write of each workflow.

SAMPLE=1/k chooses which, and without it all of them run. What one line says went wrong, the machine's own
output shows.
"""

import subprocess

import pytest
import vm
from sampling import share

WORKFLOWS = (
    "enrol",
    "shift",
    "morning",
    "shelf",
    "renew",
    "dock",
    "wipe",
    "wiped",
    "look",
    "overwrite",
    "gates",
)
KINDS = ("cut", "torn", "lose", "fail")


def power(machine_name, *arguments):
    command = [
        str(vm.binary(machine_name)),
        "-X",
        "heapsize=64m",
        str(vm.FIRMWARE / "tests" / "power.py"),
        *arguments,
    ]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr[-3000:]
    return ended.stdout


@pytest.mark.power
@pytest.mark.promise6
@pytest.mark.parametrize("workflow", WORKFLOWS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_rule_holds_after_a_fault_at_a_write(workflow, kind):
    """Proves UA-5, promise 6, UA-4: clean and torn cuts, lost writes, failed writes, and the day after."""
    first, every = share()
    one = vm.NAMES[(WORKFLOWS.index(workflow) + KINDS.index(kind) + first) % 2]

    for name in vm.NAMES if every == 1 else (one,):  # of a sample, the machines take turns
        said = power(name, workflow, kind, f"SAMPLE={first}/{every}")
        (last,) = [line for line in said.splitlines() if line.startswith(f"{workflow} {kind}: ")]
        assert last.endswith("all rules hold") and not last.startswith(f"{workflow} {kind}: 0 ")


@pytest.mark.slow
def test_a_flash_that_was_put_back_shows_two_headers_under_one_number(machine):
    """Proves the device's part of M16: whoever reads the card sees the fork."""
    script = """
import power
from power import Bench, Faults, enrol, film, main
from power_rules import heads
from sealcam.layout import unpack_core

main.JOURNAL_COUNT = 16
bench = Bench()
enrol(bench, Faults()).power_off()
old = bytes(bench.flash.bytes)
for _ in range(2):
    memoryview(bench.flash.bytes)[:] = old
    camera = bench.start()
    film(camera)
    camera.power_off()
cores = set([core for _, core in heads(bench.card.bytes)])
numbers = [unpack_core(core)["sequence"] for core in cores]
print(len(numbers) - len(set(numbers)))
"""
    assert int(machine(script, heap="32m").split()[-1]) >= 2


@pytest.mark.slow
def test_the_suite_itself_finds_a_camera_that_repeats_a_number(machine):
    script = """
from power import Bench, Faults, enrol, film
from power_rules import Broken, check_numbers

bench = Bench()
enrol(bench, Faults()).power_off()
old = bytes(bench.flash.bytes)
for _ in range(2):
    memoryview(bench.flash.bytes)[:] = old
    camera = bench.start()
    film(camera)
    camera.power_off()
try:
    check_numbers(bench)
    print("silent")
except Broken as found:
    print(found)
"""
    assert "a number stands in two cores" in machine(script, heap="32m")
