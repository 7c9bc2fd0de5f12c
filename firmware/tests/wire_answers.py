"""The dock line's vectors through the camera's own frames and session, under CPython and MicroPython.

The vectors were made from docs/dock-protocol.md by neither half.
"""

from sealcam.crypto import sha256
from sealcam.errors import NotProved
from sealcam.frames import NUMBER, OPEN, PAYLOAD_AT, PROVED, SEALED, SILENCE_MS, Reader, open_frame
from sealcam.p256 import public
from sealcam.session import Handshake, Hello


def read_vector(path):
    """{key: hex or word} of a vector file; docs/vectors/README.md."""
    found, key = {}, ""
    with open(path) as file:
        for line in file.read().split("\n"):
            if line[:2] == "  ":
                found[key] += line[2:]
            elif line:
                key, _, value = line.partition(":")
                found[key] = value.strip()
    return found


def raw(fields, key):
    text = fields[key]
    return bytes([int(text[at : at + 2], 16) for at in range(0, len(text), 2)])


class Line:
    """Bytes that come in pieces of `piece`, and then nothing."""

    def __init__(self, content, piece):
        self.content, self._piece = content, piece

    def read_into(self, view):
        count = min(self._piece, len(view), len(self.content))
        view[:count] = self.content[:count]
        self.content = self.content[count:]
        return count


def payloads(reader, line, now_ms):
    """(form, payload) of every frame that comes, at one moment."""
    found = []
    while True:
        form = reader.poll(line, now_ms)
        if form:
            found.append((form, bytes(reader.buffer[PAYLOAD_AT : PAYLOAD_AT + reader.size])))
        elif not line.content:
            return found


def frames(path, piece):
    """The broken stream gives who and here, and after a silence who again; in pieces of any size."""
    fields, reader = read_vector(path), Reader()
    who, here = raw(fields, "who"), raw(fields, "here")
    expected = [(OPEN, who[8:-4]), (OPEN, here[8:-4])]
    assert payloads(reader, Line(raw(fields, "stream"), piece), 0) == expected
    assert payloads(reader, Line(raw(fields, "unfinished"), piece), 10) == []
    assert payloads(reader, Line(b"", 1), 10 + SILENCE_MS) == []
    late = payloads(reader, Line(raw(fields, "after_silence"), piece), 20 + SILENCE_MS)
    assert late == expected[:1]
    assert bytes(open_frame(who[8:-4])) == who
    return len(expected) + len(late)


class _Owner:
    """What a handshake asks of a camera's identity."""

    def __init__(self, scalar):
        self.d = int.from_bytes(scalar, "big")
        self.point = public(self.d)
        self.device_id = sha256(self.point)


def _drawn(first):
    """A generator whose first draw is the ephemeral of the vector."""
    state = [first]

    def rand(count):
        drawn = state[0]
        state[0] = sha256(b"next", drawn)
        return drawn[:count]

    return rand


def session(path):
    """The welcome but for its signature, and every frame of the session both ways, byte for byte."""
    fields = read_vector(path)
    welcome = raw(fields, "welcome")[8:-4]
    identity = _Owner(raw(fields, "device_scalar")) if fields["device_scalar"] else None
    who = (welcome[2], welcome[3], int.from_bytes(welcome[150:154], "big"))
    made = Handshake(
        Hello(raw(fields, "hello")[8:-4]), who, identity, _drawn(raw(fields, "camera_ephemeral_scalar"))
    )
    while not made.step():
        pass
    assert made.welcome[:-64] == welcome[:-64]
    number = 0
    while "request_%d" % number in fields:
        exchange(fields, made.session, number)
        number += 1
    return number


def exchange(fields, link, number):
    """One request opened and its answer sealed; a frame that was opened does not prove again."""
    frame, request = raw(fields, "host_frame_%d" % number), raw(fields, "request_%d" % number)
    buffer = bytearray(NUMBER + len(frame))
    buffer[NUMBER:] = frame
    link.open(buffer, len(request))
    assert bytes(buffer[PAYLOAD_AT : PAYLOAD_AT + len(request)]) == request
    buffer[NUMBER:] = frame
    try:
        link.open(buffer, len(request))
        raise AssertionError("replayed")
    except NotProved:
        pass
    expected, answer = raw(fields, "camera_frame_%d" % number), raw(fields, "answer_%d" % number)
    out = bytearray(PAYLOAD_AT + len(answer) + 32)
    memoryview(out)[PAYLOAD_AT : PAYLOAD_AT + len(answer)] = answer
    end = link.seal(out, len(answer), PROVED if expected[2] == PROVED else SEALED)
    assert bytes(out[NUMBER:end]) == expected


def run(folder):
    """Every vector of the dock line; how many frames were held against them."""
    count = 0
    for piece in (1, 3, 8, 17, 500, 20000):
        count += frames(folder + "/dock_frames.txt", piece)
    for name in ("dock_session", "dock_introduction"):
        count += session(folder + "/" + name + ".txt")
    return count
