"""Records to MP4, at the camera's own times: the only room that knows PyAV.

It is handed records that were already proved and opened, and a path to write to; it never touches a key, the
vault or a card. What it writes is readable, so only *viewing* and *disclosure* may call it.
"""

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sealhost.errors import OutputRefused
from sealhost.media.mp4 import Mp4
from sealhost.media.pictures import Pictures
from sealhost.media.plan import PICTURE, SOUND, Record, look_ahead, sane
from sealhost.media.sound import Sound

__all__ = ["Record", "Rendered", "write_mp4"]


@dataclass(frozen=True)
class Rendered:
    """What became of the records. Lists are kept to their first hundred entries, counts are whole."""

    pictures: int
    dropped: int  # picture and sound records that could not be decoded
    sound_ms: int  # of real sound; silence put into gaps is not counted
    gaps: int  # spans without sound records between two that have some
    duration_ms: int
    dropped_at: tuple[int, ...] = ()  # ms of each dropped record
    gap_spans: tuple[tuple[int, int], ...] = ()  # ms of each gap: from, to


def write_mp4(
    records: Iterable[Record],
    description: dict[str, Any] | None,
    out_path: str | os.PathLike[str],
    *,
    end_ms: int | None = None,
    title: str | None = None,
    comment: str | None = None,
    progress: Callable[[float], None] | None = None,
) -> Rendered:
    """Render `(track, flags, ms, payload)` records, in order of time, to H.264 and AAC in `out_path`.

    Every picture keeps its own millisecond, none is made up; gaps in the sound become silence of the same
    length. A picture that does not decode is left out and counted. `description` is the recording's own
    (docs/format/recording.md, section 1.4); without one, the description record in front of the stream is
    used. Memory does not grow with the length. The file appears under its name when it is whole; until then
    it is `out_path.part`, readable by its owner alone, and a cut leaves that. Raises MediaBroken where
    nothing can be shown or the file cannot be written.
    """
    out = Path(out_path)
    part = out.with_name(out.name + ".part")
    try:
        os.close(_made(part))
        rendered = _render(records, description, part, end_ms, {"title": title, "comment": comment}, progress)
        _sync(part)
        os.replace(part, out)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return rendered


def _made(part: Path) -> int:
    """A new file for its owner alone; what a cut left under the name goes first."""
    try:
        part.unlink(missing_ok=True)
        return os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as trouble:
        raise OutputRefused(part.with_suffix(""), trouble.strerror) from None


def _render(
    records: Iterable[Record],
    description: dict[str, Any] | None,
    part: Path,
    end_ms: int | None,
    texts: dict[str, str | None],
    progress: Callable[[float], None] | None,
) -> Rendered:
    plan, records = look_ahead(iter(records), description)
    tell = _teller(progress, end_ms)
    with Mp4(part, plan, {name: text for name, text in texts.items() if text}) as mp4:
        pictures, sound = Pictures(mp4, plan), Sound(mp4, plan)
        for track, _, ms, payload in sane(records, {PICTURE: pictures.drop, SOUND: sound.drop}):
            if track == PICTURE:
                pictures.add(ms, payload)
            elif track == SOUND:
                sound.add(ms, payload)
            sound.keep_up(ms)
            tell(ms)
        duration_ms = max(end_ms or 0, sound.finish(), pictures.finish(end_ms))
    if progress:
        progress(1.0)
    return Rendered(
        pictures=pictures.written,
        dropped=pictures.dropped + sound.dropped,
        sound_ms=sound.heard_ms,
        gaps=sound.gaps,
        duration_ms=duration_ms,
        dropped_at=tuple(sorted(pictures.dropped_at + sound.dropped_at)),
        gap_spans=tuple(sound.gap_spans),
    )


def _teller(progress: Callable[[float], None] | None, end_ms: int | None) -> Callable[[int], None]:
    """Tell of every hundredth part; of nothing where the end is not known."""
    told = 0.0

    def tell(ms: int) -> None:
        nonlocal told
        if progress and end_ms and ms / end_ms >= told + 0.01:
            told = min(ms / end_ms, 0.99)
            progress(told)

    return tell


def _sync(path: Path) -> None:
    with open(path, "rb+") as file:
        os.fsync(file.fileno())
