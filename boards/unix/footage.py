"""Turn footage of any kind into a reel for the desk camera.

Runs at set-up with CPython and PyAV, never on a device. Reads its input as a stream, picture and sound by two
readers of their own, and holds one of each at a time, whatever the length. The layout: `reel.py` beside it.

Pictures keep their own times (rounded to the millisecond), their size (the first one's, where it changes) and
the sensor's lines: a rotation mark in the container is ignored. Sound becomes 16 kHz mono, in blocks of 512
samples.
"""

import argparse
import heapq
import os
import struct
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av

sys.path.append(str(Path(__file__).resolve().parent))  # beside us, wherever we are called from
import reel

SOUND_RATE = 16000
BLOCK_SAMPLES = 512
QUALITY = 7  # 640x480 comes out at some 30 KB a picture
_GAP_SAMPLES = SOUND_RATE // 20  # a jump of the input's own sound clock beyond this is kept as a gap
_MAX_MS = 0xFFFFFFFF

Entry = tuple[int, int, bytes, int]  # ms, track, payload, duration in ms


class FootageFault(Exception):
    """What is wrong with the footage, in words for a person."""


def make_reel(
    source: Path,
    target: Path,
    quality: int = QUALITY,
    seconds: float | None = None,
    loop: int = 1,
    progress: Callable[[int], None] | None = None,
) -> dict[str, int]:
    """Write `target` from `source`, `loop` times over, at most `seconds` of it; answer the header's counts.

    A power cut in mid-writing leaves `target` as it was, and a `.part` beside it.
    """
    part = target.with_name(target.name + ".part")
    limit_ms = _MAX_MS if seconds is None else round(seconds * 1000)
    try:
        with open(part, "wb") as file:
            counts = _write(file, source, quality, loop, limit_ms, progress)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
    return counts


def _write(file, source, quality, loop, limit_ms, progress) -> dict[str, int]:
    """Entries first; the header, which counts them, over its own empty place at the end."""
    counts = {"pictures": 0, "sounds": 0, "duration_ms": 0, "longest": 0, "length": 0}
    shape: dict[str, int] = {}
    file.write(bytes(reel.HEADER_SIZE))
    start_ms = 0
    for _ in range(loop):
        if start_ms >= limit_ms:
            break
        for ms, track, payload, lasts_ms in _entries(source, quality, shape):
            if start_ms + ms >= limit_ms:
                break
            file.write(struct.pack(reel.ENTRY, reel.MARK, track, 0, start_ms + ms, len(payload)) + payload)
            _count(counts, track, start_ms + ms + lasts_ms, len(payload))
            if progress and track == reel.PICTURE:
                progress(counts["duration_ms"])
        start_ms = counts["duration_ms"]
    if not counts["length"]:
        raise FootageFault(f"{source} holds no picture and no sound that can be decoded")
    file.seek(0)
    file.write(_header(shape, counts))
    return counts


def _count(counts: dict[str, int], track: int, end_ms: int, size: int) -> None:
    if size > reel.MAX_PAYLOAD or end_ms > _MAX_MS:
        raise FootageFault("the footage is too long, or its pictures too large, for a reel")
    counts["pictures" if track == reel.PICTURE else "sounds"] += 1
    counts["duration_ms"] = max(counts["duration_ms"], end_ms)
    counts["longest"] = max(counts["longest"], size)
    counts["length"] += reel.ENTRY_SIZE + size


def _header(shape: dict[str, int], counts: dict[str, int]) -> bytes:
    width, height, rate = (shape.get(name, 0) for name in ("width", "height", "rate"))
    sound_rate = SOUND_RATE if counts["sounds"] else 0
    numbers = (counts[name] for name in ("pictures", "sounds", "duration_ms", "longest", "length"))
    return struct.pack(
        reel.HEADER, reel.MAGIC, reel.VERSION, width, height, 0, rate, sound_rate, *numbers, bytes(16)
    )


def _entries(source: Path, quality: int, shape: dict[str, int]) -> Iterator[Entry]:
    """Both tracks in order of time, a picture before a sound of the same millisecond."""
    yield from heapq.merge(_pictures(source, quality, shape), _sounds(source), key=lambda entry: entry[:2])


def _pictures(source: Path, quality: int, shape: dict[str, int]) -> Iterator[Entry]:
    with _open(source) as container:
        if not container.streams.video:
            return
        stream = container.streams.video[0]
        rate = stream.average_rate or stream.guessed_rate or Fraction(25)
        lasts_ms = max(1, round(1000 / rate))
        shape.setdefault("rate", round(rate * 1000))
        encoder = None
        last_ms = 0
        for number, frame in enumerate(_decoded(container, stream)):
            if encoder is None:
                shape.setdefault("width", frame.width)
                shape.setdefault("height", frame.height)
                encoder = _jpeg_encoder(shape["width"], shape["height"], quality)
            last_ms = max(last_ms, _ms_of(frame, container, number, rate))
            yield last_ms, reel.PICTURE, _jpeg(encoder, frame, number), lasts_ms


