"""The reel: footage of any kind becomes one, and a damaged one is refused, on CPython and MicroPython."""

import os
import struct
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "boards" / "unix"))
import footage
import reel
from pictures import heard, jpeg_luma, shown, sound_offset_ms, ssim, wave

ROOT = Path(__file__).resolve().parents[2]
STREET = ROOT / "hil_tests" / "footage" / "street.mp4"
FUZZ_EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "300"))


def entries(path):
    film = reel.Reel(str(path))
    buffer = bytearray(film.longest)
    while (entry := film.next_into(buffer)) is not None:
        yield entry[0], entry[1], bytes(buffer[: entry[2]])
    film.close()


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
            film.mux(audio.encode(noise(*sound, layout)))
            film.mux(audio.encode(None))
    return path


def painted(width, height, number, ms, pix_fmt):
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    plane = ((x * 2 + y + 16 * number) % 200 + 20).astype(np.uint8)
    frame = av.VideoFrame.from_ndarray(np.dstack([plane, plane // 2, 255 - plane]), format="rgb24")
    frame = frame.reformat(format=pix_fmt)
    frame.pts, frame.time_base = ms, Fraction(1, 1000)
    return frame


def noise(rate, seconds, layout):
    loud = np.random.default_rng(1).integers(-8000, 8000, int(rate * seconds))
    smooth = np.convolve(loud, np.ones(16) / 16, "same").astype(np.int16)
    channels = 2 if layout == "stereo" else 1
    frame = av.AudioFrame.from_ndarray(
        np.repeat(smooth, channels).reshape(1, -1), format="s16", layout=layout
    )
    frame.sample_rate, frame.pts = rate, 0
    return frame


def test_the_street_becomes_a_reel_of_its_pictures_and_its_sound(tmp_path):
    out = tmp_path / "street.reel"

    footage.make_reel(STREET, out)

    film = reel.Reel(str(out))
    read = list(entries(out))
    pictures = [(ms, payload) for track, ms, payload in read if track == reel.PICTURE]
    sounds = [(ms, payload) for track, ms, payload in read if track == reel.SOUND]
    assert (film.width, film.height, film.pictures_per_1000_s, film.sound_rate) == (640, 480, 10000, 16000)
    assert (film.pictures, film.sounds, film.duration_ms) == (len(pictures), len(sounds), 24000)
    assert [ms for ms, _ in pictures] == list(range(0, 24000, 100))
    assert [ms for ms, _ in sounds] == list(range(0, 32 * len(sounds), 32))
    assert {len(payload) for _, payload in sounds} == {1024}
    assert all(20_000 <= len(payload) <= 35_000 for _, payload in pictures)
    played, rate = heard(STREET)
    assert abs(sound_offset_ms(played, wave(sounds, 16000), rate)) <= 2


def test_the_pictures_of_a_reel_look_like_the_footage(tmp_path):
    out = tmp_path / "street.reel"
    footage.make_reel(STREET, out, seconds=2)

    pictures = [payload for track, _, payload in entries(out) if track == reel.PICTURE]

    likeness = [
        ssim(seen, jpeg_luma(payload)) for (_, seen), payload in zip(shown(STREET), pictures, strict=False)
    ]
    assert len(likeness) == 20
    assert min(likeness) >= 0.92  # what a camera's own JPEG costs


def test_footage_of_varying_rate_keeps_its_times(tmp_path):
    stamps = [0, 40, 41, 95, 300, 1234, 1235, 2001]
    source = clip(tmp_path / "in.mkv", stamps=stamps)

    footage.make_reel(source, tmp_path / "out.reel")

    assert [ms for _, ms, _ in entries(tmp_path / "out.reel")] == stamps


@pytest.mark.parametrize("size", [(65, 49), (64, 49), (48, 64), (2, 2), (1280, 720)])
def test_footage_of_any_size_keeps_it(size, tmp_path):
    source = clip(tmp_path / "in.mkv", *size, stamps=[0, 40, 80], codec="ffv1", pix_fmt="yuv444p")

    footage.make_reel(source, tmp_path / "out.reel", quality=4)

    film = reel.Reel(str(tmp_path / "out.reel"))
    assert (film.width, film.height) == size
    assert jpeg_luma(next(entries(tmp_path / "out.reel"))[2]).shape == size[::-1]


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p", "yuv444p", "gray", "yuv420p10le", "bgra"])
def test_footage_of_any_pixel_format_looks_the_same(pix_fmt, tmp_path):
    source = clip(tmp_path / "in.mkv", 128, 96, stamps=[0, 40], codec="ffv1", pix_fmt=pix_fmt)

    footage.make_reel(source, tmp_path / "out.reel", quality=2)

    _, first = next(shown(source))
    assert ssim(first, jpeg_luma(next(entries(tmp_path / "out.reel"))[2])) >= 0.95


@pytest.mark.parametrize(
    ("rate", "layout"), [(44100, "stereo"), (48000, "mono"), (8000, "stereo"), (16000, "mono")]
)
def test_sound_of_any_kind_becomes_sixteen_kilohertz_mono_in_step(rate, layout, tmp_path):
    stamps = range(0, 3000, 40)
    source = clip(tmp_path / "in.mkv", stamps=stamps, sound=(rate, 3), layout=layout)

    footage.make_reel(source, tmp_path / "out.reel")

    read = list(entries(tmp_path / "out.reel"))
    sounds = wave([(ms, payload) for track, ms, payload in read if track == reel.SOUND], 16000)
    mono = noise(rate, 3, "mono").to_ndarray()[0]
    mono = np.interp(np.arange(48000) * rate / 16000, np.arange(len(mono)), mono)
    assert len([1 for track, *_ in read if track == reel.PICTURE]) == 75
    assert abs(len(sounds) - 48000) <= 32
    assert abs(sound_offset_ms(mono, sounds, 16000)) <= 2
    assert [ms for _, ms, _ in read] == sorted(ms for _, ms, _ in read)


def test_footage_without_sound_and_without_pictures(tmp_path):
    mute = clip(tmp_path / "mute.mkv", stamps=[0, 40])
    voice = clip(tmp_path / "voice.wav", sound=(16000, 1))

    footage.make_reel(mute, tmp_path / "mute.reel")
    footage.make_reel(voice, tmp_path / "voice.reel")

    silent, blind = reel.Reel(str(tmp_path / "mute.reel")), reel.Reel(str(tmp_path / "voice.reel"))
    assert (silent.pictures, silent.sounds, silent.sound_rate) == (2, 0, 0)
    assert (blind.width, blind.pictures, blind.sounds, blind.sound_rate) == (0, 0, 32, 16000)
    assert blind.duration_ms == 1000


def test_a_looped_reel_goes_on_where_it_ended_and_seconds_cut_it(tmp_path):
    source = clip(tmp_path / "in.mkv", stamps=range(0, 1000, 100), sound=(16000, 1))

    footage.make_reel(source, tmp_path / "out.reel", loop=3, seconds=2.5)

    read = list(entries(tmp_path / "out.reel"))
    pictures = [ms for track, ms, _ in read if track == reel.PICTURE]
    assert [ms for _, ms, _ in read] == sorted(ms for _, ms, _ in read)
    assert max(ms for _, ms, _ in read) < 2500
    assert pictures == [at + ms for at in (0, 1000, 2000) for ms in range(0, 1000, 100) if at + ms < 2500]


@pytest.mark.parametrize("content", [b"", b"these are words, not footage\n" * 40])
def test_what_is_no_footage_is_refused_in_one_line_and_leaves_nothing(content, tmp_path, capsys):
    source = tmp_path / "words.mp4"
    source.write_bytes(content)

    code = footage.main([str(source), str(tmp_path / "out.reel")])

    said = capsys.readouterr().err
    assert code == 1
    assert said.startswith("footage: ")
    assert said.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["words.mp4"]


def test_footage_that_is_not_there_is_refused(tmp_path, capsys):
    assert footage.main([str(tmp_path / "none.mp4"), str(tmp_path / "out.reel")]) == 1
    assert "none.mp4" in capsys.readouterr().err


def test_a_damaged_stretch_of_footage_costs_only_that_stretch(tmp_path):
    source = tmp_path / "damaged.mkv"
    raw = bytearray(clip(tmp_path / "in.mkv", 64, 48, stamps=range(0, 2000, 40), codec="ffv1").read_bytes())
    for at in range(len(raw) // 2, len(raw) // 2 + 3000):
        raw[at] ^= 0xFF
    source.write_bytes(raw)

    counts = footage.make_reel(source, tmp_path / "out.reel")

    assert 10 < counts["pictures"] <= 50


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A short reel's bytes: 5 pictures, 13 sound blocks."""
    folder = tmp_path_factory.mktemp("small")
    source = clip(folder / "in.mkv", 16, 16, stamps=range(0, 400, 80), sound=(16000, 0.4))
    footage.make_reel(source, folder / "small.reel")
    return (folder / "small.reel").read_bytes()


def test_rewind_begins_again(small, tmp_path):
    path = tmp_path / "small.reel"
    path.write_bytes(small)
    film = reel.Reel(str(path))
    buffer = bytearray(film.longest)
    first = film.next_into(buffer), bytes(buffer)
    while film.next_into(buffer):
        pass
    assert film.next_into(buffer) is None

    film.rewind()

    assert (film.next_into(buffer)[0:2], bytes(buffer)[: first[0][2]]) == (
        first[0][0:2],
        first[1][: first[0][2]],
    )


def test_a_buffer_that_is_too_small_is_refused_before_it_is_written(small, tmp_path):
    path = tmp_path / "small.reel"
    path.write_bytes(small)
    buffer = bytearray(10)

    with pytest.raises(reel.ReelFault, match="does not fit a buffer of 10"):
        reel.Reel(str(path)).next_into(buffer)

    assert buffer == bytes(10)


FIRST = reel.HEADER_SIZE


@pytest.mark.parametrize(
    ("at", "form", "value", "said"),
    [
        (0, "8s", b"SEALCAM\n", "no reel"),
        (8, ">H", 2, "version 2"),
        (14, ">H", 1, "header is damaged"),
        (36, ">I", reel.MAX_PAYLOAD + 1, "header is damaged"),
        (40, ">Q", 2**63, "not as long"),
        (40, ">Q", 5, "not as long"),
        (63, "B", 1, "header is damaged"),
        (FIRST, ">H", 0x5244, "no entry begins at byte 64"),
        (FIRST + 2, "B", 3, "no entry begins at byte 64"),
        (FIRST + 3, "B", 1, "no entry begins at byte 64"),
        (FIRST + 8, ">I", 0, "wrong length"),
        (FIRST + 8, ">I", 0xFFFFFFFF, "wrong length"),
        (FIRST + 4, ">I", 0xFFFFFFFF, "goes back in time"),
    ],
)
def test_each_field_that_lies_is_refused_in_words(at, form, value, said, small, tmp_path):
    path = tmp_path / "lies.reel"
    raw = bytearray(small)
    struct.pack_into(form, raw, at, value)
    path.write_bytes(raw)

    with pytest.raises(reel.ReelFault, match=said):
        list(entries(path))


@pytest.mark.fuzz
@settings(
    max_examples=FUZZ_EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(broken=st.data())
def test_a_broken_reel_is_read_or_refused_and_never_read_past_its_buffer(broken, small, tmp_path):
    raw = bytearray(small)
    for _ in range(broken.draw(st.integers(1, 4))):
        at = broken.draw(st.one_of(st.integers(0, 100), st.integers(0, len(raw) - 1)))
        raw[at] ^= broken.draw(st.integers(1, 255))
    raw = raw[: broken.draw(st.one_of(st.just(len(raw)), st.integers(0, len(raw))))]
    path = tmp_path / "broken.reel"
    path.write_bytes(raw)

    try:
        read = list(entries(path))
    except reel.ReelFault as fault:
        assert str(fault)
    else:
        assert sum(reel.ENTRY_SIZE + len(payload) for _, _, payload in read) + FIRST == len(raw)


@pytest.mark.parametrize("image", ["stock", "ctr"])
def test_micropython_reads_the_same_reel(image, small, tmp_path):
    micropython = ROOT / "build" / "micropython" / image
    if not micropython.exists():
        pytest.skip(f"build/micropython/{image} is not built yet")
    path = tmp_path / "small.reel"
    path.write_bytes(small)
    (tmp_path / "read.py").write_text(
        "import sys\nsys.path.insert(0, sys.argv[1])\nimport reel\nfilm = reel.Reel(sys.argv[2])\n"
        "buffer = bytearray(film.longest)\n"
        "while True:\n    entry = film.next_into(buffer)\n    if entry is None:\n        break\n"
        "    print(entry[0], entry[1], entry[2], sum(memoryview(buffer)[: entry[2]]))\n"
        "film.rewind()\n"
        "try:\n    film.next_into(bytearray(3))\nexcept reel.ReelFault as fault:\n    print(fault)\n"
    )

    command = [str(micropython), str(tmp_path / "read.py"), str(ROOT / "boards" / "unix"), str(path)]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()

    expected = [f"{track} {ms} {len(payload)} {sum(payload)}" for track, ms, payload in entries(path)]
    assert lines[:-1] == expected
    assert "does not fit a buffer of 3" in lines[-1]
