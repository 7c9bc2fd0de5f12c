"""Cameras: who is trusted, and since when.

A camera is known when its certificate verifies under the enrolment key and that key's under the root, its
point hashes to its id, and the custody log holds the entry that it was certified: what only stands in this
database is believed by nobody. docs/format/custody.md, design: enrolments are custody entries.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from sealhost import certificates
from sealhost.config import Config
from sealhost.database import Database
from sealhost.errors import EnrolmentRefused, FileMissing, NotFound, SealcamError
from sealhost.keys import key_id_of
from sealhost.records import Device

CERTIFIED, DRILLED, ENROLLED, SUSPENDED = "certified", "drilled", "enrolled", "suspended"
_ORDER = (CERTIFIED, DRILLED, ENROLLED, SUSPENDED)
_tables = sa.MetaData()
_cameras = sa.Table(
    "cameras",
    _tables,
    sa.Column("device_id", sa.LargeBinary, primary_key=True),
    sa.Column("point", sa.LargeBinary),
    sa.Column("certificate", sa.LargeBinary),
    sa.Column("keylist", sa.Integer),
    sa.Column("state", sa.Text),
    sa.Column("since", sa.Integer),
    sa.Column("trial", sa.Integer),
    sa.Column("trial_h_core", sa.LargeBinary),
)


def utc_ms() -> int:
    """Now."""
    return time.time_ns() // 1_000_000


class Register:
    """The cameras of one organisation. `enrolment` and `root` are certificates, PEM or DER."""

    def __init__(
        self,
        path: Path,
        enrolment: bytes,
        root: bytes,
        custody: Any = None,
        clock: Callable[[], int] = utc_ms,
    ) -> None:
        certificates.check(enrolment, root)
        self._enrolment, self._custody, self._clock = enrolment, custody, clock
        self._database = Database(path, "register")
        self._witnessed: set[str] = set()
        self._read_to = 0

    def get(self, device_id: bytes) -> Device | None:
        """A camera we trust to have signed what it signed, suspended or not; None for any other."""
        row = self._row(device_id)
        if row is None or not self._is_witnessed(device_id):
            return None
        device = _device(row)
        try:
            self._check(device)
        except SealcamError:
            return None
        return device

    def _row(self, device_id: bytes) -> sa.Row | None:
        with self._database.read() as connection:
            return connection.execute(sa.select(_cameras).where(_cameras.c.device_id == device_id)).first()

    def _is_witnessed(self, device_id: bytes) -> bool:
        """Whether custody holds `camera.certified` for it; entries are read once."""
        if self._custody is None or device_id.hex() in self._witnessed:
            return True
        for entry in self._custody.entries(self._read_to):
            self._read_to = entry.n + 1
            if entry.event == "camera.certified":
                self._witnessed.add(entry.subject)
        return device_id.hex() in self._witnessed

    def _check(self, device: Device) -> None:
        if key_id_of(device.point) != device.device_id:
            raise EnrolmentRefused(device.device_id.hex()[:16], "its point does not hash to its id")
        if certificates.point_of(device.certificate) != device.point:
            raise EnrolmentRefused(device.device_id.hex()[:16], "its certificate is for another key")
        certificates.check(device.certificate, self._enrolment)

    def certify(self, point: bytes, certificate: bytes, keylist: int) -> Device:
        """Take a camera in; the same one again changes nothing.

        Note `camera.certified` in custody as well.
        """
        device = Device(key_id_of(point), point, self._clock(), CERTIFIED, certificate, keylist)
        self._check(device)
        row = self._row(device.device_id)
        if row is None:
            values = {name: getattr(device, name) for name in _DEVICE}
            with self._database.write("certify") as connection:
                connection.execute(_cameras.insert().prefix_with("OR IGNORE"), {**values, "trial": 0})
            row = self._row(device.device_id)
        if row is None or row.point != point:
            raise EnrolmentRefused(device.device_id.hex()[:16], "another key stands under its id")
        return _device(row)

    def drill(self, device_id: bytes, h_core: bytes, sequence: int) -> None:
        """Its trial recording was opened by the evidence key and by escrow."""
        self._advance(device_id, DRILLED, trial=sequence, trial_h_core=h_core)

    def enrol(self, device_id: bytes) -> None:
        """It took the drill statements: it records for real."""
        self._advance(device_id, ENROLLED)

    def suspend(self, device_id: bytes) -> None:
        """A fork was seen; what it signed before stays signed."""
        self._advance(device_id, SUSPENDED)

    def _advance(self, device_id: bytes, state: str, **values: object) -> None:
        """States only go forward; the same step again changes nothing."""
        with self._database.write(state) as connection:
            found = connection.execute(sa.select(_cameras).where(_cameras.c.device_id == device_id)).first()
            if found is None:
                raise NotFound(device_id.hex())
            if _ORDER.index(found.state) < _ORDER.index(state):
                changed = _cameras.update().where(_cameras.c.device_id == device_id)
                connection.execute(changed.values(state=state, **values))

    def accounted(self, device_id: bytes) -> list[int]:
        """Sequence numbers spent at enrolment: the trial's, and those before it."""
        row = self._row(device_id)
        return list(range(1, row.trial + 1)) if row is not None else []

    def devices(self) -> Iterator[Device]:
        """Every camera, oldest first."""
        with self._database.read() as connection:
            rows = connection.execute(sa.select(_cameras).order_by(_cameras.c.since)).all()
        return iter([_device(row) for row in rows])


_DEVICE = ("device_id", "point", "since", "state", "certificate", "keylist")


def _device(row: sa.Row) -> Device:
    return Device(**{name: getattr(row, name) for name in _DEVICE})


def open_register(config: Config, custody: Any) -> Register:
    """The register of a vault pack."""
    try:
        enrolment = config.certificate("enrolment").read_bytes()
        root = config.certificate("root").read_bytes()
    except OSError as trouble:
        raise FileMissing(trouble.filename, trouble.strerror) from None
    return Register(config.database("register"), enrolment, root, custody)
