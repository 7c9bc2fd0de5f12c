"""The tree in its database: note, sign, prove, verify.

Two processes may note at once: each takes the database for writing before it reads the size. Entries stay as
they are for ever; the database itself refuses UPDATE and DELETE. docs/format/custody.md.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sealhost import merkle, notes
from sealhost.custody import export
from sealhost.custody.kept import keep, kept
from sealhost.custody.leaf import Entry, Value, leaf_of, parse_leaf
from sealhost.database import Database
from sealhost.errors import CheckpointRefused, CustodyBroken, KeyMissing, KeyTrouble, SealcamError
from sealhost.records import Actor

_tables = sa.MetaData()
_entries = sa.Table(
    "entries", _tables, sa.Column("n", sa.Integer, primary_key=True), sa.Column("leaf", sa.LargeBinary)
)
_nodes = sa.Table(
    "nodes",
    _tables,
    sa.Column("level", sa.Integer, primary_key=True),
    sa.Column("place", sa.Integer, primary_key=True),
    sa.Column("hash", sa.LargeBinary),
)
_checkpoints = sa.Table(
    "checkpoints",
    _tables,
    sa.Column("size", sa.Integer, primary_key=True),
    sa.Column("root", sa.LargeBinary),
    sa.Column("note", sa.Text),
)


@dataclass(frozen=True)
class Report:
    """What `verify` found: all of it fits. `signed` is the size the newest checkpoint signs for."""

    size: int
    root: bytes
    signed: int


def load_key(path: Path) -> Ed25519PrivateKey:
    """The checkpoint key, PKCS#8; KeyMissing or KeyTrouble."""
    try:
        key = serialization.load_pem_private_key(Path(path).read_bytes(), None)
    except FileNotFoundError:
        raise KeyMissing(path) from None
    except (OSError, ValueError, TypeError):
        raise KeyTrouble(path, "it is not a plain PKCS#8 key") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyTrouble(path, "it is not an Ed25519 key")
    return key


