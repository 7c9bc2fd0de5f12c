"""A camera on the line, as a process: every command in every state, and whom it believes.

docs/dock-protocol.md, sections 2 and 3, over a pty to the simulator.
"""

import json
import os
import struct
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from desk_camera import Desk
from office import Office, sha256, statement, verifies
from wire_host import MORE, PROVED, SEALED, Closed, Refused, Silence, WiredCamera, open_frame

pytestmark = pytest.mark.slow  # enrols cameras of its own

BODIES = {  # a body of the right length for each command; what it says is judged later
    0x01: b"", 0x02: b"", 0x04: b"\x01", 0x10: b"", 0x11: bytes(16), 0x12: b"", 0x13: bytes(10) + b"\0\0\0\1",
    0x14: bytes(8), 0x15: b"\x01\x01", 0x16: bytes(32), 0x17: bytes(34), 0x18: bytes(32), 0x19: b"",
    0x1A: b"", 0x1B: bytes(181), 0x20: b"\x01" + bytes(3) + b"\x01" + bytes(5), 0x21: b"", 0x22: b"",
    0x23: b"", 0x24: b"", 0x28: bytes(25), 0x29: b"", 0x30: b"", 0x31: b"\x02", 0x32: b"",
}  # fmt: skip
ALONE = {0x01, 0x02, 0x30}
IN_ENROLMENT = {0x01, 0x02, 0x12, 0x13, 0x1A, 0x1B, 0x20, 0x23, 0x30, 0x31, 0x32}
ENROLLED = {0x01, 0x02, 0x04, 0x10, 0x1A, 0x1B, 0x20, 0x21, 0x22, 0x23, 0x24, 0x28, 0x29, 0x31}
DOCKED = ENROLLED | {0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19}
SENT_FIRST = {0x15, 0x21, 0x22, 0x23, 0x24}  # 0x34 as well while nothing was put


@pytest.fixture(scope="module", params=["ctr", "stock"])
def desk(request, tmp_path_factory):
    """One enrolled camera's images, for all tests of a machine."""
    desk = Desk(tmp_path_factory.mktemp("desk"), request.param)
    camera = WiredCamera(desk)
    camera.enrol()
    camera.off()
    return desk


@pytest.fixture
def camera(desk):
    camera = WiredCamera(desk)
    yield camera
    camera.off()


@pytest.fixture
def host(camera):
    camera.host.device_point = camera.desk.office.device_point
    camera.host.hello()
    return camera.host


def status_of(host, command, body):
    try:
        host.ask(command, body)
    except Refused as refusal:
        return refusal.args[0]
    return 0


def refusals(host, allowed):
    """{command: status} of those that are answered other than the state asks for."""
    wrong = {}
    for command, body in BODIES.items():
        if command in (0x10, 0x19):
            continue  # they change the state: tested apart
        status = status_of(host, command, body)
        if command not in allowed and status != 0x34:
            wrong[command] = status
        if command in allowed - SENT_FIRST and status == 0x34:
            wrong[command] = status
    return wrong


def test_every_command_in_a_camera_without_an_organisation(tmp_path):
    camera = WiredCamera(Desk(tmp_path, "ctr"))
    camera.host.hello()

    assert refusals(camera.host, ALONE) == {}
    assert status_of(camera.host, 0x20, b"\x06" + bytes(3) + b"\x01" + bytes(5)) == 0
    assert status_of(camera.host, 0x10, b"") == status_of(camera.host, 0x03, b"") == 0x34
    camera.off()


def test_every_command_in_a_camera_in_enrolment(tmp_path):
    camera = WiredCamera(Desk(tmp_path, "ctr"))
    host, office = camera.host, camera.desk.office
    host.hello()
    host.put(6, office.offer())
    host.ask(0x30)
    host.hello()
    host.ask(0x30)
    host.put(7, office.times(host.ask(0x31, b"\x01")))
    host.ask(0x30)

    assert refusals(host, IN_ENROLMENT - {0x31}) == {}  # nothing to fetch: it is not enrolled
    assert status_of(host, 0x10, b"") == 0x34
    camera.off()


