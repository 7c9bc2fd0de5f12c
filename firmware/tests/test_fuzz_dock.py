"""Somebody who knows the grammar of the dock page talks to a camera, with its link key and without: it
answers, keeps what it has, and tells no secret.
"""

import struct

import pytest
from fuzz_camera import FuzzCamera
from fuzzing import lasting
from hypothesis import given
from hypothesis import strategies as st
from office import sha256
from test_dock import BODIES
from wire_host import Closed, Refused, Silence, head, open_frame

PADDING = bytes(16640 + 24)  # ends any frame that was begun
PATIENCE_S = 30.0  # D14: nobody who is in order waits longer
COMMANDS = st.sampled_from(sorted(BODIES)) | st.integers(0, 255).filter(lambda command: command != 0x03)
BODY = st.none() | st.binary(max_size=80) | st.binary(max_size=40).map(lambda start: start + bytes(16000))
HELLO = st.sampled_from(["", "start", "ephemeral", "nonce", "organisation", "link"])
ENTRY = st.binary(min_size=132, max_size=132)
READ = st.tuples(st.integers(0, 12), st.integers(0, 1 << 20), st.integers(0, 40000))
ACTION = st.one_of(
    st.tuples(st.just("ask"), COMMANDS, BODY),
    st.tuples(st.just("ask"), COMMANDS, BODY),
    st.tuples(st.just("read"), READ, st.none()),
    st.tuples(st.just("put"), st.integers(0, 9), st.binary(max_size=300)),
    st.tuples(st.just("half"), st.integers(0, 9), st.binary(max_size=300)),
    st.tuples(st.just("receipt"), st.sampled_from([4, 7]), st.lists(ENTRY, max_size=3)),
    st.tuples(st.just("hello"), HELLO, st.binary(min_size=1, max_size=70)),
    st.tuples(st.just("open"), st.integers(0, 6), st.binary(max_size=300)),
    st.tuples(st.just("frame"), st.integers(0, 4), st.binary(max_size=60)),
    st.tuples(st.just("broken"), COMMANDS, st.integers(8, 40)),
    st.tuples(st.just("cut"), COMMANDS, st.integers(1, 40)),
    st.tuples(st.just("again"), st.integers(0, 7), st.none()),
    st.tuples(st.just("swapped"), COMMANDS, COMMANDS),
    st.tuples(st.just("stranger"), st.booleans(), COMMANDS),
    st.tuples(st.just("press"), st.sampled_from(["record", "stop", "bookmark 1", "status"]), st.none()),
    st.tuples(st.just("noise"), st.just(0), st.binary(max_size=60)),
)


@pytest.fixture(scope="module")
def camera(tmp_path_factory):
    """One camera with recordings, for all examples; at the end the recordings are what they were."""
    camera = FuzzCamera(tmp_path_factory.mktemp("fuzz"))
    camera.host.hello()
    camera.host.ask(0x10)
    yield camera
    camera.off()


@lasting(share=80)
@given(st.lists(ACTION, min_size=1, max_size=12))
def test_whoever_knows_the_grammar_gets_answers_and_nothing_else(camera, actions):
    """Proves BW-10, PH-5: no wipe, no word of a secret, no end of the camera, whatever is said to it."""
    host = camera.host
    host.patience_s = 3.0
    host.hello()
    for name, first, second in actions:
        try:
            ACTS[name](camera, host, first, second)
        except Refused:
            pass
        except (Closed, Silence):
            host.hello()
    camera.ear.write(PADDING)

    host.patience_s = PATIENCE_S
    said = host.who()
    host.hello()

    assert said[2] == 2 and not said[3] & 4
    assert camera.leaked() == []
    camera.wired.press("stop")
    assert camera.before.items() <= camera.recordings().items()


def ask(camera, host, command, body):
    host.ask(command, BODIES.get(command, b"") if body is None else body)


def read(camera, host, wanted, _):
    host.ask(0x10)
    number, offset, length = wanted
    host.read(number, offset, length)


