"""An index of the vault; may be deleted and rebuilt at any time.

Numbers, times, cameras and what logs say are built again from vault, key table and custody; place and
description come back when the evidence office indexes. Nothing asks it before a wipe what is stored.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from sealhost import layout, usagelog
from sealhost.database import Database
from sealhost.errors import Ambiguous, NotFound
from sealhost.records import Recording, Verdict

_BYTES = {"h_core", "device_id", "recording_id", "last_tag", "body_sha256"}
_WORDS = {"verdict", "marks", "reason", "place", "description", "interpreter"}
_NUMBER_EVENTS = {7: "bookmarks", 8: "mutes", 10: "categories"}
INDEXED = ("place", "description", "interpreter")
_tables = sa.MetaData()


def _column(name: str) -> sa.Column[Any]:
    kind = sa.LargeBinary if name in _BYTES else sa.Text if name in _WORDS else sa.Integer
    return sa.Column(name, kind, primary_key=name == "h_core")


_recordings = sa.Table("recordings", _tables, *[_column(field.name) for field in fields(Recording)])
_log = sa.Table(
    "log_entries",
    _tables,
    sa.Column("device_id", sa.LargeBinary, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    *[sa.Column(name, sa.Integer) for name in ("event", "detail", "sequence", "utc_ms")],
    sa.Column("raw", sa.LargeBinary),
)


class Catalogue:
    """What is where, for people and for `search`."""

    def __init__(self, path: Path) -> None:
        self._database = Database(path, "catalogue")

    def put(self, recording: Recording) -> None:
        """Add a recording, or say anew what is known of it; what was indexed stays."""
        row = _row(_with_index(recording, self.get(recording.h_core)))
        with self._database.write("catalogue row") as connection:
            connection.execute(_recordings.insert().prefix_with("OR REPLACE"), row)

    def get(self, h_core: bytes) -> Recording | None:
        """A recording by name, None when it is not here."""
        return next(iter(self._some(_recordings.c.h_core == h_core)), None)

    def find(self, beginning: str) -> Recording:
        """The recording whose name begins with these hex digits; NotFound or Ambiguous."""
        named = sa.func.lower(sa.func.hex(_recordings.c.h_core))
        found = self._some(named.startswith(beginning.lower(), autoescape=True)) if beginning else []
        if not found:
            raise NotFound(beginning)
        if len(found) > 1:
            raise Ambiguous(beginning)
        return found[0]

    def of_sequence(self, device_id: bytes, sequence: int) -> Recording | None:
        """What a camera sealed under a number."""
        here = (_recordings.c.device_id == device_id) & (_recordings.c.sequence == sequence)
        return next(iter(self._some(here)), None)

    def sequences(self, device_id: bytes) -> list[int]:
        """Every number of a camera that is stored."""
        return [recording.sequence for recording in self._some(_recordings.c.device_id == device_id)]

    def all(self) -> list[Recording]:
        """Everything, oldest first."""
        return self._some(sa.true())

    def search(
        self,
        device_id: bytes | None = None,
        kind: int | None = None,
        since: int | None = None,
        until: int | None = None,
        verdict: Verdict | None = None,
    ) -> list[Recording]:
        """Recordings that fit everything asked; times are UTC milliseconds of the start."""
        asked = [
            (device_id, _recordings.c.device_id == device_id),
            (kind, _recordings.c.kind == kind),
            (since, _recordings.c.start_utc_ms >= (since or 0)),
            (until, _recordings.c.start_utc_ms < (until or 0)),
            (verdict, _recordings.c.verdict == (verdict.name if verdict else "")),
        ]
        return self._some(sa.and_(sa.true(), *[rule for value, rule in asked if value is not None]))

    def _some(self, rule: sa.ColumnElement[bool]) -> list[Recording]:
        order = (_recordings.c.device_id, _recordings.c.sequence, _recordings.c.h_core)
        with self._database.read() as connection:
            rows = connection.execute(sa.select(_recordings).where(rule).order_by(*order)).mappings().all()
        return [_recording(dict(row)) for row in rows]

    def describe(self, h_core: bytes, described: dict[str, Any]) -> None:
        """What the evidence office read in the description records."""
        values = {
            "description": json.dumps(described, sort_keys=True),
            "place": _word(described, "place"),
            "interpreter": _word(described, "interpreter"),
        }
        with self._database.write("describe") as connection:
            changed = _recordings.update().where(_recordings.c.h_core == h_core).values(values)
            if connection.execute(changed).rowcount == 0:
                raise NotFound(h_core.hex())

    def put_log(self, device_id: bytes, entries: Iterable[usagelog.Entry]) -> None:
        """Keep entries of a camera's log; those that are here already stay."""
        rows = _log_rows(device_id, entries)
        if rows:
            with self._database.write("log entries") as connection:
                connection.execute(_log.insert().prefix_with("OR IGNORE"), rows)

    def log_tail(self, device_id: bytes) -> list[bytes]:
        """The entries of a camera that are known, 128 bytes each, in order:

        what the next segment continues.
        """
        query = sa.select(_log.c.raw).where(_log.c.device_id == device_id).order_by(_log.c.number)
        with self._database.read() as connection:
            return [bytes(raw) for raw in connection.execute(query).scalars()]

    def log_of(self, device_id: bytes, sequence: int | None = None) -> list[usagelog.Entry]:
        """What a camera's log says, of one of its files or of all."""
        entries = [usagelog.parse(raw) for raw in self.log_tail(device_id)]
        return [e for e in entries if e is not None and sequence in (None, e.sequence)]

    def told(self, recording: Recording) -> dict[str, int]:
        """Bookmarks, mutes and categories its camera's log tells of.

        What a host knows without the evidence key.
        """
        counts = dict.fromkeys(_NUMBER_EVENTS.values(), 0)
        for entry in self.log_of(recording.device_id, recording.sequence):
            if entry.event in _NUMBER_EVENTS:
                counts[_NUMBER_EVENTS[entry.event]] += 1
        return counts

    def replace_all(self, recordings: Iterable[Recording], logs: dict[bytes, list[usagelog.Entry]]) -> None:
        """Start again from these rows; what was indexed stays with the recordings that stay."""
        indexed = {row.h_core: row for row in self.all()}
        kept = [_with_index(recording, indexed.get(recording.h_core)) for recording in recordings]
        entries = [row for device_id, own in logs.items() for row in _log_rows(device_id, own)]
        with self._database.write("catalogue rebuilt") as connection:
            connection.execute(_recordings.delete())
            connection.execute(_log.delete())
            for table, rows in ((_recordings, [_row(recording) for recording in kept]), (_log, entries)):
                if rows:
                    connection.execute(table.insert(), rows)


