"""Carry one stream to the card: number, head, chunks, signatures, parts, end.

The same for recordings and for log segments. Fills and seals nothing it was not given a muxer and a secret
for; decides nothing about when to begin or to stop.
"""

from sealcam.errors import CardFull, JournalFull, OutOfOrder
from sealcam.layout import (
    CHUNK_OVERHEAD,
    RECORD_HEADER,
    STATE_CUT,
    STATE_ENDED,
    TAG_0_AT,
    TAG_SIZE,
    TYPE_END,
    TYPE_SIGNATURE,
    clear,
    pack_core,
)
from sealcam.muxer import Muxer
from sealcam.p256 import SignJob, sign
from sealcam.readying import free_name
from sealcam.sealer import FILLING, ChunkBuffer, Sealer

SEAL_EVERY_MS = 1000
_KEPT = 3  # positions of the last part kept for what is in hand: the open chunk, a signature, the end
_SPARE = 1  # and one for the event that says why it stopped
_SECTOR = 512


class Carrier:
    """One kind of file; `begin` and `end` any number of times, with buffers made once.

    `camera` is the introduction of the parts in `main.py`. Anything that fails raises; `cut` then closes the
    books.
    """

    def __init__(self, camera, ready, interval_ms: int):
        self._camera, self._ready, self._interval_ms = camera, ready, interval_ms
        self._size, self._block = ready.chunk_size, ready.block
        self._per_part = (ready.part_bytes - 2 * self._block) // self._size
        self._chunk = ChunkBuffer(self._size)
        self._aside = ChunkBuffer(self._size)  # statements are made here while the other one fills
        self.muxer = Muxer(self._size)
        self._sealer = None
        self._parts = [None, None]  # the one that fills, the next
        self._job = None
        self.seq = 0
        self.chunks = 0

    @property
    def open(self) -> bool:
        return self._sealer is not None

    def begin(self) -> None:
        """Spend a number and write both heads. CardFull and JournalFull leave nothing behind but what was
        ready.
        """
        camera = self._camera
        if not camera.journal.has_room():
            raise JournalFull
        secret, name = self._ready.take()
        self.seq, self.chunks = camera.journal.next_sequence(), 0
        self.recording_id = secret.recording_id
        self._start_ms = camera.clock.ms()
        core = pack_core(self._core_fields(secret))
        sealer = Sealer(core, secret.secret, self._size)
        secret.forget()
        # spent here
        camera.journal.open_file(self.seq, self._ready.kind, self.recording_id, camera.card.serial)
        self._sealer = sealer
        self._restart()
        self._name_part(name, core)

    def _core_fields(self, secret):
        camera, clock = self._camera, self._camera.clock
        return {
            "kind": self._ready.kind,
            "chunk_size": self._size,
            "device_id": camera.identity.device_id,
            "recording_id": secret.recording_id,
            "sequence": self.seq,
            "boot": camera.boot_count,
            "interval_ms": self._interval_ms,
            "start_utc_ms": clock.utc_ms(),
            "start_ms": self._start_ms,
            "uncertainty_ms": clock.uncertainty_ms,
            "keylist": secret.keylist_version,
            "clock_source": clock.source,
            "prev": camera.journal.newest_closing(),
            "anchor": clock.anchor,
            "slot_digest": secret.slot_digest,
            "firmware": camera.firmware,
        }

    def _restart(self):
        self.muxer.restart()
        self._chunk.wipe()
        self._aside.wipe()
        self._job, self._part_number = None, 0
        self._unsigned_since = self._waiting_since = -1
        self._signed = (0, bytes(TAG_SIZE))
        self._last_part = self._stands = False
        self.h_core = self._sealer.h_core

    def _name_part(self, ready_name, core):
        """A cut before the core leaves a name without a recording, after its first copy a recording without a
        chunk.
        """
        card, head = self._camera.card, self._ready.head
        name = self._name(0)
        card.rename(ready_name, name)
        head[: len(core)] = core
        head[TAG_0_AT : TAG_0_AT + TAG_SIZE] = self._sealer.tag_0
        part = self._parts[0] = card.open(name)
        part.write_at(0, head[:_SECTOR])
        part.write_at(self._block, head[:_SECTOR])
        part.seek(2 * self._block)
        self._left = self._per_part
        self._stands = True

    def _name(self, number):
        return free_name(self._camera, self.seq, number, self._ready.kind)

    def geometry(self) -> "tuple[int, int]":
        """(chunk size, chunk positions in a part)."""
        return self._size, self._per_part

    def head_bytes(self) -> int:
        return 2 * self._block

    def ms(self) -> int:
        """Milliseconds since the start."""
        return self._camera.clock.ms() - self._start_ms

    def make_room(self, size: int) -> bool:
        """Whether a record of `size` bytes fits with all that must follow it; gets the next part where it
        does not.
        """
        needed = (
            (self.muxer.used + size + RECORD_HEADER) // (self._size - CHUNK_OVERHEAD) + 1 + _KEPT + _SPARE
        )
        if needed <= self._left and self._left * 4 > self._per_part:
            return True
        return self._has_next() or needed <= self._left

    def _has_next(self):
        if self._parts[1] is None and not self._last_part:
            self._last_part = not self._get_part()
        return self._parts[1] is not None

    def _get_part(self):
        """The next part, with its two heads; False if the card is full."""
        card, number = self._camera.card, self._part_number + 1
        try:
            if not card.has_room(self._ready.part_bytes):
                return False
            self._parts[1] = card.allocate(self._name(number), self._ready.part_bytes, self._ready.head)
        except CardFull:
            return False
        return True

    def pump(self) -> bool:
        """Put what the muxer holds into the open chunk; when that is full, seal and write it. True while
        there is more.

        CardFull before a chunk is begun whose end could not be signed any more.
        """
        if self._chunk.state != FILLING and self._left < _KEPT and not self._has_next():
            raise CardFull
        if self.muxer.fill(self._chunk):
            self._seal()
        return self.muxer.pending

    def pad_if_due(self, now_ms: int) -> bool:
        """Seal a chunk whose first byte is a second old."""
        begun = self.muxer.begun_ms
        if self._chunk.state != FILLING or self.muxer.pending or begun < 0 or now_ms - begun < SEAL_EVERY_MS:
            return False
        return self._pad()

    def _pad(self):
        if self.muxer.pad(self._chunk):
            self._seal()
            return True
        return False

    def _seal(self):
        now = self.ms()
        self._sealer.seal(self._chunk, self.muxer.first_record, now)
        self._put(self._chunk)
        if self._job is None and self._unsigned_since < 0:
            self._unsigned_since = now
        elif self._job is not None and self._waiting_since < 0:
            self._waiting_since = now

    def _put(self, chunk, whole=False):
        if self._left == 0:
            self._turn_part()
        self._parts[0].write(chunk.to_write(), whole)
        chunk.written()
        self._left -= 1
        self.chunks += 1

    def _turn_part(self):
        if self._parts[1] is None and not self._get_part():
            raise CardFull
        self._parts[0].close()
        self._parts[0], self._parts[1] = self._parts[1], None
        self._part_number += 1
        self._left = self._per_part

    def sign_if_due(self, now_ms: int) -> bool:
        """A slice of the signature that is due; True while there is work. Begun at half the interval, never
        late.
        """
        if self._job is None:
            if self._unsigned_since < 0 or now_ms - self._unsigned_since < self._interval_ms // 2:
                return False
            if self._left < _KEPT - (self._chunk.state != FILLING) and not self._has_next():
                raise CardFull  # no place for it beside the end, which signs for everything
            self._begin_signature(now_ms)
            return True
        done = self._job.step()
        while not done and now_ms - self._unsigned_since > self._interval_ms * 3 // 4:
            done = self._job.step()
        if done:
            self._put_signature(now_ms)
        return True

    def _begin_signature(self, now_ms):
        sealer = self._sealer
        totals = self.muxer.totals(self._camera.clock.utc_ms(), now_ms)
        self._covered = (sealer.index - 1, bytes(sealer.tag), totals)
        digest = sealer.digest_to_sign(TYPE_SIGNATURE, *self._covered)
        self._job = SignJob(self._camera.identity.d, digest, self._camera.drbg.generate)

    def _put_signature(self, now_ms):
        """The journal learns of it when it is on the card, read back: it never knows more than the card."""
        index, tag, totals = self._covered
        signature, self._job = self._job.signature, None
        self._sealer.statement(self._aside, TYPE_SIGNATURE, index, tag, totals, signature, now_ms)
        self._put(self._aside)
        self._camera.journal.progress(self.seq, index, tag)
        self._signed = (index, tag)
        self._unsigned_since, self._waiting_since = self._waiting_since, -1

    def end(self, reason: int) -> None:
        """Pad, seal, sign, end, read back, and close the books: the recording is then whole."""
        if not self.open:
            raise OutOfOrder
        if not self.muxer.pending:  # a record that the full card cut off stays without its rest
            self._pad()
        self._job = None
        now = self.ms()
        sealer, index, tag = self._sealer, self._sealer.index - 1, bytes(self._sealer.tag)
        totals = self.muxer.totals(self._camera.clock.utc_ms(), now, reason)
        digest = sealer.digest_to_sign(TYPE_END, index, tag, totals)
        signature = sign(self._camera.identity.d, digest, self._camera.drbg.generate)
        sealer.statement(self._aside, TYPE_END, index, tag, totals, signature, now)
        self._put(self._aside, whole=True)
        self._parts[0].close()
        self._camera.journal.close_file(
            self.seq, self.recording_id, index + 1, bytes(sealer.tag), STATE_ENDED
        )
        self._forget()
        self._remove_unused()

    def _remove_unused(self):
        """A part that was not needed: its heads first, for slots in free space would outlive a wipe. A cut
        before this leaves it, with heads and without chunks; one inside, without its first head.
        """
        part, self._parts[1] = self._parts[1], None
        if part is not None:
            clear(self._ready.head)  # made anew for the next secret
            for at in (0, self._block):
                part.write_at(at, self._ready.head)
            part.close()
            self._camera.card.remove(part.name)

    def cut(self) -> None:
        """Give up after a fault: the books say how far the signatures on the card reach.

        A start that failed stays open in them: whether the card shows a core is seen when it answers again.
        """
        if not self.open:
            return
        index, tag = self._signed
        self._forget()
        for part in self._parts:
            if part is not None:
                part.close()
        self._parts = [None, None]
        if self._stands:
            self._camera.journal.close_file(self.seq, self.recording_id, index, tag, STATE_CUT)

    def _forget(self):
        self._sealer = self._job = None
        self._chunk.wipe()
        self._aside.wipe()
