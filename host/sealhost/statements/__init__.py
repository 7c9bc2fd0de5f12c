"""Signed statements, key lists, policies, inventories: bytes in, fields out; docs/format/statements.md.

Nothing here knows where a statement came from or what it permits.
"""

from sealhost.statements.firmware import Firmware
from sealhost.statements.journal import Inventory, JournalEntry, journal_entry, read_inventory
from sealhost.statements.root import (
    CERTIFICATE_KEY,
    ESCROW,
    LINK,
    RELEASE_KEY,
    KeyList,
    Policy,
    refuse_older,
    sign_file,
)
from sealhost.statements.signed import (
    CERTIFICATE,
    DRILL,
    ENROL,
    ENTRY,
    FIELDS,
    INVENTORY,
    RECEIPT,
    RELEASE,
    SESSION,
    TIME,
    WIPED,
    check,
    make,
    read,
    sign,
    signed_bytes,
    size_of,
    split,
)

__all__ = [
    "CERTIFICATE",
    "DRILL",
    "ENROL",
    "ENTRY",
    "ESCROW",
    "FIELDS",
    "Firmware",
    "INVENTORY",
    "Inventory",
    "JournalEntry",
    "KeyList",
    "LINK",
    "Policy",
    "CERTIFICATE_KEY",
    "RECEIPT",
    "RELEASE",
    "RELEASE_KEY",
    "SESSION",
    "TIME",
    "WIPED",
    "check",
    "journal_entry",
    "make",
    "read",
    "read_inventory",
    "refuse_older",
    "sign",
    "sign_file",
    "signed_bytes",
    "size_of",
    "split",
]
