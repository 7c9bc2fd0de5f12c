"""What the register keeps for the day something is lost: docks with their keys, each camera's newest journal.

An inventory is kept as it was signed; whoever reads it checks the signature again.
"""

from collections.abc import Callable, Iterable

import sqlalchemy as sa

from sealhost.database import Database
from sealhost.errors import NotFound
from sealhost.records import DockPlace
from sealhost.register.tables import docks, inventories, voids
from sealhost.statements import FIELDS, INVENTORY

TRUSTED, WITHDRAWN = "trusted", "withdrawn"


class Holdings:
    """The part of the register that knows docks and inventories."""

    _database: Database
    _clock: Callable[[], int]

    def keep_inventory(self, device_id: bytes, raw: bytes) -> None:
        """The newest inventory of a camera, whose signature the caller has proved; one before it goes.

        One that is older than what is kept, by the camera's own count of starts, changes nothing.
        """
        kept = self.newest_inventory(device_id)
        if kept is not None and _moment(kept[0]) > _moment(raw):
            return
        row = {"device_id": bytes(device_id), "raw": bytes(raw), "at": self._clock()}
        with self._database.write("keep inventory") as connection:
            connection.execute(inventories.insert().prefix_with("OR REPLACE"), row)

    def newest_inventory(self, device_id: bytes) -> tuple[bytes, int] | None:
        """(the file, when it was taken) of a camera; None before its first docking by wire."""
        query = sa.select(inventories).where(inventories.c.device_id == bytes(device_id))
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return (bytes(row.raw), int(row.at)) if row else None

    def keep_voids(self, device_id: bytes, sequences: Iterable[int]) -> None:
        """Numbers an inventory told of as spent on nothing: after the next receipt the camera tells no more
        of them.
        """
        rows = [{"device_id": bytes(device_id), "sequence": sequence} for sequence in sequences]
        if rows:
            with self._database.write("keep voids") as connection:
                connection.execute(voids.insert().prefix_with("OR IGNORE"), rows)

    def voids(self, device_id: bytes) -> list[int]:
        """Every number a camera has ever told of as spent on nothing."""
        query = sa.select(voids.c.sequence).where(voids.c.device_id == bytes(device_id))
        with self._database.read() as connection:
            return sorted(int(row.sequence) for row in connection.execute(query))

    def put_dock(self, dock_id: str, key_ids: list[bytes]) -> DockPlace:
        """A dock and the keys it holds; one that was withdrawn stays withdrawn."""
        row = {"dock_id": dock_id, "key_ids": b"".join(key_ids), "state": TRUSTED, "since": self._clock()}
        with self._database.write("dock") as connection:
            connection.execute(docks.insert().prefix_with("OR IGNORE"), row)
            held = docks.update().where(docks.c.dock_id == dock_id, docks.c.state == TRUSTED)
            connection.execute(held.values(key_ids=row["key_ids"]))
        return self.dock(dock_id)

    def dock(self, dock_id: str) -> DockPlace:
        """A dock by its id; NotFound."""
        found = next((one for one in self.docks() if one.dock_id == dock_id), None)
        if found is None:
            raise NotFound(dock_id)
        return found

    def docks(self) -> list[DockPlace]:
        """Every dock."""
        with self._database.read() as connection:
            rows = connection.execute(sa.select(docks).order_by(docks.c.dock_id)).all()
        return [
            DockPlace(
                row.dock_id,
                tuple(row.key_ids[at : at + 32] for at in range(0, len(row.key_ids), 32)),
                row.state,
                row.since,
            )
            for row in rows
        ]

    def withdraw_dock(self, dock_id: str) -> DockPlace:
        """Its keys are trusted no more; the same again changes nothing."""
        with self._database.write("dock withdrawn") as connection:
            changed = docks.update().where(docks.c.dock_id == dock_id, docks.c.state == TRUSTED)
            connection.execute(changed.values(state=WITHDRAWN, since=self._clock()))
        return self.dock(dock_id)


def _moment(raw: bytes) -> tuple[int, int]:
    """(starts of the camera, milliseconds since the last) as the inventory states them."""
    fields = FIELDS[INVENTORY].parse(raw[len(INVENTORY) + 1 :])
    return int(fields.boot), int(fields.ms)
