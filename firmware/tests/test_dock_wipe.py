"""A receipt by wire: judged, wiped, told of again; and what is left on the card afterwards."""

import struct

import pytest
from desk_camera import Desk
from office import Recording, sha256, statement, verifies
from wire_host import Refused, WiredCamera

pytestmark = pytest.mark.slow  # enrols a camera of its own


@pytest.fixture
def camera(tmp_path):
    """Enrolled by wire, has filmed once, in its dock."""
    camera = WiredCamera(Desk(tmp_path, "ctr"))
    camera.enrol()
    for line in ("record", "wait chunks 4", "stop"):
        camera.press(line)
    camera.host.ask(0x10)
    yield camera
    camera.off()


def entries(camera):
    """{sequence: the entry a vault would sign} of every recording, read by wire."""
    host, found = camera.host, {}
    _, files = host.list()
    for number, _, used in files.values():
        recording = Recording([host.read(number, 0, used)])
        if recording.kind == 1 and any(recording.core):
            recording.open(camera.desk.office).check(camera.desk.office.device_point)
            last, ended = recording.chunks[-1], recording.state == "ended"
            named = (recording.sequence, recording.core[48:64], sha256(recording.core))
            packed = (*named, len(recording.chunks), last[-32:], 1 if ended else 2, ended, 2, 2, bytes(32))
            found[recording.sequence] = struct.pack(">Q16s32sQ32sBBBB32s", *packed)
    return found


def receipt(office, number, named):
    fields = struct.pack(">32sQ32sQIH", office.organisation, number, office.device_id, 1, 1, len(named))
    return statement(office.keys[4], b"sealcam/1 vault receipt", fields + b"".join(named))


@pytest.mark.promise4
def test_a_receipt_by_wire_empties_the_card_and_the_record_proves(camera):
    """Proves BK-1, PH-5: the camera judges, wipes, signs, and says the same again."""
    host, office = camera.host, camera.desk.office
    named = entries(camera)
    wrong = bytearray(named[min(named)])
    wrong[64] ^= 0xFF  # of the tag
    host.ask(0x11, bytes(16))

    host.put(1, receipt(office, 3, [bytes(wrong), named[max(named)]]))
    judged = host.ask(0x15, b"\x01\x01")
    progress_and_record = host.ask(0x16, judged[:32])

    assert judged[32:] == b"\x00\x02\x51\x00"
    label = b"sealcam/1 device wiped\x00"
    record = progress_and_record[progress_and_record.index(label) :]
    assert verifies(office.device_point, record[:-64], record[-64:])
    assert record[len(label) :][:64] == office.device_id + judged[:32]
    assert struct.unpack(">H", record[-98:-96])[0] == 1
    assert host.ask(0x18, judged[:32]) == record
    assert set(entries(camera)) == {min(named)}
    assert struct.unpack(">Q", host.ask(0x10)[12:20])[0] == 3
    host.put(1, receipt(office, 3, [named[max(named)]]))
    assert host.ask(0x15, b"\x01\x01")[32:] == b"\x00\x01\x55"


@pytest.mark.promise4
def test_what_was_not_judged_in_this_session_is_not_wiped(camera):
    host, named = camera.host, entries(camera)
    host.put(1, receipt(camera.desk.office, 3, list(named.values())))
    digest = host.ask(0x15, b"\x01\x01")[:32]
    host.hello()

    for command, body in ((0x16, digest), (0x17, digest + b"\x00\x02\x01\x01"), (0x18, digest)):
        with pytest.raises(Refused) as refusal:
            host.ask(command, body)
        assert refusal.value.args[0] == 0x34
    assert entries(camera) == named
