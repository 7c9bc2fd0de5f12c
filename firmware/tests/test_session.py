"""Handshake and sealed frames of the dock line, against docs/dock-protocol.md, section 2, and its vectors."""

import pytest
import wire_cases
from sealcam import frames, p256, session
from sealcam.crypto import sha256


def vector(root, name):
    """The fields of one case, those in hex as bytes."""
    fields, last = {}, ""
    for line in (root / "docs" / "vectors" / f"{name}.txt").read_text().splitlines():
        if line.startswith("  "):
            fields[last] += line.strip()
        else:
            last, _, value = line.partition(":")
            fields[last] = value.strip()
    del fields["name"], fields["says"]
    return {name: bytes.fromhex(value) for name, value in fields.items()}


@pytest.fixture(params=["dock_session", "dock_introduction"])
def spoken(request, root, monkeypatch):
    """(the vector, a handshake that drew the vector's ephemeral key)."""
    known = vector(root, request.param)
    ephemeral = int.from_bytes(known["camera_ephemeral_scalar"], "big")
    monkeypatch.setattr(session, "scalar", lambda rand: ephemeral)
    scalar = int.from_bytes(known["device_scalar"], "big")
    welcome = known["welcome"][8:]
    who = (welcome[2], welcome[3], int.from_bytes(welcome[150:154], "big"))
    identity = wire_cases.Identity(scalar) if scalar else None
    hello = session.Hello(known["hello"][8:-4])
    handshake = session.Handshake(hello, who, identity, wire_cases.Rolling())
    while not handshake.step():
        pass
    return known, handshake


def test_the_handshake_of_the_vectors_comes_out(spoken):
    known, handshake = spoken

    made = bytes(frames.open_frame(handshake.welcome))

    assert made[8:-68] == known["welcome"][8:-68]  # all but the signature, which is drawn
    signed = sha256(session.SESSION, b"\x00", known["transcript_sha256"])
    signature = handshake.welcome[-64:]
    if any(known["device_scalar"]):
        assert p256.verify(handshake.welcome[85:150], signed, signature)
    else:
        assert not any(signature)


def test_the_frames_of_the_vectors_open_and_are_made(spoken):
    known, handshake = spoken
    number = 0
    while f"request_{number}" in known:
        request, answer = known[f"request_{number}"], known[f"answer_{number}"]
        frame = bytes(8) + known[f"host_frame_{number}"]
        form = known[f"camera_frame_{number}"][2]

        assert wire_cases.opened(handshake.session, frame, len(request)) == request
        made = wire_cases.frame_of(handshake.session, answer, form)

        assert bytes(made[8:]) == known[f"camera_frame_{number}"]
        number += 1
    assert number


def test_rule_d6_a_point_that_is_on_no_curve_is_refused():
    wire_cases.hellos_that_are_none()


def test_rule_d9_what_is_replayed_reflected_lost_reordered_or_changed_does_not_prove():
    wire_cases.replay_reflection_loss_and_order()
    wire_cases.every_flip_in_a_session()
    wire_cases.truncated()


def test_rule_d10_ephemerals_and_keys_serve_one_session():
    wire_cases.keys_of_one_session()


def test_rule_d12_a_host_that_sends_another_form_does_not_prove():
    wire_cases.another_form()


def test_every_length_is_sealed_and_opened():
    wire_cases.what_proves_opens()