def _row(recording: Recording) -> dict[str, Any]:
    return asdict(recording) | {"verdict": recording.verdict.name}


def _with_index(recording: Recording, known: Recording | None) -> Recording:
    """What the evidence office told of it stays, unless it is told anew."""
    if known is None:
        return recording
    return replace(recording, **{n: getattr(known, n) for n in INDEXED if getattr(recording, n) is None})


def _log_rows(device_id: bytes, entries: Iterable[usagelog.Entry]) -> list[dict[str, Any]]:
    names = ("number", "event", "detail", "sequence", "utc_ms")
    return [
        {"device_id": device_id, "raw": _raw(entry), **{name: getattr(entry, name) for name in names}}
        for entry in entries
    ]


def _recording(row: dict[str, Any]) -> Recording:
    row["verdict"] = Verdict[row["verdict"]]
    for name in ("confirmed", "ended"):
        row[name] = bool(row[name])
    return Recording(**row)


def _word(described: dict[str, Any], name: str) -> str | None:
    value = described.get(name)
    return value if isinstance(value, str) else None


def _raw(entry: usagelog.Entry) -> bytes:
    """The 128 bytes an entry was read from; its digest says whether they are the same."""
    named = {field.name: getattr(entry, field.name) for field in fields(entry)}
    return bytes(layout.LOG_ENTRY.build({**named, "magic": usagelog.MAGIC, "reserved": 0}))
