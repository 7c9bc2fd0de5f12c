"""Frames and sessions taken apart: cases for CPython and MicroPython alike, importing nothing but `sealcam`.

Each function raises AssertionError where something is taken that must not be, or lost that must not be.
"""

import struct

from sealcam import frames, p256, session
from sealcam.crypto import sha256
from sealcam.errors import BadPoint, FormatFault, NotProved
from sealcam.frames import OPEN, PROVED, SEALED, Reader, open_frame

WHO = b"\x04\x01\x00\x00"


class Pieces:
    """A line that gives its pieces one after the other, and nothing between two of them."""

    def __init__(self, *pieces):
        self.pieces = [bytes(piece) for piece in pieces]

    def read_into(self, view):
        if not self.pieces:
            return 0
        size = min(len(view), len(self.pieces[0]))
        view[:size] = self.pieces[0][:size]
        self.pieces[0] = self.pieces[0][size:]
        if not self.pieces[0]:
            self.pieces.pop(0)
        return size


def read_all(pieces, silence_ms=0):
    """[(form, payload)] of everything a reader finds; `silence_ms` pass when nothing more comes."""
    reader, line, found = Reader(), Pieces(*pieces), []
    for now in (0, silence_ms, silence_ms):
        form = 1
        while form or line.pieces:
            form = reader.poll(line, now)
            if form:
                at = frames.PAYLOAD_AT
                found.append((form, bytes(reader.buffer[at : at + reader.size])))
    return found


def sealed(size):
    """A frame of form 3 whose tag is nobody's: what frames know of it is its length."""
    frame = bytearray(8 + size + 16)
    frames.lay_head(memoryview(frame), SEALED, size)
    frame[8:] = b"\xa5" * (size + 16)
    return bytes(frame)


def every_split():
    """Any two cuts of a stream give the same frames, with noise before, between and behind."""
    whole = b"SK\x01S" + open_frame(WHO) + b"SKSKS" + sealed(5) + b"\x00S" + open_frame(b"x" * 3)
    expected = [(OPEN, WHO), (SEALED, b"\xa5" * 5), (OPEN, b"xxx")]
    for first in range(len(whole) + 1):
        for second in (first, first + 1, first + 7, len(whole)):
            assert read_all((whole[:first], whole[first:second], whole[second:])) == expected
    assert read_all([whole[at : at + 1] for at in range(len(whole))]) == expected


def every_flip():
    """A frame with a byte changed is none, and the one behind it is found all the same."""
    first, second = open_frame(WHO), open_frame(b"\x03\x06" + bytes(16))
    for at in range(len(first)):
        broken = bytearray(first)
        broken[at] ^= 0xFF
        found = read_all((broken, second), 1000)
        assert found == [(OPEN, second[8:-4])], at


def heads_out_of_bounds():
    """A length of 0 or above 16,640, an unknown form, a zero that is none: no head, though its check fits."""
    good = open_frame(WHO)
    for form, zero, size in ((1, 0, 0), (1, 0, 16641), (1, 0, 65535), (0, 0, 4), (4, 0, 4), (1, 1, 4)):
        head = bytearray(8)
        struct.pack_into(">2sBBH", head, 0, b"SK", form, zero, size)
        struct.pack_into(">H", head, 6, frames.crc32(bytes(head[:6])) & 0xFFFF)
        assert read_all((head, good)) == [(OPEN, WHO)]
    largest = sealed(frames.LARGEST)
    assert [len(payload) for _, payload in read_all((largest, good))] == [frames.LARGEST, 4]


def given_up_in_silence():
    """What stays incomplete for a second is looked through behind its `S`; before that it is waited for."""
    inner = open_frame(WHO)
    outer = bytearray(sealed(600))
    cut = bytes(outer[:8]) + b"S" + inner + sealed(40)[:30]
    assert read_all((cut,), 999) == []
    assert read_all((cut,), 1000) == [(OPEN, WHO)]
    for size in range(1, len(inner)):
        assert read_all((inner[:size],), 1000) == []


