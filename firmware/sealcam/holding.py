"""What a host has put into the camera, to be acted on: in RAM, bounded, gone with the session.

Also the exchange of an enrolment by wire, which is made of it. Knows sizes and names, never what is said.
"""

import struct

from sealcam.errors import FormatFault, OutOfOrder

RECEIPT, RELEASE, KEY_LIST, POLICY, DRILL, OFFER, TIMES, FIRMWARE = 1, 2, 3, 4, 5, 6, 7, 8
MOST = 65536  # bytes of all that is held
_KINDS = (RECEIPT, RELEASE, KEY_LIST, POLICY, DRILL, OFFER, TIMES)
_HEAD = ">BII"


def parse(body) -> tuple:
    """(what, total, offset, bytes) of a *put*; FormatFault for lengths that cannot be."""
    head = struct.calcsize(_HEAD)
    if len(body) < head:
        raise FormatFault
    what, total, offset = struct.unpack_from(_HEAD, body)
    piece = body[head:]
    if not RECEIPT <= what <= FIRMWARE or not total or offset + len(piece) > total:
        raise FormatFault  # no such thing, nothing at all, or more than it said
    return what, total, offset, piece


class Holding:
    """Everything that was put in this session, 64 KiB in all."""

    def __init__(self):
        self._held = {}  # what: [how much is there, all of it]

    def forget(self) -> None:
        self._held.clear()

    def put(self, what: int, total: int, offset: int, piece) -> int:
        """Where to go on. A piece at offset 0 begins anew, at any other wrong offset it changes nothing."""
        if what not in _KINDS or total > MOST:
            raise FormatFault
        if offset == 0:
            self._held.pop(what, None)
            if sum([len(held[1]) for held in self._held.values()]) + total > MOST:
                self._held.clear()  # whoever puts so much at once puts the rest again
            self._held[what] = [0, bytearray(total)]
        held = self._held.get(what)
        if held is None or len(held[1]) != total:
            return 0
        if offset == held[0]:
            memoryview(held[1])[offset : offset + len(piece)] = piece
            held[0] += len(piece)
        return held[0]

    def has(self, what: int) -> bool:
        held = self._held.get(what)
        return held is not None and held[0] == len(held[1])

    def whole(self, what: int) -> bytes:
        """What was put, all of it; OutOfOrder if it is not all there."""
        if not self.has(what):
            raise OutOfOrder
        return bytes(self._held[what][1])


class WiredExchange:
    """The folder of an enrolment, in RAM: what was put the host wrote, what the camera writes is fetched.

    The trial recording travels as it lies on the card, so its files count as written.
    """

    _FILES = {"offer.seal": OFFER, "time.seal": TIMES, "drill.seal": DRILL}

    def __init__(self, holding: Holding):
        self._holding, self._written = holding, {}

    def has(self, name: str) -> bool:
        if name in self._FILES:
            return self._holding.has(self._FILES[name])
        return name in self._written or name.startswith("trial-")

    def read(self, name: str) -> "bytes | None":
        if name in self._FILES:
            return self._holding.whole(self._FILES[name]) if self.has(name) else None
        return self._written.get(name)

    def write(self, name: str, pieces) -> None:
        self._written[name] = b"".join([bytes(piece) for piece in pieces])
