"""The slots, apart from the bodies, under the erasure key.

One database in every store place; rows are only ever inserted. A row's slot area is wrapped (RFC 3394) under
a key that is in no backup: when that key goes, every page and copy of the table is dead. Opens no slot.
"""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import sqlalchemy as sa
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from sealhost.config import STORE_MARKER
from sealhost.database import Database
from sealhost.errors import CopyDamaged, KeyMissing, KeyTrouble, NotFound, SealcamError, StoreUnavailable
from sealhost.records import KeyRow

FILE_NAME = "keytable.sqlite"
_tables = sa.MetaData()
_rows = sa.Table(
    "slots",
    _tables,
    sa.Column("h_core", sa.LargeBinary, primary_key=True),
    sa.Column("device_id", sa.LargeBinary),
    sa.Column("sequence", sa.Integer),
    sa.Column("recording_id", sa.LargeBinary),
    sa.Column("wrapped", sa.LargeBinary),
)


def load_erasure_key(path: Path) -> bytes:
    """The 32 bytes rows are wrapped under; KeyMissing or KeyTrouble."""
    try:
        key = Path(path).read_bytes()
    except FileNotFoundError:
        raise KeyMissing(path) from None
    except OSError as trouble:
        raise KeyTrouble(path, trouble.strerror) from None
    if len(key) != 32:
        raise KeyTrouble(path, "an erasure key is 32 bytes")
    return key


class KeyTable:
    """The key table of one place."""

    def __init__(self, place: Path, erasure_key: bytes) -> None:
        self.place = Path(place)
        self._key = erasure_key
        if not (self.place / STORE_MARKER).is_file():
            raise StoreUnavailable(self.place, "its marker is not there; is the disk mounted?")
        self._database = Database(self.place / FILE_NAME, "keytable", drops_cache=True)

    def insert(self, row: KeyRow) -> None:
        """Add a row; the same row again changes nothing, another one under its name is refused."""
        try:
            self._refuse_unless_same(self.get(row.h_core), row)
        except NotFound:
            with self._database.write("key row") as connection:
                connection.execute(_rows.insert().prefix_with("OR IGNORE"), self._wrapped(row))
            self._refuse_unless_same(self.get(row.h_core), row)

    def _wrapped(self, row: KeyRow) -> dict[str, object]:
        return {
            "h_core": row.h_core,
            "device_id": row.device_id,
            "sequence": row.sequence,
            "recording_id": row.recording_id,
            "wrapped": aes_key_wrap(self._key, row.slot_area),
        }

    def _refuse_unless_same(self, held: KeyRow, row: KeyRow) -> None:
        if held != row:
            raise CopyDamaged(self.place, f"the slots of {row.h_core.hex()}")

    def get(self, h_core: bytes) -> KeyRow:
        """The slots of a recording; NotFound, or KeyTrouble when the row does not unwrap."""
        with self._database.read() as connection:
            found = connection.execute(sa.select(_rows).where(_rows.c.h_core == h_core)).first()
        if found is None:
            raise NotFound(h_core.hex())
        return self._unwrapped(found)

    def _unwrapped(self, found: sa.Row) -> KeyRow:
        try:
            area = aes_key_unwrap(self._key, found.wrapped)
        except (InvalidUnwrap, ValueError):
            raise KeyTrouble(
                self.place / FILE_NAME, f"the row of {found.h_core.hex()} does not unwrap"
            ) from None
        return KeyRow(found.h_core, found.device_id, found.sequence, found.recording_id, area)

    def read_back(self, row: KeyRow) -> None:
        """Read the row from the medium with a new connection and compare; CopyDamaged or NotFound."""
        self._database.drop_cache()
        fresh = KeyTable(self.place, self._key)
        fresh._refuse_unless_same(fresh.get(row.h_core), row)

    def names(self) -> list[bytes]:
        """`h_core` of every row; nothing is unwrapped."""
        with self._database.read() as connection:
            return list(connection.execute(sa.select(_rows.c.h_core)).scalars())

    def rows(self) -> Iterator[KeyRow]:
        """Every row, by name, a page at a time."""
        last = b""
        while True:
            query = sa.select(_rows).where(_rows.c.h_core > last).order_by(_rows.c.h_core).limit(500)
            with self._database.read() as connection:
                page = connection.execute(query).all()
            yield from map(self._unwrapped, page)
            if not page:
                return
            last = page[-1].h_core


class KeyTables:
    """The key tables of every place."""

    def __init__(self, places: Sequence[Path], erasure_key: bytes) -> None:
        self.tables = tuple(KeyTable(place, erasure_key) for place in places)

    def insert(self, row: KeyRow) -> None:
        """Add a row in every place."""
        for table in self.tables:
            table.insert(row)

    def get(self, h_core: bytes) -> KeyRow:
        """From the first place that holds it whole; NotFound, or KeyTrouble where no place does any more."""
        trouble: SealcamError = NotFound(h_core.hex())
        for table in self.tables:
            try:
                return table.get(h_core)
            except NotFound:
                continue
            except KeyTrouble as spoilt:
                trouble = spoilt
        raise trouble

    def read_back(self, row: KeyRow) -> int:
        """Prove the row in every place: how many hold it."""
        for table in self.tables:
            table.read_back(row)
        return len(self.tables)

    def copies(self, h_core: bytes) -> int:
        """How many places hold it."""
        held = 0
        for table in self.tables:
            try:
                table.get(h_core)
                held += 1
            except NotFound:
                continue
        return held

    def names(self) -> set[bytes]:
        """`h_core` of every recording any place knows, whether its row is whole or not."""
        return {name for table in self.tables for name in table.names()}

    def rows(self) -> Iterator[KeyRow]:
        """Every recording any place knows, once each."""
        seen: set[bytes] = set()
        for table in self.tables:
            for row in table.rows():
                if row.h_core not in seen:
                    seen.add(row.h_core)
                    yield row


def digest_of(row: KeyRow) -> bytes:
    """SHA-256 of the slot area: what the core says it must be."""
    return hashlib.sha256(row.slot_area).digest()
