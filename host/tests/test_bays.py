"""The settings of a dock, and what a person, a log and a program see of its bays."""

import io
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from sealhost.bays import Bay, DockSettings, Shown, State, dock_settings
from sealhost.cli.watching import Board
from sealhost.errors import ConfigBroken

FILE = Path("/vault/sealcam.toml")


def test_a_dock_of_patterns_bays_and_a_spool_is_read_from_its_table() -> None:
    bay = {"name": "left-1", "port": "/dev/a", "card": "/dev/b"}
    table = {"name": "dock-1", "ports": ["/dev/ttyACM*"], "bays": [bay], "spool": "spool", "spool_gib": 0.5}

    read = dock_settings(FILE, table)

    assert read.bays == (Bay("left-1", "/dev/a", "/dev/b"),)
    assert (read.name, read.ports, read.spool, read.spool_bytes) == (
        "dock-1",
        ("/dev/ttyACM*",),
        Path("/vault/spool"),
        1 << 29,
    )
    assert dock_settings(FILE, None) == DockSettings()


@pytest.mark.parametrize(
    "table",
    [
        {"name": "J. Doe"},
        {"ports": "/dev/ttyACM0"},
        {"cards": [""]},
        {"lamp": True},
        {"spool_gib": 0},
        {"spool_gib": True},
        {"bays": [{"name": "left"}]},
        {"bays": [{"port": "/dev/a"}]},
        {"bays": [{"name": "a", "port": "/dev/a"}, {"name": "b", "port": "/dev/a"}]},
        {"bays": {"name": "a"}},
    ],
)
def test_a_line_that_is_wrong_refuses_the_table(table: dict[str, object]) -> None:
    with pytest.raises(ConfigBroken):
        dock_settings(FILE, table)


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def told(out: io.StringIO, as_json: bool = False) -> str:
    """Two bays, one of which goes on, and a camera that is late."""
    board = Board(out, as_json)
    board.bay(Shown("left", State.WAITING))
    board.bay(Shown("right", State.VERIFYING, "verifying \x1b[31mcard", 0.25, b"\x07" * 32))
    board.bay(Shown("right", State.VERIFYING, "verifying", 0.27, b"\x07" * 32))
    board.bay(Shown("right", State.SAFE, "1 wiped", 1.0, b"\x07" * 32, charging=True))
    board.late(SimpleNamespace(device_id=bytes(32), issue=bytes(16), until=1000))
    return out.getvalue()


def test_a_person_sees_one_line_for_each_bay_redrawn_in_place() -> None:
    drawn = told(Screen())

    assert drawn.count("\x1b[2A") == 3  # twice as it went on, once for the line above them
    last = drawn.rpartition("\x1b[J")[2].replace("\r\x1b[K", "").splitlines()
    assert last[0].startswith("overdue: camera 0000000000000000")
    assert "safe to take  charging  camera 0707070707070707  (1 wiped)" in last[2]
    assert "\x1b[31m" not in drawn


def test_a_log_has_a_line_for_each_change_and_none_for_progress() -> None:
    lines = told(io.StringIO()).splitlines()

    assert [line.split()[0] for line in lines] == ["left", "right", "right", "overdue:"]
    assert "\x1b" not in "".join(lines)


def test_a_program_reads_one_object_a_line() -> None:
    found = [json.loads(line) for line in told(io.StringIO(), as_json=True).splitlines()]

    assert [one["event"] for one in found] == ["bay", "bay", "bay", "overdue"]
    assert (found[2]["state"], found[2]["lamp"], found[2]["charging"]) == ("safe to take", 4, True)
    assert found[3]["device"] == "00" * 32
