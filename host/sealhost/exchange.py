"""The folder through which a host and a camera exchange files at enrolment; statements.md.

Every file is written under another name and renamed, so the other side never sees half of one. It knows names
and bytes; what they mean and whether they are true is judged elsewhere.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path

from sealhost import durable
from sealhost.errors import PlaceUnreadable

_LARGEST = 4 << 20  # a journal of 16 sectors is far below; anything longer was not made by a camera


class TrialPart:
    """One part of the trial recording, as the camera left it."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._file = open(path, "rb")  # noqa: SIM115 - closed with the object, read in pieces until then
        self.size = os.fstat(self._file.fileno()).st_size

    def read_into(self, offset: int, view: memoryview) -> int:
        """Fill `view` from `offset`; fewer bytes only at the end."""
        try:
            return os.preadv(self._file.fileno(), [view], offset)
        except OSError as fault:
            raise PlaceUnreadable(self.name, fault.strerror) from fault


class Exchange:
    """One folder that both reach."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)

    def prepare(self) -> None:
        """Make the folder where there is none."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as fault:
            raise PlaceUnreadable(self.folder, fault.strerror) from fault

    def has(self, name: str) -> bool:
        return (self.folder / name).is_file()

    def read(self, name: str) -> bytes | None:
        """The whole file, or None where there is none yet."""
        path = self.folder / name
        try:
            with open(path, "rb") as file:
                content = file.read(_LARGEST + 1)
        except FileNotFoundError:
            return None
        except OSError as fault:
            raise PlaceUnreadable(path, fault.strerror) from fault
        if len(content) > _LARGEST:
            raise PlaceUnreadable(path, "it is longer than any camera makes it")
        return content

    def write(self, name: str, content: bytes) -> None:
        """Durable under its name at return; a cut leaves the old file or the new one, never half."""
        try:
            durable.write_file(self.folder / name, content, 0o600)
        except OSError as fault:
            raise PlaceUnreadable(self.folder / name, fault.strerror) from fault

    def remove(self, name: str) -> None:
        """Gone at return, with what a cut left of it aside."""
        for path in (self.folder / name, self.folder / (name + ".new")):
            path.unlink(missing_ok=True)
        durable.sync_folder(self.folder, f"remove {name}")

    def trial_parts(self) -> list[TrialPart]:
        """What is there of the trial recording, in order of name."""
        paths = sorted(self.folder.glob("trial-*.skr"))
        return [TrialPart(path) for path in paths if path.is_file()]

    def wait_for_change(self, seconds: float, idle: Callable[[], None] | None = None) -> bool:
        """Sleep until another set of files is here, at most so long; whether there is."""
        before, until = self._listing(), time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(0.1)
            if self._listing() != before:
                return True
            if idle:
                idle()
        return False

    def _listing(self) -> list[tuple[str, int]]:
        files = (path for path in self.folder.iterdir() if not path.name.endswith(".new"))
        return sorted((path.name, path.stat().st_size) for path in files if path.is_file())