def test_every_command_outside_and_inside_the_dock(host):
    assert refusals(host, ENROLLED) == {}
    assert status_of(host, 0x19, b"") == 0x34
    host.ask(0x10)
    assert refusals(host, DOCKED - {0x16, 0x17, 0x18}) == {}
    assert status_of(host, 0x19, b"") == 0
    assert status_of(host, 0x12, b"") == 0x34


def test_rule_d5_only_the_organisations_own_dock_is_spoken_to(camera):
    stranger = ec.generate_private_key(ec.SECP256R1())
    host, link = camera.host, camera.host.link

    with pytest.raises(Closed) as other:
        host.hello(organisation=Office().organisation)
    host.link = stranger
    with pytest.raises(Closed) as key:
        host.hello()
    host.link = link

    assert (other.value.args[0], key.value.args[0]) == (0x05, 0x10)
    host.hello()
    assert host.ask(0x10)


def test_who_was_refused_stands_in_the_log_once(camera):
    other = Office().organisation
    for _ in range(3):
        with pytest.raises(Closed):
            camera.host.hello(organisation=other)

    events = log_of(camera)

    assert events.count((36, 0x05)) == 1


def log_of(camera):
    """(event, detail) of what flash holds, from before the docking on."""
    raw = camera.desk.flash.read_bytes()
    found, at = [], raw.find(b"SKU1")
    while at >= 0:
        entry = raw[at : at + 128]
        if sha256(b"sealcam/1 log\x00", entry[:96]) == entry[96:]:
            found.append((struct.unpack(">Q", entry[8:16])[0], *struct.unpack(">HH", entry[4:8])))
        at = raw.find(b"SKU1", at + 1)
    newest = {number: (event, detail) for number, event, detail in found}
    started = max(number for number, (event, _) in newest.items() if event == 1)
    return [newest[number] for number in sorted(newest) if number >= started]


def test_rule_d7_the_camera_signs_for_the_session_it_is_in(host, desk):
    assert host.device == desk.office.device_point


def test_rule_d8_nothing_is_done_before_a_frame_has_proved(camera):
    host = camera.host
    host.hello()
    host.out.mac = bytes(32)

    host.send(0x10)

    with pytest.raises(Closed) as ended:
        host.answer()
    assert ended.value.args[0] == 0x06
    assert "ok idle" in camera.press("status")
    assert camera.press("record").startswith("ok")
    camera.press("stop")
    assert (27, 0) not in log_of(camera)


@pytest.mark.parametrize("what", ["replayed", "reflected", "lost", "cut", "flipped", "form 2"])
def test_rule_d9_a_frame_that_does_not_prove_ends_the_session(host, what):
    host.ask(0x01)
    first, second = host.out.seal(b"\x02\x00\x00\x07"), host.out.seal(b"\x02\x00\x00\x08")
    frame = {
        "replayed": first + first,
        "reflected": host.back.seal(b"\x02\x00\x00\x07"),
        "lost": second,
        "cut": first[:-3] + bytes(3),
        "flipped": first[:9] + bytes([first[9] ^ 0xFF]) + first[10:],
    }
    if what == "form 2":
        host.out.number -= 2
        frame[what] = host.out.seal(b"\x02\x00\x00\x07", PROVED)

    host.line.write(frame[what])

    with pytest.raises(Closed) as ended:
        while True:
            host.back.number = len(host.heard)  # of its answers only those that prove are taken
            host.answer()
    assert ended.value.args[0] == 0x06
    host.line.write(second)
    with pytest.raises(Closed):
        host.answer()  # it has no session any more, and says so


def test_rule_d10_a_new_hello_ends_the_session_before_it(camera):
    host = camera.host
    host.hello()
    old = host.out
    host.hello()

    host.line.write(old.seal(b"\x10\x00\x00\x01"))

    with pytest.raises(Closed) as ended:
        host.answer()
    assert ended.value.args[0] == 0x06


