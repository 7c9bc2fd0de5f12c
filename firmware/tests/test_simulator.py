"""The whole camera as a process on a desk, on both machines: it enrols, films, is killed, refuses, and says
why.
"""

import collections
import signal
import struct
import subprocess
import time

import pytest
import vm
from desk_camera import MARK, Desk, make_reel
from office import Office

pytestmark = pytest.mark.slow  # every test enrols a camera of its own


@pytest.fixture(params=vm.NAMES)
def desk(request, tmp_path):
    return Desk(tmp_path, request.param).enrol()


@pytest.mark.promise1
def test_a_camera_enrols_through_a_folder_and_films_a_reel(desk):
    """Proves promise 1 and the enrolment of statements.md."""
    said = desk.run("place Market Square; record; wait end; bookmark 3; stop; power off")

    recording = max(desk.recordings(1).items())[1]
    tracks = collections.Counter(track for track, _, _, _ in recording.records())
    description = next(recording.records())[3]
    assert "recording" in said and "ended" in said
    assert recording.state == "ended" and recording.signed_to == len(recording.chunks) - 1
    assert tracks == {1: 40, 2: 80, 4: 3, 5: 1}
    assert b'"place": "Market Square"' in description and b"micropython" in description


def test_times_are_the_reels_own_and_bytes_come_back(desk):
    desk.run("record; wait end; stop; power off")

    recording = max(desk.recordings(1).items())[1]
    pictures = [(ms, body) for track, _, ms, body in recording.records() if track == 1]
    assert [ms for ms, _ in pictures] == [number * 100 for number in range(40)]
    assert {body for _, body in pictures} == {(MARK * 313)[:5000]}


@pytest.mark.promise1
def test_nothing_that_was_filmed_lies_on_card_or_flash(desk):
    """Proves BW-6, promise 1: a raw scan."""
    desk.run("place Market Square; record; wait end; stop; record; wait chunks 3", "--cut-after", "0")

    for image in (desk.card, desk.flash):
        assert MARK not in image.read_bytes()
        assert b"Market Square" not in image.read_bytes()


def test_a_mute_is_a_gap_in_the_sound_and_nothing_else(desk):
    """Proves AU-8, AU-9."""
    desk.run("record; wait ms 1000; mute; wait ms 1000; unmute; wait end; stop; power off")

    recording = max(desk.recordings(1).items())[1]
    sounds = [ms for track, _, ms, _ in recording.records() if track == 2]
    gap = max(b - a for a, b in zip(sounds, sounds[1:], strict=False))
    assert 900 <= gap <= 1200
    assert sum(track == 1 for track, _, _, _ in recording.records()) == 40


