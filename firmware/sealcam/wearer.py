"""What the buttons do while nothing is filmed: ask for a PIN, choose a recording, play it.

Draws words through the panel and asks gate and replay; holds no key and judges nothing.
"""

from sealcam import lamps, pingate
from sealcam.errors import (
    CardFault,
    CardFull,
    FormatFault,
    JournalFull,
    Locked,
    NoCard,
    NotDrilled,
    OutOfOrder,
    SourceFault,
)
from sealcam.lamps import DOWN, LEFT, OK, RECORD, RIGHT, UP
from sealcam.pingate import CHOOSE, LONGEST, LOST, OFF, OPEN, OVER, REFUSED, SHORTEST, SHUT, weakness
from sealcam.replay import ENDED, OPENING, PAUSED, own_recordings

FORGOTTEN = "PIN forgotten: replay is lost until the next issue; the recordings are safe"
NOT_ACCEPTED = "replay is refused: this camera's flash is not protected, and the policy does not accept that"
_REFUSED_AT_ONCE = (OutOfOrder, Locked, CardFault, NoCard, SourceFault, FormatFault)
_NOT_FILMED = _REFUSED_AT_ONCE + (CardFull, JournalFull, NotDrilled)
_A_SECOND = 1000
_DAY_MS = 86400000


class Entry:
    """Digits by five buttons: up and down turn the last one, right adds one, left takes one away."""

    def __init__(self):
        self.digits = bytearray(b"0")

    def press(self, button) -> bool:
        """True when the PIN is whole as far as its wearer is concerned."""
        digits = self.digits
        if button in (UP, DOWN):
            digits[-1] = 48 + (digits[-1] - 48 + (1 if button == UP else 9)) % 10
        elif button == RIGHT and len(digits) < LONGEST:
            digits.append(48)
        elif button == LEFT and len(digits) > 1:
            self.digits = digits[:-1]
        return button == OK and len(digits) >= SHORTEST

    def shown(self) -> str:
        return "*" * (len(self.digits) - 1) + chr(self.digits[-1])

    def take(self) -> bytes:
        """The PIN, which is then forgotten here."""
        pin = bytes(self.digits)
        for at in range(len(self.digits)):
            self.digits[at] = 48
        self.digits = bytearray(b"0")
        return pin


