"""The usage log: into flash first, then sealed to the card in the open log segment.

Knows where entries are kept and when they are safe; what an entry is, `usagelog` knows. A card that is out or
fails costs nothing: the next segment begins with what reached flash and no closed segment.
"""

from sealcam import usagelog
from sealcam.errors import CardFault, CardFull, FlashFault, JournalFull, LogFault, NoCard
from sealcam.layout import REASON_CARD_FULL, REASON_LIMIT, TRACK_LOG

_FILE = "log"
_MOST, _MOST_FILMING = 256, 1024  # entries in flash, which are read whole at boot
_LOST = (CardFault, CardFull, NoCard, JournalFull)


class Logbook:
    """`camera` is the introduction of the parts; `files` holds the entries no closed segment is known to
    hold.
    """

    def __init__(self, camera, missing: type):
        self._camera, self._missing = camera, missing
        self._log = usagelog.UsageLog(camera.identity.device_id)
        self._waiting = []
        self._held = 0  # entries in flash
        self._in_doubt = self._is_short = False  # short: a segment took of what waits, and was given up
        self._carrier = None

    def load(self, may_begin: bool = False) -> None:
        """Take up the chain; LogFault unless it holds. Only a camera that is being enrolled may begin one
        (L5).
        """
        try:
            raw = self._camera.files.read(_FILE)
        except self._missing:
            raw = b""
        if not raw and not may_begin:
            raise LogFault  # no file, or nothing in it: its last entry never goes
        self._waiting = _entries(raw)
        usagelog.check(self._waiting)
        self._held = len(self._waiting)
        if self._waiting:
            self._log.restore(self._waiting[-1])

    def note(self, event: int, detail: int = 0, seq: int = 0, data: bytes = b"") -> None:
        """Durable in flash when this returns (L1). After one that failed nothing is written before the next
        boot has read what there is: the chain would have a gap.
        """
        if self._in_doubt:
            raise FlashFault
        camera = self._camera
        clock = camera.clock
        entry = self._log.entry(event, detail, seq, data, camera.boot_count, clock.ms(), clock.utc_ms())
        self._in_doubt = True
        camera.files.append(_FILE, entry)
        self._in_doubt = False
        self._held += 1
        self._waiting.append(entry)

    def open(self, carrier) -> None:
        """Begin a segment with all that waits: after one that was given up, with all that flash holds. Raises
        what the card or the journal raises.
        """
        if self._is_short:
            self._waiting = _entries(self._camera.files.read(_FILE))
            self._is_short = False
        carrier.begin()
        self._carrier = carrier

    def step(self) -> bool:
        """Write one entry, or seal or sign what is due; True if something was done. A card that fails ends
        the segment.
        """
        if self._carrier is None:
            return False
        try:
            return self._step(self._carrier)
        except _LOST as fault:
            self._give_up(fault)
            return True

    def _step(self, carrier):
        if carrier.muxer.pending:
            carrier.pump()
            return True
        now = carrier.ms()
        if not self._waiting:
            return carrier.pad_if_due(now) or carrier.sign_if_due(now) or self._turn_segment()
        if not carrier.make_room(usagelog.ENTRY_SIZE):
            carrier.end(REASON_CARD_FULL)  # what waits stays in flash, for a segment on another card
            self._carrier = None
            return True
        carrier.muxer.offer(TRACK_LOG, 0, now, self._waiting.pop(0))
        carrier.pump()
        return True

    def _turn_segment(self):
        """End a segment, and begin the next, when flash holds many entries: rather between two recordings,
        for an end takes its time. A cut anywhere: the next segment begins with what flash still holds.
        """
        camera, carrier = self._camera, self._carrier
        most = _MOST_FILMING if camera.recorder.recording else _MOST
        if self._held < most or not camera.journal.has_room():
            return False
        self.close(REASON_LIMIT)
        if self._held < most:
            try:
                self.open(carrier)
            except _LOST as fault:
                self._carrier = carrier
                self._give_up(fault)
        return True

    def give_up(self, fault) -> None:
        """The card is gone, or failed: what the open segment holds stays in flash for the next one."""
        if self._carrier is not None:
            self._give_up(fault)

    def _give_up(self, fault):
        carrier, self._carrier, self._is_short = self._carrier, None, True
        carrier.cut()
        self._camera.say("- log segment %d given up: %s" % (carrier.seq, type(fault).__name__))

    def close(self, reason: int) -> None:
        """End the segment, signed; then flash may forget what it holds, but for the end of the chain."""
        carrier = self._carrier
        if carrier is None:
            return
        while self._waiting or carrier.muxer.pending:
            if not self.step() or self._carrier is None:
                return
        try:
            carrier.end(reason)
        except _LOST as fault:
            self._give_up(fault)
            return
        self._carrier = None
        raw = self._camera.files.read(_FILE)
        self._camera.files.replace(_FILE, raw[-usagelog.ENTRY_SIZE :])
        self._held = 1


def _entries(raw):
    size = usagelog.ENTRY_SIZE
    return [raw[at : at + size] for at in range(0, len(raw), size)]
