"""Ask card and journal what the rules of `receipts` want to know of each entry.

Reads both and changes neither.
"""

from sealcam import receipts
from sealcam.errors import ReceiptOld, UnknownFile
from sealcam.receipts import IN_READER, RELEASE
from sealcam.remains import find, look_at_end


class Judging:
    """`camera` is the introduction of the parts."""

    def __init__(self, camera):
        self._camera = camera

    def statuses(self, receipt, where: int) -> bytes:
        """A status byte for each entry of a statement that proves."""
        camera, entries, statuses = self._camera, receipt.entries, bytearray()
        last, kept, _ = camera.keystore.receipt()
        if receipt.what == RELEASE and receipt.digest == kept:
            return bytes([ReceiptOld.status] * len(entries))  # acted on, and once is enough
        known = camera.journal.known([entry.seq for entry in entries])
        found = {}
        if where != IN_READER:
            found = find(camera.card, set([entry.h_core for entry in entries]))
        for entry in entries:
            self.at_work()
            if where == IN_READER:
                statuses.append(self.by_journal(receipt, entry, known.get(entry.seq), last))
            else:
                statuses.append(self.on_card(receipt, entry, found.get(entry.h_core), known, last))
        return bytes(statuses)

    def at_work(self) -> None:
        """A host that waits is told so (docs/dock-protocol.md, D14)."""
        if self._camera.dock is not None:
            self._camera.dock.at_work()

    def by_journal(self, receipt, entry, known, last_number: int) -> int:
        """One entry whose card is in a reader; only our own files are known there."""
        camera = self._camera
        if receipt.what != RELEASE and receipt.device_id != camera.identity.device_id:
            return UnknownFile.status
        if known is not None and self._in_hand(entry.seq, known):
            known = None
        settled = camera.journal.is_settled(entry.seq)
        return receipts.judge_by_journal(receipt, entry, known, settled, camera.policy, last_number)

    def on_card(self, receipt, entry, found, known, last_number: int) -> int:
        """One entry whose card is in; `known` is what the journal says, by number."""
        camera, said, settled = self._camera, None, False
        if found is not None:
            look_at_end(camera.card, found, entry.last_index)
            if found.device_id == camera.identity.device_id:
                said, settled = known.get(entry.seq), camera.journal.is_settled(entry.seq)
        if said is not None and self._in_hand(entry.seq, said):
            found = None
        return receipts.judge_in_camera(receipt, entry, found, said, settled, camera.policy, last_number)

    def _in_hand(self, seq, known):
        """Whether it is being written: open on the card that is in, once the camera has cleared up."""
        camera, card = self._camera, self._camera.card
        if known.state or camera.journal.is_settled(seq) or camera.recorder is None:
            return False
        return card.mounted and known.card_serial == card.serial
