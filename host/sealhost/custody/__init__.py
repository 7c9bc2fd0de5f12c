"""The host's own tree of events: who saw, stored, exported or wiped what, and when."""

from sealhost.config import STORE_MARKER, VAULT, Config
from sealhost.custody.export import verify_export
from sealhost.custody.leaf import EVENTS, Entry, leaf_of, parse_leaf
from sealhost.custody.log import Custody, Report, load_key
from sealhost.errors import FileMissing
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
    path = config.file("checkpoint_vkey")
    try:
        _, public = parse_vkey(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as trouble:
        raise FileMissing(path, trouble) from None
    places = [config.pack(VAULT).folder, *(p for p in config.stores if (p / STORE_MARKER).is_file())]
    key = load_key(config.key("checkpoint"))
    return Custody(config.database("custody"), config.organisation, public, key, places)