def put(camera, host, what, content):
    host.ask(0x20, struct.pack(">BII", what, len(content) or 1, 0) + content)


def half(camera, host, what, content):
    """The beginning of something that never comes, and then what acts on it."""
    host.ask(0x20, struct.pack(">BII", what, len(content) + 100, 0) + content)
    host.ask(sorted(BODIES)[what % len(BODIES)])


def receipt(camera, host, key, entries):
    """Signed by the vault over what is on no card of ours, or by somebody else."""
    raw = camera.receipt(len(host.sent) + 1, entries, key)
    host.ask(0x10)
    host.put(1, raw)
    told = host.ask(0x15, b"\x01\x01")
    assert key == 4 and 0 not in told[34:]
    host.ask(0x16, sha256(raw))


def hello(camera, host, field, content):
    host.hello(**({field: content} if field else {}))


def say(camera, host, kind, content):
    host.say(bytes([kind]) + content)


def frame(camera, host, form, content):
    host.line.write(head(form, len(content)) + content + bytes(16))
    host.hello()


def broken(camera, host, command, at):
    sealed = bytearray(host.out.seal(struct.pack(">BBH", command, 0, 1) + bytes(20)))
    sealed[at] ^= 0xFF
    host.line.write(sealed)
    host.answer()


def cut(camera, host, command, size):
    sealed = host.out.seal(struct.pack(">BBH", command, 0, 1) + bytes(20))
    host.line.write(sealed[: min(size, len(sealed) - 1)])
    host.hello()


def again(camera, host, number, _):
    """A frame of this session, or of one before it, word for word."""
    host.hello()
    host.ask(0x01)
    host.line.write(host.sent[number % len(host.sent)])
    refused_and_closed(host)
    host.hello()


def swapped(camera, host, one, other):
    host.hello()
    frames = [host.out.seal(struct.pack(">BBH", command, 0, 1)) for command in (one, other)]
    host.line.write(b"".join(reversed(frames)))
    refused_and_closed(host)
    host.hello()


def stranger(camera, host, knows_the_point, command):
    """It is told *closed*, by the hello or by the first frame that should prove."""
    other = camera.stranger(knows_the_point)
    try:
        other.hello()
    except Closed as closed:
        assert not knows_the_point and closed.args[0] == 0x10
    else:
        assert knows_the_point
        other.send(command, BODIES.get(command, b""))
        refused_and_closed(other)
    assert other.heard == []
    host.hello()


def refused_and_closed(host):
    """Nothing of the session comes any more; whoever asked *who* before may still be answered."""
    form, payload, _ = host.frame()
    while form == 1 and (payload[0] == 5 or payload[:2] == b"\x03\x15"):  # or an answer to an earlier hello
        form, payload, _ = host.frame()
    assert form == 1 and payload[:2] == b"\x03\x06"


def press(camera, host, words, _):
    camera.wired.press(words)


def noise(camera, host, _, content):
    host.line.write(content + open_frame(b"\x04\x01\x00\x00"))


ACTS = {
    "ask": ask,
    "read": read,
    "put": put,
    "half": half,
    "receipt": receipt,
    "hello": hello,
    "open": say,
    "frame": frame,
    "broken": broken,
    "cut": cut,
    "again": again,
    "swapped": swapped,
    "stranger": stranger,
    "press": press,
    "noise": noise,
}


@pytest.mark.fuzz
def test_whatever_is_told_of_a_secret_is_found(camera):
    """The ear of this suite itself: each kind of secret, planted in what was heard."""
    for number in range(6):
        camera.host.hello()
        kinds = [*camera.secrets, camera.opened[-1], camera.host.keys[0]]
        camera.host.heard.append((1, 0, b"..." + kinds[number][5:21] + b"..."))
        assert camera.leaked()
    camera.ear.came += b"." + camera.secrets[0][:16]
    assert camera.leaked()
    assert camera.leaked() == []
