"""The parts of one vault host, side by side, as the doors introduce them to *work*. It does nothing."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sealhost.keys import SoftKey
from sealhost.records import Actor

Tell = Callable[[str, float], None]  # what is being done, and how far it is: 0 to 1


def tell_nobody(what: str, fraction: float) -> None:
    """For whoever does not want to know how far it is."""


def utc_ms() -> int:
    """Now, UTC milliseconds since 1970."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True)
class Desk:
    """What docking needs. Edges are passed in, so a test hands over memory and a bench the real thing."""

    organisation: bytes
    actor: Actor
    policy: Any  # statements.Policy
    keylist: int  # version
    verify_key: SoftKey
    receipt_key: SoftKey
    certificate_key: SoftKey
    release_point: bytes
    vault: Any  # vault.Vault
    keytables: Any  # keytable.KeyTables
    catalogue: Any
    custody: Any
    register: Any
    quarantine: Any
    wipebook: Any
    clock: Callable[[], int] = utc_ms
    verify_before: tuple[SoftKey, ...] = ()  # verify keys of older key lists, for what is sealed to them

    @property
    def openers(self) -> list[SoftKey]:
        """Every verify key this vault holds, the one in use first."""
        return [self.verify_key, *self.verify_before]

    def note(self, event: str, subject: str = "", **detail: Any) -> int:
        """One entry of custody, durable at return."""
        return int(self.custody.note(event, self.actor, subject, **detail))

    def device_point(self, device_id: bytes) -> bytes | None:
        """The point of a camera we know, for the judge."""
        device = self.register.get(device_id)
        return device.point if device else None

    def suspend(self, device_id: bytes) -> None:
        """A fork was seen: the camera may not go on until somebody has looked."""
        device = self.register.get(device_id)
        if device is not None and device.state != "suspended":
            self.register.suspend(device_id)
            self.note("camera.suspended", device_id.hex())