class Wearer:
    """`camera` is the introduction of the parts; the buttons come by `press`, the screen goes by `step`."""

    def __init__(self, camera):
        self._camera = camera
        self._entry, self._first = Entry(), None
        self._list, self._chosen = None, 0
        self._hint, self._shown = "", None

    def press(self, button: str) -> None:
        """One button; what may not be now is answered on the screen."""
        camera = self._camera
        self._hint, self._shown = "", None
        if button == RECORD:
            self._record()
            return
        if camera.recorder is not None and camera.recorder.recording:
            if button == OK:
                camera.recorder.bookmark()
            return
        try:
            self._press(button)
        except _REFUSED_AT_ONCE as fault:
            self._hint = "not now" if fault.status in (0x14, 0x34) else "the card cannot be read"

    def _record(self):
        """Begin or end a recording; whatever was replayed or judged gives way at once."""
        camera = self._camera
        self.leave()
        if camera.docked:
            camera.undock()  # the evidence that is made now comes before any docking
        if camera.recorder is None:
            camera.check_may_record()
            return
        camera.lists.end_trial()  # what it films for itself gives way
        if camera.recorder.recording:
            camera.recorder.stop()
        else:
            camera.recorder.start()

    def leave(self) -> None:
        """Nothing is replayed or judged any more, and the gate is locked."""
        self._camera.replay.stop()
        self._camera.gate.lock()
        self._first = self._list = None
        self._entry = Entry()

    def _press(self, button):
        gate = self._camera.gate
        gate.touch()
        state = gate.state
        if gate.is_busy or state not in (CHOOSE, SHUT, OPEN):
            return
        if state == CHOOSE:
            if self._entry.press(button):
                self._choose(self._entry.take())
        elif state == SHUT:
            if self._entry.press(button):
                self._list = None
                gate.offer(self._entry.take())
        elif self._camera.replay.state is None:
            self._choose_recording(button)
        else:
            self._play(button)

    def _choose(self, pin):
        first, self._first = self._first, None
        why = weakness(pin)
        if why:
            self._hint = why
        elif first is None:
            self._first = pin
        elif first != pin:
            self._hint = "not the same: choose again"
        else:
            self._camera.gate.choose(pin)

    def _choose_recording(self, button):
        if button == LEFT:
            self.leave()
            return
        found = self._recordings()
        if button in (UP, DOWN):
            self._chosen = max(0, min(len(found) - 1, self._chosen + (1 if button == DOWN else -1)))
        elif button in (OK, RIGHT) and found:
            self._camera.replay.open(found[self._chosen])

    def _recordings(self):
        if self._list is None:
            self._list, self._chosen = own_recordings(self._camera), 0
        return self._list

    def _play(self, button):
        replay = self._camera.replay
        if button == LEFT or replay.state == ENDED:
            replay.stop()
        elif button == OK and replay.state == PAUSED:
            replay.go()
        elif button == OK:
            replay.pause()
        elif button == RIGHT:
            replay.next_picture()
        elif button == DOWN:
            replay.next_bookmark()

    def step(self) -> bool:
        """A slice of judging or of replay, and the words on the screen; False if nothing was to do."""
        camera = self._camera
        if camera.panel is None:
            return False
        button = camera.panel.take()
        if button is not None:
            self._take(button)
        filming = camera.recorder is not None and camera.recorder.recording
        if not filming and (camera.gate.step() or self._replay()):
            return True
        return self._tell(filming) or button is not None

    def _take(self, button):
        """A button of the board: there is nobody but the screen to answer."""
        try:
            self.press(button)
        except _NOT_FILMED:
            self._hint = "not now"

    def _replay(self):
        replay, gate = self._camera.replay, self._camera.gate
        if gate.state != OPEN:
            if replay.state is None:
                return False
            self.leave()  # nobody touched it, or its hour has come
            return True
        try:
            return replay.step()
        except SourceFault:
            replay.stop("the screen does not answer")
            return True

    def _tell(self, filming):
        """Show the words of this state, when they have changed. False: nothing to do."""
        if not filming and self._camera.replay.state not in (None, OPENING, ENDED):
            self._shown = None
            return False  # the picture is the screen
        lines = ["recording"] if filming else self._words()
        if lines == self._shown:
            return False
        self._shown = lines
        try:
            self._camera.panel.words(lines)
        except SourceFault:
            self._camera.say("- the screen does not answer")
        return True

    def _words(self):
        camera, state = self._camera, self._camera.gate.state
        lines = ["", self._hint]
        if state in (SHUT, CHOOSE) and camera.gate.is_busy:
            return ["one moment"]
        if state == SHUT:
            return self._ask() + lines + [FORGOTTEN]
        if state == CHOOSE:
            ask = "choose a PIN" if self._first is None else "the PIN again"
            return ["issue %s" % camera.issuing.short(), ask, "6 to 12 digits", self._entry.shown()] + lines
        if state == OPEN:
            return self._list_words() + lines
        return [_WORDS[state]] if state != OFF else self._idle_words()

    def _idle_words(self):
        issuing = self._camera.issuing
        words = lamps.look(lamps.state_of(self._camera))[3]
        if not any(issuing.current):
            return [words]
        return [words, "issue %s" % issuing.short(), "until %s" % date(issuing.until_ms)]

    def _ask(self):
        gate, issuing = self._camera.gate, self._camera.issuing
        wait = (gate.wait_ms() + _A_SECOND - 1) // _A_SECOND
        first = ["issue %s" % issuing.short(), "until %s" % date(issuing.until_ms)]
        if wait:
            return first + ["wait %d s" % wait, "%d tries left" % gate.tries_left]
        return first + ["PIN", self._entry.shown(), "%d tries left" % gate.tries_left]

    def _list_words(self):
        replay = self._camera.replay
        if replay.state is not None:
            return [replay.said or "one moment"]
        try:
            found = self._recordings()
        except (CardFault, NoCard):
            return ["the card cannot be read"]
        if not found:
            return ["no recordings of this issue", replay.said]
        first = max(0, self._chosen - 4)
        lines = [replay.said]
        for number in range(first, min(len(found), first + 6)):
            mark = "> " if number == self._chosen else "  "
            lines.append("%s%d %s" % (mark, found[number].sequence, date(found[number].start_utc_ms)))
        return lines


def date(utc_ms: int) -> str:
    """Day and hour in UTC; a dash where it is not known."""
    if not utc_ms:
        return "-"
    days, left = utc_ms // _DAY_MS, utc_ms % _DAY_MS // 60000
    era, day = divmod(days + 719468, 146097)  # civil from days, years that begin with March
    year = (day - day // 1460 + day // 36524 - day // 146096) // 365
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153
    return "%04d-%02d-%02d %02d:%02d" % (
        year + era * 400 + (month >= 10),
        month + 3 if month < 10 else month - 9,
        day - (153 * month + 2) // 5 + 1,
        left // 60,
        left % 60,
    )


_WORDS = {
    REFUSED: NOT_ACCEPTED,
    LOST: FORGOTTEN,
    OVER: "this issue is over: replay is shut",
    pingate.FAULTY: "replay is shut: the flash failed; see the evidence office",
}
