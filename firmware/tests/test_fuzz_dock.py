"""Somebody who knows the grammar of the dock page talks to a camera: it answers and keeps what it has."""

import hashlib
import struct
import subprocess

import pytest
from desk_camera import Desk
from fuzzing import fuzzed
from hypothesis import given
from hypothesis import strategies as st
from test_dock import BODIES
from wire_host import Closed, Refused, Silence, WiredCamera, head, open_frame

PADDING = bytes(16640 + 24)  # ends any frame that was begun
COMMANDS = st.sampled_from(sorted(BODIES)) | st.integers(0, 255).filter(lambda command: command != 0x03)
BODY = st.none() | st.binary(max_size=80) | st.binary(max_size=40).map(lambda start: start + bytes(16000))
HELLO = st.sampled_from(["", "start", "ephemeral", "nonce", "organisation", "link"])
ACTION = st.one_of(
    st.tuples(st.just("ask"), COMMANDS, BODY),
    st.tuples(st.just("ask"), COMMANDS, BODY),
    st.tuples(st.just("put"), st.integers(0, 9), st.binary(max_size=300)),
    st.tuples(st.just("hello"), HELLO, st.binary(min_size=1, max_size=70)),
    st.tuples(st.just("open"), st.integers(0, 6), st.binary(max_size=300)),
    st.tuples(st.just("frame"), st.integers(0, 4), st.binary(max_size=60)),
    st.tuples(st.just("broken"), COMMANDS, st.integers(8, 40)),
    st.tuples(st.just("noise"), st.just(0), st.binary(max_size=60)),
)


@pytest.fixture(scope="module")
def camera(tmp_path_factory):
    """One camera with a recording, for all examples; at the end the recording is what it was."""
    desk = Desk(tmp_path_factory.mktemp("fuzz"), "ctr")
    camera = WiredCamera(desk)
    camera.enrol()
    camera.press("record")
    camera.press("wait chunks 4")
    camera.press("stop")
    camera.host.hello()
    camera.host.ask(0x10)
    before = recordings(desk)
    yield camera
    camera.off()
    assert recordings(desk) == before


def recordings(desk):
    """{name: digest} of the recordings on the card."""
    listed = subprocess.run(
        ["mdir", "-b", "-i", str(desk.card), "::/sealcam"], check=True, capture_output=True, text=True
    ).stdout.split()
    names = [name for name in listed if name.endswith(".skr") and "ready" not in name]
    read = [
        subprocess.run(["mtype", "-i", str(desk.card), name], check=True, capture_output=True).stdout
        for name in names
    ]
    return {name: hashlib.sha256(content).hexdigest() for name, content in zip(names, read, strict=True)}


@fuzzed(share=80)
@given(st.lists(ACTION, min_size=1, max_size=12))
def test_whoever_knows_the_grammar_gets_answers_and_nothing_else(camera, actions):
    host = camera.host
    host.patience_s = 3.0
    host.hello()
    for action in actions:
        try:
            act(host, *action)
        except (Refused, Closed):
            pass
        except Silence:
            host.hello()
    host.line.write(PADDING)

    said = host.who()
    host.hello()

    assert said[2] == 2 and not said[3] & 4
    secret = secret_of(camera.desk)
    for heard in [body for _, _, body in host.heard]:
        assert not any(secret[at : at + 16] in heard for at in range(17))
    host.heard.clear()


def secret_of(desk):
    """The device key, as it lies before its point in flash."""
    flash = desk.flash.read_bytes()
    at = flash.find(desk.office.device_point)
    return flash[at - 32 : at]


def act(host, name, first, second):
    if name == "ask":
        body = BODIES.get(first, b"") if second is None else second
        host.ask(first, body)
    elif name == "put":
        host.ask(0x20, struct.pack(">BII", first, len(second) or 1, 0) + second)
    elif name == "hello":
        host.hello(**({first: second} if first else {}))
    elif name == "open":
        host.say(bytes([first]) + second)
    elif name == "frame":
        host.line.write(head(first, len(second)) + second + bytes(16))
        host.hello()
    elif name == "broken":
        frame = bytearray(host.out.seal(struct.pack(">BBH", first, 0, 1) + bytes(20)))
        frame[second] ^= 0xFF
        host.line.write(frame)
        host.answer()
    else:
        host.line.write(second + open_frame(b"\x04\x01\x00\x00"))
