"""The camera and the microphone, as buffers with timestamps.

Takes what a board's feed hands over when its time has come. Never decodes, never writes, knows no key.
"""

from sealcam.errors import SourceFault
from sealcam.layout import FLAG_WHOLE_PICTURE, TRACK_PICTURE, TRACK_SOUND

_LATE_MS = 2000
LONGEST = 1 << 20  # bytes of a picture: what is longer is dropped, and counted


class Source:
    """`feed` has `next_into(buffer) -> (track, ms, length) | None`, `rewind()`, `longest` and its facts. A
    length above the buffer's means that the record was passed over.

    One record at a time: `poll` gives it when `now_ms` has reached it, `take` frees the buffer for the next.
    Times are milliseconds since `start`. `paced` drops pictures that come too late; a source that makes its
    own time never does.
    """

    def __init__(self, feed, paced: bool = True):
        self._feed, self._paced = feed, paced
        self._buffer = memoryview(bytearray(min(feed.longest, LONGEST)))
        self.running = self.ended = False
        self.track = self.flags = self.ms = self.dropped = 0
        self.view = None

    def facts(self) -> dict:
        """What the description says of picture and sound."""
        feed = self._feed
        facts = {"picture": "jpeg", "width": feed.width, "height": feed.height} if feed.width else {}
        if feed.sound_rate:
            facts["sound"], facts["sound_rate"] = "pcm_s16le", feed.sound_rate
        return facts

    def start(self) -> None:
        self._feed.rewind()
        self.running, self.ended = True, False
        self.dropped = 0
        self._next()

    def lend(self):
        """The buffer for the longest record, to whoever replays: nothing is filmed meanwhile."""
        return self._buffer

    def stop(self) -> None:
        self.running = False
        self.view = None

    def due_ms(self) -> int:
        """When the record at hand is due; -1 when there is none."""
        return -1 if self.view is None else self.ms

    def poll(self, now_ms: int) -> bool:
        """Whether a record is due: `track`, `flags`, `ms` and `view` are then its own."""
        while self.view is not None and self.ms <= now_ms:
            if not self._paced or self.track != TRACK_PICTURE or now_ms - self.ms <= _LATE_MS:
                return True
            self.dropped += 1  # behind by too much: a picture nobody could store in time
            self._next()
        return False

    def take(self) -> None:
        """The record at hand is in the stream: get the next one."""
        self._next()

    def _next(self):
        self.view = None
        while self._read():
            if 0 < self._length <= len(self._buffer):
                self.view = self._buffer[: self._length]
                return
            if self._length <= 0:
                raise SourceFault
            self.dropped += 1  # longer than any picture this camera can take

    def _read(self):
        """The next record into the buffer; False at the end."""
        try:
            found = self._feed.next_into(self._buffer)
        except (OSError, ValueError):
            # the camera or the microphone stopped, or hands over what cannot be a frame
            raise SourceFault from None
        if found is None:
            self.ended = True
            return False
        self.track, self.ms, self._length = found
        if self.track not in (TRACK_PICTURE, TRACK_SOUND):
            raise SourceFault
        self.flags = FLAG_WHOLE_PICTURE if self.track == TRACK_PICTURE else 0
        return True