def test_a_hello_that_is_refused_ends_it_as_well(host):
    for start in (b"\x01\x02\x00\x00", b"\x01\x01\x00\x01"):
        with pytest.raises(Closed) as ended:
            host.hello(start=start)
        assert ended.value.args[0] == 0x15
    with pytest.raises(Closed):
        host.ask(0x01)


def test_a_point_that_is_none_is_refused_at_the_hello(camera):
    broken = bytearray(camera.host.offer()[4:69])
    broken[64] ^= 0xFF

    with pytest.raises(Closed) as ended:
        camera.host.hello(ephemeral=bytes(broken))

    assert ended.value.args[0] == 0x04


def test_rule_d11_who_is_answered_in_any_state_and_changes_nothing(host):
    host.ask(0x10)
    said = host.who()

    assert said[:4] == b"\x05\x01\x02\x00" and json.loads(said[72:])["board"] == "unix"
    assert said[2:] == host.ask(0x01)
    assert host.ask(0x19) == b""


def test_rule_d12_answers_to_read_are_proved_and_all_others_sealed(host):
    host.ask(0x10)
    number, _, used = next(iter(host.list()[1].values()))
    asked = host.send(0x13, struct.pack(">HQI", number, 0, 512))

    form, payload, tag = host.frame()

    assert (form, len(payload)) == (PROVED, 516)
    assert payload[:4] == struct.pack(">BBH", 0x13, 0, asked) and payload[4:12] == b"SEALCAM\n"
    host.back.open(form, payload, tag)
    host.send(0x01)
    form, payload, _ = host.frame()
    assert form == SEALED and b"unix" not in payload


def test_rule_d13_long_bodies_go_in_whole_pieces(host):
    host.ask(0x10)
    name, (number, size, used) = max(host.list()[1].items(), key=lambda item: item[1][2])
    asked = host.send(0x13, struct.pack(">HQI", number, 100, 40000))

    sizes = [len(piece) for piece in host.pieces(0x13, asked)]

    assert sizes == [16384, 16384, 40000 - 32768]
    assert len(host.read(number, size - 10, 4 << 20)) == 10
    assert host.read(number, size, 1) == b""
    for body in ((number, size + 1, 1), (number, 0, 0), (number, 0, (4 << 20) + 1)):
        assert status_of(host, 0x13, struct.pack(">HQI", *body)) == 0x15
    assert status_of(host, 0x13, struct.pack(">HQI", 999, 0, 1)) == 0x50


def test_rule_d14_a_camera_at_work_gives_signs_of_life(tmp_path):
    """Its trial recording takes three seconds, and on a slow machine its sums as well."""
    camera = WiredCamera(Desk(tmp_path, "ctr"), "--real-time")
    host, office = camera.host, camera.desk.office
    host.hello()
    host.put(6, office.offer())
    host.ask(0x30)
    host.hello()
    host.ask(0x30)
    host.put(7, office.times(host.ask(0x31, b"\x01")))
    host.heard.clear()
    host.patience_s = 5.0

    assert host.ask(0x30) == b"\x03"

    assert [(status, body) for _, status, body in host.heard[:-1]] == [(MORE, b"")] * (len(host.heard) - 1)
    assert len(host.heard) >= 2
    camera.off()


def test_rule_d15_lengths_and_commands_that_are_not_in_the_table_are_refused(host):
    host.ask(0x10)
    for command in (0x00, 0x05, 0x1C, 0x27, 0x33, 0x7F, 0xFF):
        assert status_of(host, command, b"") == 0x40
    for command, body in BODIES.items():
        if command not in (0x1B, 0x20):
            assert status_of(host, command, body + b"\x00") == 0x15, command
    host.send(0x01, zero=1)
    assert host.answer()[1] == 0x15
    assert status_of(host, 0x04, b"\x07") == status_of(host, 0x15, b"\x03\x01") == 0x15
    assert status_of(host, 0x1B, bytes(10)) == status_of(host, 0x31, b"\x03") == 0x15


