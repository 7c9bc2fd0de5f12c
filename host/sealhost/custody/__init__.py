"""The host's own tree of events: who saw, stored, exported or wiped what, and when."""

from sealhost.custody.export import verify_export
from sealhost.custody.leaf import EVENTS, Entry, leaf_of, parse_leaf
from sealhost.custody.log import Custody, Report

__all__ = ["EVENTS", "Custody", "Entry", "Report", "leaf_of", "parse_leaf", "verify_export"]
