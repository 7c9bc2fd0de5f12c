"""The evidence office's own log: the same tree as custody, under a key and an origin of its own.

What is viewed where the vault's log cannot be written is noted here, before the first picture.
docs/decisions/0008-three-packs.md.
"""

from sealhost.config import OFFICE, Config
from sealhost.custody.log import Custody, load_key
from sealhost.errors import FileMissing
from sealhost.notes import parse_vkey


class Diary(Custody):
    """The tree of one evidence office."""

    def __init__(self, path, organisation, public, key, places=()) -> None:  # type: ignore[no-untyped-def]
        super().__init__(path, organisation, public, key, places)
        self.origin += "/office"


def open_diary(config: Config) -> Diary:
    """The log of an office pack, with the key that signs its checkpoints."""
    path = config.file("checkpoint_vkey")
    try:
        _, public = parse_vkey(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as trouble:
        raise FileMissing(path, trouble) from None
    key = load_key(config.key("diary"))
    return Diary(config.database("custody"), config.organisation, public, key, [config.pack(OFFICE).folder])
