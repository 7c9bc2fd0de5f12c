"""A journal from which receipted numbers have gone: what a host still knows, and what it still misses."""

import hashlib
import sys
from pathlib import Path

from sealhost import statements
from sealhost.ingest.logs import find_gaps
from sealhost.keys import key_id_of
from sealhost.statements.journal import CLOSED, OPENED, RECEIPTED, VOID

sys.path.insert(0, str(Path(__file__).resolve().parent))
from recordings import Office

OFFICE = Office()
DEVICE_ID = key_id_of(OFFICE.device.point)
ID, NONE = b"i" * 16, bytes(16)


def inventory(*entries):
    """A camera's word of (type, sequence, recording id) each."""
    made = [
        statements.journal_entry(type=kind, number=number, sequence=sequence, recording_id=name)
        for number, (kind, sequence, name) in enumerate(entries, 1)
    ]
    facts = {"nonce": bytes(16), "boot": 1, "ms": 1, "receipt_no": 1}
    digest = hashlib.sha256(b"".join(made)).digest()
    statement = statements.make(
        statements.INVENTORY, OFFICE.device, device_id=DEVICE_ID, journal_digest=digest, **facts
    )
    return statements.read_inventory(statement + b"".join(made), OFFICE.device.point)


class Desk:
    """What `find_gaps` asks of a desk, in memory."""

    def __init__(self, stored):
        self.catalogue = self.register = self.quarantine = self
        self.stored, self.void, self.noted = stored, set(), []

    def sequences(self, device_id):
        return self.stored

    def accounted(self, device_id):
        return [1]

    def cases(self):
        return []

    def voids(self, device_id):
        return self.void

    def keep_voids(self, device_id, numbers):
        self.void |= set(numbers)

    def note(self, *told, **detail):
        self.noted.append(told)


def test_a_receipted_number_is_told_as_such_and_a_void_stays_one():
    before = ((OPENED, 4, ID), (CLOSED, 4, ID), (VOID, 5, NONE))
    told = inventory(*before, (RECEIPTED, 4, ID), (RECEIPTED, 5, NONE))

    assert told.sequences == {4: "receipted", 5: "void"}


def test_what_is_left_of_a_receipted_void_is_a_void():
    assert inventory((RECEIPTED, 5, NONE), (OPENED, 6, ID)).sequences == {5: "void", 6: "spent"}


def test_what_went_from_the_journal_is_stored_or_was_told_or_is_missing():
    """A number that stands in neither inventory nor receipts is missing, void or not."""
    desk = Desk(stored=[2, 3])
    before = inventory((VOID, 4, NONE), (OPENED, 5, ID))
    assert find_gaps([], before, desk) == {}

    desk.stored = [2, 3, 5]
    after = inventory((OPENED, 8, ID))

    assert find_gaps([], after, desk) == {DEVICE_ID: [range(6, 8)]}
