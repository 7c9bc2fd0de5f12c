"""Cameras: who is trusted, and since when.

A camera is known when its certificate verifies under the enrolment key and that key's under the root, its
point hashes to its id, and the custody log holds the entry that it was certified: what only stands in this
database is believed by nobody. docs/format/custody.md, design: enrolments are custody entries.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from sealhost import certificates
from sealhost.database import Database
from sealhost.errors import EnrolmentRefused, NotFound, SealcamError
from sealhost.keys import key_id_of
from sealhost.records import Device
from sealhost.register.tables import cameras

CERTIFIED, DRILLED, ENROLLED = "certified", "drilled", "enrolled"
SUSPENDED, LOST = "suspended", "lost"
_ORDER = (CERTIFIED, DRILLED, ENROLLED, SUSPENDED, LOST)


def utc_ms() -> int:
    """Now."""
    return time.time_ns() // 1_000_000


class Cameras:
    """The cameras of one organisation. `enrolment` and `root` are certificates, PEM or DER.

    `enrolment_before` are those whose key was changed: what they certified stays certified, nothing new does.
    """

    def __init__(
        self,
        path: Path,
        enrolment: bytes,
        root: bytes,
        custody: Any = None,
        clock: Callable[[], int] = utc_ms,
        enrolment_before: Sequence[bytes] = (),
    ) -> None:
        for issuer in (enrolment, *enrolment_before):
            certificates.check(issuer, root)
        self._enrolment, self._custody, self._clock = enrolment, custody, clock
        self._before = tuple(enrolment_before)
        self._database = Database(path, "register")
        self._witnessed: set[str] = set()
        self._read_to = 0

    def get(self, device_id: bytes) -> Device | None:
        """A camera we trust to have signed what it signed, suspended or not; None for any other."""
        row = self._row(device_id)
        if row is None or not self._is_witnessed(device_id):
            return None
        device = _device(row)
        return device if self._was_certified(device) else None

    def _was_certified(self, device: Device) -> bool:
        """Under the enrolment key, or one that was the enrolment key when custody took the camera in."""
        for issuer in (self._enrolment, *self._before):
            try:
                self._check(device, issuer)
            except SealcamError:
                continue
            return True
        return False

    def _row(self, device_id: bytes) -> sa.Row | None:
        with self._database.read() as connection:
            return connection.execute(sa.select(cameras).where(cameras.c.device_id == device_id)).first()

    def _is_witnessed(self, device_id: bytes) -> bool:
        """Whether custody holds `camera.certified` for it; entries are read once."""
        if self._custody is None or device_id.hex() in self._witnessed:
            return True
        for entry in self._custody.entries(self._read_to):
            self._read_to = entry.n + 1
            if entry.event == "camera.certified":
                self._witnessed.add(entry.subject)
        return device_id.hex() in self._witnessed

    def _check(self, device: Device, issuer: bytes) -> None:
        if key_id_of(device.point) != device.device_id:
            raise EnrolmentRefused(device.device_id.hex()[:16], "its point does not hash to its id")
        if certificates.point_of(device.certificate) != device.point:
            raise EnrolmentRefused(device.device_id.hex()[:16], "its certificate is for another key")
        certificates.check(device.certificate, issuer)

    def certify(self, point: bytes, certificate: bytes, keylist: int) -> Device:
        """Take a camera in; the same one again changes nothing.

        Note `camera.certified` in custody as well.
        """
        device = Device(key_id_of(point), point, self._clock(), CERTIFIED, certificate, keylist)
        self._check(device, self._enrolment)
        row = self._row(device.device_id)
        if row is None:
            values = {name: getattr(device, name) for name in _DEVICE}
            with self._database.write("certify") as connection:
                connection.execute(cameras.insert().prefix_with("OR IGNORE"), {**values, "trial": 0})
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

    def lose(self, device_id: bytes) -> None:
        """It is in nobody's hands that we know of; what it signed before stays signed."""
        self._advance(device_id, LOST)

    def found(self, device_id: bytes) -> None:
        """A lost camera is back: it may be docked, and must be enrolled anew before it is issued."""
        with self._database.write("found") as connection:
            was = (cameras.c.device_id == device_id) & (cameras.c.state == LOST)
            connection.execute(cameras.update().where(was).values(state=SUSPENDED))

    def drilled_for(self, device_id: bytes, keylist: int) -> None:
        """It switched to a newer key list, which somebody has shown they can open; versions only rise."""
        older = (cameras.c.device_id == device_id) & (cameras.c.keylist < keylist)
        with self._database.write("drilled") as connection:
            connection.execute(cameras.update().where(older).values(keylist=keylist))

    def _advance(self, device_id: bytes, state: str, **values: object) -> None:
        """States only go forward; the same step again changes nothing."""
        with self._database.write(state) as connection:
            found = connection.execute(sa.select(cameras).where(cameras.c.device_id == device_id)).first()
            if found is None:
                raise NotFound(device_id.hex())
            if _ORDER.index(found.state) < _ORDER.index(state):
                changed = cameras.update().where(cameras.c.device_id == device_id)
                connection.execute(changed.values(state=state, **values))

    def accounted(self, device_id: bytes) -> list[int]:
        """Sequence numbers spent at enrolment: the trial's, and those before it."""
        row = self._row(device_id)
        return list(range(1, row.trial + 1)) if row is not None else []

    def devices(self) -> Iterator[Device]:
        """Every camera, oldest first."""
        with self._database.read() as connection:
            rows = connection.execute(sa.select(cameras).order_by(cameras.c.since)).all()
        return iter([_device(row) for row in rows])


_DEVICE = ("device_id", "point", "since", "state", "certificate", "keylist")


def _device(row: sa.Row) -> Device:
    return Device(**{name: getattr(row, name) for name in _DEVICE})
