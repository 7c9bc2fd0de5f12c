"""Every sync, rename and commit of the host, by name, so that a test can cut the power at each.

A step is announced right before it happens: stopping at step n leaves exactly what the n - 1 steps before it
made durable. Nothing here decides what is written.
"""

import os
from collections.abc import Callable
from pathlib import Path

_watcher: Callable[[str], None] | None = None


def watch(watcher: Callable[[str], None] | None) -> None:
    """Have every step announced; None ends it. Steps come from several threads."""
    global _watcher
    _watcher = watcher


def durable(step_name: str) -> None:
    """Announce a step that will survive a power cut."""
    if _watcher is not None:
        _watcher(step_name)


def sync_file(handle: int, step_name: str) -> None:
    """Flush one file to the medium."""
    durable(step_name)
    os.fsync(handle)


def sync_folder(folder: Path, step_name: str) -> None:
    """Flush the names in a folder to the medium."""
    durable(step_name)
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def rename(source: Path, target: Path, step_name: str) -> None:
    """Give a finished file its name, then flush the folder."""
    durable(step_name)
    os.rename(source, target)
    sync_folder(target.parent, f"{step_name} folder")


def write_file(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write aside, flush, rename: a cut leaves the old file, or none, or the whole new one."""
    aside = path.with_name(path.name + ".new")
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(content)
        file.flush()
        sync_file(file.fileno(), f"write {path.name}")
    rename(aside, path, f"name {path.name}")