def found_again_after_silence():
    """A whole frame that comes a second after a broken one is found at once."""
    reader, line = Reader(), Pieces(sealed(300)[:100])
    assert reader.poll(line, 5) == 0
    assert reader.poll(line, 1004) == 0
    assert reader.poll(line, 1005) == 0
    line.pieces.append(open_frame(WHO))
    assert reader.poll(line, 1006) == OPEN


def no_more_than_one():
    """A reader asks for no byte behind the frame that it holds."""
    reader, line = Reader(), Pieces(open_frame(WHO) + open_frame(WHO) + b"rest")
    assert reader.poll(line, 0) == OPEN
    assert bytes(line.pieces[0]) == bytes(open_frame(WHO)) + b"rest"
    assert len(reader.buffer) == 8 + 8 + 16640 + 16


def shouting_is_bounded():
    """Noise without an end holds nobody up: a turn takes no more than the longest frame."""

    class Noise:
        taken = 0

        def read_into(self, view):
            view[:] = b"S" * len(view)
            self.taken += len(view)
            return len(view)

    noise = Noise()
    assert Reader().poll(noise, 0) == 0
    assert noise.taken <= 2 * frames.LARGEST


def looking_through_is_bounded():
    """A frame that is given up is looked through in turns, though each second byte may begin another."""
    looks, plain = [], frames.size_behind
    frames.size_behind = lambda view: looks.append(1) or plain(view)
    try:
        for noise in (sealed(frames.LARGEST)[:8] + b"SK" * 8000, b"SK" * 8000):
            reader, line = Reader(), Pieces(noise, open_frame(WHO))
            turns, form = 0, 0
            while not form and turns < 2000:
                looks.clear()
                form = reader.poll(line, 1000 * turns)
                assert len(looks) <= 100
                turns += 1
            assert form == OPEN
    finally:
        frames.size_behind = plain


class Identity:
    def __init__(self, d):
        self.d, self.point = d, p256.public(d)
        self.device_id = sha256(self.point)


class Rolling:
    """Bytes that differ each time, and are the same in every run."""

    def __init__(self):
        self.count = 0

    def __call__(self, size):
        self.count += 1
        return sha256(b"rolling", struct.pack(">I", self.count))[:size]


def make_hello(**changed):
    fields = {"start": b"\x01\x01\x00\x00", "point": POINTS[0], "nonce": bytes(16), "organisation": bytes(32)}
    fields["link"] = POINTS[1]
    fields.update(changed)
    return b"".join([fields[name] for name in ("start", "point", "nonce", "organisation", "link")])


POINTS = [p256.public(d) for d in (21, 22)]


def shake(raw, identity=None):
    handshake = session.Handshake(session.Hello(raw), (2, 0, 1), identity, Rolling())
    while not handshake.step():
        pass
    return handshake


def hellos_that_are_none():
    """Another length, version, kind or a zero that is none; points that are on no curve."""
    for start in (b"\x01\x02\x00\x00", b"\x02\x01\x00\x00", b"\x01\x01\x01\x00", b"\x01\x01\x00\x01", b""):
        _refused(FormatFault, session.Hello, make_hello(start=start))
    _refused(FormatFault, session.Hello, make_hello() + b"\x00")
    for name in ("point", "link"):
        broken = bytearray(POINTS[0])
        broken[64] ^= 0xFF
        for point in (bytes(broken), bytes(65), b"\x02" + POINTS[0][1:]):
            _refused(BadPoint, shake, make_hello(**{name: point}))


def _refused(fault, call, *arguments):
    try:
        call(*arguments)
    except fault:
        return
    raise AssertionError(fault.__name__)


