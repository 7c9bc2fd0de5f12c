"""The handshake and its frames: the vectors; every flip, replay, reflection, reordering and truncation.

docs/dock-protocol.md, section 2. The other side is written from the page as well.
"""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from paper_line import MemoryLine, PaperCamera
from sealhost import docked, errors, frames, session
from sealhost.docked.link import Link, Lost
from sealhost.errors import STATUS, CableGone, CameraRefused, NotOurCamera
from sealhost.keys import SoftKey
from sealhost.session import Opening, Unproved
from test_frames import read_all

DOCS = Path(__file__).resolve().parents[2] / "docs"
ORGANISATION, LINK = bytes(range(32)), SoftKey.make()


def vector(name: str) -> dict[str, str]:
    """A file of docs/vectors."""
    found, key = {}, ""
    for line in (DOCS / "vectors" / f"{name}.txt").read_text().splitlines():
        if line.startswith("  "):
            found[key] += line.strip()
        elif line:
            key, _, value = line.partition(":")
            found[key] = value.strip()
    return found


def as_in(name: str) -> tuple[dict[str, bytes], Opening]:
    """A vector, and an opening whose ephemeral and nonce are the vector's."""
    words = vector(name)
    raw = {key: bytes.fromhex(value) for key, value in words.items() if key not in ("name", "says")}
    opening = Opening(SoftKey.of_scalar(raw["link_scalar"]), raw["organisation"])
    hello = read_all(raw["hello"])[0].payload
    opening.hello, opening.nonce = hello, hello[69:85]
    opening._ephemeral = SoftKey.of_scalar(raw["host_ephemeral_scalar"])
    return raw, opening


@pytest.mark.parametrize("name", ["dock_session", "dock_introduction"])
def test_the_vectors_hello_welcome_and_requests_are_ours(name: str) -> None:
    raw, opening = as_in(name)
    built = session.HELLO.build({**session.HELLO.parse(opening.hello), "ephemeral": opening._ephemeral.point})
    welcome = read_all(raw["welcome"])[0].payload

    welcomed = opening.welcomed(welcome, lambda _, shown: shown)

    assert frames.pack_open(built) == raw["hello"]
    transcript = b"sealcam/1 session\0" + opening.hello + welcome[:-64]
    assert hashlib.sha256(transcript).digest() == raw["transcript_sha256"]
    for number in range(sum(key.startswith("request_") for key in raw)):
        request, answer = raw[f"request_{number}"], raw[f"answer_{number}"]
        form = frames.PROVED if request[0] == 0x13 else frames.SEALED
        assert welcomed.session.pack(request) == raw[f"host_frame_{number}"]
        assert welcomed.session.open(read_one(raw[f"camera_frame_{number}"]), form) == answer
    assert session.read_closed(read_one(raw["closed"]).payload) == (6, opening.nonce)


def paper(**fields: object) -> PaperCamera:
    card = {"a": (bytes(range(256)) * 300, 76800)}
    told = {"organisation": ORGANISATION, "link_point": LINK.point, "card": card}
    return PaperCamera(**{**told, **fields})


def begun(camera: PaperCamera, known: Callable | None = None) -> tuple[Link, MemoryLine]:
    """A link with a session."""
    line = MemoryLine(camera)
    link = Link(line, line.clock)
    link.open()
    link.begin(LINK, ORGANISATION, known or (lambda _, shown: shown))
    return link, line


def asked(camera: PaperCamera, line: MemoryLine) -> docked.Camera:
    """The camera as a docking asks it."""
    on_line = {"line": line, "clock": line.clock, "sleep": line.sleep}
    return docked.open_camera("x", LINK, ORGANISATION, lambda _: camera.key.point, **on_line)


def test_rule_d5_a_stranger_is_told_so() -> None:
    with pytest.raises(NotOurCamera, match="another organisation"):
        begun(paper(organisation=bytes(32)))
    with pytest.raises(NotOurCamera, match="another link key"):
        begun(paper(link_point=SoftKey.make().point))


