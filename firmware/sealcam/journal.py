"""Numbers and tails in flash, spent before they are used: what the camera knows of every sealed file it
began.

Entries are those of docs/format/statements.md, *Inventory file*; they lie in a `ring`. Never touches the
card, a key or the clock, and never begins anew on a failed read.
"""

import struct

from sealcam.errors import JournalFault, JournalFull, OutOfOrder
from sealcam.layout import STATE_CUT, STATE_ENDED, STATE_VOID, closing_digest
from sealcam.ring import Ring
from sealcam.standing import END_AT, OPENED_AT, RECEIPTED_AT, Standing

OPENED, PROGRESS, CLOSED, VOID, RECEIPTED = 1, 2, 3, 4, 5
_FIELDS = ">4sBB2xQQ16sQ32s16s"  # and then the check
_MAGIC = b"SKJ1"
_STANDS_AT = {OPENED: OPENED_AT, CLOSED: END_AT, VOID: END_AT, RECEIPTED: RECEIPTED_AT}
_NOTHING, _NO_ID, _NO_TAG = bytes(32), bytes(16), bytes(32)


class Unclosed:
    """A file that was opened and has no closing entry."""

    def __init__(self, seq, kind, recording_id, card_serial):
        self.seq, self.kind = seq, kind
        self.recording_id, self.card_serial = recording_id, card_serial
        self.index, self.tag = 0, _NO_TAG
        self.place = None  # where in the ring its newest progress lies


class Known:
    """What the journal says of one file that nobody has forgotten yet."""

    def __init__(self):
        self.kind, self.recording_id, self.card_serial = 0, _NO_ID, _NO_ID
        self.state = self.index = 0  # state 0: no closing entry yet
        self.tag = _NO_TAG
        self.receipt = None  # the digest of what settled it


