"""Into a wearer's hands and out of them; whose camera it is now.

An issue is a number, an hour and a kind; the name behind the number is the host's. What replay needs of an
issue, `pingate` keeps. Order of writes: docs/format/replay.md, section 3.
"""

from sealcam import usagelog
from sealcam.errors import FlashFault, FormatFault, OutOfOrder

NOBODY = bytes(16)
PERSONAL, POOL = 1, 2


class Issuing:
    """`camera` is the introduction of the parts; `current` is zeros while the camera is nobody's."""

    def __init__(self, camera):
        self._camera = camera
        self.current, self.until_ms, self.kind = NOBODY, 0, 0

    def load(self) -> None:
        """At boot. A record that does not hold is no issue: the gate then erases what belonged to it."""
        try:
            found = self._camera.keystore.issue()
        except FlashFault:
            self._camera.say("- the issue record does not hold: nobody's camera")
            found = None
        self.current, self.until_ms, self.kind = found or (NOBODY, 0, 0)

    def is_over(self) -> bool:
        """Whether its end has passed; not known, and so no, while the clock is not set."""
        now = self._camera.clock.utc_ms()
        return bool(now) and now > self.until_ms

    def number(self) -> str:
        """The issue in hex: what a recording's description says of its wearer."""
        return "".join(["%02x" % byte for byte in self.current])

    def short(self) -> str:
        """Its first eight digits: what is drawn into pictures."""
        return self.number()[:8].upper()

    def issue(self, issue: bytes, until_ms: int, kind: int) -> int:
        """Whoever had it before, it is now this issue's; 1 if the wearer is asked for a PIN, 0 if replay is
        off. FlashFault if the old replay word could not be erased: then nothing was issued.
        """
        camera = self._camera
        if len(issue) != 16 or not any(issue) or kind not in (PERSONAL, POOL):
            raise FormatFault
        if camera.recorder is not None and camera.recorder.recording:
            raise OutOfOrder  # it is in somebody's hands, and films
        camera.gate.begin(issue)
        camera.forget_ready()
        camera.logbook.note(usagelog.ISSUED, 0, 0, issue)
        camera.keystore.keep_issue(issue, until_ms, kind)  # here the old issue stops being true
        self.current, self.until_ms, self.kind = bytes(issue), until_ms, kind
        camera.gate.load()
        return int(camera.gate.asks)

    def end(self) -> bytes:
        """Nobody's again, its replay word erased; the issue that ended, zeros if there was none. Where the
        word does not go, the gate says so and stays shut: the evidence must come out all the same.
        """
        camera, ended = self._camera, self.current
        try:
            camera.gate.erase()
        except FlashFault:
            pass  # said and logged; every boot tries it again
        camera.forget_ready()
        if any(ended):
            camera.logbook.note(usagelog.RETURNED, 0, 0, ended)
            camera.keystore.drop_issue()
            self.current, self.until_ms, self.kind = NOBODY, 0, 0
        return ended
