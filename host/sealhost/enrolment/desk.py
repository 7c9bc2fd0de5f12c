"""What the two desks of an enrolment hold, the files they exchange, and how far they are."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sealhost.desk import utc_ms
from sealhost.keys import SoftKey
from sealhost.records import Actor

OFFER, ANSWER, CERTIFICATE, TIME, DRILL, ENROLLED = (
    f"{word}.seal" for word in ("offer", "answer", "certificate", "time", "drill", "enrolled")
)
TRIAL = "trial-0000.skr"
OFFICE, VAULT, CAMERA = "the evidence office", "the vault", "the camera"
WHOSE = {OFFER: OFFICE, CERTIFICATE: OFFICE, DRILL: OFFICE, TIME: VAULT}  # whatever else is the camera's


@dataclass(frozen=True)
class Authority:
    """One desk, or under demo both. Keys are asked for when a step needs them, so each desk does its own
    steps and holds no key of the other.
    """

    organisation: bytes
    root_point: bytes
    keylist: bytes  # the files as a camera takes them
    keylist_version: int
    policy: bytes
    actor: Actor
    key: Callable[[str], SoftKey]  # by role; of the office enrolment, evidence, release; else time, verify
    point: Callable[[int], bytes | None]  # public keys of the key list, by role
    enrolment_certificate: bytes  # X.509, of the enrolment key, by the root
    escrow_key: Callable[[], SoftKey]  # put together from m shares, now
    register: Any  # of the vault; None in the office
    custody: Any  # of the vault; in the office its own diary
    is_office: bool = True
    is_vault: bool = True
    clock: Callable[[], int] = utc_ms

    def note(self, event: str, device_id: bytes, **detail: Any) -> None:
        """One entry, durable at return."""
        self.custody.note(event, self.actor, device_id.hex(), **detail)

    def note_in_office(self, event: str, device_id: bytes, **detail: Any) -> None:
        """The same in the office's diary; where both desks are one, the vault's step notes it once."""
        if not self.is_vault:
            self.note(event, device_id, **detail)


@dataclass
class Progress:
    """What was done just now, and what the folder waits for; nothing once this desk has no more to do."""

    done: list[str] = field(default_factory=list)
    waiting_for: str = ""
    device_id: bytes = b""
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def whose_turn(self) -> str:
        """Who writes what is waited for."""
        return WHOSE.get(self.waiting_for, CAMERA) if self.waiting_for else ""