def test_a_request_too_short_to_be_answered_ends_the_session(host):
    host.line.write(host.out.seal(b"\x01\x00\x00"))

    with pytest.raises(Closed) as ended:
        host.answer()
    assert ended.value.args[0] == 0x15


def test_rule_d16_a_host_reads_what_is_used_and_no_more(camera, host):
    """An end that the journal knows, a cut, a file without a recording; each part to its last chunk."""
    camera.press("record")
    camera.press("wait chunks 5")
    host.ask(0x10)
    _, files = host.list()

    for name, (number, size, used) in files.items():
        chunk = 512 if name.endswith(".skl") else 16384
        block = 2048 if name.endswith(".skl") else 16384
        content = host.read(number, 0, size)
        core = content[:256]
        reach = 2 * block
        while content[reach : reach + 4] == b"SKC1" and content[reach + 16 : reach + 24] == core[48:56]:
            reach += chunk
        assert used == reach, name
    host.ask(0x19)


def test_docking_ends_a_recording_and_the_button_ends_the_docking(camera, host):
    """Proves BW-10's beginning: in its dock a camera films nothing, and whoever presses has it back."""
    camera.press("record")
    camera.press("wait chunks 3")
    boot, ms, receipt_no, alarms, issue = struct.unpack(">IQQB16s", host.ask(0x10))

    raw = host.ask(0x11, b"\x5a" * 16)
    label = b"sealcam/1 device inventory\x00"
    signed = raw[: len(label) + 100]
    assert verifies(camera.desk.office.device_point, signed, raw[len(signed) : len(signed) + 64])
    assert signed[len(label) + 32 :][:16] == b"\x5a" * 16 and issue == bytes(16) and alarms == 0
    _, files = host.list()
    number, size, used = files[max(name for name in files if name.endswith(".skr"))]
    end = host.read(number, used - 16384, 16384)
    assert end[4] == 3 and end[64 + 92] == 4  # an end, and its reason: docked
    assert [name for name in files if name.startswith("ready")] == []
    assert (27, 0) in [
        struct.unpack(">HH", entry[4:8]) for entry in entries(host.ask(0x14, struct.pack(">Q", 1)))
    ]
    assert host.ask(0x10)[4 + 8 :] == struct.pack(">QB", receipt_no, 0) + bytes(16)
    assert camera.press("record").startswith("ok recording")
    assert status_of(host, 0x12, b"") == 0x34
    camera.press("stop")


def entries(raw):
    return [raw[at : at + 128] for at in range(0, len(raw), 128)]


def test_the_card_out_and_another_in_while_docked(camera, host, desk):
    host.ask(0x10)
    serial, files = host.list()
    number = next(iter(files.values()))[0]
    host.read(number, 0, 512)
    camera.press("card out")
    assert status_of(host, 0x12, b"") == 0x30 and status_of(host, 0x13, BODIES[0x13]) == 0x30
    camera.press("card in")

    assert host.list()[0] == serial and host.read(number, 0, 8) == b"SEALCAM\n"
    host.ask(0x19)
    assert camera.press("record").startswith("ok")
    camera.press("stop")


def test_time_is_taken_once_over_the_cameras_own_question(camera, host, desk):
    """Refused and logged: another question, another key, and a clock that was set back ten years."""
    office, now = desk.office, int(time.time() * 1000)

    def answer(nonce, utc_ms, role=5):
        fields = struct.pack(">32s16sQQ32s", office.device_id, nonce, utc_ms, 2, bytes(32))
        return statement(office.keys[role], b"sealcam/1 vault time", fields)

    good = answer(host.ask(0x1A), now)
    host.ask(0x1B, good)
    assert status_of(host, 0x1B, good) == 0x23
    assert status_of(host, 0x1B, answer(os.urandom(16), now)) == 0x23
    assert status_of(host, 0x1B, answer(host.ask(0x1A), now, role=4)) == 0x05
    assert status_of(host, 0x1B, answer(host.ask(0x1A), now - 3652 * 86400000)) == 0x23

    assert abs(json.loads(host.ask(0x02))["clock"]["utc_ms"] - now) < 3600000
    log = log_of(camera)
    assert [detail for event, detail in log if event == 35] == [0x23, 0x23, 0x05, 0x23]
    assert [event for event, _ in log].count(13) == 1