def pair():
    """(the camera's session, the host's): the same keys, each seen from its side."""
    keys = [bytes([side]) * 32 + bytes([side + 1]) * 32 for side in (1, 3)]
    camera, host = session.Session(bytes(16), *keys), session.Session(bytes(16), *keys)
    host._in, host._out = host._out, host._in
    return camera, host


def frame_of(sender, payload, form=SEALED):
    buffer = bytearray(16 + len(payload) + 32)
    buffer[16 : 16 + len(payload)] = payload
    return bytearray(buffer[: sender.seal(buffer, len(payload), form)])


def opened(receiver, frame, size):
    frame = bytearray(frame) + bytes(16)
    receiver.open(frame, size)
    return bytes(frame[16 : 16 + size])


def what_proves_opens():
    """Of every length around a block, and in order."""
    camera, host = pair()
    for size in (1, 4, 15, 16, 17, 31, 32, 33, 600):
        payload = bytes([size & 0xFF]) * size
        frame = frame_of(host, payload)
        assert payload not in bytes(frame) or size < 4
        assert opened(camera, frame, size) == payload
    assert camera.heard == 9


def every_flip_in_a_session():
    """No byte of head, payload or tag may be another."""
    payload = b"sixteen and more bytes"
    for at in range(8, 8 + 8 + len(payload) + 16):
        camera, host = pair()
        frame = frame_of(host, payload)
        frame[at] ^= 0xFF
        _refused(NotProved, opened, camera, frame, len(payload))
        assert camera.heard == 0


def replay_reflection_loss_and_order():
    """n is never sent, and each direction has keys of its own."""
    camera, host = pair()
    first, second, third = [frame_of(host, bytes([n]) * 9) for n in range(3)]
    own = frame_of(camera, b"x" * 9)
    _refused(NotProved, opened, camera, own, 9)  # reflected
    _refused(NotProved, opened, camera, second, 9)  # the first is lost, or they come in another order
    assert opened(camera, first, 9) == bytes(9)
    _refused(NotProved, opened, camera, first, 9)  # replayed
    _refused(NotProved, opened, camera, third, 9)
    assert opened(camera, second, 9) == b"\x01" * 9


def truncated():
    """A shorter payload under the same tag, and lengths that cannot be."""
    camera, host = pair()
    frame = frame_of(host, b"y" * 40)
    for size in (0, 1, 24, 39, 41, 16641):
        _refused(NotProved, camera.open, bytearray(frame) + bytes(16700), size)


def another_form():
    """A host sends form 3 and nothing else, though the tag of another form proves."""
    camera, host = pair()
    frame = frame_of(host, b"z" * 20, PROVED)
    _refused(NotProved, opened, camera, frame, 20)
    _refused(NotProved, frame_of, host, b"z", OPEN)


def keys_of_one_session():
    """Two handshakes over one hello share no key, and what one sealed the other does not open."""
    rand, raw, identity = Rolling(), make_hello(), Identity(33)
    made = []
    for _ in range(2):
        handshake = session.Handshake(session.Hello(raw), (2, 0, 1), identity, rand)
        while not handshake.step():
            pass
        made.append(handshake)
    assert made[0].welcome[20:85] != made[1].welcome[20:85]
    frame = frame_of(made[0].session, b"said once" * 2)
    made[1].session._in = made[1].session._out
    _refused(NotProved, opened, made[1].session, frame, 18)


FRAMES = (
    every_split,
    every_flip,
    heads_out_of_bounds,
    given_up_in_silence,
    found_again_after_silence,
    no_more_than_one,
    shouting_is_bounded,
    looking_through_is_bounded,
)
SESSIONS = (
    hellos_that_are_none,
    what_proves_opens,
    every_flip_in_a_session,
    replay_reflection_loss_and_order,
    truncated,
    another_form,
    keys_of_one_session,
)


def run_all() -> int:
    for case in FRAMES + SESSIONS:
        case()
    return len(FRAMES) + len(SESSIONS)
