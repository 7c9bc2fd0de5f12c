"""What the tests of the dock's work share: an organisation, founded once, and a copy of it with a camera."""

from pathlib import Path

import pytest
from shift import Shift, found


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home to copy; nobody works in it."""
    return found(tmp_path_factory.mktemp("founded") / "home")


@pytest.fixture
def shift(founded: Path, tmp_path: Path) -> Shift:
    """One home with one camera that has filmed nothing yet."""
    return Shift.begin(founded, tmp_path)
