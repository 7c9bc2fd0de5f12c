"""The dock line's vectors through the host's own frames and session; they were made by neither half."""

import hashlib

import pytest
from recordings import VECTORS, read_vector
from sealhost import frames, session
from sealhost.keys import SoftKey
from sealhost.layout import ROLE_OPEN


def fields_of(name: str) -> dict[str, bytes]:
    found = read_vector(VECTORS / f"{name}.txt")
    return {key: bytes.fromhex(text) for key, text in found.items() if key not in ("name", "says")}


def taken(reader: frames.Deframer, stream: bytes, piece: int) -> list[frames.Frame]:
    """Every frame in what comes in pieces of at most `piece` bytes."""
    found = []
    while stream:
        count = min(reader.room, piece)
        reader.push(stream[:count])
        stream = stream[count:]
        if frame := reader.next():
            found.append(frame)
    return found


@pytest.mark.parametrize("piece", [1, 3, 8, 17, 500, 20_000])
def test_the_broken_stream_gives_who_and_here_however_it_is_cut(piece):
    vector, reader = fields_of("dock_frames"), frames.Deframer()
    who, here = vector["who"][8:-4], vector["here"][8:-4]

    found = taken(reader, vector["stream"], piece)
    unfinished = taken(reader, vector["unfinished"], piece) + reader.give_up()
    after = taken(reader, vector["after_silence"], piece)

    assert [frame.payload for frame in found] == [who, here]
    assert not unfinished
    assert [frame.payload for frame in after] == [who]
    assert frames.pack_open(who) == vector["who"]


@pytest.mark.parametrize("name", ["dock_session", "dock_introduction"])
def test_a_session_is_that_of_the_page_byte_for_byte(name):
    vector = fields_of(name)
    opening = opened_as(vector)

    welcomed = opening.welcomed(vector["welcome"][8:-4], lambda device_id, shown: shown)

    numbers = [int(key[8:]) for key in vector if key.startswith("request_")]
    assert frames.pack_open(opening.hello) == vector["hello"]
    assert welcomed.device_id == (
        hashlib.sha256(welcomed.device_point).digest() if any(welcomed.device_point) else bytes(32)
    )
    assert [exchanged(vector, welcomed.session, number) for number in sorted(numbers)] == [
        (vector[f"host_frame_{number}"], vector[f"answer_{number}"]) for number in sorted(numbers)
    ]


def opened_as(vector: dict[str, bytes]) -> session.Opening:
    """The hello of the vector, with its ephemeral and its nonce instead of new ones."""
    opening = session.Opening(SoftKey.of_scalar(vector["link_scalar"], ROLE_OPEN), vector["organisation"])
    opening._ephemeral = SoftKey.of_scalar(vector["host_ephemeral_scalar"], ROLE_OPEN)
    opening.nonce = vector["hello"][8:][69:85]
    opening.hello = vector["hello"][8:-4]
    return opening


def exchanged(vector: dict[str, bytes], wire: session.Session, number: int) -> tuple[bytes, bytes]:
    """(our frame, what its answer says) of one request."""
    sent = wire.pack(vector[f"request_{number}"])
    came = taken(frames.Deframer(), vector[f"camera_frame_{number}"], 20_000)[0]
    return sent, wire.open(came, came.form)
