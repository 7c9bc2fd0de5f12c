"""Files read over the dock line: the bytes of the card, whatever becomes of the cable on the way."""

import random

import pytest
from bench.camera import State
from sealhost.errors import PlaceBusy
from sealhost.reader import open_place

PULLS = 2  # of one transfer; `test_cable.py` pulls it in whole dockings
CHUNKS = 6


def filmed(camera, chunks=CHUNKS):
    """One recording, ended; and the line."""
    camera.reach(State.RECORDING)
    camera.wait(f"chunks {chunks}")
    camera.press("stop")
    return camera.reach(State.DOCKED)


def read_all(line):
    """Every file of the camera's card as far as it is used, by name."""
    found = {}
    for file in line.list()[1]:
        content = bytearray(file.used)
        assert line.read_into(file.number, 0, memoryview(content)) == file.used
        found[file.name] = bytes(content)
    return found


def on_the_card(path, wire):
    """The same, as a reader sees it."""
    found = {}
    for part in open_place(path).every_file():
        name = part.name.rpartition("/")[2]
        content = bytearray(len(wire.get(name, b"")))
        part.read_into(0, memoryview(content))
        found[name] = bytes(content)
    return found


def test_what_is_read_over_the_line_is_what_the_card_holds(camera, cardmux):
    wire = read_all(filmed(camera))
    camera.let_go()

    card = on_the_card(cardmux.to_host(), wire)

    assert any(len(content) > CHUNKS * 16384 for content in wire.values())
    assert {name: card[name] for name in wire} == wire


def test_a_cable_pulled_at_random_bytes_costs_nothing_but_time(camera, power, target):
    line = filmed(camera)
    whole = read_all(line)
    size = sum(len(content) for content in whole.values())
    sessions = line.sessions
    draw = random.Random(target)

    for _ in range(PULLS):
        with power.pulled_after(draw.randrange(1, size)):
            assert read_all(line) == whole

    assert line.sessions == sessions + PULLS


def test_a_second_host_at_the_same_port_is_kept_out(camera, power, dock):
    first = filmed(camera)

    with pytest.raises(PlaceBusy):
        dock.line(str(power.port))

    assert first.list()[1]


def test_a_camera_moved_to_another_bay_goes_on_there_and_nothing_is_mixed_up(camera, power, dock):
    first = filmed(camera)
    whole = read_all(first)
    power.camera.cable.pull()
    power.plug()

    second = dock.line(str(power.port))
    second.dock()
    taken = read_all(second)
    second.close()
    again = read_all(first)

    assert taken == whole == again
