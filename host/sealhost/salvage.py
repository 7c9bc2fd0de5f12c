"""A card whose file system is gone, as a place that can be read and is never wiped."""

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from sealhost.carve import carve
from sealhost.errors import PlaceUnreadable
from sealhost.keys import Opener
from sealhost.reader import FilePart, Place


class Salvage(Place):
    """What carving finds on a device or an image; looked for once, when it is first asked for."""

    is_read_only = True

    def __init__(
        self, path: Path, openers: Sequence[Opener], progress: Callable[[int, int], None] | None = None
    ) -> None:
        super().__init__(Path(path))
        if not self.path.is_file() and not self.path.is_block_device():
            raise PlaceUnreadable(path, "only a device or an image can be carved")
        self.serial = hashlib.sha256(os.fsencode(self.path.resolve())).digest()[:16]
        self._openers, self._progress = openers, progress
        self._found: list[FilePart] | None = None

    def every_file(self) -> list[FilePart]:
        """A part for each recording of which a head opens."""
        if self._found is None:
            self._found = carve(self.path, self._openers, self._progress)
        return self._found

    def wipe(self, part: FilePart) -> dict[str, object]:
        """Never: nobody knows what else lies there."""
        raise PlaceUnreadable(part.name, "what was carved is never wiped")

    def sample(self) -> list[dict[str, object]]:
        """Nothing was wiped."""
        return []

    def leave(self, name: str, content: bytes) -> None:
        """Never, for the same reason."""
        raise PlaceUnreadable(name, "nothing is written on a card that is carved")

    def sync(self) -> None:
        """Nothing was written."""
