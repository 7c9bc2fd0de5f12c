"""Sound records to one unbroken run of samples, silence where there are none. Knows times, no files."""

import io
import struct
from fractions import Fraction

import av

from sealhost.media.mp4 import Mp4
from sealhost.media.plan import Plan

_KEPT = 100
_TOLERANCE_MS = 20  # stamps are rounded and jitter: within this, a block simply follows the one before
_BEHIND_MS = 3000  # silence follows the pictures at this distance, so that neither track waits for the other
_PIECE = 16384  # samples of silence at a time
_WAVE_IMA_ADPCM = 0x11


class Sound:
    """Place every block at its own millisecond on a clock of samples that starts with the recording."""

    def __init__(self, mp4: Mp4, plan: Plan) -> None:
        self.dropped = 0
        self.dropped_at: list[int] = []
        self.gaps = 0
        self.gap_spans: list[tuple[int, int]] = []
        self._mp4 = mp4
        self._codec, self._rate = plan.sound_codec, plan.sound_rate
        self._at = 0  # samples written, silence among them
        self._sound_end: int | None = None  # where the last real sound ended
        self._heard = 0

    @property
    def heard_ms(self) -> int:
        return self._heard * 1000 // self._rate if self._rate else 0

    def add(self, ms: int, payload: bytes) -> None:
        samples = self._decoded(payload)
        if samples is None:
            self.drop(ms)
            return
        start = ms * self._rate // 1000
        if start + len(samples) // 2 <= self._at:  # all of its time is already told
            self.drop(ms)
            return
        self._place(ms, start, samples)

    def _place(self, ms: int, start: int, samples: bytes) -> None:
        tolerance = self._rate * _TOLERANCE_MS // 1000
        if start > self._at + tolerance:
            self._silence(start - self._at)
        if self._sound_end is not None and start > self._sound_end + tolerance:
            self._note_gap(self._sound_end * 1000 // self._rate, ms)
        if start < self._at - tolerance:  # two blocks overlap: the first one counts
            samples = samples[2 * (self._at - start) :]
        self._write(samples)
        self._heard += len(samples) // 2
        self._sound_end = self._at

    def _decoded(self, payload: bytes) -> bytes | None:
        if not self._rate or not payload:
            return None
        if self._codec == "ima_adpcm":
            return _ima_adpcm(payload, self._rate)
        return payload if len(payload) % 2 == 0 else None

    def drop(self, ms: int) -> None:
        self.dropped += 1
        if len(self.dropped_at) < _KEPT:
            self.dropped_at.append(ms)

    def _note_gap(self, from_ms: int, to_ms: int) -> None:
        self.gaps += 1
        if len(self.gap_spans) < _KEPT:
            self.gap_spans.append((from_ms, to_ms))

    def _silence(self, count: int) -> None:
        while count > 0:
            piece = min(count, _PIECE)
            self._write(bytes(2 * piece))
            count -= piece

    def _write(self, samples: bytes) -> None:
        count = len(samples) // 2
        if not count:
            return
        frame = av.AudioFrame(format="s16", layout="mono", samples=count)
        frame.planes[0].update(samples.ljust(frame.planes[0].buffer_size, b"\0"))
        frame.sample_rate, frame.pts, frame.time_base = self._rate, self._at, Fraction(1, self._rate)
        self._mp4.sound(frame)
        self._at += count

    def keep_up(self, ms: int) -> None:
        """The recording has reached `ms`: let the track not fall more than a few seconds behind."""
        if self._rate:
            self._silence((ms - _BEHIND_MS) * self._rate // 1000 - self._at)

    def finish(self) -> int:
        """Flush; answer when the last real sound ends, in ms."""
        if self._rate:
            self._mp4.finish_sound()
        return (self._sound_end or 0) * 1000 // self._rate if self._rate else 0


def _ima_adpcm(block: bytes, rate: int) -> bytes | None:
    """One mono block as in a WAVE file: predictor i16, index u8, zero, then four bits a sample.

    The decoder learns the block's size only from a RIFF header, so each block is given one of its own.
    """
    if not 4 < len(block) <= 0xFFFF:
        return None
    count = (len(block) - 4) * 2 + 1
    speed = rate * len(block) // count
    form = struct.pack("<HHIIHHHH", _WAVE_IMA_ADPCM, 1, rate, speed, len(block), 4, 2, count)
    riff = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(block)) + block
    try:
        file = io.BytesIO(b"RIFF" + struct.pack("<I", len(riff)) + riff)
        with av.open(file, "r", format="wav") as container:
            frames = list(container.decode(audio=0))
    except av.error.FFmpegError:
        return None
    samples = b"".join(bytes(frame.planes[0])[: 2 * frame.samples] for frame in frames)
    return samples or None
