"""How alike two pictures are, and how far two sounds are apart: the numbers that tests and demo speak of."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

_WINDOW = 8
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2  # Wang et al. 2004, section III.B, with L = 255


def ssim(a: np.ndarray, b: np.ndarray) -> float:
    """Mean structural similarity of two luma pictures (uint8, same shape): Wang et al. 2004, equation 13.

    Windows are 8 x 8 and uniform, at every place where they fit. 1.0 is the same picture.
    """
    if a.shape != b.shape:
        raise ValueError(f"pictures of {a.shape} and {b.shape} cannot be compared")
    x, y = a.astype(np.float64), b.astype(np.float64)
    mean_x, mean_y = _means(x), _means(y)
    var_x = _means(x * x) - mean_x * mean_x
    var_y = _means(y * y) - mean_y * mean_y
    both = _means(x * y) - mean_x * mean_y
    over = (2 * mean_x * mean_y + _C1) * (2 * both + _C2)
    under = (mean_x * mean_x + mean_y * mean_y + _C1) * (var_x + var_y + _C2)
    return float((over / under).mean())


def _means(x: np.ndarray) -> np.ndarray:
    """The mean of every window, by sums of sums."""
    total = np.zeros((x.shape[0] + 1, x.shape[1] + 1))
    total[1:, 1:] = x.cumsum(0).cumsum(1)
    w = _WINDOW
    return (total[w:, w:] - total[:-w, w:] - total[w:, :-w] + total[:-w, :-w]) / (w * w)


def luma(frame: av.VideoFrame) -> np.ndarray:
    """The frame's luma over the full range 0..255, whatever range it is stored in."""
    rgb = frame.to_ndarray(format="rgb24").astype(np.float64)
    return np.rint(rgb @ (0.299, 0.587, 0.114)).astype(np.uint8)


def jpeg_luma(payload: bytes) -> np.ndarray:
    """The luma of one JPEG."""
    return luma(av.CodecContext.create("mjpeg", "r").decode(av.Packet(payload))[0])


def shown(path: Path | str) -> Iterator[tuple[float, np.ndarray]]:
    """Every picture of a film, as (ms, luma), in order."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield float(frame.pts * frame.time_base * 1000), luma(frame)


def heard(path: Path | str) -> tuple[np.ndarray, int]:
    """The sound of a film as (int16 samples, rate), beginning at time 0 of the film."""
    pieces: list[np.ndarray] = []
    at = 0
    with av.open(str(path)) as container:
        rate = container.streams.audio[0].rate
        resampler = av.AudioResampler(format="s16", layout="mono", rate=rate)
        for frame in container.decode(audio=0):
            start = round(frame.pts * frame.time_base * rate)
            for piece in resampler.resample(frame):
                samples = piece.to_ndarray()[0]
                samples = samples[max(0, at - start) :]
                pieces += [np.zeros(max(0, start - at), np.int16), samples]
                at = max(at, start) + len(samples)
                start = at
    return np.concatenate(pieces) if pieces else np.zeros(0, np.int16), rate


def sound_offset_ms(a: np.ndarray, b: np.ndarray, rate: int) -> float:
    """By how many ms `b` comes later than `a`: where their cross-correlation, over all shifts, peaks."""
    size = 1 << (len(a) + len(b)).bit_length()
    spectrum = np.fft.rfft(a.astype(np.float64), size).conj() * np.fft.rfft(b.astype(np.float64), size)
    lag = int(np.argmax(np.fft.irfft(spectrum, size)))
    return (lag - size if lag > size // 2 else lag) * 1000 / rate


def wave(payloads: list[tuple[int, bytes]], rate: int) -> np.ndarray:
    """PCM blocks, each at its ms, as one run of samples with silence between them."""
    end = max(ms * rate // 1000 + len(payload) // 2 for ms, payload in payloads)
    samples = np.zeros(end, np.int16)
    for ms, payload in payloads:
        start = ms * rate // 1000
        samples[start : start + len(payload) // 2] = np.frombuffer(payload, "<i2")
    return samples
