"""Instructions and bytes on the emulated Cortex-M3, which counts them the same on every machine."""

import sys

import pytest
import vm

BUDGETS = {  # instructions for a thousand bytes of cipher, and bytes allocated in passing
    "qemu_mps2": {"native": 1, "ctr_milli": 68_000, "ctr_bytes": 336, "hmac_bytes": 448},
    "qemu_mps2_stock": {"native": 0, "ctr_milli": 77_000, "ctr_bytes": 0, "hmac_bytes": 448},
}
BOTH = {"sign": 25_000_000, "agree": 52_000_000, "sign_slice": 2_000_000, "hpke_slice": 2_500_000}


@pytest.mark.m3
@pytest.mark.parametrize("image", BUDGETS)
def test_the_sums_stay_within_their_budget_of_instructions_and_bytes(image):
    measured = measure(image)

    assert measured["native"] == BUDGETS[image]["native"]
    budget = {**BUDGETS[image], **BOTH}
    over = {name: measured[name] for name, most in budget.items() if measured[name] > most}
    assert over == {}


def measure(image):
    sys.path.insert(0, str(vm.ROOT / "boards" / "qemu_mps2"))
    import run as emulator

    printed = emulator.run_script(
        vm.FIRMWARE / "tests" / "m3_sums.py",
        image=vm.ROOT / "build" / image / "firmware.elf",
        icount=True,
        path=[vm.FIRMWARE],
    )
    print(printed)
    return {name: int(value) for name, value in (line.split() for line in printed.splitlines())}
