"""Check a vault's receipt or an office's release; say what it allows to be wiped, entry by entry.

Rules only, docs/format/statements.md, *When a file may be wiped*: what stands on the card and in the journal
is handed in. Never reads either, and wipes nothing.
"""

import struct

from sealcam import policy, statements
from sealcam.crypto import sha256
from sealcam.errors import (
    BadSignature,
    FormatFault,
    LaterKnown,
    NeedsRelease,
    ReceiptOld,
    SettledBefore,
    TailDiffers,
    TooFewCopies,
    UnknownFile,
)
from sealcam.layout import STATE_ENDED, STATE_VOID

RECEIPT, RELEASE = 1, 2  # *judge*, what
IN_CAMERA, IN_READER = 1, 2  # *judge*, where
MAY_GO = 0
MOST_ENTRIES = 200  # of a receipt for a camera (docs/dock-protocol.md, section 3)

_HEAD = ">32sQ32sQIH"  # organisation, number, device id, UTC ms, key list, count
_ENTRY = ">Q16s32sQ32sBBBB32s"
ENTRY_SIZE = 132
_INTACT, _CUT_SHORT, _NOT_JUDGED = 1, 2, 4
_NO_DEVICE = bytes(32)


class Entry:
    """One recording that a receipt or a release names."""

    def __init__(self, raw):
        self.raw = bytes(raw)
        values = struct.unpack(_ENTRY, self.raw)
        self.seq, self.recording_id, self.h_core, self.last_index, self.last_tag = values[:5]
        self.verdict, ended, self.copies, self.slot_copies, self.body = values[5:]
        if not _INTACT <= self.verdict <= _NOT_JUDGED or ended > 1 or self.seq == 0:
            raise FormatFault  # a verdict, or a yes-or-no, that nobody knows
        self.ended = bool(ended)


class Receipt:
    """What a statement that proves says; a release is one of one entry, without a number or a device."""

    def __init__(self, what, digest, number, device_id, entries):
        self.what, self.digest, self.number = what, digest, number
        self.device_id, self.entries = device_id, entries


def read(what: int, raw, keylist, organisation: bytes, most: int = MOST_ENTRIES) -> Receipt:
    """The receipt, of at most `most` entries, or release of these bytes, proved by the key list in force.

    BadSignature for another key's, another organisation's, or another statement; FormatFault for one whose
    fields contradict themselves, KeyListFault where the list has no such key.
    """
    if what == RECEIPT:
        return _read_receipt(raw, keylist.point(policy.RECEIPT), organisation, most)
    if what != RELEASE:
        raise FormatFault
    size = ENTRY_SIZE + 32
    fields = statements.check(statements.RELEASE, size, raw, keylist.point(policy.RELEASE))
    return Receipt(RELEASE, sha256(raw), 0, _NO_DEVICE, [Entry(fields[:ENTRY_SIZE])])


def _read_receipt(raw, point, organisation, most):
    start, head = len(statements.RECEIPT) + 1, struct.calcsize(_HEAD)
    if len(raw) < start + head:
        raise FormatFault
    values = struct.unpack(_HEAD, bytes(memoryview(raw)[start : start + head]))
    named, number, device_id, _, _, count = values
    if count > most:
        raise FormatFault  # bounded before the signature is looked for where it says
    fields = statements.check(statements.RECEIPT, head + count * ENTRY_SIZE, raw, point)
    if named != bytes(organisation):
        raise BadSignature  # signed, and for another organisation's cameras
    places = range(head, head + count * ENTRY_SIZE, ENTRY_SIZE)
    entries = [Entry(fields[at : at + ENTRY_SIZE]) for at in places]
    if number == 0 or len(set([entry.h_core for entry in entries])) != count:
        raise FormatFault  # numbers begin at 1, and one recording is named once
    return Receipt(RECEIPT, sha256(raw), number, device_id, entries)


def judge_in_camera(receipt, entry, found, known, settled: bool, rules, last_number: int) -> int:
    """Status byte of an entry whose card is in the camera.

    `found` is what stands there under its `h_core` (`heads.Found`), None if nothing does; `known` what our
    own journal says of its number, None if it says nothing; `settled` whether a receipt settled that number.
    """
    status = _judge_paper(receipt, entry, rules, last_number)
    if status:
        return status
    if found is None:
        return UnknownFile.status
    if (found.seq, found.recording_id) != (entry.seq, entry.recording_id):
        return UnknownFile.status  # H(core) fits: a vault that contradicts itself
    if receipt.what == RELEASE:
        return MAY_GO  # whatever stands behind the head, people have looked at it
    if receipt.device_id != found.device_id:
        return UnknownFile.status
    if entry.last_index and found.tag != entry.last_tag:
        return TailDiffers.status
    if found.goes_on:
        return LaterKnown.status
    if known is None or settled:
        return MAY_GO  # nothing but the card speaks of it
    return _judge_end(entry, known)


def judge_by_journal(receipt, entry, known, settled: bool, rules, last_number: int) -> int:
    """Status byte of an entry of our own whose card is in a reader; the journal stands in for the card."""
    status = _judge_paper(receipt, entry, rules, last_number)
    if status:
        return status
    if settled and (known is None or known.receipt != receipt.digest):
        return SettledBefore.status
    if known is None or known.state == STATE_VOID or known.recording_id != entry.recording_id:
        return UnknownFile.status
    if settled or receipt.what == RELEASE:
        return MAY_GO  # by this very statement: taken up again after a cut
    return _judge_end(entry, known)


def _judge_paper(receipt, entry, rules, last_number):
    """What speaks against an entry before anything is looked at."""
    if receipt.what == RELEASE:
        return MAY_GO
    if receipt.number <= last_number:
        return ReceiptOld.status
    if entry.verdict not in (_INTACT, _CUT_SHORT):
        return NeedsRelease.status
    if entry.copies < rules.copies or entry.slot_copies < rules.slot_copies:
        return TooFewCopies.status
    if entry.last_index == 0 and any(entry.last_tag):
        return TailDiffers.status  # no chunk has no tag
    return MAY_GO


def _judge_end(entry, known):
    """The end named, beside the end the journal knows: of a file that ended the very chunk, of a cut one none
    before its last progress.
    """
    if known.state == STATE_VOID or known.recording_id != entry.recording_id:
        return UnknownFile.status
    if entry.last_index < known.index:
        return LaterKnown.status
    if known.state == STATE_ENDED:
        same = (entry.last_index, entry.last_tag, entry.ended) == (known.index, known.tag, True)
        return MAY_GO if same else TailDiffers.status
    if entry.last_index == known.index and known.index and entry.last_tag != known.tag:
        return TailDiffers.status
    return MAY_GO
