"""The dock between line and camera, both in memory: silence, a cable that goes, a heap that ends."""

import struct
import zlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from office import point, sha256
from sealcam import dock, p256, selftest
from sealcam.errors import FlashFault, JournalFault
from sealcam.layout import CHUNK_FIELDS
from sealcam.port import Port
from wire_host import Closed, Host, Refused, open_frame

LINK = ec.derive_private_key(4711, ec.SECP256R1())
READ = struct.pack(">HQI", 0, 0, 1 << 20)


class Identity:
    d = 815
    point = p256.public(815)
    device_id = sha256(point)
    organisation = sha256(b"organisation")


class KeyList:
    version = 3

    def point(self, role):
        assert role == 8
        return point(LINK)


class File:
    name, size = "a", 1 << 20

    def read_at(self, offset, view):
        view[:] = bytes([offset >> 14 & 0xFF]) * len(view)
        return len(view)

    def close(self):
        pass


class MemoryCard:
    mounted, dead, serial = True, False, bytes(16)

    def list(self):
        return ["a"]

    def open(self, name):
        return File()


class Journal:
    def entries(self):
        return []


class Camera:
    """As much of a camera as a dock asks for."""

    identity, keylist, card = Identity(), KeyList(), MemoryCard()
    drilled, is_debug, recorder, wiper, update, lists = 3, False, None, None, None, None
    fault = card_fault = None
    alarms = dock_lamp = 0
    facts = {"board": "memory"}

    def __init__(self):
        self.drbg, self.docked, self.log = self, True, []
        self.logbook = self
        self.count = 0

    def generate(self, size):
        self.count += 1
        return sha256(b"generated", bytes([self.count & 0xFF]))[:size]

    def note(self, event, detail=0, sequence=0, data=b""):
        self.log.append((event, detail))

    def undock(self):
        self.docked = False

    def check_sound(self):
        if self.fault:
            raise self.fault

    def fail(self, fault):
        self.fault = type(fault)

    def say(self, line):
        pass


class Cable:
    """Both ends of a line in memory: the host's `write` and `read`, the camera's device. Time is `now`."""

    def __init__(self):
        self.now = self.taken = 0
        self.to_camera, self.to_host = bytearray(), bytearray()
        self.broken_after = None

    def write(self, content):
        self.to_camera += content

    def read(self, size):
        for _ in range(200):
            if not self.turn() and self.to_host:
                break
        found = bytes(self.to_host[:size])
        del self.to_host[:size]
        return found

    def any(self):
        return bool(self.to_camera)

    def read_into(self, view):
        size = min(len(view), len(self.to_camera))
        view[:size] = self.to_camera[:size]
        del self.to_camera[:size]
        return size


def head_check(first):
    return struct.pack(">H", zlib.crc32(first) & 0xFFFF)


@pytest.fixture
def bench(monkeypatch):
    """(cable, camera, dock, host) with a session."""
    cable, camera = Cable(), Camera()

    class Device:
        any, read_into = cable.any, cable.read_into

        def write(self, view):
            if cable.broken_after is not None:
                size = min(len(view), cable.broken_after)
                cable.broken_after -= size
                cable.to_host += view[:size]
                return size
            cable.to_host += view
            return len(view)

    port = Port(Device())
    port.ms = lambda: cable.now
    made = dock.Dock(camera, port)
    cable.turn = made.step
    host = Host(cable, LINK, Identity.organisation, Identity.point, patience_s=1.0)
    host.hello()
    return cable, camera, made, host


def test_a_minute_without_a_frame_that_proves_takes_the_camera_out_of_its_dock(bench):
    cable, camera, made, host = bench
    host.ask(0x01)
    cable.now = 59_000
    made.step()
    assert camera.docked
    host.who()  # an open frame proves nothing
    cable.now = 60_000

    made.step()

    assert not camera.docked


def test_whoever_goes_on_asking_stays_docked(bench):
    cable, camera, made, host = bench
    for minute in range(5):
        cable.now = minute * 50_000
        host.ask(0x01)
        made.step()

    assert camera.docked


def test_a_hello_in_the_middle_of_a_read_is_heard(bench):
    cable, camera, made, host = bench
    host.send(0x13, READ)
    for _ in range(4):
        made.step()

    assert host.hello() == (2, 0, 3)
    assert host.ask(0x01)


def test_an_answer_ends_when_its_camera_leaves_the_dock(bench):
    """Proves D15: who pressed the button films, and nobody reads on beside it."""
    cable, camera, made, host = bench
    asked = host.send(0x13, READ)
    for _ in range(4):
        made.step()
    camera.undock()

    with pytest.raises(Refused) as refusal:
        b"".join(host.pieces(0x13, asked))

    assert refusal.value.args[0] == 0x34
    assert host.ask(0x01)


def test_who_is_answered_between_two_pieces_of_a_read(bench):
    cable, camera, made, host = bench
    asked = host.send(0x13, READ)
    made.step()
    host.say(b"\x04\x01\x00\x00")

    whole = b"".join(host.pieces(0x13, asked))

    assert len(whole) == 1 << 20 and whole[16384 * 40] == 40


@pytest.mark.parametrize("said", ["who", "hello", "noise"])
def test_whoever_talks_and_does_not_read_holds_a_camera_up_once_in_ten_seconds(bench, said):
    cable, camera, made, host = bench
    waited = []

    def full(view):
        cable.now += 1000  # as long as a board waits for a line that takes nothing
        waited.append(cable.now)
        return 0

    made._port.write = lambda view: full(view) == len(view)
    frame = {"who": open_frame(b"\x04\x01\x00\x00"), "hello": open_frame(host.offer())}.get(said)
    for _ in range(20):
        cable.write(frame or b"SK\x03\x00\x00\x01" + head_check(b"SK\x03\x00\x00\x01") + bytes(17))
        for _ in range(200):
            made.step()
    assert len(waited) == 1

    del made._port.write
    cable.now += 10_000
    assert host.who()[2] == 2
    assert host.hello()


