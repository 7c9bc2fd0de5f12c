"""Receipts that were signed, with what each still has to wipe, and the certificates of those that are done;
what cameras still owe us a signed record of, and the records.

A plan is durable before the first byte of a card is destroyed and goes only when its certificate is there, so
a wipe that was killed is found again and carried to its end. It never touches a card.
"""

import fcntl
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sealhost import durable
from sealhost.errors import ConfigBroken
from sealhost.plans import Owed, Plan, Planned

_OWED = ("camera", "statement", "receipt", "card_serial")


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
        kept = self.certify(plan.digest, certificate)
        self._forget(plan.digest, "plan")
        return kept

    def certify(self, digest: bytes, certificate: bytes) -> Path:
        """Keep the certificate of a wipe, durable at return."""
        self.folder.mkdir(parents=True, exist_ok=True)
        kept = self._path(digest, "certificate")
        durable.write_file(kept, certificate)
        return kept

    def certificates(self) -> Iterator[bytes]:
        """The certificates of every wipe."""
        for path in sorted(self.folder.glob("*.certificate")):
            yield path.read_bytes()

    def _forget(self, digest: bytes, kind: str) -> None:
        durable.durable(f"forget the {kind}")
        self._path(digest, kind).unlink(missing_ok=True)
        durable.sync_folder(self.folder, f"forget the {kind} folder")

    def owe(self, owed: Owed) -> None:
        """Durable at return; only then may a camera be asked to act on it, or a card in a reader be wiped."""
        self.folder.mkdir(parents=True, exist_ok=True)
        durable.write_file(self._path(hashlib.sha256(owed.receipt).digest(), "receipt"), owed.receipt)
        plain = json.dumps(_plain_owed(owed), sort_keys=True)
        durable.write_file(self._path(owed.digest, "owed"), plain.encode())

    def owed(self, camera: bytes) -> list[Owed]:
        """What a camera owes us, oldest receipt first."""
        all_owed = [self._read_owed(path) for path in sorted(self.folder.glob("*.owed"))]
        number = len("sealcam/1 vault receipt") + 1 + 32  # of the receipt, statements.md
        mine = (owed for owed in all_owed if owed.camera == camera)
        return sorted(mine, key=lambda owed: (owed.receipt[number : number + 8], owed.what))

    def settle(self, owed: Owed, record: bytes) -> None:
        """Keep the record, then forget that it is owed; without one it never will come."""
        if record:
            durable.write_file(self._path(owed.digest, "record"), record)
        self._forget(owed.digest, "owed")

    def is_pending(self, digest: bytes) -> bool:
        """Whether a card in a reader is still to be wiped against this receipt."""
        return self._path(digest, "plan").is_file()

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

    def _read_owed(self, path: Path) -> Owed:
        try:
            fields = json.loads(path.read_bytes())
            entries = tuple(_entry(entry) for entry in fields["entries"])
            raw = {name: bytes.fromhex(fields[name]) for name in _OWED}
            return Owed(what=int(fields["what"]), where=int(fields["where"]), entries=entries, **raw)
        except (OSError, ValueError, KeyError, TypeError) as fault:
            raise ConfigBroken(path, f"what a camera owes cannot be read ({type(fault).__name__})") from fault


def _entry(fields: dict[str, Any]) -> Planned:
    return Planned(
        bytes.fromhex(fields["h_core"]), tuple(fields["files"]), bool(fields["confirmed"]), fields["release"]
    )


def _plain_entry(entry: Planned) -> dict[str, Any]:
    return {**vars(entry), "h_core": entry.h_core.hex(), "files": list(entry.files)}


def _plain_owed(owed: Owed) -> dict[str, Any]:
    raw = {name: getattr(owed, name).hex() for name in _OWED}
    entries = [_plain_entry(entry) for entry in owed.entries]
    return {**raw, "what": owed.what, "where": owed.where, "entries": entries}


def _plain(plan: Plan) -> dict[str, Any]:
    entries = [_plain_entry(entry) for entry in plan.entries]
    ids = {
        "digest": plan.digest.hex(),
        "device_id": plan.device_id.hex(),
        "card_serial": plan.card_serial.hex(),
    }
    return {**ids, "receipt_no": plan.receipt_no, "entries": entries}
