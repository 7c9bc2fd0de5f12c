"""Carry one recording from card to panel.

Head first, then chunk by chunk: nothing is shown before its chunk proves, and at the first that does not it
stops and says so. Goes by the tags alone and gives no verdict; the signatures are the vault's to check.
Never writes to the card.
"""

from hashlib import sha256 as hasher

from sealcam import usagelog
from sealcam.crypto import same, sha256
from sealcam.curve import Job
from sealcam.demuxer import Demuxer
from sealcam.errors import BadPoint, CardFault, FormatFault, NoCard, NotProved, OutOfOrder
from sealcam.hpke import open_steps
from sealcam.layout import (
    CORE_SIZE,
    EVENT_BOOKMARK,
    KIND_RECORDING,
    MAX_SLOTS,
    PAYLOAD_AT,
    ROLE_OPEN,
    SLOT_SIZE,
    SLOTS_AT,
    TAG_0_AT,
    TAG_SIZE,
    TRACK_EVENT,
    TRACK_PICTURE,
    TYPE_DATA,
    TYPE_END,
    block_size,
    part_name,
    unpack_core,
)
from sealcam.slots import parse_slots, slot_info
from sealcam.unsealer import Unsealer

OPENING, PLAYING, PAUSED, ENDED = 1, 2, 3, 4
_HEAD = SLOTS_AT + MAX_SLOTS * SLOT_SIZE
_BLOCKS = (2048, 4096, 16384)
_PIECE = 512
_BOOKMARK = bytes([EVENT_BOOKMARK])  # an event that proves may still be shorter than any of ours
_UNREADABLE = (CardFault, NoCard, FormatFault, NotProved, BadPoint)


class Head:
    """What the head of a first part says, and which of its slots is the wearer's."""

    def __init__(self, name, at, raw, fields, slot):
        self.name, self.at, self.core, self.fields = name, at, bytes(raw[:CORE_SIZE]), fields
        self.tag_0 = bytes(raw[TAG_0_AT : TAG_0_AT + TAG_SIZE])
        self.slot = slot
        self.sequence, self.start_utc_ms = fields["sequence"], fields["start_utc_ms"]


def own_recordings(camera) -> list:
    """A Head for each recording on the card that has a slot for this issue's key, oldest first."""
    key_id, found = sha256(camera.gate.point()), []
    for name in camera.card.list():
        if name.lower().startswith(camera.own_prefix) and name.lower().endswith("-0000.skr"):
            head = _own_head(camera, name, key_id)
            if head is not None:
                found.append(head)
    return sorted(found, key=lambda head: head.sequence)


def _own_head(camera, name, key_id):
    """The first copy of the head that names the wearer; None if none does."""
    size = camera.card.size_of(name)
    part = camera.card.open(name)
    raw = memoryview(bytearray(_HEAD))
    try:
        for at in (0,) + _BLOCKS:
            if at + _HEAD > size or part.read_at(at, raw) != _HEAD:
                continue
            head = _head_from(camera, name, at, raw, key_id)
            if head is not None:
                return head
    finally:
        part.close()
    return None


def _head_from(camera, name, at, raw, key_id):
    fields = unpack_core(raw[:CORE_SIZE])
    if fields is None or fields["kind"] != KIND_RECORDING or fields["device_id"] != camera.identity.device_id:
        return None
    try:
        slots = parse_slots(raw[SLOTS_AT:])
    except FormatFault:
        return None
    for role, _, named, enc, sealed in slots:
        if role == ROLE_OPEN and named == key_id:
            return Head(name, at, raw, fields, (enc, sealed))
    return None