def welcome_of(camera: PaperCamera, opening: Opening) -> bytes:
    """The welcome to a hello."""
    camera.out.clear()
    camera.hear(frames.pack_open(opening.hello))
    return read_all(bytes(camera.out))[0].payload


@pytest.mark.parametrize("at", [20, 21, 50, 84, 85, 86, 120, 149])
def test_rule_d6_a_welcome_with_a_point_off_the_curve_begins_nothing(at: int) -> None:
    camera, opening = paper(), Opening(LINK, ORGANISATION)
    welcome = bytearray(welcome_of(camera, opening))
    welcome[at] ^= 0xFF

    with pytest.raises(NotOurCamera):
        opening.welcomed(bytes(welcome), lambda _, shown: shown)


@pytest.mark.parametrize("at", range(2, 218, 5))
def test_rule_d7_a_welcome_with_any_byte_flipped_begins_nothing(at: int) -> None:
    camera, opening = paper(), Opening(LINK, ORGANISATION)
    welcome = bytearray(welcome_of(camera, opening))
    welcome[at] ^= 0xFF
    held = {camera.key.key_id: camera.key.point}

    with pytest.raises(errors.SealcamError):
        opening.welcomed(bytes(welcome), lambda device_id, _: held.get(device_id))


def test_rule_d7_the_registers_point_decides_and_nothing_is_sent_before() -> None:
    camera = paper()
    for held in (None, SoftKey.make().point):
        with pytest.raises(NotOurCamera):
            begun(camera, lambda _, shown, held=held: held)

    assert camera.asked == []


def test_rule_d8_a_host_without_the_link_key_proves_nothing() -> None:
    """It shows the right point and does not hold its key: its first request does not prove."""
    camera, line = paper(), None
    stranger = SoftKey.make()
    stranger.point, stranger.key_id = LINK.point, LINK.key_id
    line = MemoryLine(camera)
    link = Link(line, line.clock)
    link.open()
    link.begin(stranger, ORGANISATION, lambda _, shown: shown)

    with pytest.raises(Lost, match="0x06"):
        list(link.ask(1))

    assert camera.asked == []


@pytest.mark.parametrize("at", range(0, 40, 1))
def test_rule_d9_an_answer_with_any_byte_flipped_ends_the_session(at: int) -> None:
    link, line = begun(paper())
    request = link.welcomed.session.pack(b"\x10\x00\x00\x01")
    line.write(request)
    answer = bytearray(line.camera.out)
    answer[at % len(answer)] ^= 0xFF
    line.camera.out[:] = answer
    link._number = 1

    with pytest.raises(Lost):
        link._answer(0x10, frames.SEALED)


def test_rule_d9_a_replayed_a_reflected_a_lost_and_a_reordered_frame_do_not_prove() -> None:
    link, line = begun(paper())
    ours = link.welcomed.session
    sent = [ours.pack(bytes([1, 0, 0, n])) for n in range(3)]
    for one in sent:
        line.write(one)
    answers = read_all(bytes(line.camera.out))

    assert ours.open(answers[0], frames.SEALED)
    for wrong in (answers[0], answers[2], *map(read_one, sent)):
        with pytest.raises(Unproved):
            ours.open(wrong, frames.SEALED)
    assert ours.open(answers[1], frames.SEALED)


def read_one(content: bytes) -> frames.Frame:
    (frame,) = read_all(content)
    return frame


def test_rule_d9_a_host_begins_again_with_a_new_hello() -> None:
    camera = paper()
    line = MemoryLine(camera)
    found = asked(camera, line)
    camera.out += b"SK noise that is no frame"
    camera._session = None  # it lost its memory

    assert found.identify().device_id == camera.key.key_id
    assert found.sessions == 2


