"""What goes wrong on the line to a camera; every status byte as a sentence, dock-protocol.md, section 6."""

from sealhost.errors.refused import Refused
from sealhost.errors.things import PlaceUnreadable

STATUS = {
    0x00: "done",
    0x01: "the camera failed, and has no name for it",
    0x02: "the camera's self-test failed: it must not record",
    0x03: "the camera has no healthy noise, or could not keep its generator's state",
    0x04: "a point is not on the curve",
    0x05: "a signature is not by the key that should have signed",
    0x06: "a frame did not prove: damaged on the line, or not from the other side of this session",
    0x10: "the key list is missing, older than the camera's, not signed by its root, or names no such key",
    0x11: "the policy is missing, older than the camera's, not signed by its root, or forbids this",
    0x12: "the camera is not enrolled",
    0x13: "no drill covers the camera's key list: nobody has shown that they can open it",
    0x14: "the PIN gate is shut",
    0x15: "what was sent breaks the format's own rules",
    0x20: "the camera's journal cannot be read",
    0x21: "the camera's journal is full: dock it with a receipt",
    0x22: "the camera's flash did not keep what was written, or did not let go of it",
    0x23: "the time statement does not fit the camera's question",
    0x24: "the camera's usage log does not hold",
    0x30: "there is no card in the camera",
    0x31: "the card failed or lost a write",
    0x32: "the card is full",
    0x33: "the picture or sound source stopped",
    0x34: "not now: the state of the camera does not allow it",
    0x40: "the camera does not know this command",
    0x50: "the camera knows no such file",
    0x51: "the last chunk named is not the last chunk the camera wrote",
    0x52: "the camera knows a later chunk",
    0x53: "fewer copies than the policy asks for",
    0x54: "only a release lets this verdict go",
    0x55: "the receipt is not newer than the last one acted on",
    0x56: "settled before: the file was wiped against an earlier receipt",
    0x57: "the firmware is for another board, damaged, or older than the camera's counter",
    0x7F: "more follows",
}


class CableGone(PlaceUnreadable):
    """{}: the camera is out of reach: {}"""

    hint = "see to the cable and run the same command again: it goes on where it stopped"


class WireBroken(PlaceUnreadable):
    """the camera does not keep to the dock protocol: {}"""

    hint = "nothing was wiped; put its card into a reader, and set the camera aside"


class CameraRefused(Refused):
    """the camera refuses {}: {}"""

    hint = "nothing was changed; its usage log says why"

    def __init__(self, what: str, status: int) -> None:
        super().__init__(what, STATUS.get(status, f"status 0x{status:02x}, which no page names"))
        self.status = status


class NotOurCamera(Refused):
    """not a camera of ours: {}"""

    hint = "dock it where it belongs, or enrol it with `sealcam enrol PORT`"


class HandMeTheCard(Refused):
    """{}: hand me the card: over the wire this takes {}"""

    hint = "put its card into a reader and name both, or say --over-the-wire"
