"""Act on a receipt: judge it, wipe what it lets go, sign the record of it.

What is being wiped stands in flash before the first head is overwritten (`wiping`), so that a cut anywhere is
carried on when the card is in again. Wipes nothing that `receipts` did not let go, and opens nothing.
"""

import struct
from hashlib import sha256 as running_sha256

from sealcam import receipts, statements, usagelog, wiping
from sealcam.crypto import sha256
from sealcam.errors import CardFault, FormatFault, NoCard, OutOfOrder, SealcamError
from sealcam.judging import Judging
from sealcam.layout import CORE_SIZE, KIND_RECORDING, STATE_CUT, part_name
from sealcam.looking import Looking
from sealcam.overwriting import Overwriting, erase, extents_from
from sealcam.receipts import IN_CAMERA, IN_READER, MAY_GO, RELEASE
from sealcam.remains import blank_names, find, overwrite_heads

_NO_SAMPLES, _NO_ID = bytes(32), bytes(16)
_ERASED = b"\xff" * 512


class Wiper:
    """`camera` is the introduction of the parts; one statement is in hand at a time."""

    def __init__(self, camera):
        self._camera = camera
        self._looking = Looking(camera, self)
        self._overwriting = Overwriting(camera)
        self.judging = Judging(camera)
        self._logged = None
        self.forget()

    def forget(self) -> None:
        """Drop what *judge* agreed to."""
        self._receipt = self._statuses = None
        self._where = 0

    # What was acted on before

    def last_number(self) -> int:
        """The number of the newest receipt acted on, 0 for none."""
        return self._camera.keystore.receipt()[0]

    def record(self, digest: bytes) -> bytes:
        """The signed wipe record of the newest statement acted on; OutOfOrder for any other."""
        _, kept, record = self._camera.keystore.receipt()
        if not record or kept != digest:
            raise OutOfOrder  # never acted on, or another was since
        return record

    # Judging

    def judge(self, what: int, where: int, raw) -> tuple:
        """(digest, a status byte for each entry) of a statement; what it lets go waits for `wipe` or
        `wiped`.

        Raises what keeps a statement from being one of ours: BadSignature, FormatFault, KeyListFault.
        """
        camera = self._camera
        self.forget()
        if where not in (IN_CAMERA, IN_READER):
            raise FormatFault
        if where == IN_CAMERA and (camera.card is None or not camera.card.mounted):
            raise NoCard
        try:
            receipt = receipts.read(what, raw, camera.keylist, camera.identity.organisation)
        except SealcamError as fault:
            camera.logbook.note(usagelog.RECEIPT_REFUSED, fault.status, 0, sha256(raw)[:16])
            raise
        statuses = self.judging.statuses(receipt, where)
        self._receipt, self._where, self._statuses = receipt, where, statuses
        self._log(receipt, statuses)
        return receipt.digest, statuses

    def _log(self, receipt, statuses):
        """Said once for a statement that is put again and again."""
        if (receipt.digest, statuses) == self._logged:
            return
        self._logged = receipt.digest, statuses
        note, named = self._camera.logbook.note, receipt.digest[:16]
        if MAY_GO in statuses:
            note(usagelog.RECEIPT, 0, 0, named)
        for entry, status in zip(receipt.entries, statuses):
            if status:
                note(usagelog.RECEIPT_REFUSED, status, entry.seq, named)

    # Wiping

    def wipe(self, digest: bytes, tell) -> bytes:
        """Wipe on the card that is in what *judge* agreed to, in the order of statements.md; answers the
        signed record.

        `tell(done, of)` is called after each file. A cut anywhere: `resume` carries it on.
        """
        if self._was_acted_on(digest):
            return self.record(digest)
        camera, agreed = self._camera, self._agreed(digest, IN_CAMERA)
        if not agreed or wiping.standing(camera.files, camera.card.serial) is not None:
            raise OutOfOrder  # nothing may go; or one was cut here, and goes on when the card comes again
        if camera.card.dead:
            raise CardFault
        found = find(camera.card, set([entry.h_core for entry in agreed]))
        if not found:
            raise CardFault  # they stood there when they were judged
        device_id = self._receipt.device_id
        if self._receipt.what == RELEASE:  # it names no camera; the head does
            device_id = found[agreed[0].h_core].device_id
        plan = wiping.begin(camera.files, self._receipt, device_id, camera.card.serial, agreed)
        return self._carry_out(plan, found, tell)

    def _was_acted_on(self, digest):
        return self._camera.keystore.receipt()[1] == digest

    def _agreed(self, digest, where):
        receipt = self._receipt
        if receipt is None or receipt.digest != digest or self._where != where:
            raise OutOfOrder  # not judged in this session, or for the other place
        return [entry for entry, status in zip(receipt.entries, self._statuses) if status == MAY_GO]

    def _carry_out(self, plan, found, tell):
        entries = plan.receipt.entries
        known = self._camera.journal.known([entry.seq for entry in entries])
        for number, entry in enumerate(entries):
            if number not in plan.done and entry.h_core in found:
                self._wipe_entry(plan, number, sorted(found[entry.h_core].names), known.get(entry.seq))
            tell(number + 1, len(entries))
        return self._finish(plan)

    def _wipe_entry(self, plan, number, names, known):
        """Heads of every part, names, extents, journal, mark. A cut leaves files whose heads are zeros, which
        nobody takes for a recording, and the plan that says so.
        """
        card, sectors = self._camera.card, []
        for name in names:
            sectors.append(overwrite_heads(card, name))
            plan.overwritten(number, sectors[-1])
            self.judging.at_work()
        extents = extents_from(card, sectors)
        for name in names:
            card.remove(name)
            self.judging.at_work()
        erase(card, extents)
        self.settle(plan.receipt, plan.receipt.entries[number], known)
        plan.finished(number)

    def settle(self, receipt, entry, known):
        """Tell the journal, if it is a file of ours that it knows; one that was never closed is closed first.
        """
        journal = self._camera.journal
        if known is None or known.recording_id != entry.recording_id or journal.is_settled(entry.seq):
            return
        if not known.state:
            journal.close_file(entry.seq, entry.recording_id, known.index, known.tag, STATE_CUT)
        journal.receipted(entry.seq, entry.recording_id, known.card_serial, receipt.number, receipt.digest)

    def _finish(self, plan, carried_on=False):
        """Samples, voids, log, record; then the plan goes. A cut before the record is carried on; one after
        it leaves a plan whose record stands.
        """
        number, kept, _ = self._camera.keystore.receipt()
        receipt, record = plan.receipt, b""
        if receipt.digest != kept and (receipt.what == RELEASE or receipt.number > number):
            record = self._keep_record(receipt, len(plan.done), self._sample(plan, carried_on))
        if plan.done:
            self._overwriting.begin()
        plan.end()
        return record

    def _sample(self, plan, carried_on):
        """Of the sectors the first heads lay in. A card that was elsewhere while its wipe waited may hold
        somebody's new file there: that is no sample.
        """
        samples, heads = running_sha256(), set([entry.h_core for entry in plan.receipt.entries])
        for sector in sorted(plan.sectors):
            content = self._camera.card.sector(sector)
            if any(content) and content != _ERASED:
                if not carried_on or sha256(content[:CORE_SIZE]) in heads:
                    raise CardFault  # it was overwritten, read back, and is there again
                continue
            samples.update(struct.pack(">Q", sector))
            samples.update(content)
        return samples.digest()

    def _keep_record(self, receipt, count, samples):
        camera, own = self._camera, self._camera.identity
        if receipt.what != RELEASE and receipt.device_id == own.device_id:
            for seq in camera.journal.told_voids():
                camera.journal.receipted(seq, _NO_ID, _NO_ID, receipt.number, receipt.digest)
        camera.logbook.note(usagelog.WIPED, 0, 0, receipt.digest[:16])
        facts = (own.device_id, receipt.digest, camera.boot_count, camera.clock.ms(), count, samples)
        record = statements.make(statements.WIPED, own.d, camera.drbg.generate, *facts)
        camera.keystore.keep_receipt(max(receipt.number, self.last_number()), receipt.digest, record)
        return record

    def wiped(self, digest: bytes, flags) -> bytes:
        """Mark what *judge* agreed to and the host says it wiped in a reader: a byte for each entry, 1 for
        wiped. Answers the signed record, of which no sample was read.

        A cut leaves some of them marked by this very receipt; asked again, it ends the same.
        """
        if self._was_acted_on(digest):
            return self.record(digest)
        if not self._agreed(digest, IN_READER):
            raise OutOfOrder  # nothing may go: the number and the record of the newest one stay
        receipt = self._receipt
        if len(flags) != len(receipt.entries) or max(flags or b"\x00") > 1:
            raise FormatFault
        known = self._camera.journal.known([entry.seq for entry in receipt.entries])
        count = 0
        for entry, status, flag in zip(receipt.entries, self._statuses, flags):
            if status == MAY_GO and flag:
                self.judging.at_work()
                self.settle(receipt, entry, known.get(entry.seq))
                count += 1
        return self._keep_record(receipt, count, _NO_SAMPLES)

    # When a card comes

    def resume(self) -> None:
        """A card came: carry on the wipe that was cut on it and take the receipts a reader left there; before
        anything is cleared up or allocated.
        """
        self.carry_on()
        self._looking.take_receipts()
        self._overwriting.take_up()

    def carry_on(self) -> None:
        """A wipe of this card that was cut, or that failed, goes on before anything is allocated on it."""
        camera = self._camera
        self.forget()
        plan = wiping.standing(camera.files, camera.card.serial)
        if plan is None:
            return
        camera.say("- carries on a wipe that was cut")
        receipt, last = plan.receipt, self.last_number()
        found = find(camera.card, set([entry.h_core for entry in receipt.entries]))
        known = camera.journal.known([entry.seq for entry in receipt.entries])
        blank = blank_names(camera.card)
        for number, entry in enumerate(receipt.entries):
            if number not in plan.done:
                self._resume_entry(plan, number, entry, found, blank, known, last)
        self._finish(plan, True)

    def _resume_entry(self, plan, number, entry, found, blank, known, last):
        """One that was begun is ended; of one that was not, the card is looked at again as if it were new."""
        there = found.get(entry.h_core)
        prefix = part_name(plan.receipt.device_id, entry.seq, 0, KIND_RECORDING)[:27]
        names = [name for name in blank if name.lower().startswith(prefix)]
        names += [name for name in (there.names if there else ()) if name not in names]
        if names and not (number in plan.begun or [name for name in names if name in blank]):
            if self.judging.on_card(plan.receipt, entry, there, known, last) != MAY_GO:
                return
        if names or number in plan.begun:
            self._wipe_entry(plan, number, sorted(names), known.get(entry.seq))

    def look(self) -> None:
        """Find what is gone from this card without a receipt, once it is cleared up: `camera.alarms` bit 0.
        """
        self._looking.find_missing()

    def say_alarm(self) -> None:
        """`camera.alarms` bit 0 as flash remembers it, for a camera without a card."""
        self._looking.say_alarm()

    def alarm_tells(self) -> None:
        """A host is told of the alarm there is now."""
        self._looking.tells()

    def alarm_told(self) -> None:
        """A host was told of the alarm, and *undock* followed."""
        self._looking.told()

    def overwrite_step(self) -> bool:
        """A slice of the full overwrite, where policy asks for one; False when there is nothing to do."""
        return self._overwriting.step()
