"""An update on a camera that is a process: it is tried, it proves itself, and a bad one goes by itself."""

import struct
import subprocess
import tempfile
from pathlib import Path

import archives
import pytest
import vm
from archives import compiled, pack, signed
from desk_camera import Desk
from office import sha256

pytestmark = pytest.mark.slow  # every camera here is enrolled first

MAIN = (vm.FIRMWARE / "main.py").read_text()
# a dock needs a host; what counts here is the boot after it has answered one
PROVED = 'self.update.prove("known answers")'
DOCKED = MAIN.replace(PROVED, PROVED + '; self.update.prove("dock")')
assert DOCKED != MAIN


@pytest.fixture(scope="module")
def enrolled(tmp_path_factory):
    return Desk(tmp_path_factory.mktemp("enrolled"), "ctr").enrol()


@pytest.fixture
def desk(enrolled):
    """One camera for all tests of this file: each leaves it running something."""
    return enrolled


def install(desk, changes, version, name="new"):
    """A signed archive of this firmware with some modules exchanged; (its path, its digest)."""
    body = pack(dict(sorted({**archives.real(), **changes}.items())))
    path = desk.folder / name
    path.write_bytes(signed(desk.office.root, body, version))
    return path, sha256(body)


def marked(mark):
    """A program that a host has docked, with something in it to find it by."""
    with tempfile.TemporaryDirectory() as folder:
        return compiled(f"{DOCKED}\nBUILD = {mark!r}\n", Path(folder), "main")


def running(desk):
    """The firmware that the newest recording names."""
    desk.run("record; wait end; stop; power off")
    return max(desk.recordings(1).items())[1].core[208:240]


def told(desk):
    """[(detail, data)] of every entry of event 32 in the logs on the card, without repetitions."""
    found = {}
    for recording in desk.recordings(2).values():
        for track, _, _, entry in recording.records():
            event, detail, number = struct.unpack_from(">HHQ", entry, 4)
            if track == 6 and event == 32:
                found[number] = (detail, entry[48:64])
    return [found[number] for number in sorted(found)]


def test_an_update_is_tried_proved_and_kept_and_the_next_one_after_it(desk):
    """Proves issue 3, item 4: staged in the spare, the old one kept until the new one has proved itself."""
    factory = running(desk)
    for version in (2, 3):
        path, digest = install(desk, {"main.mpy": marked(str(version))}, version)
        desk.run(f"firmware {path}; restart; record; wait end; stop; power off")

        assert digest != factory and running(desk) == digest
        assert [entry for entry in told(desk) if entry[1] == digest[:16]][:3] == [
            (0x100, digest[:16]),
            (0, digest[:16]),
            (0x101, digest[:16]),
        ]


BROKEN = {
    "raises at import": {"main.mpy": "raise ValueError\n"},
    "is not what imports it": {"sealer.mpy": "Sealer = None\n"},
    "raises when it begins": {"main.mpy": "class Camera:\n    def __init__(self, board):\n        board.x\n"},
    "fails its known answers": {
        "selftest.mpy": "from sealcam.errors import SelfTestFailed as F\n\n\ndef run(*key):\n    raise F\n"
    },
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_build_that_does_not_start_falls_back_by_itself(desk, what):
    before = running(desk)
    changes = {
        name: compiled(source, desk.folder, name[:-4]) for name, source in BROKEN[what].items()
    }
    path, digest = install(desk, changes, 100)

    said = desk.run(f"firmware {path}; restart; status; power off")

    assert said.count("- restarts") + said.count("did not start") == 2 and "sound" in said
    assert running(desk) == before
    assert told(desk)[-1] == (0, before[:16]) or (0x103, digest[:16]) in told(desk)


def test_a_build_that_hangs_has_three_boots_and_no_more(desk):
    before = running(desk)
    endless = "import time\n\nprint('- hangs')\nwhile True:\n    time.sleep_ms(20)\n"
    hangs = compiled(endless, desk.folder, "main")
    path, digest = install(desk, {"main.mpy": hangs}, 101)
    desk.run(f"firmware {path}; power off")

    for _ in range(3):
        process = subprocess.Popen(desk.command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdout.readline() == "- hangs\n"
        process.kill()
        process.wait()

    assert running(desk) == before
    assert (0x102, digest[:16]) in told(desk)


def test_a_candidate_that_never_docks_is_given_up_too(desk):
    before = running(desk)
    path, digest = install(desk, {"main.mpy": compiled(MAIN, desk.folder, "main")}, 102)
    desk.run(f"firmware {path}; power off")

    seen = [running(desk) for _ in range(4)]

    assert seen[0] == digest and seen[-1] in (digest, before)
    assert running(desk) == before


def spoil(desk, mark):
    """Flip a bit of everything in flash that a build brought with it."""
    content = desk.flash.read_bytes()
    assert mark in content
    desk.flash.write_bytes(content.replace(mark, bytes([mark[0] ^ 0xFF]) + mark[1:]))


def test_an_archive_that_was_changed_in_flash_does_not_run(desk):
    before = running(desk)
    path, digest = install(desk, {"main.mpy": marked("changed before its trial")}, 103)
    desk.run(f"firmware {path}; power off")
    spoil(desk, b"changed before its trial")

    assert running(desk) == before
    assert (0x104, digest[:16]) in told(desk)


def test_a_kept_archive_that_was_changed_gives_way_to_the_factorys(desk):
    path, digest = install(desk, {"main.mpy": marked("changed when it was kept")}, 104)
    desk.run(f"firmware {path}; restart; record; wait end; stop; power off")
    assert running(desk) == digest
    spoil(desk, b"changed when it was kept")

    other = running(desk)

    assert other != digest and other[:16] not in [entry[1] for entry in told(desk)]


def test_what_is_refused_is_said_and_the_camera_goes_on(desk):
    before = running(desk)
    stranger = Desk.__new__(Desk)
    stranger.folder, stranger.office = desk.folder, type(desk.office)()
    path, _ = install(stranger, {}, 200)

    said = desk.run(f"firmware {path}; restart; status; power off")

    assert "refused 0x05" in said and "sound" in said and running(desk) == before
    assert (0x05, bytes(16)) in told(desk)
