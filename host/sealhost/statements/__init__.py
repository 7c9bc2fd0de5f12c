"""Signed statements, key lists, policies, inventories: bytes in, fields out; docs/format/statements.md.

Nothing here knows where a statement came from or what it permits.
"""

from sealhost.statements.journal import Inventory, JournalEntry, journal_entry, read_inventory
from sealhost.statements.root import KeyList, Policy, refuse_older, sign_file
from sealhost.statements.signed import ENTRY, FIELDS, check, make, read, sign, signed_bytes, size_of, split

__all__ = [
    "ENTRY",
    "FIELDS",
    "Inventory",
    "JournalEntry",
    "KeyList",
    "Policy",
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
