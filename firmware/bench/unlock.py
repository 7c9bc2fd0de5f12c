"""PBKDF2 alone at 2,000 rounds, and judging a right PIN at 2,000 rounds: spend, stretch, unwrap, give back;
not the log entry that follows, whose price is littlefs's and differs from time to time.

Runs on the emulated Cortex-M3: unlock.py IMAGE. Prints instructions for both.
"""

import gc
import sys
import time

from desk_camera import DeskCamera
from sealcam.crypto import pbkdf2
from sealcam.gateflash import Tries, Word
from sealcam.issuing import Issuing
from sealcam.keystore import KeyStore
from sealcam.pingate import FEWEST_ROUNDS, SHUT, PinGate

_TIMES = 6
_PIN, _ISSUE = b"483926", bytes(range(16))


class _Board:
    flash_protected = True


def gate_on(camera):
    """A gate over the desk camera's flash, issued, its PIN chosen."""
    camera.board, camera.panel = _Board(), camera
    camera.policy.replay = True
    camera.keystore = KeyStore(camera.files)
    camera.forget_ready = lambda: None
    camera.issuing = Issuing(camera)
    gate = camera.gate = PinGate(camera, Word(camera.flash, 18), Tries(camera.flash, 19))
    gate.load()
    camera.issuing.issue(_ISSUE, 1 << 60, 1)
    gate.choose(_PIN)
    while gate.step():
        pass
    return gate


def main():
    camera = DeskCamera(sys.argv[1])
    gate = gate_on(camera)
    print("pbkdf2", _measured(lambda: pbkdf2(_PIN, _ISSUE, FEWEST_ROUNDS), lambda: None))
    print("judging", _measured(lambda: _judge(gate), gate.step))


def _judge(gate):
    gate.offer(_PIN)
    while gate.state == SHUT:
        gate.step()


def _measured(work, rest):
    """Instructions for one of several, so that each bears its share of collecting garbage."""
    taken = 0
    gc.collect()
    for _ in range(_TIMES):
        start = time.ticks_us()
        work()
        taken += time.ticks_diff(time.ticks_us(), start)
        rest()
    return taken * 1000 // _TIMES


main()
