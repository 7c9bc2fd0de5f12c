"""What every card in a reader can be asked, whatever it is."""

from abc import ABC, abstractmethod
from pathlib import Path

from sealhost.errors import PlaceUnreadable
from sealhost.reader.parts import FilePart, could_be_ours

RECEIPT_BYTES = 16 << 20  # a receipt of 65535 entries has 9 MiB


class Place(ABC):
    """A card: its files, and the few things a wipe does to it."""

    serial: bytes = bytes(16)

    def __init__(self, path: Path) -> None:
        self.path = path
        self._samples: list[dict[str, object]] = []

    @property
    def name(self) -> str:
        """What a person calls it."""
        return str(self.path)

    @abstractmethod
    def every_file(self) -> list[FilePart]:
        """All files, ours or not."""

    def parts(self) -> list[FilePart]:
        """Every file that could be ours; heads decide, names do not."""
        return [part for part in self.every_file() if could_be_ours(part)]

    def strangers(self) -> list[FilePart]:
        """Files that are none of ours; they are never touched."""
        return [part for part in self.every_file() if not _is_named_ours(part) and not could_be_ours(part)]

    def receipts(self) -> list[tuple[str, bytes]]:
        """Receipts that a reader left on the card: name and bytes, unchecked."""
        return [
            (part.name, _content(part)) for part in self.every_file() if part.name.lower().endswith(".rcp")
        ]

    @abstractmethod
    def wipe(self, part: FilePart) -> dict[str, object]:
        """Overwrite slots and heads, remove the name, have the extents forgotten where the driver can."""

    @abstractmethod
    def sample(self) -> list[dict[str, object]]:
        """Read back what was wiped."""

    @abstractmethod
    def leave(self, name: str, content: bytes) -> None:
        """Write one small file."""

    @abstractmethod
    def sync(self) -> None:
        """Everything is on the card when this returns."""


def _is_named_ours(part: FilePart) -> bool:
    """Names carry no authority; they only spare a person the sight of a ready part or a receipt."""
    return part.name.lower().endswith((".skr", ".skl", ".skp", ".rcp"))


def _content(part: FilePart) -> bytes:
    if part.size > RECEIPT_BYTES:
        raise PlaceUnreadable(part.name, "it is longer than any receipt")
    content = bytearray(part.size)
    return bytes(content[: part.read_into(0, memoryview(content))])
