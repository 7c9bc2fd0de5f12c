"""One SQLite database, opened with its pragmas and brought up to date.

Tables belong to the modules that name them; here is only how a database is opened, migrated and closed. Every
commit is announced (`durable`). PostgreSQL comes by the same URL later.
"""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.pool import NullPool, QueuePool

from sealhost.durable import durable
from sealhost.errors import StoreFull, StoreUnavailable

_MIGRATIONS = Path(__file__).parent / "migrations"
_BUSY_SECONDS = 30
_FULL = ("database or disk is full", "disk I/O error")
_guards: dict[Path, threading.RLock] = {}
_guards_lock = threading.Lock()


def _guard_of(path: Path) -> threading.RLock:
    """One for a file in this process, however often it is opened: a handle that `drop_cache` closes would end
    the locks of every other connection to it.
    """
    with _guards_lock:
        return _guards.setdefault(path.resolve(), threading.RLock())


class Database:
    """A database file and the name of its migrations."""

    def __init__(self, path: Path, migrations: str, *, drops_cache: bool = False) -> None:
        self.path = Path(path)
        self._migrations = migrations
        self._guard = _guard_of(self.path)
        pool = NullPool if drops_cache else QueuePool  # each close copies the whole log into the database
        self.engine = sa.create_engine(f"sqlite:///{self.path}", poolclass=pool)
        sa.event.listen(self.engine, "connect", _prepare)
        sa.event.listen(self.engine, "begin", _begin)
        with self.trouble():
            self._upgrade()

    @contextmanager
    def write(self, step_name: str) -> Iterator[sa.Connection]:
        """One transaction, begun for writing at once; durable when the block is left, or nothing happened."""
        with self._guard, self.trouble(), self.engine.connect() as connection:
            connection = connection.execution_options(is_write=True)
            with connection.begin():
                yield connection
                durable(step_name)

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A consistent view; nothing is written."""
        with self._guard, self.trouble(), self.engine.connect() as connection, connection.begin():
            yield connection

    def drop_cache(self) -> None:
        """Have the next read come from the medium.

        SQLite's locks end when any handle of the file is closed, so this is for a moment when this process
        has no connection to it.
        """
        with self._guard, self.trouble():
            for path in (self.path, self.path.with_name(self.path.name + "-wal")):
                if path.exists():
                    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                    os.fsync(handle)
                    os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
                    os.close(handle)

    @contextmanager
    def trouble(self) -> Iterator[None]:
        """What the disk or SQLite says, as an error that names the place."""
        try:
            yield
        except (sa.exc.OperationalError, sa.exc.DatabaseError, OSError) as fault:
            if isinstance(fault, sa.exc.IntegrityError):
                raise
            said = str(getattr(fault, "orig", fault))
            raise (StoreFull if said in _FULL else StoreUnavailable)(self.path, said) from None

    def _upgrade(self) -> None:
        """Bring the tables up to date; one process at a time, in one transaction of SQLite."""
        with self._guard, self.alone("lock"), self.engine.connect() as connection:
            if _revision(connection) == newest(self._migrations):
                return
            connection.rollback()
            durable(f"migrate {self._migrations}")
            _migrate(connection.execution_options(is_write=True), self._migrations)

    @contextmanager
    def alone(self, what: str) -> Iterator[None]:
        """While one process or thread does this, any other that would waits; `what` names the file beside."""
        with open(self.path.with_name(f"{self.path.name}.{what}"), "ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def newest(migrations: str) -> str:
    """The revision the tables are to have: files are named by their revision, and each follows the last."""
    return max(path.stem.split("_")[0] for path in (_MIGRATIONS / migrations / "versions").glob("[0-9]*.py"))


def _revision(connection: sa.Connection) -> str | None:
    """The revision the tables have; None of a database that is new."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return found


def _migrate(connection: sa.Connection, migrations: str) -> None:
    from alembic import command  # a fifth of the start of every command, and needed once a release
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS / migrations))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _prepare(connection: object, _record: object) -> None:
    """Pragmas; and leave BEGIN to us, so that tables made in a migration are rolled back with it."""
    connection.isolation_level = None  # type: ignore[attr-defined]
    cursor = connection.cursor()  # type: ignore[attr-defined]
    cursor.execute(f"PRAGMA busy_timeout={_BUSY_SECONDS * 1000}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.execute("PRAGMA recursive_triggers=ON")  # else REPLACE would slip past a trigger on DELETE
    cursor.close()


def _begin(connection: sa.Connection) -> None:
    is_write = connection.get_execution_options().get("is_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")