def _open(source: Path):
    try:
        return av.open(str(source))
    except (av.error.FFmpegError, OSError) as fault:
        raise FootageFault(f"{source} cannot be opened as footage: {fault.strerror or fault}") from fault


def _decoded(container, stream) -> Iterator:
    """Frames of one stream; a packet that does not decode is passed over, as a player would."""
    stream.thread_type = "AUTO"
    for packet in container.demux(stream):
        try:
            yield from packet.decode()
        except av.error.InvalidDataError:
            print(f"footage: a damaged packet of stream {stream.index} is left out", file=sys.stderr)


def _ms_of(frame, container, number: int, rate: Fraction) -> int:
    """The frame's own time from the start of the footage; without one, its number at the nominal rate."""
    if frame.pts is None:
        return round(number * 1000 / rate)
    start = Fraction(container.start_time or 0, av.time_base)
    return max(0, round((frame.pts * frame.time_base - start) * 1000))


def _jpeg_encoder(width: int, height: int, quality: int):
    if width > 0xFFFF or height > 0xFFFF:
        raise FootageFault(f"pictures of {width}x{height} are too large for a reel")
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuvj420p"
    encoder.time_base = Fraction(1, 1000)
    encoder.thread_count = 1  # with more, pictures come out late
    encoder.options = {"flags": "bitexact", "qmin": str(quality), "qmax": str(quality)}
    return encoder


def _jpeg(encoder, frame, number: int) -> bytes:
    whole = frame.reformat(encoder.width, encoder.height, "yuvj420p", dst_color_range="JPEG")
    whole.pts, whole.time_base = number, encoder.time_base  # the encoder only asks that it rises
    return b"".join(bytes(packet) for packet in encoder.encode(whole))


def _sounds(source: Path) -> Iterator[Entry]:
    """Blocks of `BLOCK_SAMPLES`; the last one, and one before a gap in the input, may be shorter."""
    with _open(source) as container:
        if not container.streams.audio:
            return
        held, start = bytearray(), 0  # samples not yet given, and the number of the first of them
        for at, samples in _resampled(container, container.streams.audio[0]):
            if at is not None and abs(at - start - len(held) // 2) > _GAP_SAMPLES:
                if held:
                    yield _block(start, held)
                held, start = bytearray(), max(start + len(held) // 2, at)
            held += samples
            while len(held) >= 2 * BLOCK_SAMPLES:
                yield _block(start, held[: 2 * BLOCK_SAMPLES])
                del held[: 2 * BLOCK_SAMPLES]
                start += BLOCK_SAMPLES
        if held:
            yield _block(start, held)


def _resampled(container, stream) -> Iterator[tuple[int | None, bytes]]:
    """Runs of 16 kHz mono samples, each with the number its first sample has on the footage's clock."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=SOUND_RATE)
    for frame in _decoded(container, stream):
        at = None
        if frame.pts is not None:
            start = Fraction(container.start_time or 0, av.time_base)
            at = max(0, round((frame.pts * frame.time_base - start) * SOUND_RATE))
        for run in resampler.resample(frame):
            yield at, bytes(run.planes[0])[: 2 * run.samples]
            at = None
    for run in resampler.resample(None):
        yield None, bytes(run.planes[0])[: 2 * run.samples]


def _block(start: int, samples: bytearray) -> Entry:
    ms = start * 1000 // SOUND_RATE
    end_ms = -(-(start + len(samples) // 2) * 1000 // SOUND_RATE)
    return ms, reel.SOUND, bytes(samples), end_ms - ms


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Make a reel for the desk camera from footage.")
    parser.add_argument("source", type=Path, help="any footage with picture, sound or both")
    parser.add_argument("target", type=Path, help="the reel to write")
    parser.add_argument("--quality", type=int, default=QUALITY, help="JPEG quantiser, 2 (best) to 31")
    parser.add_argument("--seconds", type=float, help="stop after this much")
    parser.add_argument("--loop", type=int, default=1, help="so many times over")
    asked = parser.parse_args(arguments)
    if not 2 <= asked.quality <= 31 or asked.loop < 1 or (asked.seconds is not None and asked.seconds <= 0):
        parser.error("quality is 2 to 31, loop at least 1, seconds above 0")
    try:
        counts = make_reel(asked.source, asked.target, asked.quality, asked.seconds, asked.loop, _shown())
    except (FootageFault, OSError) as fault:
        print(f"footage: {fault}", file=sys.stderr)
        return 1
    print(
        f"{asked.target}: {counts['pictures']} pictures, {counts['sounds']} sound blocks,"
        f" {counts['duration_ms'] / 1000:.1f} s, {counts['length'] / 1e6:.1f} MB"
    )
    return 0


def _shown() -> Callable[[int], None] | None:
    """Progress on a terminal, once for every second of footage; none where nobody looks."""
    if not sys.stderr.isatty():
        return None
    return lambda ms: print(f"\r{ms / 1000:.0f} s", end="\r", file=sys.stderr) if ms % 1000 < 100 else None


if __name__ == "__main__":
    sys.exit(main())
