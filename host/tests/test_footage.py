"""Footage of any size, rate, length and kind becomes a reel that looks and sounds the same."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
from films import STREET, clip, entries, footage, hiss, reel
from pictures import heard, jpeg_luma, shown, sound_offset_ms, ssim, wave

pytestmark = pytest.mark.slow  # decodes and encodes film


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
    mono = hiss(rate, 3, "mono").to_ndarray()[0]
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