def test_what_is_put_goes_in_order_and_is_bounded(host):
    def put(total, offset, piece):
        return struct.unpack(">I", host.ask(0x20, struct.pack(">BII", 3, total, offset) + piece))[0]

    assert put(100, 0, b"a" * 60) == 60
    assert put(100, 10, b"b" * 60) == put(100, 61, b"c") == 60
    assert put(100, 60, b"d" * 40) == 100
    assert put(100, 0, b"e") == 1  # it begins anew
    assert put(65536, 5, b"") == 0
    for body in ((3, 65537, 0), (3, 10, 11), (0, 10, 0), (9, 10, 0), (3, 0, 0)):
        assert status_of(host, 0x20, struct.pack(">BII", *body)) == 0x15
    assert status_of(host, 0x21, b"") == 0x34  # not all of it is there
    host.hello()
    assert put(100, 1, b"f") == 0  # gone with the session


def test_a_restart_is_in_order_and_ends_the_session(camera, host):
    assert host.ask(0x03) == b""
    camera.until("- ready")

    with pytest.raises((Closed, Silence)):
        host.patience_s = 2.0
        host.ask(0x01)
    host.patience_s = 20.0
    host.hello()
    assert host.ask(0x10)
    assert log_of(camera)[0] == (1, 2)


def test_a_debug_build_says_so_and_belongs_to_nobody(tmp_path):
    camera = WiredCamera(Desk(tmp_path, "ctr"), "--debug")
    camera.host.hello()

    assert camera.host.who()[3] & 1 and json.loads(camera.host.ask(0x02))["debug"] is True
    assert status_of(camera.host, 0x20, b"\x06" + bytes(3) + b"\x01" + bytes(5)) == 0x11
    assert status_of(camera.host, 0x30, b"") == 0x11
    camera.off()


@pytest.fixture
def spoiled(desk):
    """The same images, to be spoiled; afterwards they are what they were."""
    flash = desk.flash.read_bytes()
    yield desk
    desk.flash.write_bytes(flash)


def test_a_camera_whose_key_is_blank_says_what_it_has(spoiled):
    camera = WiredCamera(spoiled, "--blank-key")

    assert camera.host.who()[2:4] == b"\x00\x04"
    camera.host.hello()
    assert json.loads(camera.host.ask(0x02))["fault"] == 0x12
    assert status_of(camera.host, 0x30, b"") == 0x12
    camera.off()


def test_a_camera_whose_key_list_is_damaged_is_known_and_docks_nowhere(spoiled):
    camera = WiredCamera(spoiled, "--bad-keylist")
    said = camera.host.who()

    assert said[2:4] == b"\x02\x04" and said[4:36] == spoiled.office.device_id
    with pytest.raises(Closed) as ended:
        camera.host.hello()
    assert ended.value.args[0] == 0x10
    camera.off()


def test_whatever_is_shouted_before_a_hello_the_camera_answers(camera):
    camera.line.write(os.urandom(40000) + b"S" * 20000 + open_frame(bytes([9])) + b"SK\x03\x00\x41\x00")
    camera.host.patience_s = 5.0
    time.sleep(1.2)

    assert camera.host.who()[2] == 2
    assert camera.host.hello()[0] == 2


def test_nothing_that_came_back_holds_a_secret(host, desk, camera):
    """No 16 bytes of a key of the camera's or of a picture in what it ever said, sealed or open."""
    host.ask(0x10)
    said = host.ask(0x02) + host.ask(0x14, bytes(8)) + host.who()
    said += b"".join(body for _, _, body in host.heard)
    flash = desk.flash.read_bytes()
    at = flash.find(desk.office.device_point)

    assert at > 32
    secret = flash[at - 32 : at]
    assert any(secret) and all(secret[start : start + 16] not in said for start in range(17))
