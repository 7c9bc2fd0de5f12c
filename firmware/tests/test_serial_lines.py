"""The dock line of every target: each byte both ways, a cable that is pulled, a host that does not read."""

import os
import pty
import random
import subprocess
import threading
import time
import tty

import pytest
import serial
import starting
import vm
from cable import Cable

ECHO = """
line, buffer = {line}, memoryview(bytearray(4096))
print("- go")
while True:
    line.write(buffer[: line.read_into(buffer)])
"""
EVERY_BYTE = bytes(range(256))


class Desk:
    """A tty whose other side the test holds, and a desk camera's line on it."""

    def __init__(self, tmp_path):
        self.path, self.processes = tmp_path / "line", []
        self.plug()

    def plug(self):
        self.master, slave = pty.openpty()
        tty.setraw(slave)
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(os.ttyname(slave))
        self.slave = slave

    def start(self, source):
        line = f"from serial_line import SerialLine\nline = SerialLine({str(self.path)!r})\n"
        environment = {**os.environ, "MICROPYPATH": vm.search_path()}
        command = [vm.binary("ctr"), "-c", line + source]
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        self.processes.append(process)
        assert process.stdout.readline() == "- go\n"
        os.close(self.slave)  # from here on only the camera holds it
        return process


@pytest.fixture
def desk(tmp_path):
    made = Desk(tmp_path)
    yield made
    for process in made.processes:
        process.kill()


def read_all(descriptor, size):
    found = b""
    while len(found) < size:
        found += os.read(descriptor, size - len(found))
    return found


def test_every_byte_passes_a_desk_line_both_ways(desk):
    camera = desk.start(ECHO.format(line="line"))

    for piece in (EVERY_BYTE, b"\x03\x04\x11\x13\r\n\x00\xff", EVERY_BYTE * 8):
        os.write(desk.master, piece)
        assert read_all(desk.master, len(piece)) == piece
    assert camera.poll() is None


def test_a_hung_up_desk_line_is_nothing_until_somebody_is_there_again(desk):
    camera = desk.start(ECHO.format(line="line"))
    os.close(desk.master)
    desk.plug()

    os.set_blocking(desk.master, False)
    answer = b""
    while not answer:  # opened again when it is tried next
        os.write(desk.master, b"?")
        time.sleep(0.02)
        try:
            answer = os.read(desk.master, 100)
        except BlockingIOError:
            camera.poll()
            assert camera.returncode is None
    assert set(answer) == {ord("?")}


def test_a_desk_line_nobody_reads_gives_up(desk):
    camera = desk.start('print("- go")\nprint(line.write(bytes(100000)) < 100000, line.any())')

    assert camera.communicate(timeout=60)[0] == "True False\n"


def test_a_line_without_a_tty_is_silent(tmp_path):
    said = vm.run(
        "from serial_line import SerialLine\nimport sys\nline = SerialLine(sys.argv[1])\n"
        "print(line.any(), line.read_into(bytearray(9)), line.write(b'12345'))",
        arguments=[str(tmp_path / "none")],
    )

    assert said == "False 0 0\n"


def _pair():
    """A cable and the camera's two ends of it."""
    from_camera, says = os.pipe()
    hears, to_camera = os.pipe()
    os.set_blocking(from_camera, False)
    os.set_blocking(to_camera, False)
    return Cable(from_camera, to_camera, keep=True), says, hears


def test_a_cable_carries_both_ways_and_counts():
    cable, says, hears = _pair()
    host = serial.Serial(cable.plug(), timeout=30)

    os.write(says, EVERY_BYTE)
    host.write(EVERY_BYTE * 2)

    assert host.read(256) == EVERY_BYTE
    assert read_all(hears, 512) == EVERY_BYTE * 2
    assert cable.passed == 768 and cable.heard == EVERY_BYTE
    cable.close()


def test_a_pulled_cable_hangs_up_and_a_new_one_begins_empty():
    cable, says, hears = _pair()
    host = serial.Serial(cable.plug(), timeout=30)
    cable.pull()
    os.write(says, b"lost")
    cable.wait_for(b"lost", 30)

    with pytest.raises((serial.SerialException, OSError)):
        host.read(1)
    again = serial.Serial(cable.plug(), timeout=30)
    os.write(says, b"new")
    assert again.read(3) == b"new"
    cable.close()


@pytest.mark.parametrize("count", [1, 7, 256])
def test_a_cable_is_pulled_after_so_many_bytes_and_not_one_more(count):
    cable, says, hears = _pair()
    host = serial.Serial(cable.plug(), timeout=30)
    cable.pull_after(count)

    host.write(EVERY_BYTE)
    assert read_all(hears, count) == EVERY_BYTE[:count]

    with pytest.raises((serial.SerialException, OSError)):
        host.read(1)
    os.set_blocking(hears, False)
    with pytest.raises(BlockingIOError):
        os.read(hears, 1)
    cable.close()


@pytest.fixture(params=["qemu_mps2", "qemu_sifive"])
def board(request, tmp_path):
    """`board(source)`: an emulated board that runs it, its lines plugged."""
    running = []

    def start(source):
        starting.make_flash(tmp_path / "flash.img", starting.CHIP_BYTES)
        running.append(starting.start_board(request.param, source, {"flash": str(tmp_path / "flash.img")}))
        running[-1].wait_for("- go")
        running[-1].plug()
        return running[-1]

    yield start
    for camera in running:
        camera.kill()


@pytest.mark.m3
def test_every_byte_passes_a_boards_line_both_ways_and_again_after_a_pull(board):
    camera = board("import board\n" + ECHO.format(line="board.line(1)"))

    for _ in range(2):
        host, sent = serial.Serial(camera.port, timeout=60), EVERY_BYTE * 8
        writer = threading.Thread(target=host.write, args=(sent,))
        writer.start()
        assert host.read(len(sent)) == sent
        writer.join()
        camera.cable.pull()
        camera.cable.plug()
    assert camera.is_alive


@pytest.mark.m3
def test_much_arrives_whole_at_a_host_that_takes_its_time(board):
    """An emulated UART drops what nobody takes: the cable takes it."""
    camera = board(
        "import board\nline, whole = board.line(1), memoryview(bytes(range(256)) * 64)\nprint('- go')\n"
        "while not line.any():\n    pass\nprint(sum([line.write(whole) for _ in range(16)]))"
    )
    host, dice = serial.Serial(camera.port, timeout=60), random.Random(3)
    host.write(b"!")

    found = bytearray()
    while len(found) < 1 << 18:
        piece = host.read(min(dice.randrange(1, 60000), (1 << 18) - len(found)))
        assert piece
        found += piece
    assert found == EVERY_BYTE * 1024
    camera.wait_for("262144")
