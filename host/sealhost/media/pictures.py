"""Picture records to pictures of one size, each at its own time. Knows decoders and sizes, never files."""

from fractions import Fraction

import av

from sealhost.media.mp4 import TICKS_PER_MS, Mp4
from sealhost.media.plan import Plan, decoder_of

_KEPT = 100
_ALONE_MS = 100  # how long the only picture lasts when nobody says


class Pictures:
    """Decode, fit, hand on; a picture that does not decode is left out and counted."""

    def __init__(self, mp4: Mp4, plan: Plan) -> None:
        self.written = 0
        self.dropped = 0
        self.dropped_at: list[int] = []
        self._mp4 = mp4
        self._plan = plan
        self._decoder = decoder_of(plan.picture_codec)
        self._fit: _Fit | None = None
        self._last_tick = -1
        self._interval_ticks = _ALONE_MS * TICKS_PER_MS

    def add(self, ms: int, payload: bytes) -> None:
        frames = self._decoded(ms, payload)
        if frames is None or not self._plan.width:
            self.drop(ms)
            return
        for frame in frames:
            self._write(frame, ms)

    def _decoded(self, ms: int, payload: bytes) -> list[av.VideoFrame] | None:
        """None where the record is damaged. H.264 may hold pictures back; a JPEG comes at once or never."""
        if not payload:  # to the decoder an empty packet would mean the end
            return None
        packet = av.Packet(payload)
        packet.pts = packet.dts = ms
        try:
            frames: list[av.VideoFrame] = self._decoder.decode(packet)
        except av.error.FFmpegError:
            return None
        if any(frame.is_corrupt for frame in frames) or (not frames and self._plan.picture_codec == "mjpeg"):
            return None
        return frames

    def drop(self, ms: int) -> None:
        self.dropped += 1
        if len(self.dropped_at) < _KEPT:
            self.dropped_at.append(ms)

    def _write(self, frame: av.VideoFrame, ms: int) -> None:
        """At the frame's own millisecond; one tick after its forerunner where both bear the same."""
        ms = ms if frame.pts is None else frame.pts
        tick = max(ms * TICKS_PER_MS, self._last_tick + 1)
        if self._last_tick >= 0:
            self._interval_ticks = tick - self._last_tick
        self._mp4.picture(self._fitted(frame), tick)
        self._last_tick = tick
        self.written += 1

    def _fitted(self, frame: av.VideoFrame) -> av.VideoFrame:
        width, height = self._plan.width, self._plan.height
        if (frame.width, frame.height) == (width, height) and not width % 2 and not height % 2:
            return frame.reformat(format="yuv420p", dst_color_range="MPEG")
        if self._fit is None or not self._fit.takes(frame):
            self._fit = _Fit(frame, width, height)
        return self._fit.apply(frame)

    def finish(self, end_ms: int | None) -> int:
        """Flush; answer when the last picture ends: at `end_ms`, else after as long as the one before it."""
        if not self._plan.width:
            return 0
        for frame in self._flushed():
            self._write(frame, frame.pts or 0)
        end_tick = self._last_tick + self._interval_ticks if end_ms is None else end_ms * TICKS_PER_MS
        end_tick = max(end_tick, self._last_tick + TICKS_PER_MS)
        self._mp4.finish_pictures(end_tick)
        return end_tick // TICKS_PER_MS if self.written else 0

    def _flushed(self) -> list[av.VideoFrame]:
        if self._plan.picture_codec == "mjpeg":
            return []
        try:
            frames: list[av.VideoFrame] = self._decoder.decode(None)
        except av.error.FFmpegError:
            return []
        return frames


class _Fit:
    """Another size into the track's: scaled to fit, black around; an odd edge is doubled to be even."""

    def __init__(self, frame: av.VideoFrame, width: int, height: int) -> None:
        self._taken = frame.width, frame.height, frame.format.name
        even_width, even_height = width + width % 2, height + height % 2
        self._graph = av.filter.Graph()
        clock = Fraction(1, 1000)
        source = self._graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=clock
        )
        steps = [("scale", f"{width}:{height}:force_original_aspect_ratio=decrease:out_range=limited")]
        steps += [("format", "yuv444p")]  # with halved colour, an odd edge would be cut off
        if (frame.width, frame.height) == (width, height):
            steps += [("pad", f"{even_width}:{even_height}:0:0")]
            steps += [("fillborders", f"right={width % 2}:bottom={height % 2}:mode=smear")]
        else:
            steps += [("pad", f"{even_width}:{even_height}:(ow-iw)/2:(oh-ih)/2")]
        steps += [("format", "yuv420p")]
        nodes = [self._graph.add(name, words) for name, words in steps]
        self._graph.link_nodes(source, *nodes, self._graph.add("buffersink")).configure()

    def takes(self, frame: av.VideoFrame) -> bool:
        return self._taken == (frame.width, frame.height, frame.format.name)

    def apply(self, frame: av.VideoFrame) -> av.VideoFrame:
        self._graph.push(frame)
        return self._graph.vpull()
