"""Ten thousand chunks in a heap of 128 KiB on the emulated Cortex-M3, modules frozen: nothing grows."""

import os
import subprocess
import sys

import pytest

CHUNKS = 10_000


@pytest.fixture
def card(tmp_path):
    image = tmp_path / "card.img"
    environment = {**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"}
    command = ["mkfs.vfat", "-F", "32", "-s", "64", "-C", str(image), str(2200 * 1024)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    return image


@pytest.fixture
def compiled(root, tmp_path):
    """The bench's own modules as bytecode: compiled on the board they would not leave it 128 KiB."""
    for name in ("desk_camera", "ram_card"):
        source, made = root / f"firmware/bench/{name}.py", tmp_path / f"{name}.mpy"
        subprocess.run([root / "build/mpy-cross", "-march=armv7m", "-O1", "-o", made, source], check=True)
    return tmp_path


@pytest.mark.slow
@pytest.mark.m3
def test_ten_thousand_chunks_in_128_kib_leave_the_low_water_mark_where_it_was(root, card, compiled):
    sys.path.insert(0, str(root / "boards" / "qemu_mps2"))
    import run as emulator

    printed = emulator.run_script(
        root / "firmware/bench/many_chunks.py",
        (str(card), str(CHUNKS), "500"),
        image=root / "build/qemu_mps2_128k/firmware.elf",
        path=[compiled],
        timeout_s=600,
    )

    lines = printed.splitlines()
    assert lines[-1] == "held", printed
    assert f"free {CHUNKS}" in lines[-2] and len(lines) == CHUNKS // 500 + 1
