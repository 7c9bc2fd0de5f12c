"""The host's own tree of events: who saw, stored, exported or wiped what, and when."""

from sealhost.config import Config
from sealhost.custody.export import verify_export
from sealhost.custody.leaf import EVENTS, Entry, leaf_of, parse_leaf
from sealhost.custody.log import Custody, Report, load_key
from sealhost.notes import parse_vkey

__all__ = [
    "EVENTS",
    "Custody",
    "Entry",
    "Report",
    "leaf_of",
    "load_key",
    "open_custody",
    "parse_leaf",
    "verify_export",
]


def open_custody(config: Config) -> Custody:
    """The log of a vault pack, with the key that signs its checkpoints."""
    _, public = parse_vkey(config.file("checkpoint_vkey").read_text(encoding="utf-8"))
    return Custody(
        config.database("custody"), config.organisation, public, load_key(config.key("checkpoint"))
    )
