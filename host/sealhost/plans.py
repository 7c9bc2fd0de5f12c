"""What one receipt allows to be wiped on one card; plain data between `wiping` and `wipebook`."""

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
