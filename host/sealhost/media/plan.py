"""What an MP4 will hold, decided before its first byte is written.

Looks at the description and at the first records; it decodes one picture for its size and writes nothing.
"""

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import av

PICTURE, SOUND, DESCRIPTION = 1, 2, 5  # docs/format/recording.md, section 1.4
MAX_PIXELS = 8192 * 8192  # a damaged header may claim more than the memory holds

Record = tuple[int, int, int, bytes]  # track, flags, ms, payload

_LONGEST_PAUSE_MS = 24 * 3600 * 1000  # a record further ahead has a broken time; a film cannot wait for it
_LOOK_AHEAD = 16 * 1024 * 1024


@dataclass(frozen=True)
class Plan:
    """Size 0 x 0: no picture track. Sound rate 0: no sound track."""

    picture_codec: str
    width: int
    height: int
    sound_codec: str
    sound_rate: int


def look_ahead(
    records: Iterator[Record], description: dict[str, Any] | None
) -> tuple[Plan, Iterator[Record]]:
    """Answer the plan, and all the records again.

    At most 16 MiB are held back: until both tracks were seen, or the end.
    """
    seen: list[Record] = []
    held = 0
    missing = {PICTURE, SOUND}
    size = (0, 0)
    for record in records:
        track, _, _, payload = record
        seen.append(record)
        held += len(payload)
        if track == DESCRIPTION and description is None:
            description = _parsed(payload)
        if track == PICTURE and size == (0, 0):
            size = _size_of(payload, _codec(description))
        if track == SOUND or size != (0, 0):
            missing.discard(track)
        if not missing or held > _LOOK_AHEAD:
            break
    else:
        return _plan(description, size, SOUND not in missing, ended=True), iter(seen)
    return _plan(description, size, SOUND not in missing, ended=False), itertools.chain(seen, records)


def sane(records: Iterator[Record], drop: dict[int, Callable[[int], None]]) -> Iterator[Record]:
    """Pass records on; one that leaps more than a day ahead of all before it goes to its track's `drop`."""
    reached = 0
    for record in records:
        track, _, ms, _ = record
        if ms > reached + _LONGEST_PAUSE_MS:
            if track in drop:
                drop[track](ms)
            continue
        reached = max(reached, ms)
        yield record


def _parsed(payload: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(payload)
    except ValueError:  # proved, so the camera wrote it so; what can be shown is shown without it
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _codec(description: dict[str, Any] | None) -> str:
    return "h264" if (description or {}).get("picture") == "h264" else "mjpeg"


def _size_of(payload: bytes, codec: str) -> tuple[int, int]:
    """The size of the first picture that decodes; zeros for one that does not."""
    decoder = decoder_of(codec)
    try:
        frames = decoder.decode(av.Packet(payload)) if payload else []
        frames = frames or (decoder.decode(None) if codec == "h264" else [])
    except av.error.FFmpegError:
        return 0, 0
    return (frames[0].width, frames[0].height) if frames else (0, 0)


def decoder_of(codec: str) -> Any:
    """A picture decoder that refuses damage instead of painting over it."""
    decoder = av.CodecContext.create(codec, "r")
    decoder.thread_count = 1  # with more, pictures come out late
    decoder.options = {"max_pixels": str(MAX_PIXELS), "err_detect": "explode"}
    return decoder


def _plan(description: dict[str, Any] | None, size: tuple[int, int], heard: bool, ended: bool) -> Plan:
    said = description or {}
    if size == (0, 0) and not ended:  # pictures may follow after a long run of sound
        size = _bounded(said.get("width")), _bounded(said.get("height"))
    rate = said.get("sound_rate")
    rate = rate if isinstance(rate, int) and 1000 <= rate <= 192000 else 0
    sound = said.get("sound")
    if sound not in ("pcm_s16le", "ima_adpcm") or not (heard or not ended):
        sound, rate = "", 0
    return Plan(_codec(description), *(size if all(size) else (0, 0)), sound, rate)


def _bounded(number: Any) -> int:
    return number if isinstance(number, int) and 0 < number <= 16384 else 0
