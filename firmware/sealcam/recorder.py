"""Carry one recording from source to card.

One `step` at a time, never more than a chunk of work; what it is told by buttons it writes into the stream.
Knows no key and no file: the carrier does. Refuses to begin rather than record badly.
"""

import json

from sealcam import usagelog
from sealcam.errors import CardFault, CardFull, FormatFault, NoCard, NotDrilled, OutOfOrder, SealcamError
from sealcam.layout import (
    EVENT_BOOKMARK,
    EVENT_CATEGORY,
    EVENT_DROPPED,
    EVENT_MUTE,
    EVENT_START,
    EVENT_STOP,
    EVENT_UNMUTE,
    KIND_RECORDING,
    REASON_BUTTON,
    REASON_CARD_FULL,
    REASON_FAULT,
    TRACK_DESCRIPTION,
    TRACK_EVENT,
    TRACK_SOUND,
    pack_event,
)

MUTED_BY_BUTTON, MUTED_BY_POLICY = 1, 2
_LONGEST_TEXT = 200  # characters of a place or a category


class Recorder:
    """`camera` is the introduction of the parts; `carrier` writes files of kind 1."""

    def __init__(self, camera, carrier):
        self._camera, self._carrier = camera, carrier
        self._events = []  # records that wait for their turn: (track, ms or -1, bytes)
        self._from_source = False
        self.place = ""
        self.fault = None  # what ended the last recording, a class of `errors`

    @property
    def recording(self) -> bool:
        return self._carrier.open

    @property
    def muted(self) -> bool:
        return self._carrier.muxer.muted

    def has_little_room(self) -> bool:
        """Whether the card takes fewer than two parts more; a card that does not answer has no room."""
        try:
            return not self._camera.card.has_room(2 * self._camera.policy.part_bytes)
        except (CardFault, NoCard):
            return True

    @property
    def seq(self) -> int:
        return self._carrier.seq

    @property
    def chunks(self) -> int:
        return self._carrier.chunks

    def ms(self) -> int:
        """Milliseconds since the start of the recording."""
        return self._carrier.ms()

    @property
    def h_core(self) -> bytes:
        return self._carrier.h_core

    def start(self, reason: int = REASON_BUTTON, trial: bool = False) -> None:
        """Begin a recording, or raise and log why not. Only a trial may be made before the drill."""
        camera = self._camera
        if not trial and camera.lists is not None:
            camera.lists.end_trial()  # whoever presses the button comes first
        if self.recording:
            raise OutOfOrder  # one at a time
        try:
            camera.check_may_record()
            if not trial and camera.drilled != camera.sealing.version:
                raise NotDrilled  # nobody has shown that they can open what this key list seals
            self._carrier.begin()
            self._begin_stream(reason)
            camera.logbook.note(usagelog.RECORD_START, KIND_RECORDING, self.seq, self._carrier.recording_id)
        except SealcamError as fault:
            self._refused(fault)
            raise

    def _refused(self, fault):
        self._camera.source.stop()
        self._carrier.cut()
        self._camera.logbook.note(usagelog.REFUSED, fault.status)

    def _begin_stream(self, reason):
        self.fault = None
        self._from_source = False
        self._dropped = 0
        self._events = []
        self._tell(TRACK_DESCRIPTION, json.dumps(self._description()).encode())
        self._tell(TRACK_EVENT, pack_event(EVENT_START, reason))
        self._camera.source.start()
        if not self._camera.policy.sound:
            self._carrier.muxer.mute(0)
            self._tell(TRACK_EVENT, pack_event(EVENT_MUTE, MUTED_BY_POLICY))

    def _description(self):
        description = dict(self._camera.facts)
        description.update(self._camera.source.facts())
        if not self._camera.policy.sound:
            description.pop("sound", None)
            description.pop("sound_rate", None)
        issuing = self._camera.issuing
        if issuing is not None and any(issuing.current):
            description["issue"] = issuing.number()
        if self.place:
            description["place"] = self.place
        return description

    def _tell(self, track, content):
        self._events.append((track, content))

    def step(self) -> bool:
        """Do what is due now, a chunk at most; False if nothing was. A fault or a full card ends the
        recording.
        """
        if not self.recording:
            return False
        try:
            return self._step()
        except CardFull:
            self.stop(REASON_CARD_FULL)
        except SealcamError as fault:
            self.give_up(fault)
        return True

    def _step(self):
        carrier, now = self._carrier, self._carrier.ms()
        if carrier.muxer.pending or self._next_record(now):
            self._pump()
            carrier.sign_if_due(now)
            return True
        padded = carrier.pad_if_due(now)
        return carrier.sign_if_due(now) or padded

    def _pump(self):
        if not self._carrier.pump() and self._from_source:
            self._from_source = False
            self._camera.source.take()

    def _next_record(self, now):
        """Offer the next record in order of time: what the source has due, then what the wearer did."""
        source = self._camera.source
        if self._events and self._events[0][0] == TRACK_DESCRIPTION:
            return self._offer_event(now)
        while source.poll(now):
            if source.track != TRACK_SOUND or not self._carrier.muxer.muted:
                self._offer(source.track, source.flags, source.ms, source.view)
                self._from_source = True
                return True
            source.take()
        self._note_dropped()
        return bool(self._events) and self._offer_event(now)

    def _offer_event(self, now):
        track, content = self._events.pop(0)
        self._offer(track, 0, now, content)
        return True

    def _offer(self, track, flags, ms, view):
        if not self._carrier.make_room(len(view)):
            raise CardFull
        self._carrier.muxer.offer(track, flags, ms, view)

    def _note_dropped(self):
        dropped = self._camera.source.dropped
        if dropped != self._dropped:
            self._carrier.muxer.dropped = dropped
            self._tell(TRACK_EVENT, pack_event(EVENT_DROPPED, 0, dropped - self._dropped))
            self._dropped = dropped

    def stop(self, reason: int = REASON_BUTTON) -> None:
        """End the recording, closed and signed; what is in hand still goes in, as far as the card has room.
        """
        if not self.recording:
            raise OutOfOrder
        camera, carrier = self._camera, self._carrier
        try:
            self._finish(reason)
        except SealcamError as fault:
            self.give_up(fault)
            raise
        camera.logbook.note(usagelog.RECORD_STOP, reason, carrier.seq, carrier.recording_id)
        if reason == REASON_CARD_FULL:
            camera.logbook.note(usagelog.CARD_FULL)
            self.fault = CardFull
        camera.say("- recording %d ended %d chunks" % (carrier.seq, carrier.chunks))

    def _finish(self, reason):
        camera, carrier = self._camera, self._carrier
        try:
            while carrier.muxer.pending:
                carrier.pump()
            self._note_dropped()
            self._tell(TRACK_EVENT, pack_event(EVENT_STOP, reason))
            while self._events:
                self._offer_event(carrier.ms())
                while carrier.muxer.pending:
                    carrier.pump()
        except CardFull:  # the end has its place kept; a record that is cut off stays without its rest
            pass
        camera.source.stop()
        carrier.end(reason)

    def give_up(self, fault: SealcamError) -> None:
        """The card or the source failed: say so, close the books as far as they reach, record no further."""
        camera, carrier = self._camera, self._carrier
        self.fault = type(fault)
        camera.source.stop()
        seq, recording_id = carrier.seq, carrier.recording_id
        camera.say("- recording %d stopped: %s" % (seq, type(fault).__name__))
        try:
            self._close_after(fault)
            if isinstance(fault, CardFault):
                camera.logbook.note(usagelog.CARD_FAULT, fault.status)
            camera.logbook.note(usagelog.RECORD_STOP, REASON_FAULT, seq, recording_id)
        except SealcamError as second:  # flash failed as well: the next boot closes the books
            camera.say("- and could not be written down: %s" % type(second).__name__)

    def _close_after(self, fault):
        if not isinstance(fault, (CardFault, NoCard)) and not self._camera.card.dead:
            try:
                self._carrier.end(REASON_FAULT)
            except SealcamError:
                pass  # then it is cut
        self._carrier.cut()

    def bookmark(self, value: int = 0) -> None:
        self._need_recording()
        _check_number(value)
        self._camera.logbook.note(usagelog.BOOKMARK, 0, self.seq)
        self._tell(TRACK_EVENT, pack_event(EVENT_BOOKMARK, 0, value))

    def mute(self) -> None:
        """From here on there is no sound record; the gap is the mute."""
        self._need_recording()
        if self._carrier.muxer.muted:
            return
        self._carrier.muxer.mute(self._carrier.ms())
        self._camera.logbook.note(usagelog.MUTE, MUTED_BY_BUTTON, self.seq)
        self._tell(TRACK_EVENT, pack_event(EVENT_MUTE, MUTED_BY_BUTTON))

    def unmute(self) -> None:
        self._need_recording()
        if not self._carrier.muxer.muted or not self._camera.policy.sound:
            return
        self._carrier.muxer.unmute(self._carrier.ms())
        self._camera.logbook.note(usagelog.UNMUTE, MUTED_BY_BUTTON, self.seq)
        self._tell(TRACK_EVENT, pack_event(EVENT_UNMUTE, MUTED_BY_BUTTON))

    def category(self, value: int, text: str = "") -> None:
        self._need_recording()
        _check_number(value)
        _check_text(text)
        self._camera.logbook.note(usagelog.CATEGORY, value & 0xFFFF, self.seq)
        self._tell(TRACK_EVENT, pack_event(EVENT_CATEGORY, 0, value, text))

    def say_place(self, text: str) -> None:
        """A place the wearer chose: into the description, again if a recording runs."""
        _check_text(text)
        self.place = text
        if self.recording:
            self._tell(TRACK_DESCRIPTION, json.dumps(self._description()).encode())

    def _need_recording(self):
        if not self.recording:
            raise OutOfOrder

    def geometry(self) -> "tuple[int, int]":
        """(chunk size, chunk positions in a part)."""
        return self._carrier.geometry()

    def head_bytes(self) -> int:
        """Bytes before the first chunk of a part."""
        return self._carrier.head_bytes()


def _check_number(value):
    if not -(1 << 31) <= value < 1 << 31:
        raise FormatFault  # packing it would keep other digits, and say nothing


def _check_text(text):
    if len(text) > _LONGEST_TEXT:
        raise FormatFault
