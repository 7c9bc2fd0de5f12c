"""The curve work no handshake can do without, alone; and a whole handshake, from the bytes of a hello on the
line to those of the welcome, with the keys of the session made.

Runs on the emulated Cortex-M3: handshake.py IMAGE. Prints instructions for both. Alone are the same functions
as in the firmware: one point of one's own, two agreements, one signature.
"""

import gc
import sys
import time

from docked_camera import DockedCamera, Host
from sealcam import p256

_TIMES = 2


def main():
    camera = DockedCamera(sys.argv[1])
    host = Host(camera)
    print("curve", _measured(lambda: _curve(camera, host)))
    print("handshake", _measured(lambda: camera.answer(host.hello)))
    host.take_welcome()


def _curve(camera, host):
    rand, other = camera.drbg.generate, host.link
    d = p256.scalar(rand)
    p256.public(d, rand)
    p256.agree(d, host.point, rand)
    p256.agree(d, other, rand)
    p256.sign(camera.identity.d, bytes(32), rand)


def _measured(work):
    taken = 0
    for _ in range(_TIMES):
        gc.collect()
        start = time.ticks_us()
        work()
        taken += time.ticks_diff(time.ticks_us(), start)
    return taken * 1000 // _TIMES


main()
