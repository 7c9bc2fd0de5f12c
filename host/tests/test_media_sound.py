"""Sound to MP4: heard when it was said, silent where it was muted, in step to the end."""

import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from sealhost.media import write_mp4

sys.path.insert(0, str(Path(__file__).resolve().parent))
from films import PICTURE, RATE, SOUND, TOLD, blocks, by_time, jpeg, noise, of, only, street
from pictures import heard, sound_offset_ms, wave

pytestmark = pytest.mark.slow  # decodes and encodes film


def test_the_sound_is_within_forty_milliseconds_of_what_was_fed(tmp_path):
    """CAST 14/14 asks for sound and picture in step, within 40 ms."""
    out = tmp_path / "street.mp4"

    write_mp4(street(), TOLD, out, end_ms=3520)

    played, rate = heard(out)
    assert rate == RATE
    assert abs(sound_offset_ms(wave(of(SOUND, street()), RATE), played, rate)) <= 5


def test_a_mute_gap_is_silence_of_its_own_length_and_later_sound_stays_in_step(tmp_path):
    """Proves AU-8, AU-9."""
    records = [r for r in street() if r[0] != SOUND or not 992 <= r[2] < 2016]
    out = tmp_path / "mute.mp4"

    rendered = write_mp4(records, TOLD, out, end_ms=3520)

    played, _ = heard(out)
    fed = wave(of(SOUND, records), RATE)
    assert rendered.gap_spans == ((992, 2016),)
    assert rendered.gaps == 1
    assert np.abs(played[RATE * 1070 // 1000 : RATE * 1940 // 1000]).max() <= 2
    assert abs(sound_offset_ms(fed[RATE * 2016 // 1000 :], played[RATE * 2016 // 1000 :], RATE)) <= 5


def test_a_mute_of_many_seconds_keeps_later_sound_in_step(tmp_path):
    records = [(PICTURE, 1, ms, jpeg(64, 48, ms // 500)) for ms in range(0, 20000, 500)]
    records = by_time(records, blocks(noise(0.96, 3)), blocks(noise(0.96, 4), at_ms=18000))
    out = tmp_path / "long.mp4"

    rendered = write_mp4(iter(records), TOLD, out, end_ms=20000)

    played, _ = heard(out)
    fed = wave(of(SOUND, records), RATE)
    assert rendered.gap_spans == ((960, 18000),)
    assert abs(sound_offset_ms(fed[17 * RATE :], played[17 * RATE :], RATE)) <= 5
    assert np.abs(played[2 * RATE : 17 * RATE]).max() <= 2


def test_sound_that_begins_late_is_heard_late(tmp_path):
    records = [(PICTURE, 1, ms, jpeg(64, 48, ms // 100)) for ms in range(0, 3000, 100)]
    records = by_time(records, blocks(noise(0.96, 5), at_ms=1500))
    out = tmp_path / "late.mp4"

    rendered = write_mp4(iter(records), TOLD, out)

    assert rendered.gaps == 0
    assert abs(sound_offset_ms(wave(of(SOUND, records), RATE), heard(out)[0], RATE)) <= 5


def test_stamps_that_wobble_by_some_milliseconds_do_not_tear_the_sound(tmp_path):
    wobble = np.random.default_rng(9).integers(-9, 10, 60)
    steady = blocks(noise(1.92, 9))
    records = [
        (track, 0, max(0, ms + int(by)), pcm) for (track, _, ms, pcm), by in zip(steady, wobble, strict=True)
    ]
    out = tmp_path / "wobble.mp4"

    rendered = write_mp4(records, TOLD, out)

    assert (rendered.gaps, rendered.sound_ms) == (0, 1920)
    assert abs(sound_offset_ms(wave(of(SOUND, steady), RATE), heard(out)[0], RATE)) <= 10


@pytest.mark.parametrize("speed", [0.995, 1.005])
def test_a_sound_clock_that_runs_slow_or_fast_never_takes_the_sound_out_of_step(speed, tmp_path):
    steady = blocks(noise(12.8, 4))
    records = [(SOUND, 0, round(ms * speed), pcm) for _, _, ms, pcm in steady]
    out = tmp_path / "drift.mp4"

    write_mp4(records, TOLD, out)

    played, _ = heard(out)
    for _, _, ms, pcm in records[5::50]:
        alone = np.pad(np.frombuffer(pcm, "<i2"), (0, len(played)))
        assert abs(sound_offset_ms(alone, played, RATE) - ms) <= 40


def test_a_block_whose_time_was_already_told_is_left_out_and_counted(tmp_path):
    told = blocks(noise(0.96, 6))
    records = [*told[:20], told[5], *told[20:]]

    rendered = write_mp4(records, TOLD, tmp_path / "twice.mp4")

    assert (rendered.dropped, rendered.dropped_at, rendered.sound_ms) == (1, (160,), 960)


@pytest.mark.parametrize("payload", [b"", b"\x01", b"\x01\x02\x03"])
def test_a_block_that_is_no_run_of_samples_is_left_out_and_counted(payload, tmp_path):
    records = [*blocks(noise(0.32, 7)), (SOUND, 0, 320, payload)]

    rendered = write_mp4(records, TOLD, tmp_path / "odd.mp4")

    assert (rendered.dropped_at, rendered.sound_ms) == ((320,), 320)


def test_without_sound_there_is_no_sound_track(tmp_path):
    """Proves AU-1, AU-2."""
    out = tmp_path / "silent.mp4"

    rendered = write_mp4(only(PICTURE, street()), {"picture": "jpeg", "width": 640, "height": 480}, out)

    with av.open(str(out)) as film:
        assert (len(film.streams.video), len(film.streams.audio)) == (1, 0)
    assert rendered.sound_ms == 0


def test_sound_alone_makes_a_film_of_sound(tmp_path):
    out = tmp_path / "voice.mp4"

    rendered = write_mp4(only(SOUND, street()), TOLD, out)

    with av.open(str(out)) as film:
        assert (len(film.streams.video), len(film.streams.audio)) == (0, 1)
    assert rendered.pictures == 0
    assert abs(sound_offset_ms(wave(of(SOUND, street()), RATE), heard(out)[0], RATE)) <= 5


def test_ima_adpcm_is_heard_at_its_time(tmp_path):
    fed = wave(of(SOUND, street()), RATE)
    out = tmp_path / "adpcm.mp4"

    rendered = write_mp4(adpcm(fed), {"sound": "ima_adpcm", "sound_rate": RATE}, out)

    assert (rendered.dropped, rendered.gaps) == (0, 0)
    assert abs(sound_offset_ms(fed, heard(out)[0], RATE)) <= 5


def adpcm(samples):
    """Blocks of 1024 bytes (2041 samples), each at the time of its first sample."""
    encoder = av.CodecContext.create("adpcm_ima_wav", "w")
    encoder.sample_rate, encoder.layout, encoder.format = RATE, "mono", "s16p"
    encoder.time_base = Fraction(1, RATE)
    encoder.open()
    count = encoder.frame_size
    for at in range(0, len(samples) - count, count):
        block = samples[at : at + count].reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(block, format="s16p", layout="mono")
        frame.sample_rate, frame.pts = RATE, at
        for packet in encoder.encode(frame):
            yield SOUND, 0, round(at * 1000 / RATE), bytes(packet)


@pytest.mark.parametrize("rate", [8000, 11025, 11000, 22050, 44100, 48000])
def test_sound_of_any_rate_is_heard_at_its_time(rate, tmp_path):
    records = blocks(noise(1.8, rate, rate), length_ms=20, rate=rate)
    out = tmp_path / "rate.mp4"

    rendered = write_mp4(records, {"sound": "pcm_s16le", "sound_rate": rate}, out)

    played, shown_rate = heard(out)
    fed = wave(of(SOUND, records), rate)
    fed = np.interp(np.arange(len(fed) * shown_rate // rate) * rate / shown_rate, np.arange(len(fed)), fed)
    assert rendered.gaps == 0
    assert abs(sound_offset_ms(fed, played, shown_rate)) <= 5