def test_rule_d10_what_comes_before_the_welcome_is_dropped() -> None:
    camera = paper()
    line = MemoryLine(camera)
    link = Link(line, line.clock)
    link.open()
    earlier = Opening(LINK, ORGANISATION)
    stale = frames.pack_open(welcome_of(camera, earlier)) + frames.pack_open(bytes([3, 6]) + bytes(16))
    camera.out[:] = stale + session.pack(camera._session.to_host, frames.SEALED, b"\x01\x00\x00\x00")

    link.begin(LINK, ORGANISATION, lambda _, shown: shown)

    assert b"".join(link.ask(1))


def test_rule_d11_who_is_asked_without_a_session_and_changes_nothing() -> None:
    camera = paper()
    line = MemoryLine(camera)

    here = docked.who("x", line=line, clock=line.clock, sleep=line.sleep)

    assert (here.device_id, here.state, here.keylist) == (camera.key.key_id, 2, 1)
    assert camera.asked == []


@pytest.mark.parametrize("command, form", [(0x13, frames.SEALED), (0x01, frames.PROVED)])
def test_rule_d12_another_form_ends_the_session(command: int, form: int) -> None:
    link, line = begun(paper())
    link.welcomed.session.pack(b"....")  # a frame of ours the camera is not shown
    line.camera.out += session.pack(line.camera._session.to_host, form, bytes([command, 0, 0, 1]))

    with pytest.raises(Lost, match="form"):
        link._answer(command, frames.PROVED if command == 0x13 else frames.SEALED)

    assert link.welcomed is None


def test_rule_d13_what_is_put_goes_in_pieces_below_a_frame() -> None:
    camera = paper()
    line = MemoryLine(camera)
    found = asked(camera, line)

    found.put_keylist(bytes(range(256)) * 200)

    assert camera.lists == [bytes(range(256)) * 200]
    assert camera.asked.count(0x20) == 5


def test_rule_d14_thirty_seconds_of_silence_are_given_up_and_work_is_waited_for() -> None:
    camera = paper()
    link, line = begun(camera)
    answered = camera._answer
    camera._answer = lambda request: None

    before = line.now
    with pytest.raises(Lost, match="thirty seconds"):
        list(link.ask(1))

    assert 29 < line.now - before < 32
    camera._answer = answered
    link, line = begun(camera)
    camera.do_01 = lambda body: [b"", b"", camera._here()]
    assert [len(piece) for piece in link.ask(1)][:2] == [0, 0]


def test_rule_d15_a_refusal_is_a_sentence() -> None:
    link, _ = begun(paper())

    with pytest.raises(CameraRefused, match="does not know this command"):
        list(link.ask(0x77))


def test_rule_d16_by_wire_no_more_is_read_than_is_used() -> None:
    camera = paper(card={"a": (bytes(range(256)) * 300, 70001)})
    line = MemoryLine(camera)
    found = asked(camera, line)
    found.dock()
    (part,) = docked.CameraPlace(found).every_file()
    content = bytearray(80000)

    assert part.read_into(0, memoryview(content)) == 70001
    assert bytes(content[:70001]) == camera.card["a"][0][:70001]


def test_every_status_byte_of_the_page_is_the_same_sentence_here() -> None:
    page = (DOCS / "dock-protocol.md").read_text()
    rows = re.findall(r"^\| (0x[0-9A-F]{2}) \| ([^|]+?) \|$", page.partition("## 6.")[2], re.M)

    assert {int(code, 16): words for code, words in rows} == STATUS


def test_a_cable_that_stays_out_is_given_up_after_a_bounded_time() -> None:
    camera = paper()
    line = MemoryLine(camera)
    found = asked(camera, line)

    def gone() -> None:
        raise Lost("the port is not there")

    line.open, line.cut_after = gone, line.passed + 1
    before = line.now
    with pytest.raises(CableGone, match="the port is not there"):
        found.identify()

    assert line.now - before < 60

