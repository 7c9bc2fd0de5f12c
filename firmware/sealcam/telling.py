"""What a camera says of itself: who it is, what state it is in, how healthy. Changes nothing.

Never a key, a seed or a PIN: names, numbers and whether something holds.
"""

import json

from sealcam import crypto, p256
from sealcam.drbg import check_noise
from sealcam.errors import EntropyFault, SealcamError, SelfTestFailed
from sealcam.policy import KeyList
from sealcam.session import here

ALONE, IN_ENROLMENT, ENROLLED = 0, 1, 2
_DEBUG, _RECORDING, _REFUSES = 1, 2, 4
_MOST_FACTS = 1024


def state(camera) -> int:
    if camera.identity is None:
        return ALONE
    return ENROLLED if camera.drilled or _was_drilled(camera) else IN_ENROLMENT


def _was_drilled(camera):
    """Of a camera that failed before it had read that."""
    if camera.fault is None:
        return False
    try:
        return camera.keystore.drilled() > 0
    except SealcamError:
        return False


def flags(camera) -> int:
    recorder = camera.recorder
    value = _DEBUG if camera.is_debug else 0
    if recorder is not None and recorder.recording:
        value |= _RECORDING
    return value | (_REFUSES if fault(camera) else 0)


def fault(camera) -> int:
    """The status byte of what refuses to record, 0 if nothing does."""
    found = camera.fault or camera.card_fault
    return found.status if found else 0


def believed(camera) -> KeyList:
    """The newest key list the camera holds; of a camera that failed before it took it up, out of flash.

    Raises what the reading raises: a list that cannot be read may not leave an older one in its place.
    """
    if camera.keylist is not None:
        return camera.keylist
    own, store = camera.identity, camera.keystore
    newer = store.next_keylist()
    held = KeyList.parse(store.keylist(), own.root_point, own.organisation)
    if newer is None:
        return held
    newer = KeyList.parse(newer, own.root_point, own.organisation)
    return newer if newer.version > held.version else held


def version(camera) -> int:
    """Of the key list that is believed, 0 where there is none."""
    if camera.identity is None:
        return 0
    try:
        return believed(camera).version
    except SealcamError:
        return 0


def introduction(camera) -> bytes:
    """The whole of *here*; without its first two bytes it answers *identify*."""
    own = camera.identity
    facts = json.dumps(camera.facts).encode()
    if len(facts) > _MOST_FACTS:
        facts = b"{}"  # a board that talks too much
    device_id, organisation = (own.device_id, own.organisation) if own else (bytes(32), bytes(32))
    return here(state(camera), flags(camera), device_id, organisation, version(camera), facts)


class Health:
    """What *health* answers. The known answers are computed once, where booting has not done it."""

    def __init__(self, camera):
        self._camera = camera
        self._computes = None

    def tell(self) -> bytes:
        camera, board = self._camera, self._camera.board
        healthy = _is_healthy(camera.noise())
        said = {
            "noise": dict([(name, healthy) for name in camera.noise_sources]),
            "self_test": self._self_test(),
            "debug": camera.is_debug,
            "card": _card(camera),
            "clock": _clock(camera),
            "journal_room": camera.journal.room() if camera.fault is None else 0,
            "fault": fault(camera),
            "alarms": camera.alarms,
            "firmware": camera.update.facts() if camera.update else {},
        }
        for name in ("battery", "charging"):
            value = getattr(board, name, None)
            if value is not None:
                said[name] = value
        return json.dumps(said).encode()

    def _self_test(self):
        """Whether known answers come out: of the camera's own boot, or now if it never came so far."""
        camera = self._camera
        if camera.fault is SelfTestFailed:
            return False
        if camera.fault is None:
            return True
        if self._computes is None:
            self._computes = _computes()
        return self._computes


def _computes():
    try:
        crypto.self_test()
        p256.self_test()
    except SelfTestFailed:
        return False
    return True


def _is_healthy(samples):
    try:
        check_noise(samples)
    except EntropyFault:
        return False
    return True


def _card(camera):
    card = camera.card
    if card is None or not card.mounted:
        return None
    return {"serial": "".join(["%02x" % byte for byte in card.serial]), "failed": card.dead}


def _clock(camera):
    clock = camera.clock
    return {"source": clock.source, "utc_ms": clock.utc_ms(), "uncertainty_ms": clock.uncertainty_ms}
