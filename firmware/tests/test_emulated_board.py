"""The emulated Cortex-M3 as a test bench: what its runner reports, and what its image holds."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.m3


@pytest.fixture
def board(root, tmp_path):
    """`board(source, *options, after=())`: run a script on the board; (exit code, output, errors)."""

    def run(source, *options, image="qemu_mps2", after=()):
        script = tmp_path / "script.py"
        script.write_text(source)
        image_file = root / "build" / image / "firmware.elf"
        command = [sys.executable, root / "boards" / "qemu_mps2" / "run.py", "--image", image_file]
        ended = subprocess.run([*command, *options, script, "--", *after], capture_output=True, text=True)
        return ended.returncode, ended.stdout, ended.stderr

    return run


def test_a_script_sees_its_arguments_and_the_frozen_firmware(board):
    code, printed, errors = board("import sys, sealcam.layout\nprint(sys.argv[1:])", after=["one", "two"])

    assert (code, printed, errors) == (0, "['one', 'two']\n", "")


def test_a_script_that_raises_fails_with_its_traceback(board):
    code, _, errors = board("raise ValueError('on the board')")

    assert code == 1
    assert "ValueError: on the board" in errors


def test_an_image_that_is_not_there_is_named(board):
    code, _, errors = board("print(1)", image="no_such_image")

    assert code == 2
    assert "no_such_image" in errors


@pytest.mark.parametrize(("image", "has_ctr"), [("qemu_mps2", True), ("qemu_mps2_stock", False)])
def test_only_the_stock_image_lacks_ctr(board, image, has_ctr):
    code, _, errors = board("import cryptolib; cryptolib.aes(bytes(32), 6, bytes(16))", image=image)

    assert (code == 0) == has_ctr
    assert has_ctr or "ValueError" in errors


def test_instructions_are_counted_alike_twice(board):
    count = "import time, board, hashlib\nt = time.ticks_us()\nhashlib.sha256(bytes(65536)).digest()\n"
    count += "print(board.instructions_since(t))"

    first, second = (int(board(count, "--icount")[1]) for _ in range(2))

    assert 65536 * 35 < first < 65536 * 55
    assert abs(first - second) <= first * 0.01


def test_spare_memory_lies_outside_the_heap(board):
    fill = "import gc, board\nbefore = gc.mem_free()\nram = board.spare_ram(4 << 20)\nram[-1] = 7\n"

    look = "print(before - gc.mem_free() < 4096, board.spare_ram(1, (4 << 20) - 1)[0])"

    code, printed, _ = board(fill + look)

    assert (code, printed) == (0, "True 7\n")


def test_files_of_the_host_are_read_and_written(board, tmp_path):
    (tmp_path / "helper.py").write_text("WORD = 'from the host'\n")
    source = "import helper, semihost\nwith semihost.HostFile({!r}, 'w') as f:\n    f.write(helper.WORD)\n"

    code, _, errors = board(source.format(str(tmp_path / "answer.txt")), "--path", tmp_path)

    assert (code, errors) == (0, "")
    assert (tmp_path / "answer.txt").read_text() == "from the host"
