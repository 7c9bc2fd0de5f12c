"""Records to make films of: a stretch of the street, pictures, noise; and how a film compares with them."""

import functools
import sys
import tempfile
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[2] / "boards" / "unix"))
import footage
import reel
from pictures import jpeg_luma, shown, ssim

ROOT = Path(__file__).resolve().parents[2]
STREET = ROOT / "hil_tests" / "footage" / "street.mp4"
PICTURE, SOUND, EVENT, DESCRIPTION = 1, 2, 4, 5
RATE = 16000
TOLD = {"picture": "jpeg", "width": 640, "height": 480, "sound": "pcm_s16le", "sound_rate": RATE}


@functools.cache
def street(seconds=3.5):
    """The first seconds of the street as records: 35 pictures, 110 blocks of sound that end at 3520 ms."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "street.reel"
        footage.make_reel(STREET, path, seconds=seconds)
        return tuple(read_reel(path))


def read_reel(path):
    """The records of a reel, one at a time."""
    film = reel.Reel(str(path))
    buffer = bytearray(film.longest)
    while (entry := film.next_into(buffer)) is not None:
        track, ms, length = entry
        yield track, int(track == PICTURE), ms, bytes(buffer[:length])
    film.close()


def of(track, records):
    """(ms, payload) of one track."""
    return [(ms, payload) for kind, _, ms, payload in records if kind == track]


def only(track, records):
    """The records of one track."""
    return [record for record in records if record[0] == track]


def compared(path, records):
    """Stamps of the film, stamps that were fed, and the SSIM of each picture with its JPEG."""
    film, fed = list(shown(path)), of(PICTURE, records)
    assert len(film) == len(fed)
    likeness = [ssim(seen, jpeg_luma(payload)) for (_, seen), (_, payload) in zip(film, fed, strict=True)]
    return [ms for ms, _ in film], [ms for ms, _ in fed], likeness


def jpeg(width, height, number=0):
    """A picture with a moving edge and a gradient, as the desk camera would give it."""
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    plane = ((x * 2 + y + 16 * number) % 200 + 20).astype(np.uint8)
    frame = av.VideoFrame.from_ndarray(np.dstack([plane, plane // 2 + 40, 255 - plane]), format="rgb24")
    return footage._jpeg(footage._jpeg_encoder(width, height, 4), frame, 0)


def noise(seconds, seed, rate=RATE):
    """Loud noise as PCM: it has one cross-correlation peak and no other."""
    count = int(seconds * rate)
    loud = np.random.default_rng(seed).integers(-20000, 20000, count)
    return np.convolve(loud, np.ones(8) / 8, "same").astype("<i2").tobytes()


def blocks(pcm, at_ms=0, length_ms=32, rate=RATE):
    """PCM as sound records of `length_ms` each."""
    step = rate * length_ms // 1000 * 2
    return [
        (SOUND, 0, at_ms + length_ms * n, pcm[step * n : step * n + step]) for n in range(len(pcm) // step)
    ]


def by_time(*tracks):
    """Several runs of records as one, in order of time."""
    return sorted((record for track in tracks for record in track), key=lambda record: record[2])


def entries(path):
    """The entries of a reel as (track, ms, payload)."""
    return ((track, ms, payload) for track, _, ms, payload in read_reel(path))


def clip(path, width=64, height=48, stamps=None, sound=None, layout="mono", codec="mpeg4", pix_fmt="yuv420p"):
    """Synthetic footage; `stamps` in ms, `sound` is (rate, seconds) of noise."""
    with av.open(str(path), "w") as film:
        audio = film.add_stream("pcm_s16le", rate=sound[0], layout=layout) if sound else None
        if stamps:
            video = film.add_stream(codec, rate=25)
            video.width, video.height, video.pix_fmt = width, height, pix_fmt
            video.time_base = video.codec_context.time_base = Fraction(1, 1000)
            for number, ms in enumerate(stamps):
                film.mux(video.encode(painted(width, height, number, ms, pix_fmt)))
            film.mux(video.encode(None))
        if audio:
            film.mux(audio.encode(hiss(*sound, layout)))
            film.mux(audio.encode(None))
    return path


def painted(width, height, number, ms, pix_fmt):
    """One frame with a moving edge, in the pixel format asked for."""
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    plane = ((x * 2 + y + 16 * number) % 200 + 20).astype(np.uint8)
    frame = av.VideoFrame.from_ndarray(np.dstack([plane, plane // 2, 255 - plane]), format="rgb24")
    frame = frame.reformat(format=pix_fmt)
    frame.pts, frame.time_base = ms, Fraction(1, 1000)
    return frame


def hiss(rate, seconds, layout):
    """Smooth noise as one audio frame; all channels the same."""
    loud = np.random.default_rng(1).integers(-8000, 8000, int(rate * seconds))
    smooth = np.convolve(loud, np.ones(16) / 16, "same").astype(np.int16)
    channels = 2 if layout == "stereo" else 1
    frame = av.AudioFrame.from_ndarray(
        np.repeat(smooth, channels).reshape(1, -1), format="s16", layout=layout
    )
    frame.sample_rate, frame.pts = rate, 0
    return frame
