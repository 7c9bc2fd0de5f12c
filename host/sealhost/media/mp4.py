"""One MP4 in the making: encoders, tracks, times. It knows frames and samples, never records."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av

from sealhost.errors import MediaBroken
from sealhost.media.plan import Plan

# the clock of the pictures runs at 16 kHz: whole milliseconds are exact, equal ones can stand one tick apart
TICKS_PER_MS = 16
CRF = "18"
_AAC_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)


class Mp4:
    """A context: the tracks stand when it is entered, the file is whole when it is left without an error."""

    def __init__(self, path: Path, plan: Plan, texts: dict[str, str]) -> None:
        if not plan.width and not plan.sound_rate:
            raise MediaBroken(path.stem, "there is no picture and no sound that can be decoded")
        self._name = path.stem
        self._held: av.Packet | None = None
        with self._told():
            self._container = av.open(str(path), "w", format="mp4", options={"movflags": "faststart"})
        self._container.metadata.update(texts)
        self._video: Any = self._picture_track(plan) if plan.width else None
        self._audio: Any = self._sound_track(plan) if plan.sound_rate else None

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (av.error.FFmpegError, OSError) as fault:
            raise MediaBroken(self._name, f"it could not be written, {fault.strerror or fault}") from fault

    def _picture_track(self, plan: Plan) -> Any:
        """No B pictures: decoding order is the order of times, so the stamps need no shift."""
        clock = Fraction(1, 1000 * TICKS_PER_MS)
        options = {"crf": CRF, "preset": "veryfast", "bf": "0", "g": "60"}
        track = self._container.add_stream("libx264", rate=30, options=options)
        track.width, track.height = plan.width + plan.width % 2, plan.height + plan.height % 2
        track.pix_fmt = "yuv420p"
        track.time_base = track.codec_context.time_base = clock
        track.codec_context.thread_count = 2
        _colours(track.codec_context)
        return track

    def _sound_track(self, plan: Plan) -> Any:
        rate = min(_AAC_RATES, key=lambda known: abs(known - plan.sound_rate))
        track = self._container.add_stream("aac", rate=rate, layout="mono")
        track.bit_rate = 64000
        return track

    def __enter__(self) -> Self:
        return self

    def picture(self, frame: av.VideoFrame, tick: int) -> None:
        """Encode one picture of the track's size at its tick; ticks rise."""
        frame.pts, frame.time_base = tick, self._video.codec_context.time_base
        frame.pict_type = 0  # left as decoded, every JPEG would become a key frame
        _colours(frame)
        with self._told():
            self._hold_back(self._video.encode(frame))

    def _hold_back(self, packets: list[av.Packet]) -> None:
        """One packet waits: how long a picture lasts is known when the next one comes."""
        for packet in packets:
            self._let_go(packet.pts)
            self._held = packet

    def _let_go(self, end_tick: int | None) -> None:
        if self._held is not None and self._held.pts is not None and end_tick is not None:
            self._held.duration = max(1, end_tick - self._held.pts)
            self._container.mux(self._held)
        self._held = None

    def finish_pictures(self, end_tick: int) -> None:
        """The last picture lasts until `end_tick`."""
        with self._told():
            self._hold_back(self._video.encode(None))
            self._let_go(end_tick)

    def sound(self, frame: av.AudioFrame) -> None:
        """Encode samples that follow those before."""
        with self._told():
            self._container.mux(self._audio.encode(frame))

    def finish_sound(self) -> None:
        with self._told():
            self._container.mux(self._audio.encode(None))

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            with self._told():
                self._container.close()
            return
        with suppress(av.error.FFmpegError, OSError):  # the first fault is the one to tell
            self._container.close()


def _colours(target: Any) -> None:
    """JFIF: the matrix of BT.601 over sRGB primaries; here in the narrow range every player expects."""
    target.color_range, target.colorspace = 1, 5
    target.color_primaries, target.color_trc = 1, 13
