"""The newest checkpoint, kept apart from the database that it signs for.

One file in every store place and one in the pack: an old copy of the database, or a new one in its place, no
longer holds what these sign for. It checks no signature and knows no tree.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from sealhost.durable import write_file
from sealhost.errors import StoreUnavailable

FILE_NAME = "custody.checkpoint"


def keep(places: Sequence[Path], note: str) -> None:
    """Write the note in every place that is there, durable at return; StoreUnavailable otherwise."""
    for place in places:
        path = place / FILE_NAME
        try:
            if place.is_dir() and (not path.is_file() or path.read_bytes() != note.encode()):
                write_file(path, note.encode())
        except OSError as trouble:
            raise StoreUnavailable(place, trouble.strerror) from None


def kept(places: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    """(file, note) of every place that has one."""
    for place in places:
        path = place / FILE_NAME
        try:
            yield path, path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            continue
        except OSError as trouble:
            raise StoreUnavailable(place, trouble.strerror) from None