def test_a_second_request_waits_for_the_first_answer(bench):
    cable, camera, made, host = bench
    first = host.send(0x13, READ)
    second = host.send(0x01)

    assert len(b"".join(host.pieces(0x13, first))) == 1 << 20
    assert b"".join(host.pieces(0x01, second))[0] == 2


@pytest.mark.parametrize("left", [0, 1, 7, 100, 16384, 20000, 40000])
def test_a_cable_that_goes_in_the_middle_of_an_answer_ends_the_session_and_nothing_else(bench, left):
    cable, camera, made, host = bench
    host.send(0x13, READ)
    cable.broken_after = left
    for _ in range(70):
        made.step()
    assert not made.is_busy

    cable.broken_after = None
    cable.to_host.clear()
    host.send(0x01)
    with pytest.raises(Closed) as ended:
        host.answer()
    assert ended.value.args[0] == 0x06
    host.hello()
    assert len(host.ask(0x13, READ)) == 1 << 20


def test_a_heap_that_ends_is_a_refusal(bench, monkeypatch):
    cable, camera, made, host = bench

    def no_memory(size):
        raise MemoryError

    monkeypatch.setattr("sealcam.holding.bytearray", no_memory, raising=False)
    with pytest.raises(Refused) as refusal:
        host.ask(0x20, struct.pack(">BII", 1, 60000, 0) + bytes(100))

    assert refusal.value.args[0] == 0x01
    assert host.ask(0x01)


def test_a_heap_that_ends_outside_of_a_request_ends_the_session(bench, monkeypatch):
    cable, camera, made, host = bench

    def no_memory(camera):
        raise MemoryError

    with monkeypatch.context() as small:
        small.setattr("sealcam.telling.introduction", no_memory)
        host.say(b"\x04\x01\x00\x00")
        assert made.step()
    with pytest.raises(Closed):
        host.ask(0x01)
    assert host.hello()


@pytest.mark.parametrize("fault", [FlashFault, JournalFault])
def test_flash_that_fails_in_a_request_is_the_cameras_fault_as_well(bench, fault):
    cable, camera, made, host = bench
    camera.list = None

    def fails(name):
        raise fault

    camera.card = MemoryCard()
    camera.card.open = fails
    with pytest.raises(Refused) as refusal:
        host.ask(0x13, READ)

    assert refusal.value.args[0] == fault.status and camera.fault is fault
    with pytest.raises(Refused) as refusal:
        host.ask(0x13, READ)
    assert refusal.value.args[0] == fault.status
    assert host.ask(0x01)


def test_what_has_no_part_in_this_firmware_is_an_unknown_command(bench):
    cable, camera, made, host = bench
    for command, body in ((0x16, bytes(32)), (0x18, bytes(32)), (0x24, b"")):
        with pytest.raises(Refused) as refusal:
            host.ask(command, body)
        assert refusal.value.args[0] == 0x40


def test_a_camera_in_its_own_work_gives_signs_of_life_and_hears_nothing(bench):
    cable, camera, made, host = bench
    turns = []

    def long(name):
        for _ in range(12):
            cable.now += 1000
            turns.append(made.step())
        return File()

    camera.card = MemoryCard()
    camera.card.open = long
    asked = host.send(0x13, struct.pack(">HQI", 0, 0, 5))
    host.say(host.offer())  # waits on the line: inside a request nothing is taken

    answers = list(host.pieces(0x13, asked))

    assert turns == [False] * 12
    assert answers == [b""] * 6 + [bytes(5)]


def test_a_long_look_at_a_file_nobody_closed_gives_signs_of_life(bench):
    """Proves D14: chunk by chunk where no journal says how far it reaches, and the host is told so."""
    cable, camera, made, host = bench
    core = selftest._scratch_core()

    class Cut(File):
        size, held = 4096 + 3000 * 512, 2000

        def read_at(self, offset, view):
            cable.now += 10
            place = (offset - 4096) // 512
            head = struct.pack(CHUNK_FIELDS, b"SKC1", 1, 0, 0, max(0, place + 1), bytes(core[48:56]), 0, 0)
            found = core if offset == 0 else head if 0 <= place < self.held else bytes(len(view))
            view[:] = bytes(found) + bytes(len(view) - len(found))
            return len(view)

    camera.card, camera.journal = MemoryCard(), Journal()
    camera.card.open = lambda name: Cut()
    asked = host.send(0x12)
    answers = list(host.pieces(0x12, asked))

    assert answers[:-1] == [b""] * 8  # in 20 s
    assert struct.unpack(">HQQB", answers[-1][16:35])[:3] == (0, Cut.size, 4096 + 2000 * 512)


def test_the_cable_pulled_after_a_byte_of_request_or_hello_leaves_a_camera_that_answers(bench):
    cable, camera, made, host = bench
    for cut in range(1, 520, 23):
        request = host.out.seal(b"\x01\x00\x00\x01") + host.out.seal(b"\x02\x00\x00\x02" * 60)
        cable.write((request + open_frame(host.offer()))[:cut])
        for _ in range(40):
            made.step()
        cable.now += 1000
        made.step()
        cable.to_host.clear()
        host._held = b""

        assert host.hello() == (2, 0, 3), cut
        assert host.ask(0x01)