class Replay:
    """One recording at a time; `camera` is the introduction of the parts, `camera.panel` what is shown on.

    `said` is why it stopped, for the wearer; `state` is None while nothing is open.
    """

    def __init__(self, camera):
        self._camera = camera
        self._chunk = memoryview(b"")
        self.said = ""
        self._forget()

    def _forget(self):
        self.state = self._head = self._part = self._job = self._unsealer = self._demuxer = None
        self._at_hand = self._skipping = self._one_more = False
        self.bookmarks = self._ms = 0

    def open(self, head: Head) -> None:
        """Begin: the key is drawn from the slot in slices, then the pictures come. Locked behind the gate."""
        camera = self._camera
        if camera.recorder is None or camera.recorder.recording:
            raise OutOfOrder
        key, point = camera.gate.key(), camera.gate.point()
        self.stop()
        fields = head.fields
        bound = (fields["kind"], fields["device_id"], fields["recording_id"], sha256(point))
        info = slot_info(ROLE_OPEN, *bound)
        enc, sealed = head.slot
        self._job = Job(open_steps(key, enc, info, sealed, camera.drbg.generate, point))
        self._head, self.state, self.said = head, OPENING, ""

    def stop(self, said: str = "") -> None:
        """Let go of the recording; `said` is why."""
        part = self._part
        self._forget()
        self.said = said
        try:
            if part is not None:
                part.close()
        except CardFault:
            pass  # nothing was written by it: whoever writes next finds out

    def pause(self) -> None:
        if self.state == PLAYING:
            self.state = PAUSED

    def go(self) -> None:
        if self.state == PAUSED:
            self.state = PLAYING
            self._begin_time()

    def next_picture(self) -> None:
        """One picture on, and stand still there."""
        if self.state in (PLAYING, PAUSED):
            self.state, self._one_more = PAUSED, True

    def next_bookmark(self) -> None:
        """Pass over what lies before the next bookmark; the picture behind it is shown at once."""
        if self.state in (PLAYING, PAUSED):
            self._at_hand, self._skipping = False, True

    @property
    def playing(self) -> bool:
        """Whether pictures come, or will."""
        return self.state in (OPENING, PLAYING)

    @property
    def seconds(self) -> int:
        """Since the start of the recording."""
        return self._ms // 1000

    def step(self) -> bool:
        """A slice: part of the opening, a chunk, or a picture whose time has come; False if none was due."""
        if self.state is None or self.state == ENDED:
            return False
        recorder = self._camera.recorder
        if recorder is None or recorder.recording:
            self.stop()  # recording comes first
            return True
        try:
            return self._step()
        except _UNREADABLE as fault:
            self.stop(self._why(fault))
            return True

    def _why(self, fault):
        if self._unsealer is None:
            return "this recording does not open"
        if isinstance(fault, (CardFault, NoCard)):
            return "the card cannot be read"
        return "stops at chunk %d: what stands there does not prove" % self._index

    def _step(self):
        if self.state == OPENING:
            if self._job.step():
                self._begin()
            return True
        if self._at_hand:
            return self._show_if_due()
        if self.state == PAUSED and not self._one_more and not self._skipping:
            return False
        if not self._demuxer.next():
            return self._next_chunk()
        self._look()
        return True

    def _begin(self):
        """The head proves: tag and slot area; and the log knows of it before the first picture."""
        camera, head = self._camera, self._head
        secret, self._job = self._job.result, None
        self._size = head.fields["chunk_size"]
        block = block_size(self._size)
        self._part = camera.card.open(head.name)
        self._room = self._part.size
        if self._area_digest(head.at, block) != head.fields["slot_digest"]:
            raise NotProved
        unsealer = Unsealer(head.core, secret, self._size)
        if not same(unsealer.tag_0, head.tag_0):
            raise NotProved
        if len(self._chunk) != self._size:
            self._chunk = memoryview(bytearray(self._size))
        camera.logbook.note(usagelog.REPLAY, 0, head.sequence)
        self._unsealer, self._demuxer = unsealer, Demuxer(camera.source.lend())
        self._index, self._tag, self._number = 1, head.tag_0, 0
        self._place = 2 * block
        self.state = PLAYING
        self._began = camera.clock.ms()

    def _area_digest(self, at, block):
        piece, whole = memoryview(bytearray(_PIECE)), hasher()
        for offset in range(SLOTS_AT, block, _PIECE):
            if self._part.read_at(at + offset, piece) != _PIECE:
                raise CardFault
            whole.update(piece)
        return whole.digest()

    def _next_chunk(self):
        """Read, prove, decrypt; what is no data is passed over. True while there is more."""
        if self._place + self._size > self._room and not self._next_part():
            return self._end("the recording has no end: it was cut short")
        chunk = self._chunk
        if self._part.read_at(self._place, chunk) != self._size:
            raise CardFault
        kind = self._unsealer.open(chunk, self._index, self._tag)
        self._place += self._size
        self._index += 1
        self._tag = bytes(chunk[self._size - TAG_SIZE :])
        if kind == TYPE_END:
            return self._end("the end")
        if kind == TYPE_DATA:
            self._demuxer.feed(chunk[PAYLOAD_AT : self._size - TAG_SIZE])
        return True

    def _next_part(self):
        camera, head = self._camera, self._head
        name = part_name(camera.identity.device_id, head.sequence, self._number + 1, KIND_RECORDING)
        if not camera.card.has(name):
            return False
        self._part.close()
        self._part = camera.card.open(name)
        self._room, self._place = self._part.size, 2 * block_size(self._size)
        self._number += 1
        return True

    def _end(self, said):
        self.stop(said)
        self.state = ENDED
        return True

    def _look(self):
        """At the record at hand: a bookmark is counted, a picture waits for its time."""
        record = self._demuxer
        self._ms = record.ms
        if record.track == TRACK_EVENT and record.view[:1] == _BOOKMARK:
            self.bookmarks += 1
            if self._skipping:
                self._skipping, self._one_more = False, self.state == PAUSED
                self._begin_time()
        elif record.track == TRACK_PICTURE and not self._skipping:
            self._at_hand = True

    def _begin_time(self):
        self._began = self._camera.clock.ms() - self._ms

    def due_ms(self) -> int:
        """How long until the picture at hand is shown; -1 if there is none that waits for its time."""
        if not self._at_hand or self.state != PLAYING:
            return -1
        return max(0, self._began + self._ms - self._camera.clock.ms())

    def _show_if_due(self):
        if self.state == PLAYING and self.due_ms() > 0 or self.state == PAUSED and not self._one_more:
            return False
        self._at_hand = self._one_more = False
        camera = self._camera
        time = "%02d:%02d" % (self.seconds // 60, self.seconds % 60)
        camera.panel.picture(self._demuxer.view, camera.issuing.short(), time, self.bookmarks)
        camera.gate.touch()
        return True
