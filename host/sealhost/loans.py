"""What the vault lends the evidence office so that it can look: one file a recording, slots and row and the
camera's certificate, signed by the vault.

The slots are sealed to the evidence key, so a loan opens nothing by itself; but it is a copy that no erasure
key reaches, so only what is asked for is lent. The office believes a loan by the vault's signature and a
camera by the root's chain. docs/format/statements.md, docs/decisions/0008-three-packs.md.
"""

import contextlib
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from sealhost import certificates, durable, statements
from sealhost.config import STORE_MARKER
from sealhost.errors import BadSignature, BadStatement, PlaceUnreadable, Refused
from sealhost.keys import SoftKey, key_id_of
from sealhost.records import KeyRow, Recording, Verdict
from sealhost.vault import BODIES, Vault

LOAN = 2  # the type of a vault certificate, statements.md
_ENDING = ".loan"
_KEPT_APART = {"place", "description", "interpreter"}  # the office's to tell, not the vault's


@dataclass(frozen=True)
class Loan:
    """One recording as it was lent."""

    recording: Recording
    slots: KeyRow
    certificate: bytes  # X.509 of the camera, DER


def build(loan: Loan, key: SoftKey) -> bytes:
    """Statement and body of a loan."""
    named = [field.name for field in fields(Recording) if field.name not in _KEPT_APART]
    row = {name: getattr(loan.recording, name) for name in named}
    plain = {name: value.hex() if isinstance(value, bytes) else value for name, value in row.items()}
    shape = {
        "format": 1,
        "recording": {**plain, "verdict": loan.recording.verdict.name},
        "slots": loan.slots.slot_area.hex(),
        "certificate": loan.certificate.hex(),
    }
    body = json.dumps(shape, sort_keys=True, separators=(",", ":")).encode()
    signed = statements.make(
        statements.CERTIFICATE, key, type=LOAN, body_sha256=hashlib.sha256(body).digest()
    )
    return signed + body


def parse(raw: bytes, point: bytes) -> Loan:
    """A loan whose signature by the vault's certificate key proves; BadStatement or BadSignature."""
    statement, body = statements.split(statements.CERTIFICATE, raw)
    said = statements.read(statements.CERTIFICATE, statement, point)
    if said.type != LOAN or said.body_sha256 != hashlib.sha256(body).digest():
        raise BadStatement("it is no loan of the vault")
    shape = json.loads(body)  # what the vault signed is what `build` wrote
    recording = Recording(**{name: _typed(name, value) for name, value in shape["recording"].items()})
    own = (recording.h_core, recording.device_id, recording.sequence, recording.recording_id)
    return Loan(recording, KeyRow(*own, bytes.fromhex(shape["slots"])), bytes.fromhex(shape["certificate"]))


def _typed(name: str, value: Any) -> Any:
    if name == "verdict":
        return Verdict[value]
    kind = Recording.__dataclass_fields__[name].type
    return bytes.fromhex(value) if kind in (bytes, "bytes") else value


class Desk:
    """The folder of loans, as the vault fills it."""

    def __init__(self, folder: Path) -> None:
        self._folder = Path(folder)

    def put(self, loan: Loan, key: SoftKey) -> Path:
        """Write a loan; what was lent before is written anew."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        path = self._folder / (loan.recording.h_core.hex() + _ENDING)
        durable.write_file(path, build(loan, key), 0o640)
        return path


class Counter:
    """What the office sees of the vault: read, never written. A duck for the key tables when it looks."""

    def __init__(self, folder: Path, points: Sequence[bytes], enrolments: Sequence[bytes]) -> None:
        """The vault's certificate key in use, then older ones, whose loans are to be lent again; enrolment
        certificates, any of which may have certified a camera.
        """
        self._folder, self._points, self._enrolments = Path(folder), list(points), list(enrolments)

    def places(self) -> list[Path]:
        """The stores of the vault that this machine sees."""
        found = sorted(path.parent for path in self._folder.glob(f"*/{STORE_MARKER}"))
        if not found:
            raise PlaceUnreadable(self._folder, "no store of the vault is mounted there")
        return found

    def shelf(self, room: str = BODIES) -> Vault:
        """Bodies, or what is in quarantine."""
        return Vault.at(self.places(), room, is_ours=False)

    def all(self) -> Iterator[Loan]:
        """Every loan, checked; those signed by a key that is not in use any more are none."""
        for path in sorted((self._folder / "loans").glob("*" + _ENDING)):
            loan = self._read(path)
            if loan is not None:
                yield loan

    def _read(self, path: Path) -> Loan | None:
        try:
            raw = path.read_bytes()
        except OSError as fault:
            raise PlaceUnreadable(path, fault.strerror) from None
        if any(_is_by(point, raw) for point in self._points[1:]):
            return None
        loan = parse(raw, self._points[0] if self._points else b"")
        if path.stem != loan.recording.h_core.hex():
            raise BadStatement(f"{path.name} is the loan of another recording")
        return loan

    def get(self, h_core: bytes) -> KeyRow:
        """The slots of a recording that was lent."""
        path = self._folder / "loans" / (h_core.hex() + _ENDING)
        loan = self._read(path) if path.is_file() else None
        if loan is None:
            raise Refused(f"{h_core.hex()[:16]} is not lent to the office: `sealcam lend` it on the vault")
        return loan.slots

    def device_point(self, device_id: bytes) -> bytes | None:
        """The key of a camera that our enrolment key certified, from any loan of one of its recordings."""
        for loan in self.all():
            if loan.recording.device_id == device_id:
                self._check(loan.certificate)
                point = certificates.point_of(loan.certificate)
                return point if key_id_of(point) == device_id else None
        return None

    def _check(self, certificate: bytes) -> None:
        """That one of our enrolment keys certified it; BadSignature."""
        for enrolment in self._enrolments[1:]:
            with contextlib.suppress(BadSignature):
                return certificates.check(certificate, enrolment)
        return certificates.check(certificate, self._enrolments[0])


def _is_by(point: bytes, raw: bytes) -> bool:
    """Whether this key signed a loan."""
    try:
        parse(raw, point)
    except BadSignature:
        return False
    return True
