"""A camera that is hostile, or a line that is: answers without end, lists that lie, another camera's port."""

import struct
import threading
from pathlib import Path

import pytest
from paper_line import MemoryLine, PaperCamera, PtyCamera
from sealhost import docked, frames
from sealhost.docked import bodies
from sealhost.docked.place import CameraPlace
from sealhost.errors import CableGone, CardUnreadable, SealcamError, WireBroken
from sealhost.keys import SoftKey
from sealhost.watch import serving
from shift import Shift
from test_docking import on_the_line

pytestmark = pytest.mark.slow


def opened(shift: Shift, camera: PaperCamera, line: MemoryLine | None = None):
    """A session with it, in memory."""
    line = line or MemoryLine(camera)
    on_line = {"line": line, "clock": line.clock, "sleep": line.sleep}
    home = shift.desk
    return docked.open_camera("x", home.key("link"), home.config.organisation, home.device_point, **on_line)


@pytest.mark.parametrize("piece", [b"", bytes(16384)], ids=["at work for ever", "a body for ever"])
def test_an_answer_without_end_is_ended(shift: Shift, piece: bytes) -> None:
    """No camera fills the memory of a dock that serves others as well."""
    camera = on_the_line(shift)
    made = opened(shift, camera)
    said, line = [0], made._talk.link._line

    def for_ever(most: int, wait_s: float) -> bytes:
        while len(camera.out) < most and said[0] < 9_000:
            camera._say(bytes([bodies.HEALTH, 0x7F]) + struct.pack(">H", made._talk.link._number) + piece, 3)
            said[0] += 1
        got = bytes(camera.out[:most])
        del camera.out[:most]
        return got

    camera.do_02 = lambda body: []
    line.read = for_ever

    with pytest.raises(WireBroken):
        made.health()
    assert said[0] < 6_000


def test_open_frames_do_not_put_off_the_end_of_the_patience(shift: Shift) -> None:
    """Whoever is on the line can say open frames; nothing of them proves."""
    camera = on_the_line(shift)
    made = opened(shift, camera)
    line, noise = made._talk.link._line, frames.pack_open(b"\x09\x01 somebody talks")

    def talks(most: int, wait_s: float) -> bytes:
        line.now += 0.01
        assert line.now < 1000, "it would be listened to for ever"
        held = line.__dict__.setdefault("held", bytearray())
        held += noise if len(held) < most else b""
        got = bytes(held[:most])
        del held[:most]
        return got

    line.read, line.write = talks, lambda content: None

    with pytest.raises(CableGone):
        made.health()


def test_a_list_longer_than_a_card_can_have_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "_MOST_FILES", 100)
    entries = [struct.pack(">HQQB", number, 0, 0, 0) for number in range(101)]

    assert len(bodies.files_of(bytes(16) + b"".join(entries[:100]))[1]) == 100
    with pytest.raises(WireBroken):
        bodies.files_of(bytes(16) + b"".join(entries))


@pytest.mark.parametrize("used", [100, 20_000, 49_152, 49_153])
def test_many_short_files_are_measured_like_a_long_one(shift: Shift, used: int) -> None:
    """A shift of short clips: none reaches beyond its own front."""
    card = {f"{n:04d}.skr": (bytes(used), used) for n in range(1 + (1 << 20) // used)}
    camera = on_the_line(shift, card=card)
    line, camera.is_docked = MemoryLine(camera), True

    place = CameraPlace(opened(shift, camera, line), line.clock)

    assert place.seconds() >= 0.0


def test_a_camera_that_was_reported_lost_is_kept(shift: Shift) -> None:
    """Its lamp does not send it back on to the street."""
    shift.desk.register.enrol(shift.device.key_id)
    assert shift.run("lost", "camera", shift.device.key_id.hex()[:12])[0] == 0
    camera = on_the_line(shift, card=None)

    with PtyCamera(camera) as line:
        _, answer = shift.run("dock", line.path)

    assert camera.lamps[-1] == 5
    assert answer["lines"][-1] != "safe to take"


@pytest.mark.parametrize("command", [["issue", "--to", "4711", "--until", "+8h"], ["return"]])
def test_a_line_that_names_another_camera_than_it_is_changes_no_hands(
    shift: Shift, command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """*who* proves nothing: the session does, and it has to be the camera that was asked for."""
    other = SoftKey.make()
    shift.admit(other)
    for device in (shift.device, other):
        shift.desk.register.enrol(device.key_id)
    camera = on_the_line(shift, card=None)
    camera.do_28 = lambda body: b"\x00"
    camera.do_29 = lambda body: bytes(16)
    told = camera._here()
    honest = camera._say_open
    lie = told[:2] + other.key_id + told[34:]
    camera._say_open = lambda payload: honest(bytes([5, 1]) + lie if payload[0] == 5 else payload)

    with PtyCamera(camera) as line:
        words = [command[0], other.key_id.hex()[:12], *command[1:], "--port", line.path]
        code, answer = shift.run(*words)

    assert code != 0, answer
    assert shift.desk.register.open_issues() == []
    assert not {0x28, 0x29} & set(camera.asked)


def test_a_trial_that_is_said_to_be_endless_is_not_made_room_for(shift: Shift) -> None:
    from sealhost.enrolment import courier

    class Part:
        size = 1 << 50
        name = "sealcam/trial"

    class Trial:
        h_core = b"h" * 32

    class Camera:
        name = "x"

        def identify(self):
            return type("Here", (), {"state": 1})()

        def trial(self):
            return Trial()

    class Folder:
        def has(self, name):
            return name == "time.seal"

        def trial_parts(self):
            return []

    keep = courier._is_of
    courier._is_of = lambda part, h_core: True
    try:
        with pytest.raises(SealcamError):
            courier._fetch_trial(Folder(), Camera(), lambda camera: [Part()], lambda seconds: None)
    finally:
        courier._is_of = keep


def test_a_copy_that_cannot_be_taken_in_keeps_no_other_waiting() -> None:
    """A spool that somebody poisoned: what is well in it reaches the vault all the same."""
    copies = [type("Copy", (), {"folder": Path(name)})() for name in ("poisoned", "well", "held", "last")]
    taken = []

    def take(copy, tell):
        if copy.folder.name == "poisoned":
            raise CardUnreadable("spool", "byte 0")
        taken.append(copy.folder.name)

    parts = type("Parts", (), {"waiting": lambda self: copies, "take_in": staticmethod(take)})()

    with pytest.raises(CardUnreadable):
        serving.take_in(parts, {Path("held")}, threading.Event())

    assert taken == ["well", "last"]