@pytest.mark.promise6
def test_killed_in_mid_recording_the_next_log_says_where_the_cut_was(desk):
    """Proves UA-4, UA-5, promise 6 and `prev`: every chunk but the one in flight, and the camera's word in
    the next header.
    """
    process = subprocess.Popen(
        desk.command("--real-time"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    process.stdin.write("record\n")
    process.stdin.flush()
    for line in process.stdout:
        if line.startswith("- chunk 12"):
            break
    process.send_signal(signal.SIGKILL)
    process.wait()

    said = desk.run("status")

    found = desk.recordings()
    cut = max(seq for seq, recording in found.items() if recording.kind == 1)
    recording, log = found[cut], found[max(found)]
    assert f"recording {cut} was cut short" in said
    assert recording.state == "cut" and len(recording.chunks) >= 12
    assert log.kind == 2 and log.sequence > cut
    from office import sha256

    tags = [bytes(32)] + [chunk[-32:] for chunk in recording.chunks]
    closings = {
        sha256(
            b"sealcam/1 closed\x00",
            struct.pack(">Q16sQ32sB", cut, recording.core[48:64], index, tags[index], 2),
        ): index
        for index in range(len(tags))
    }
    assert log.prev in closings or any(other.prev in closings for other in found.values())


@pytest.mark.promise1
@pytest.mark.parametrize(
    "flag, status",
    [("--bad-cipher", 0x02), ("--blank-key", 0x12), ("--bad-keylist", 0x10), ("--no-entropy", 0x03)],
)
def test_it_refuses_rather_than_film_in_the_clear(desk, flag, status):
    """Proves promise 1: no plain mode; each refusal says why, and nothing new is on the card."""
    before = {path for path in desk.recordings()}

    said = desk.run("record; status; power off", flag)

    assert f"refused 0x{status:02x}" in said and "recording" not in said.split("refused")[0].replace(
        "record:", ""
    )
    assert {path for path in desk.recordings() if desk.recordings()[path].kind == 1} <= before
    assert MARK not in desk.card.read_bytes()


def test_a_blank_key_is_no_way_to_another_organisation(desk):
    desk.run("power off", "--blank-key")
    (desk.exchange / "offer.seal").write_bytes(Office().offer())

    assert "refused 0x12" in desk.run("enrol; power off")


def test_a_camera_that_has_an_organisation_refuses_another_offer(desk):
    other = Office()
    other.nonce = b"another question"
    (desk.exchange / "offer.seal").write_bytes(other.offer())

    assert "refused 0x34" in desk.run("enrol; power off")


def test_a_camera_without_a_drill_films_nothing_for_real(tmp_path):
    desk = Desk(tmp_path, "ctr")
    for _ in range(2):
        desk.office.attend(desk.exchange)
        said = desk.run("enrol; record; power off")

    assert "waiting for drill.seal" in said
    assert "refused 0x13" in said


def test_a_full_card_stops_closed_and_signed(tmp_path):
    desk = Desk(tmp_path, "ctr", part_bytes=1 << 20)
    with open(desk.card, "r+b") as card:
        card.truncate(0)
        card.truncate(5 << 20)
    subprocess.run(
        ["/usr/sbin/mkfs.vfat", "-F", "16", "-f", "2", "-s", "2", str(desk.card)],
        check=True,
        capture_output=True,
    )
    make_reel(desk.reel, pictures=400, size=20000)
    desk.enrol()

    said = desk.run("record; wait end; status; power off")

    recording = max(desk.recordings(1).items())[1]
    assert "ended" in said and recording.state == "ended"
    assert recording.chunks[-1][64 + 92] == 2  # reason: card full
    assert "refused 0x32" in desk.run("record; power off")


def test_a_card_with_no_room_is_refused_at_the_button(desk):
    assert "refused 0x32" in desk.run("record; power off", "--card-full")


@pytest.mark.promise4
@pytest.mark.parametrize("flag", ["--card-fails-at", "--card-loses-at"])
def test_a_card_that_fails_or_loses_a_write_stops_the_recording_and_says_so(desk, flag):
    """Proves promise 4's beginning: no write is believed that was not read back."""
    said = desk.run("record; wait end; stop; status; record; power off", flag, "60")

    recording = max(desk.recordings(1).items())[1]
    assert "stopped: CardFault" in said
    assert "refused 0x31" in said
    assert recording.state == "cut" and recording.chunks
    again = desk.run("record; wait end; stop; power off")
    assert "ended" in again


def test_an_unset_clock_does_not_stop_a_recording(desk):
    desk.run("record; wait end; stop; power off", "--clock-unset")

    core = max(desk.recordings(1).items())[1].core
    assert core[80:88] == bytes(8) and core[96:100] == b"\xff" * 4 and core[104] == 0


def test_the_clock_is_kept_over_a_restart_and_anchored(desk):
    desk.run("record; wait end; stop; power off")

    core = max(desk.recordings(1).items())[1].core
    from office import sha256

    assert core[104] == 2 and abs(struct.unpack(">Q", core[80:88])[0] / 1000 - time.time()) < 60
    assert core[144:176] == sha256(desk.office.time[:-64])


@pytest.mark.promise7
def test_an_inventory_is_signed_over_the_hosts_nonce(desk):
    """Proves BW-3."""
    desk.run("record; wait end; stop; inventory " + "ab" * 16 + f" {desk.folder}/inventory; power off")

    from office import sha256, verifies

    raw = (desk.folder / "inventory").read_bytes()
    label = b"sealcam/1 device inventory\x00"
    fields = raw[len(label) : len(label) + 100]
    signature, entries = raw[len(label) + 100 :][:64], raw[len(label) + 164 :]
    assert verifies(desk.office.device_point, label + fields, signature)
    assert fields[:48] == desk.office.device_id + b"\xab" * 16
    assert fields[60:92] == sha256(entries) and len(entries) % 128 == 0
    assert {entries[at : at + 4] for at in range(0, len(entries), 128)} == {b"SKJ1"}


@pytest.mark.promise6
@pytest.mark.parametrize("torn", [[], ["--torn"]])
def test_a_real_process_whose_power_goes_at_a_write_starts_again(desk, torn):
    """The cut of `power.py`, once more with images and a process that dies: at a few writes, not at every
    one.
    """
    for number in (9, 31, 57):
        desk.run("record; wait end; stop; power off", "--cut-after", str(number), *torn, returncode=-9)

    said = desk.run("record; wait end; stop; power off")

    assert "ended" in said
    assert max(desk.recordings(1).items())[1].state == "ended"


def test_usage_is_answered_with_two(tmp_path):
    ended = subprocess.run(
        [str(vm.binary("ctr")), str(vm.FIRMWARE / "simulator.py"), "--plain"], capture_output=True, text=True
    )
    assert ended.returncode == 2 and "unknown: --plain" in ended.stdout


def test_what_cannot_be_meant_is_said_in_words(tmp_path):
    program, flash = (
        [str(vm.binary("ctr")), str(vm.FIRMWARE / "simulator.py")],
        ["--flash", str(tmp_path / "f.img")],
    )
    missing = subprocess.run(
        [*program, *flash, "--card", str(tmp_path / "no.img")], capture_output=True, text=True
    )
    spoiled = subprocess.run([*program, *flash, "--blank-key"], capture_output=True, text=True)

    assert missing.returncode == 2 and "--make-card" in missing.stdout
    assert spoiled.returncode == 2 and "enrolled" in spoiled.stdout


def test_a_damaged_flash_image_is_refused_and_never_formatted(desk):
    content = bytearray(desk.flash.read_bytes())
    content[18 * 4096 :] = bytes(len(content) - 18 * 4096)
    desk.flash.write_bytes(content)

    said = desk.run("record", returncode=1)

    assert "refuses 0x22" in said
    assert desk.flash.read_bytes() == bytes(content)
