"""Carry the files of an enrolment between a durable folder and a camera on a line; dock-protocol.md, 5.

The folder is the same as without a line, so that a cable pulled anywhere is taken up by the next run. What
the files mean is judged by the desks; here only health, and that the camera that answers is on the line.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sealhost.enrolment.answer import parse_answer
from sealhost.enrolment.desk import ANSWER, DRILL, ENROLLED, OFFER, TIME
from sealhost.errors import CameraRefused, EnrolmentRefused
from sealhost.verify import read_core

NOBODYS, UNDER_WAY, TAKEN_IN = 0, 1, 2  # states of a camera; section 2
PUT_DRILL, PUT_OFFER, PUT_TIMES = 5, 6, 7
ENROL, NOT_NOW = 0x30, 0x34
BROUGHT = "brought.mark"
_SEED = slice(89, 137)  # of an offer; statements.md
_FETCH_ANSWER, _FETCH_ENROLLED = 1, 2
_WAITS_FOR_TIME, _WAITS_FOR_DRILL = 2, 3
_TRIAL_S, _POLL_S = 60.0, 0.5
_MOST_TRIAL = 256 << 20  # bytes of it; a few seconds of film are far below


def refuse_unhealthy(camera: Any) -> None:
    """A debug build, and a camera without healthy noise or with a failed self-test, is never enrolled."""
    here, health = camera.identify(), camera.health()
    name = camera.name
    if here.is_debug or health.get("debug", False):
        raise EnrolmentRefused(name, "it is a debug build")
    if health.get("self_test") is False:
        raise EnrolmentRefused(name, "its self-test failed")
    noise = health.get("noise")
    if not isinstance(noise, dict) or not noise:
        raise EnrolmentRefused(name, "it tells of no source of noise")
    sick = sorted(str(source) for source, healthy in noise.items() if healthy is not True)
    if sick:
        raise EnrolmentRefused(name, "its noise is not healthy: " + ", ".join(sick))


def carry(
    exchange: Any,
    camera: Any,
    parts_of: Callable[[Any], list[Any]],
    sleep: Callable[[float], None] = time.sleep,
) -> list[str]:
    """Everything that can be carried now, either way; what was done, nothing where one side has to act first.

    `parts_of` lists the files of the card in the camera. Each file is durable in the folder before the next
    is asked for.
    """
    state = camera.identify().state
    if state == NOBODYS:
        return _bring_offer(exchange, camera)
    return [
        *_fetch_answer(exchange, camera),
        *_bring(TIME, PUT_TIMES, _WAITS_FOR_TIME, exchange, camera),
        *_fetch_trial(exchange, camera, parts_of, sleep),
        *_bring(DRILL, PUT_DRILL, _WAITS_FOR_DRILL, exchange, camera),
        *_fetch_enrolled(exchange, camera),
    ]


def folder_of(camera: Any, exchanges: Sequence[Any]) -> Any:
    """Which of these folders is of the camera on the line; None where none is.

    One that belongs to nobody gets an offer that no camera has seen.
    """
    if camera.identify().state == NOBODYS:
        return next((e for e in exchanges if e.has(OFFER) and not e.has(ANSWER) and not e.has(BROUGHT)), None)
    answered = {parse_answer(raw).point: e for e in exchanges if (raw := e.read(ANSWER)) is not None}
    if camera.device_point in answered:
        return answered[camera.device_point]
    nonce = parse_answer(_answer(camera)).nonce
    return next((e for e in exchanges if (e.read(OFFER) or b"")[73:89] == nonce), None)


def forget_seeds(exchanges: Iterable[Any]) -> None:
    """Zeros in the place of every seed that a camera was shown: none gets it twice. The nonce stays, for the
    camera that took the offer and whose answer was lost.

    Order of writes: each offer is the old one or the new one, and run again it ends the same.
    """
    for exchange in exchanges:
        offer = exchange.read(OFFER) if exchange.has(BROUGHT) else None
        if offer is not None and any(offer[_SEED]):
            zeros = bytes(_SEED.stop - _SEED.start)
            exchange.write(OFFER, offer[: _SEED.start] + zeros + offer[_SEED.stop :])


def _answer(camera: Any) -> bytes:
    """Its answer; the step that makes it is taken first where none is there."""
    try:
        return bytes(camera.fetch(_FETCH_ANSWER))
    except CameraRefused as refused:
        if refused.status != NOT_NOW:
            raise
    camera.enrol()
    return bytes(camera.fetch(_FETCH_ANSWER))


def _bring_offer(exchange: Any, camera: Any) -> list[str]:
    if exchange.has(ANSWER):
        raise EnrolmentRefused(camera.name, "this folder belongs to another camera, or it lost its memory")
    offer = exchange.read(OFFER)
    if offer is None:
        return []
    exchange.write(BROUGHT, b"")  # from here on this offer and its seed are of one camera
    try:
        camera.put(PUT_OFFER, offer, ENROL)
    except CameraRefused:
        if camera.identify().state == NOBODYS:
            raise
    camera.begin_again()  # it has a key now, and signs for the next session
    return ["offer brought"]


def _fetch_answer(exchange: Any, camera: Any) -> list[str]:
    """The answer must be by the key that signs this session (D7)."""
    held = exchange.read(ANSWER)
    raw = held or _answer(camera)
    camera.identify()  # whatever was lost meanwhile, there is a session
    if parse_answer(raw).point != camera.device_point:
        raise EnrolmentRefused(camera.name, "the answer is by another key than the camera's on the line")
    if held is not None:
        return []
    exchange.write(ANSWER, raw)
    return ["answer fetched"]


def _bring(file: str, what: int, waits: int, exchange: Any, camera: Any) -> list[str]:
    raw = exchange.read(file)
    if raw is None or camera.identify().state == TAKEN_IN or camera.enrol() != waits:
        return []
    camera.put(what, raw, ENROL)
    return [f"{file.partition('.')[0]} brought"]


def _fetch_trial(
    exchange: Any, camera: Any, parts_of: Callable[[Any], list[Any]], sleep: Callable[[float], None]
) -> list[str]:
    """Every part of the recording that the camera made for the drill."""
    if exchange.has(DRILL) or camera.identify().state == TAKEN_IN or not exchange.has(TIME):
        return []
    trial = _trial(camera, sleep)
    parts = [part for part in parts_of(camera) if _is_of(part, trial.h_core)]
    if [part.size for part in exchange.trial_parts()] == [part.size for part in parts]:
        return []
    if sum(part.size for part in parts) > _MOST_TRIAL:
        raise EnrolmentRefused(camera.name, "its trial recording has no end")
    for number, part in enumerate(parts):
        content = bytearray(part.size)
        part.read_into(0, memoryview(content))
        exchange.write(f"trial-{number:04d}.skr", bytes(content))
    return ["trial recording fetched"] if parts else []


def _trial(camera: Any, sleep: Callable[[float], None]) -> Any:
    """Which recording it is; the camera may be filming it still."""
    for _ in range(int(_TRIAL_S / _POLL_S)):
        try:
            return camera.trial()
        except CameraRefused as refused:
            if refused.status != NOT_NOW:
                raise
        sleep(_POLL_S)
        camera.enrol()
    return camera.trial()


def _is_of(part: Any, h_core: bytes) -> bool:
    core = read_core(part)
    return core is not None and core.h_core == h_core


def _fetch_enrolled(exchange: Any, camera: Any) -> list[str]:
    if exchange.has(ENROLLED) or camera.identify().state != TAKEN_IN:
        return []
    exchange.write(ENROLLED, camera.fetch(_FETCH_ENROLLED))
    return ["journal fetched"]


__all__ = ["carry", "folder_of", "forget_seeds", "refuse_unhealthy"]