class Journal:
    """`count` sectors of a `Flash` from `first_sector` on; `load` or `format` before anything else."""

    def __init__(self, flash, first_sector: int, count: int):
        self._ring = Ring(flash, first_sector, count, self)
        self._trusted = False
        self._forget()

    def _forget(self):
        self._open = {}
        self._standing = Standing(self._ring.sectors)
        self.numbers = (1, 1)  # next entry, next sequence
        self._closing, self._closing_no = _NOTHING, 0
        self._told = 0  # entries below this number stood in an inventory
        self._trusted = False

    def format(self) -> None:
        """Begin at 1: for a camera that is being enrolled, and for no other. A cut leaves one that is no
        journal.
        """
        self._forget()
        self._ring.forget()
        self._ring.format()
        self._trusted = True

    def load(self, may_be_empty: bool = False) -> None:
        """Read the ring; JournalFault if it contradicts itself or, unless it `may_be_empty`, says nothing."""
        self._forget()
        self._ring.load()
        if self.numbers[0] == 1 and not may_be_empty:
            raise JournalFault  # an enrolled camera has opened a file
        self._trusted = True

    def next_sequence(self) -> int:
        return self.numbers[1]

    def unclosed(self) -> list:
        """What has no closing entry, log segments first, then by number."""
        return sorted(self._open.values(), key=lambda file: (file.kind != 2, file.seq))

    def newest_closing(self) -> bytes:
        """SHA-256 of the newest closing entry: the next header's `prev`. Zeros if there is none."""
        return self._closing

    def room(self) -> int:
        """Entries until the ring has to make room."""
        return self._ring.room()

    def has_room(self) -> bool:
        """Whether one more file can be opened, signed for and closed, beside those that are open, and a
        receipt still be noted: each that is frees two entries for its one.
        """
        return self._ring.live() + 2 + 2 * (len(self._open) + 1) < self._ring.capacity

    def open_file(self, seq: int, kind: int, recording_id: bytes, card_serial: bytes) -> None:
        """Spend `seq`: written before the core is. A cut after it leaves a number to be closed, or void."""
        self._ready()
        if seq != self.numbers[1]:
            raise OutOfOrder  # every number is spent once, in order
        if not self.has_room():
            raise JournalFull  # nothing may be dropped: answered like a full card
        self._append(OPENED, kind, seq, recording_id, 0, card_serial + _NO_ID)

    def progress(self, seq: int, index: int, tag: bytes) -> None:
        """What a signature that is on the card, read back, covers."""
        self._ready()
        file = self._opened(seq)
        if index < file.index:
            raise OutOfOrder
        self._append(PROGRESS, 0, seq, file.recording_id, index, tag)

    def close_file(self, seq: int, recording_id: bytes, index: int, tag: bytes, state: int) -> None:
        """`ended` after the end is on the card, read back; `cut` with what its newest progress says."""
        self._ready()
        if self._opened(seq).recording_id != recording_id or state not in (STATE_ENDED, STATE_CUT):
            raise OutOfOrder
        self._append(CLOSED, state, seq, recording_id, index, tag)

    def void(self, seq: int) -> None:
        """A number spent on nothing: its card shows no core for it."""
        self._ready()
        self._opened(seq)
        self._append(VOID, STATE_VOID, seq, _NO_ID, 0, _NO_TAG)

    def receipted(self, seq: int, recording_id: bytes, serial: bytes, number: int, digest: bytes) -> None:
        """A receipt settled a file that is over: from here on its other entries may go, and `digest` says
        why. A cut before it leaves a file that is closed and not receipted.
        """
        self._ready()
        if not 0 < seq < self.numbers[1] or seq in self._open or self.is_settled(seq):
            raise OutOfOrder  # never spent, not closed, or settled before
        self._append(RECEIPTED, 0, seq, recording_id, number, digest, serial)

    def is_settled(self, seq: int) -> bool:
        """Whether a receipt has settled this number: it says so itself, or nothing of it is left."""
        if not 0 < seq < self.numbers[1]:
            return False
        return self._standing.is_receipted(seq) or not self._standing.knows(seq)

    def tell(self) -> None:
        """Everything that lives now was told in an inventory; its voids go with the next receipt."""
        self._told = self.numbers[0]

    def told_voids(self) -> list:
        """Numbers spent on nothing that an inventory told of and no receipt followed yet."""
        found = []
        for _ in self._each_live():
            _, kind, _, number, seq = self._fields()[:5]
            if kind == VOID and number < self._told and not self.is_settled(seq):
                found.append(seq)
        return sorted(found)

    def known(self, wanted=None) -> dict:
        """{sequence: Known} of the files the ring still speaks of, or of those `wanted`."""
        self._ready()
        found = {}
        for _ in self._each_live():
            _, kind, state, _, seq, recording_id, index, tag, serial = self._fields()
            if wanted is not None and seq not in wanted:
                continue
            file = found.setdefault(seq, Known())
            if kind == OPENED:
                file.kind, file.card_serial = state, tag[:16]
                file.recording_id = file.recording_id if file.state else recording_id
            elif kind == RECEIPTED:
                file.receipt, file.recording_id, file.card_serial = tag, recording_id, serial
            else:
                file.state = state
                file.recording_id, file.index, file.tag = recording_id, index, tag
        return found

    def entries(self):
        """Every entry that lives, once, as 128 bytes, in order of entry number."""
        self._ready()
        ring = self._ring
        found = [(self.entry_number(), place, slot) for place, slot in self._each_live()]
        for _, place, slot in sorted(found):
            ring.read(place, slot)
            yield bytes(ring.buffer)

    def _each_live(self):
        """(place, slot) of every entry that lives, which then lies in the buffer; in no order."""
        ring = self._ring
        for place, sector in ring.sectors.items():
            for slot in range(1, sector.slot):
                if ring.read(place, slot) and ring.is_entry() and self.is_live():
                    yield place, slot

    def _ready(self):
        if not self._trusted:
            raise JournalFault  # not loaded, or a write before this one failed

    def _opened(self, seq):
        if seq not in self._open:
            raise OutOfOrder  # never opened, or over
        return self._open[seq]

    def _append(self, kind, state, seq, recording_id, index, tag, serial=_NO_ID):
        self._trusted = False  # until the entry stands: after a fault only a new reading can tell
        values = (_MAGIC, kind, state, self.numbers[0], seq, recording_id, index, tag, serial)
        struct.pack_into(_FIELDS, self._ring.buffer, 0, *values)
        self.learn(self._ring.append())
        self._trusted = True

    # What the ring asks of its keeper, about the entry in its buffer

    def _fields(self):
        return struct.unpack_from(_FIELDS, self._ring.buffer)

    def entry_number(self) -> int:
        return self._fields()[3]

    def is_explained(self) -> bool:
        """Whether an entry that stands nowhere else may be missing: progress, what a receipt has freed, and
        a receipt's own entry once it was the last of its number.
        """
        _, kind, _, number, seq = self._fields()[:5]
        if kind == PROGRESS:
            return True
        if kind == RECEIPTED and not self._standing.knows(seq):
            return True
        newest = kind in (CLOSED, VOID) and number > self._closing_no
        return self._standing.is_receipted(seq) and not newest

    def is_live(self) -> bool:
        """Of progress, only the newest of a file that is open; of a settled number, the newest closing entry,
        and the receipt's own as long as another entry of the number stands anywhere in the ring.
        """
        _, kind, _, number, seq, _, index, tag, _ = self._fields()
        if kind == PROGRESS:
            file = self._open.get(seq)
            return file is not None and file.index == index and file.tag == tag
        if kind == RECEIPTED:
            return self._standing.is_waited_for(seq)
        if not self._standing.is_receipted(seq):
            return True
        return kind != OPENED and number == self._closing_no

    def let_go(self) -> None:
        """The entry in the buffer is dead and will not be copied."""
        _, kind, _, _, seq = self._fields()[:5]
        if kind != PROGRESS:
            self._standing.let_go(seq, _STANDS_AT[kind])

    def moved(self, old: int, new: int) -> None:
        self._standing.moved(old, new)
        for file in self._open.values():
            if file.place == old:
                file.place = new

    def learn(self, place: int) -> None:
        _, kind, state, number, seq, recording_id, index, tag, _ = self._fields()
        self.numbers = (max(self.numbers[0], number + 1), max(self.numbers[1], seq + 1))
        if kind == OPENED:
            self._standing.put(seq, OPENED_AT, place)
            self._open[seq] = Unclosed(seq, state, recording_id, tag[:16])
        elif kind == PROGRESS:
            self._learn_progress(place, seq, index, tag)
        elif kind in (CLOSED, VOID):
            self._over(seq)
            self._standing.put_end(seq, place)
            self._closing = closing_digest(seq, recording_id, index, tag, state)
            self._closing_no = number
        elif kind == RECEIPTED:
            self._over(seq)
            self._standing.put_receipt(seq, place)

    def _learn_progress(self, place, seq, index, tag):
        file = self._open.get(seq)
        if file is None:  # its file was closed before this copy was made: dead
            return
        self._ring.sectors[place].live += 1
        if file.place is not None:
            self._ring.sectors[file.place].live -= 1
        file.index, file.tag, file.place = index, tag, place

    def _over(self, seq):
        file = self._open.pop(seq, None)
        if file is not None and file.place is not None:
            self._ring.sectors[file.place].live -= 1
