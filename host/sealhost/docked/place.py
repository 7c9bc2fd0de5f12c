"""The card in a camera, as a place whose files are read over the wire. Only the camera itself wipes it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sealhost.docked.camera import MAX_READ, Camera
from sealhost.errors import CardUnreadable, PlaceReadOnly
from sealhost.layout import BLOCK_SIZES
from sealhost.reader import FilePart, Place

FOLDER = "sealcam/"
_FRONT = 3 * max(BLOCK_SIZES)  # both heads and the first chunk: what is looked at again and again
_MOST_FRONTS = 1024
_MEASURED = 256 << 10
_AT_ONCE = 1 << 20  # what is never worth measuring


@dataclass(frozen=True)
class WirePart(FilePart):
    """One file of the camera's card, as far as its chunks reach (D16)."""

    place: Any = field(default=None, repr=False, compare=False)
    number: int = 0

    def read_into(self, offset: int, view: memoryview) -> int:
        """See `records.Part`."""
        wanted = max(0, min(len(view), self.size - offset))
        return int(self.place.read(self, offset, view[:wanted])) if wanted else 0


class CameraPlace(Place):
    """What *list* told when it was made. Reads 4 MiB at a time what is asked for in order, else exactly."""

    by_camera = True  # wipes its own card; a host never does

    def __init__(self, camera: Camera, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(Path(camera.name))
        self._camera, self._clock = camera, clock
        self._fronts: dict[int, bytes] = {}
        self._ahead: tuple[int, int, memoryview] = 0, 0, memoryview(b"")  # file, offset, bytes
        self.look_again()

    def look_again(self) -> None:
        """List the card anew: files may have gone, and others have their numbers."""
        self.serial, self._files = self._camera.list()
        self._fronts.clear()
        self._has_ahead = False

    def every_file(self) -> list[FilePart]:
        """All files of the camera's folder, by name."""
        files = sorted(self._files, key=lambda file: file.name)
        return [WirePart(self.path, FOLDER + f.name, f.used, place=self, number=f.number) for f in files]

    def seconds(self) -> float:
        """How long reading all of it will take: some of it is read, and measured, where there is much."""
        whole = sum(file.used for file in self._files)
        longest = max(self._files, key=lambda file: file.used, default=None)
        if longest is None or whole <= _AT_ONCE:
            return 0.0
        start = _FRONT if longest.used > 2 * _FRONT else 0
        size = min(_MEASURED, longest.used - start)
        begun = self._clock()
        self._fetch_ahead(longest.number, start, size)
        return (self._clock() - begun) * whole / size

    def read(self, part: WirePart, offset: int, view: memoryview) -> int:
        """Fill `view`; fewer bytes only at the end of the part."""
        done = 0
        while done < len(view):
            piece = self._at_hand(part, offset + done)
            if not piece:
                return done + self._beyond(part, offset + done, view[done:])
            size = min(len(piece), len(view) - done)
            view[done : done + size] = piece[:size]
            done += size
        return done

    def _at_hand(self, part: WirePart, offset: int) -> memoryview:
        """What is held of a part from `offset` on; fetched where it is of the front, or next in order."""
        if offset < _FRONT:
            return memoryview(self._front(part))[offset:]
        number, start, held = self._ahead
        follows = offset == _FRONT or (number == part.number and offset == start + len(held))
        is_held = self._has_ahead and number == part.number and start <= offset < start + len(held)
        if not is_held and follows:
            self._fetch_ahead(part.number, offset, min(MAX_READ, part.size - offset))
            number, start, held = self._ahead
            is_held = True
        return held[offset - start :] if is_held else memoryview(b"")

    def _front(self, part: WirePart) -> bytes:
        if part.number not in self._fronts:
            if len(self._fronts) >= _MOST_FRONTS:
                del self._fronts[next(iter(self._fronts))]
            self._fronts[part.number] = self._fetch(part.number, 0, min(_FRONT, part.size))
        return self._fronts[part.number]

    def _fetch_ahead(self, number: int, offset: int, size: int) -> None:
        self._ahead = number, offset, memoryview(self._fetch(number, offset, size))
        self._has_ahead = True

    def _fetch(self, number: int, offset: int, size: int) -> bytes:
        """Exactly so many bytes: *list* said that they are there."""
        content = bytearray(size)
        got = self._camera.read_into(number, offset, memoryview(content))
        if got < size:
            raise CardUnreadable(f"file {number} of {self.name}", f"byte {offset + got}")
        return bytes(content)

    def _beyond(self, part: WirePart, offset: int, view: memoryview) -> int:
        """A few bytes somewhere: a tail, a second look."""
        return self._camera.read_into(part.number, offset, view) if view else 0

    def wipe(self, part: FilePart) -> dict[str, object]:
        """Never by the host."""
        raise PlaceReadOnly(part.name, "the camera wipes its own card")

    def sample(self) -> list[dict[str, object]]:
        """The camera reads samples back; its signed record holds their digest."""
        return []

    def leave(self, name: str, content: bytes) -> None:
        """Never: the camera was given it over the wire."""
        raise PlaceReadOnly(name, "the camera wipes its own card")

    def sync(self) -> None:
        """Nothing was written here."""
