"""How a database is brought up to date without asking the library that does it."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.config import Config
from alembic.script import ScriptDirectory
from sealhost import database

MIGRATIONS = Path(database.__file__).parent / "migrations"


@pytest.mark.parametrize("name", sorted(path.parent.name for path in MIGRATIONS.glob("*/env.py")))
def test_the_newest_file_is_the_head_the_library_would_find(name):
    """A revision that is named out of order would never be applied."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS / name))
    config.set_main_option("path_separator", "os")
    assert database.newest(name) == ScriptDirectory.from_config(config).get_current_head()


def test_a_database_that_is_up_to_date_is_left_alone(tmp_path, monkeypatch):
    """Opened again, nothing migrates; with an older revision in it, it would."""
    path = tmp_path / "custody.sqlite"
    made = database.Database(path, "custody")
    migrated = []
    monkeypatch.setattr(database, "_migrate", lambda connection, name: migrated.append(name))
    database.Database(path, "custody")
    assert migrated == []
    with made.write("an older revision") as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0000'"))
    database.Database(path, "custody")
    assert migrated == ["custody"]
