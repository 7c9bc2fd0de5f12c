"""Look at a card that came back: the receipts a reader left on it, and what is gone without one.

A receipt found is judged by the journal, as if its card were in the reader still. Removes a receipt it has
taken; no recording.
"""

from sealcam import receipts, usagelog
from sealcam.crypto import sha256
from sealcam.errors import CardFault, SealcamError
from sealcam.layout import STATE_CUT, STATE_ENDED
from sealcam.receipts import RECEIPT, RELEASE
from sealcam.remains import own_numbers

EMPTIED = 1  # bit 0 of `camera.alarms`
_CUT_SHORT = 2  # the last verdict that needs no release
_LONGEST = 65536
_MOST_ENTRIES = 495  # of what fits into that


class Looking:
    """`wiper` judges entries and settles them in the journal."""

    def __init__(self, camera, wiper):
        self._camera, self._wiper = camera, wiper
        self._untold = False  # an alarm came since a host was last told

    def take_receipts(self) -> None:
        """Settle what a reader wiped and left a receipt or a release for; before anything is cleared up, for
        a file that is gone and was never closed would be closed as a number spent on nothing.

        A cut between two marks: the receipt is still there and settles the rest.
        """
        card, own = self._camera.card, self._camera.own_prefix[:16]
        plain = [(name.lower(), name) for name in card.list() if name.lower().endswith(".rcp")]
        found = []  # releases first: what one let go, no receipt has to
        for what, kind in ((RELEASE, "release-"), (RECEIPT, "receipt-")):
            found += sorted([(name, what) for low, name in plain if low.startswith(kind + own)])
        there = own_numbers(card, self._camera.identity.device_id) if found else {}
        for name, what in found:
            if self._take(name, what, there):
                card.remove(name)

    def _take(self, name, what, there):
        """Whether it was one for us that proves: then it has done its duty."""
        camera = self._camera
        try:
            raw = self._read(name)
        except MemoryError:
            return False  # longer than a small heap has room for: it stays, and stops no card from being used
        try:
            organisation = camera.identity.organisation
            receipt = receipts.read(what, raw, camera.keylist, organisation, _MOST_ENTRIES)
        except SealcamError as fault:
            camera.logbook.note(usagelog.RECEIPT_REFUSED, fault.status, 0, sha256(raw)[:16])
            return False
        if what == RECEIPT and receipt.device_id != camera.identity.device_id:
            return False
        self._settle(receipt, there)
        return True

    def _read(self, name):
        card = self._camera.card
        raw = bytearray(min(card.size_of(name), _LONGEST))
        part = card.open(name)
        try:
            if part.read_at(0, raw) != len(raw):
                raise CardFault
        finally:
            part.close()
        return raw

    def _settle(self, receipt, there):
        """Of what it names, the files that were on this card and are not there any more."""
        camera, marked = self._camera, 0
        known = camera.journal.known([entry.seq for entry in receipt.entries])
        for entry in receipt.entries:
            file = known.get(entry.seq)
            if file is None or entry.seq in there or file.card_serial != camera.card.serial:
                continue
            by_release = receipt.what == RECEIPT and entry.verdict > _CUT_SHORT
            if by_release and camera.journal.is_settled(entry.seq):
                continue  # it went with its release
            status = self._wiper.judging.by_journal(receipt, entry, file, 0)
            if status:
                camera.logbook.note(usagelog.RECEIPT_REFUSED, status, entry.seq, receipt.digest[:16])
                continue
            marked += not camera.journal.is_settled(entry.seq)
            self._wiper.settle(receipt, entry, file)
        if marked:
            camera.logbook.note(usagelog.RECEIPT, 0, 0, receipt.digest[:16])

    def find_missing(self) -> None:
        """Raise the alarm for files of ours that the journal says are on this card, that no receipt settled
        and that are not there; once for each, and until a host was told.
        """
        camera, store = self._camera, self._camera.keystore
        told, before = store.emptied()
        missing = self._missing()
        new = [seq for seq in missing if seq not in before]
        if new:
            camera.say("- %d files are gone from this card without a receipt" % len(new))
            camera.logbook.note(usagelog.EMPTIED, 0, new[0], camera.card.serial)
            told, self._untold = False, True
        kept = [seq for seq in before if not camera.journal.is_settled(seq)]
        if new or len(kept) != len(before):
            store.keep_emptied(told, sorted(kept + new))
        self.say_alarm()

    def _missing(self):
        camera = self._camera
        suspects = []
        for seq, file in camera.journal.known().items():
            over = file.state in (STATE_ENDED, STATE_CUT) and not camera.journal.is_settled(seq)
            if over and file.card_serial == camera.card.serial:
                suspects.append(seq)
        if not suspects:
            return []
        there = own_numbers(camera.card, camera.identity.device_id)
        return sorted([seq for seq in suspects if seq not in there])

    def say_alarm(self) -> None:
        """Bit 0 of the alarms, as flash remembers it."""
        told, _ = self._camera.keystore.emptied()
        rest = self._camera.alarms & ~EMPTIED
        self._camera.alarms = rest if told else rest | EMPTIED

    def tells(self) -> None:
        """A host is told of what there is now; not of what comes while the camera is in its dock."""
        self._untold = False

    def told(self) -> None:
        """A host was told, and let the camera go."""
        told, numbers = self._camera.keystore.emptied()
        if not told and not self._untold:
            self._camera.keystore.keep_emptied(True, numbers)
        self.say_alarm()