class Custody:
    """The tree of one organisation; without a key it notes and verifies, but signs nothing."""

    def __init__(
        self,
        path: Path,
        organisation: bytes,
        public: bytes,
        key: Ed25519PrivateKey | None = None,
        places: Sequence[Path] = (),
    ) -> None:
        self.origin = f"sealcam/{organisation.hex()[:16]}"
        self._public, self._key, self._places = public, key, tuple(places)
        self._database = Database(path, "custody")

    @property
    def vkey(self) -> str:
        """What a stranger checks our checkpoints with."""
        return notes.vkey(self.origin, self._public)

    def note(self, event: str, actor: Actor, subject: str | bytes = "", **detail: Value) -> int:
        """Add an entry; it is durable when its index is returned (C1)."""
        about = subject if isinstance(subject, str) else subject.hex()
        with self._database.write(f"note {event}") as connection:
            size = _size(connection)
            entry = Entry(size, time.time_ns() // 1_000_000, event, actor, about, detail)
            leaf = leaf_of(entry)
            made = merkle.grown(size, merkle.leaf_hash(leaf), _reader(connection))
            connection.execute(_entries.insert(), {"n": size, "leaf": leaf})
            connection.execute(
                _nodes.insert(), [dict(zip(("level", "place", "hash"), n, strict=True)) for n in made]
            )
        return size

    def size(self) -> int:
        """Entries so far."""
        with self._database.read() as connection:
            return _size(connection)

    def head(self) -> tuple[int, bytes]:
        """Size and root of the tree as it is."""
        with self._database.read() as connection:
            size = _size(connection)
            return size, merkle.root(size, _reader(connection))

    def entries(self, start: int = 0) -> Iterator[Entry]:
        """Entries from `start` on, a page at a time; CustodyBroken at one that cannot be read."""
        for n, leaf in self.leaves(start):
            yield _parsed(n, leaf)

    def entry(self, n: int) -> Entry:
        """One entry; IndexError beyond the last."""
        for found, leaf in self.leaves(n):
            if found == n:
                return _parsed(n, leaf)
            break
        raise IndexError(n)

    def leaves(self, start: int = 0) -> Iterator[tuple[int, bytes]]:
        """(index, leaf) from `start` on."""
        while True:
            query = sa.select(_entries).where(_entries.c.n >= start).order_by(_entries.c.n).limit(1000)
            with self._database.read() as connection:
                page = connection.execute(query).all()
            yield from ((row.n, row.leaf) for row in page)
            if not page:
                return
            start = page[-1].n + 1

    def checkpoint(self) -> str:
        """Sign for the tree as it is, having proved that it extends the last one signed (C2)."""
        if self._key is None:
            raise KeyMissing("checkpoint")
        self.refuse_a_rollback()
        with self._database.write("checkpoint") as connection:
            size, read = _size(connection), _reader(connection)
            root = merkle.root(size, read)
            last = connection.execute(
                sa.select(_checkpoints).order_by(_checkpoints.c.size.desc()).limit(1)
            ).first()
            if last is not None:
                self._refuse_unless_extends(last, size, root, read)
                if last.size == size:
                    return str(last.note)
            text = notes.checkpoint_text(notes.Checkpoint(self.origin, size, root))
            note = notes.sign(text, self.origin, self._key)
            connection.execute(_checkpoints.insert(), {"size": size, "root": root, "note": note})
        return note

    def witness(self) -> None:
        """Sign for the tree as it is, and keep that apart from the database (C6)."""
        if self._key is not None and self._places:
            with self._database.alone("witness"):  # two docks at once: the newer one is kept
                keep(self._places, self.checkpoint())

    def refuse_a_rollback(self) -> None:
        """CustodyBroken where the tree does not hold what a kept checkpoint signs for (C6)."""
        for path, note in kept(self._places):
            try:
                signed = notes.parse_checkpoint(notes.check(note, self.origin, self._public))
            except SealcamError:
                raise CheckpointRefused(f"{path} is not a checkpoint of this log") from None
            with self._database.read() as connection:
                size, read = _size(connection), _reader(connection)
                if signed.size > size:
                    raise CustodyBroken(size, f"{path} signs for {signed.size} entries, {size} are there")
                if merkle.root(signed.size, read) != signed.root:
                    raise CustodyBroken(0, f"{path} was signed over {signed.size} other entries")

    def _refuse_unless_extends(self, last: sa.Row, size: int, root: bytes, read: merkle.Read) -> None:
        signed = self._opened(last.note, last.size)
        if signed.size > size:
            raise CheckpointRefused(f"{signed.size} entries were signed for, {size} are there")
        path = merkle.consistency(signed.size, size, read)
        if not merkle.proves_consistency(signed.size, size, signed.root, root, path):
            raise CheckpointRefused(f"the {size} entries do not extend the {signed.size} signed for")

    def _opened(self, note: str, size: int) -> notes.Checkpoint:
        try:
            signed = notes.parse_checkpoint(notes.check(note, self.origin, self._public))
        except SealcamError as wrong:
            raise CheckpointRefused(f"the checkpoint of {size} entries: {wrong}") from None
        if signed.origin != self.origin:
            raise CheckpointRefused(f"the checkpoint of {size} entries is of another log")
        return signed

    def prove(self, index: int, size: int | None = None) -> list[bytes]:
        """The audit path of one entry in the tree of `size` (of all); IndexError beyond it."""
        with self._database.read() as connection:
            return merkle.inclusion(index, _size(connection) if size is None else size, _reader(connection))

    def export(self, folder: Path, asked: Iterable[int] | None = None) -> None:
        """Write the log and how to check it into a new folder; proofs of the entries asked for, or of all."""
        note = self.checkpoint()
        size = notes.parse_checkpoint(notes.check(note, self.origin, self._public)).size
        leaves = (leaf for n, leaf in self.leaves() if n < size)
        wanted = range(size) if asked is None else sorted(set(asked))
        proofs = {n: self.prove(n, size) for n in wanted}
        export.write(Path(folder), leaves, note, self.vkey, size, proofs)

    def verify(self) -> Report:
        """Recompute every hash and check every checkpoint.

        CustodyBroken names the first entry that fails (C4).
        """
        with self._database.read() as connection:
            stored, signed = _reader(connection), self._signed(connection)
            size, proved = _size(connection), 0
            for n, row in enumerate(connection.execution_options(yield_per=1000).execute(_in_order())):
                if row.n != n or _parsed(n, row.leaf).n != n:
                    raise CustodyBroken(n, "an entry is missing or stands in another's place")
                _compare(n, merkle.grown(n, merkle.leaf_hash(row.leaf), stored), stored)
                if n + 1 in signed:
                    if merkle.root(n + 1, stored) != signed[n + 1].root:
                        raise CustodyBroken(
                            proved, f"the checkpoint of {n + 1} entries was signed over others"
                        )
                    proved = n + 1
            beyond = [other for other in signed if other > size]
            if beyond:
                raise CustodyBroken(size, f"{max(beyond)} entries were signed for, {size} are there")
            return Report(size, merkle.root(size, stored), proved)

    def _signed(self, connection: sa.Connection) -> dict[int, notes.Checkpoint]:
        rows = connection.execute(sa.select(_checkpoints)).all()
        opened = {row.size: self._opened(row.note, row.size) for row in rows}
        for row in rows:
            if opened[row.size].size != row.size:
                raise CheckpointRefused(
                    f"the checkpoint of {row.size} entries speaks of {opened[row.size].size}"
                )
        return opened


def _in_order() -> sa.Select:
    return sa.select(_entries).order_by(_entries.c.n)


def _parsed(n: int, leaf: bytes) -> Entry:
    try:
        return parse_leaf(leaf)
    except ValueError as wrong:
        raise CustodyBroken(n, wrong) from None


def _size(connection: sa.Connection) -> int:
    newest = connection.execute(sa.select(sa.func.max(_entries.c.n))).scalar()
    return 0 if newest is None else int(newest) + 1


def _reader(connection: sa.Connection) -> merkle.Read:
    query = sa.select(_nodes.c.hash).where(
        _nodes.c.level == sa.bindparam("at_level"), _nodes.c.place == sa.bindparam("at_place")
    )

    def read(level: int, place: int) -> bytes:
        found = connection.execute(query, {"at_level": level, "at_place": place}).scalar()
        if found is None:
            raise CustodyBroken(place << level, "a hash of the tree is missing")
        return bytes(found)

    return read


def _compare(n: int, made: list[tuple[int, int, bytes]], stored: merkle.Read) -> None:
    for level, place, computed in made:
        if stored(level, place) != computed:
            raise CustodyBroken(n, "it is not what was hashed when it was noted")
