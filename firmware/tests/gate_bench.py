"""A camera that may replay, for tests of issue, PIN and replay: on MicroPython and under CPython.

Its screen takes a picture for what it is, without a decoder: the bytes of the record, over and over.
"""

from power_bench import Bench
from sealcam.enrolment import Enrolment

MAY_REPLAY = 7  # sound, replay, replay on unprotected flash
PIN, OTHER_PIN = b"483926", b"771203"
A, B = bytes(range(1, 17)), bytes(range(101, 117))
FAR = 1 << 60


class Screen:
    """What a board's display is, in memory; `shown` counts frames, `last` is the newest."""

    width, height = 160, 120

    def __init__(self):
        self.shown, self.last, self.fails = 0, None, False

    def decode(self, jpeg, frame):
        if self.fails:
            return False
        picture = bytes(jpeg)
        for at in range(0, len(frame), len(picture)):
            piece = memoryview(frame)[at : at + len(picture)]
            piece[:] = picture[: len(piece)]
        return True

    def show(self, frame):
        self.shown += 1
        self.last = bytes(frame)


def enrolled(flags=MAY_REPLAY):
    """A bench whose camera is enrolled and off."""
    bench = Bench(64, flags, Screen())
    camera = bench.start()
    steps = Enrolment(camera, bench.folder)
    for _ in range(6):
        bench.office.attend(bench.folder)
        if steps.step() == "enrolled":
            camera.power_off()
            return bench
    raise AssertionError("enrolment did not end")


def moment(bench):
    """What card and flash hold; under CPython the files beside their devices too."""
    beside = [_copied(getattr(store, "shim_files", {})) for store in (bench.card, bench.flash)]
    return bench.save(), beside


def go_back(bench, to):
    bench.load(to[0])
    for store, files in zip((bench.card, bench.flash), to[1]):
        if hasattr(store, "shim_files"):
            store.shim_files = _copied(files)


def _copied(files):
    return dict([(name, bytearray(content)) for name, content in files.items()])


def settle(camera, turns=5000):
    """Until there is nothing more to do."""
    for _ in range(turns):
        if not camera.step():
            return
    raise AssertionError("never idle")


def choose(camera, pin=PIN):
    camera.gate.choose(pin)
    while camera.gate.step():
        pass


def issued(bench, issue=A, pin=PIN):
    """A camera that is on, issued, with its PIN chosen."""
    camera = bench.start()
    assert camera.issuing.issue(issue, FAR, 1) == 1
    choose(camera, pin)
    return camera


def wait_out(camera):
    while camera.gate.wait_ms():
        camera.board.rtc.advance(camera.gate.wait_ms())


def film(camera, turns=2000):
    """To the end of what there is to see."""
    camera.recorder.start()
    for _ in range(turns):
        if camera.source.ended and camera.source.due_ms() < 0:
            break
        if not camera.step():
            camera.board.idle(camera)
    camera.recorder.stop()
    return camera.recorder.seq
