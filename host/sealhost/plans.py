"""What one receipt allows to be wiped on one card; plain data between `wiping`, `consent` and `wipebook`."""

import hashlib
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Planned:
    """One recording of the card: its receipt entry by name, and the files it lies in; a release frees what is
    in quarantine.
    """

    h_core: bytes
    files: tuple[str, ...]
    confirmed: bool = (
        True  # the camera's word was heard when the plan was made; the file that bore it may be gone by now
    )
    release: str = ""  # hex of the statement


@dataclass(frozen=True)
class Plan:
    """What one receipt allows on one card; `receipt` is the whole statement."""

    digest: bytes
    receipt: bytes = field(repr=False)
    device_id: bytes
    receipt_no: int
    card_serial: bytes
    entries: tuple[Planned, ...]


@dataclass(frozen=True)
class Owed:
    """The signed record of one wipe that a camera still owes: it was asked, or will be, by this statement.

    `statement` is a receipt or a release (`what`), for a card in the camera or in a reader (`where`);
    `receipt` is the receipt itself, of a release the one that names the same recording.
    """

    camera: bytes
    what: int
    where: int
    statement: bytes = field(repr=False)
    receipt: bytes = field(repr=False)
    card_serial: bytes
    entries: tuple[Planned, ...]

    @property
    def digest(self) -> bytes:
        """What the camera calls it: SHA-256 of the whole statement."""
        return hashlib.sha256(self.statement).digest()
