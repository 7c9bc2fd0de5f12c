"""Receipts that were signed, with what each still has to wipe, and the certificates of those that are done.

A plan is durable before the first byte of a card is destroyed and goes only when its certificate is there, so
a wipe that was killed is found again and carried to its end. It never touches a card.
"""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sealhost import durable
from sealhost.errors import ConfigBroken
from sealhost.plans import Plan, Planned


class WipeBook:
    """One folder of the vault pack."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """While two docks of one vault number their receipts, one waits for the other."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / "numbers.lock", "ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def begin(self, plan: Plan) -> None:
        """Durable at return; only then may anything be wiped by it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        durable.write_file(self._path(plan.digest, "receipt"), plan.receipt)
        durable.write_file(self._path(plan.digest, "plan"), json.dumps(_plain(plan), sort_keys=True).encode())

    def pending(self, card_serial: bytes) -> list[Plan]:
        """Plans of this card that were begun and not ended, oldest receipt first."""
        plans = [plan for path in sorted(self.folder.glob("*.plan")) if (plan := self._read(path))]
        return sorted((p for p in plans if p.card_serial == card_serial), key=lambda plan: plan.receipt_no)

    def end(self, plan: Plan, certificate: bytes) -> Path:
        """The wipe is done: keep its certificate, then forget the plan."""
        kept = self._path(plan.digest, "certificate")
        durable.write_file(kept, certificate)
        durable.durable("forget the plan")
        self._path(plan.digest, "plan").unlink()
        durable.sync_folder(self.folder, "forget the plan folder")
        return kept

    def certificate(self, digest: bytes) -> Path | None:
        """Where the certificate of a receipt is, if its wipe is done."""
        path = self._path(digest, "certificate")
        return path if path.is_file() else None

    def _path(self, digest: bytes, kind: str) -> Path:
        return self.folder / f"{digest.hex()}.{kind}"

    def _read(self, path: Path) -> Plan | None:
        """None where another dock has just ended it."""
        try:
            fields = json.loads(path.read_bytes())
            receipt = path.with_suffix(".receipt").read_bytes()
            entries = [_entry(entry) for entry in fields["entries"]]
            ids = {name: bytes.fromhex(fields[name]) for name in ("digest", "device_id", "card_serial")}
            return Plan(receipt=receipt, receipt_no=int(fields["receipt_no"]), entries=tuple(entries), **ids)
        except (OSError, ValueError, KeyError, TypeError) as fault:
            if isinstance(fault, FileNotFoundError) and not path.exists():
                return None
            raise ConfigBroken(path, f"the plan of a wipe cannot be read ({type(fault).__name__})") from fault


def _entry(fields: dict[str, Any]) -> Planned:
    return Planned(
        bytes.fromhex(fields["h_core"]), tuple(fields["files"]), bool(fields["confirmed"]), fields["release"]
    )


def _plain(plan: Plan) -> dict[str, Any]:
    entries = [
        {**vars(entry), "h_core": entry.h_core.hex(), "files": list(entry.files)} for entry in plan.entries
    ]
    ids = {
        "digest": plan.digest.hex(),
        "device_id": plan.device_id.hex(),
        "card_serial": plan.card_serial.hex(),
    }
    return {**ids, "receipt_no": plan.receipt_no, "entries": entries}
