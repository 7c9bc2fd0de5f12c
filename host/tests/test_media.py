"""Records to MP4: what was filmed is what is shown, at its own time, and what cannot be shown is said."""

import resource
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from sealhost.errors import MediaBroken
from sealhost.media import write_mp4

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "boards" / "unix"))
import footage
import reel
from pictures import heard, jpeg_luma, shown, sound_offset_ms, ssim, wave

ROOT = Path(__file__).resolve().parents[2]
STREET = ROOT / "hil_tests" / "footage" / "street.mp4"
PICTURE, SOUND, EVENT, DESCRIPTION = 1, 2, 4, 5
RATE = 16000
TOLD = {"picture": "jpeg", "width": 640, "height": 480, "sound": "pcm_s16le", "sound_rate": RATE}


def read_reel(path):
    film = reel.Reel(str(path))
    buffer = bytearray(film.longest)
    while (entry := film.next_into(buffer)) is not None:
        track, ms, length = entry
        yield track, int(track == PICTURE), ms, bytes(buffer[:length])
    film.close()


@pytest.fixture(scope="module")
def street(tmp_path_factory):
    """Three and a half seconds of the street, as records: 35 pictures, sound."""
    path = tmp_path_factory.mktemp("reel") / "street.reel"
    footage.make_reel(STREET, path, seconds=3.5)
    return list(read_reel(path))


def of(track, records):
    return [(ms, payload) for kind, _, ms, payload in records if kind == track]


def only(track, records):
    return [record for record in records if record[0] == track]


def compared(path, records):
    """Stamps of film and records side by side, and the SSIM of each picture."""
    film, fed = list(shown(path)), of(PICTURE, records)
    assert len(film) == len(fed)
    likeness = [ssim(seen, jpeg_luma(payload)) for (_, seen), (_, payload) in zip(film, fed, strict=True)]
    return [ms for ms, _ in film], [ms for ms, _ in fed], likeness


def jpeg(width, height, number=0):
    """A picture with a moving edge and a gradient, as the desk camera would give it."""
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    plane = ((x * 2 + y + 16 * number) % 200 + 20).astype(np.uint8)
    frame = av.VideoFrame.from_ndarray(np.dstack([plane, plane // 2 + 40, 255 - plane]), format="rgb24")
    encoder = footage._jpeg_encoder(width, height, 4)
    return footage._jpeg(encoder, frame, 0)


def tone(ms, length_ms=32, hertz=440):
    at = np.arange(length_ms * RATE // 1000) + ms * RATE // 1000
    return (9000 * np.sin(2 * np.pi * hertz * at / RATE)).astype("<i2").tobytes()


def test_every_picture_is_shown_once_at_its_own_millisecond_and_looks_like_what_was_fed(street, tmp_path):
    out = tmp_path / "street.mp4"

    rendered = write_mp4(street, TOLD, out, end_ms=3520)

    stamps, fed, likeness = compared(out, street)
    assert stamps == fed
    assert min(likeness) >= 0.95
    assert (rendered.pictures, rendered.dropped, rendered.duration_ms) == (35, 0, 3520)


def test_the_sound_is_within_forty_milliseconds_of_what_was_fed(street, tmp_path):
    """Proves Part C, CAST 14/14: synchronised audio and video."""
    out = tmp_path / "street.mp4"

    write_mp4(street, TOLD, out, end_ms=3520)

    played, rate = heard(out)
    assert rate == RATE
    assert abs(sound_offset_ms(wave(of(SOUND, street), RATE), played, rate)) <= 5


@pytest.mark.slow
def test_the_whole_street_is_shown_and_heard(tmp_path):
    film = tmp_path / "street.reel"
    footage.make_reel(STREET, film)
    records, out = list(read_reel(film)), tmp_path / "street.mp4"

    rendered = write_mp4(iter(records), TOLD, out, end_ms=24000)

    stamps, fed, likeness = compared(out, records)
    assert rendered.pictures == 240
    assert stamps == fed
    assert min(likeness) >= 0.95
    assert abs(sound_offset_ms(wave(of(SOUND, records), RATE), heard(out)[0], RATE)) <= 5


def test_pictures_with_jittered_times_and_a_late_start_keep_them_exactly(street, tmp_path):
    jitter = np.random.default_rng(7).integers(3, 700, 35).cumsum()
    payloads = [payload for _, payload in of(PICTURE, street)]
    records = [(PICTURE, 1, int(ms) + 1234, payload) for ms, payload in zip(jitter, payloads, strict=True)]
    out = tmp_path / "jitter.mp4"

    write_mp4(records, {"picture": "jpeg"}, out)

    stamps, fed, likeness = compared(out, records)
    assert stamps == fed
    assert min(likeness) >= 0.95


def test_two_pictures_of_one_millisecond_are_both_shown(tmp_path):
    records = [(PICTURE, 1, ms, jpeg(64, 48, number)) for number, ms in enumerate((0, 100, 100, 100, 200))]
    out = tmp_path / "twins.mp4"

    rendered = write_mp4(records, {"picture": "jpeg"}, out)

    assert rendered.pictures == 5
    assert [int(ms) for ms, _ in shown(out)] == [0, 100, 100, 100, 200]


def test_a_mute_gap_is_silence_of_its_own_length_and_later_sound_stays_in_step(street, tmp_path):
    """Proves AU-8, AU-9."""
    records = [r for r in street if r[0] != SOUND or not 992 <= r[2] < 2016]
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
    noise = np.random.default_rng(3).integers(-8000, 8000, RATE).astype("<i2").tobytes()
    blocks = [noise[1024 * n : 1024 * n + 1024] for n in range(30)]
    records += [(SOUND, 0, at + 32 * n, block) for at in (0, 18000) for n, block in enumerate(blocks)]
    records.sort(key=lambda record: record[2])
    out = tmp_path / "long.mp4"

    rendered = write_mp4(iter(records), TOLD, out, end_ms=20000)

    played, _ = heard(out)
    fed = wave(of(SOUND, records), RATE)
    assert rendered.gap_spans == ((960, 18000),)
    assert abs(sound_offset_ms(fed[17 * RATE :], played[17 * RATE :], RATE)) <= 5
    assert np.abs(played[2 * RATE : 17 * RATE]).max() <= 2


def test_sound_that_begins_late_is_heard_late(tmp_path):
    records = [(PICTURE, 1, ms, jpeg(64, 48, ms // 100)) for ms in range(0, 3000, 100)]
    noise = np.random.default_rng(5).integers(-8000, 8000, RATE).astype("<i2").tobytes()
    records += [(SOUND, 0, 1500 + 32 * n, noise[1024 * n : 1024 * n + 1024]) for n in range(30)]
    records.sort(key=lambda record: record[2])
    out = tmp_path / "late.mp4"

    rendered = write_mp4(iter(records), TOLD, out)

    assert rendered.gaps == 0
    assert abs(sound_offset_ms(wave(of(SOUND, records), RATE), heard(out)[0], RATE)) <= 5


def test_stamps_that_wobble_by_some_milliseconds_do_not_tear_the_sound(tmp_path):
    wobble = np.random.default_rng(9).integers(-6, 7, 60)
    records = [(SOUND, 0, max(0, 32 * n + int(wobble[n])), tone(32 * n)) for n in range(60)]
    out = tmp_path / "wobble.mp4"

    rendered = write_mp4(records, TOLD, out)

    assert (rendered.gaps, rendered.sound_ms) == (0, 1920)


def test_a_clock_that_runs_from_the_sound_never_takes_it_out_of_step(tmp_path):
    noise = np.random.default_rng(4).integers(-8000, 8000, 400 * 512).astype("<i2").tobytes()
    slow = [(SOUND, 0, round(32.1 * n), noise[1024 * n : 1024 * n + 1024]) for n in range(400)]
    out = tmp_path / "drift.mp4"

    write_mp4(slow, TOLD, out)

    played, _ = heard(out)
    last = wave([(0, payload) for _, _, _, payload in slow[-20:-19]], RATE)
    found = sound_offset_ms(np.pad(last, (0, len(played) - len(last))), played, RATE)
    assert abs(found - slow[-20][2]) <= 40


def test_without_sound_there_is_no_sound_track(street, tmp_path):
    """Proves AU-1, AU-2."""
    out = tmp_path / "silent.mp4"

    rendered = write_mp4(only(PICTURE, street), {"picture": "jpeg", "width": 640, "height": 480}, out)

    with av.open(str(out)) as film:
        assert (len(film.streams.video), len(film.streams.audio)) == (1, 0)
    assert rendered.sound_ms == 0


def test_sound_alone_makes_a_film_of_sound(street, tmp_path):
    out = tmp_path / "voice.mp4"

    rendered = write_mp4(only(SOUND, street), TOLD, out)

    with av.open(str(out)) as film:
        assert (len(film.streams.video), len(film.streams.audio)) == (0, 1)
    assert rendered.pictures == 0
    assert abs(sound_offset_ms(wave(of(SOUND, street), RATE), heard(out)[0], RATE)) <= 5


def test_one_picture_is_a_film_as_long_as_the_recording(tmp_path):
    out = tmp_path / "one.mp4"

    rendered = write_mp4([(PICTURE, 1, 40, jpeg(64, 48))], {"picture": "jpeg"}, out, end_ms=900)

    with av.open(str(out)) as film:
        assert film.start_time + film.duration == 900_000
    assert (rendered.pictures, rendered.duration_ms) == (1, 900)
    assert [ms for ms, _ in shown(out)] == [40]


@pytest.mark.parametrize("records", [[], [(EVENT, 0, 5, b"\x01")], [(PICTURE, 1, 5, b"\xff\xd8\xff\xd9")]])
def test_nothing_that_can_be_shown_is_said_and_leaves_no_file(records, tmp_path):
    with pytest.raises(MediaBroken, match="no picture and no sound"):
        write_mp4(records, TOLD, tmp_path / "none.mp4")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole[: len(whole) // 2] + b"\xff\xd9",
        lambda whole: whole[:9000] + bytes(6000) + whole[15000:],
        lambda whole: b"not a picture" * 50,
        lambda whole: b"\xff\xd8\xff\xd9",
        lambda whole: b"",
    ],
    ids=["half", "half with an end", "a hole", "text", "only marks", "empty"],
)
@pytest.mark.parametrize("place", [0, 3])
def test_a_damaged_picture_is_left_out_and_counted_and_the_rest_is_shown(damage, place, street, tmp_path):
    records = only(PICTURE, street)[:6]
    track, flags, ms, whole = records[place]
    records[place] = (track, flags, ms, damage(whole))
    out = tmp_path / "damaged.mp4"

    rendered = write_mp4(records, TOLD, out)

    good = records[:place] + records[place + 1 :]
    assert (rendered.pictures, rendered.dropped, rendered.dropped_at) == (5, 1, (ms,))
    stamps, fed, likeness = compared(out, good)
    assert stamps == fed
    assert min(likeness) >= 0.95


def test_a_picture_that_claims_more_pixels_than_a_memory_holds_is_left_out(tmp_path):
    good = jpeg(64, 48)
    at = good.index(b"\xff\xc0") + 5
    huge = good[:at] + b"\xff\xf0\xff\xf0" + good[at + 4 :]
    out = tmp_path / "huge.mp4"

    rendered = write_mp4([(PICTURE, 1, 0, good), (PICTURE, 1, 100, huge)], {"picture": "jpeg"}, out)

    assert (rendered.pictures, rendered.dropped_at) == (1, (100,))


@pytest.mark.parametrize("size", [(63, 47), (64, 47), (63, 48), (1, 1), (480, 640), (176, 144)])
def test_pictures_of_any_size_are_shown_whole(size, tmp_path):
    width, height = size
    records = [(PICTURE, 1, 40 * number, jpeg(width, height, number)) for number in range(5)]
    out = tmp_path / "odd.mp4"

    write_mp4(records, {"picture": "jpeg"}, out)

    film = list(shown(out))
    assert [ms for ms, _ in film] == [0, 40, 80, 120, 160]
    assert film[0][1].shape == (height + height % 2, width + width % 2)
    for (_, seen), (_, payload) in zip(film, of(PICTURE, records), strict=True):
        fed = jpeg_luma(payload).astype(int)
        assert np.abs(seen[:height, width - 1].astype(int) - fed[:, -1]).mean() < 8  # no edge is lost
        assert min(size) < 8 or ssim(seen[:height, :width], fed) >= 0.95


def test_pictures_that_change_their_size_are_all_shown_in_the_first_one_s(tmp_path):
    sizes = [(160, 120), (160, 120), (320, 240), (120, 160), (161, 121), (160, 120)]
    records = [(PICTURE, 1, 100 * number, jpeg(*size, number)) for number, size in enumerate(sizes)]
    out = tmp_path / "sizes.mp4"

    rendered = write_mp4(records, {"picture": "jpeg"}, out)

    film = list(shown(out))
    assert rendered.pictures == 6
    assert [ms for ms, _ in film] == [0, 100, 200, 300, 400, 500]
    assert {seen.shape for _, seen in film} == {(120, 160)}
    assert film[3][1][:, :30].max() <= 4  # upright: black at both sides
    assert ssim(film[5][1], jpeg_luma(records[5][3])) >= 0.95


def test_ima_adpcm_is_heard_at_its_time(street, tmp_path):
    fed = wave(of(SOUND, street), RATE)
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


def test_h264_access_units_keep_their_times(street, tmp_path):
    fed = of(PICTURE, street)[:20]
    records = list(access_units(fed))
    out = tmp_path / "h264.mp4"

    rendered = write_mp4(records, {"picture": "h264", "width": 640, "height": 480}, out)

    film = list(shown(out))
    assert (rendered.pictures, rendered.dropped) == (20, 0)
    assert [ms for ms, _ in film] == [ms for ms, _ in fed]
    assert min(ssim(a, jpeg_luma(b)) for (_, a), (_, b) in zip(film, fed, strict=True)) >= 0.95


def access_units(fed):
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 640, 480, "yuv420p"
    encoder.time_base = Fraction(1, 1000)
    encoder.options = {"crf": "15", "preset": "ultrafast", "tune": "zerolatency"}
    encoder.color_range = 1
    for ms, payload in fed:
        frame = av.CodecContext.create("mjpeg", "r").decode(av.Packet(payload))[0]
        frame = frame.reformat(format="yuv420p", dst_color_range="MPEG")
        frame.pts, frame.time_base, frame.pict_type = ms, encoder.time_base, 0
        for packet in encoder.encode(frame):
            yield PICTURE, int(packet.is_keyframe), packet.pts, bytes(packet)


@pytest.mark.parametrize("rate", [8000, 11025, 11000, 22050, 44100, 48000])
def test_sound_of_any_rate_is_heard_at_its_time(rate, tmp_path):
    noise = np.random.default_rng(rate).integers(-8000, 8000, 2 * rate).astype("<i2")
    noise = np.convolve(noise, np.ones(8) / 8, "same").astype("<i2").tobytes()
    step = rate // 50 * 2  # 20 ms
    records = [(SOUND, 0, 20 * n, noise[step * n : step * n + step]) for n in range(90)]
    out = tmp_path / "rate.mp4"

    rendered = write_mp4(records, {"sound": "pcm_s16le", "sound_rate": rate}, out)

    played, shown_rate = heard(out)
    fed = wave(of(SOUND, records), rate)
    fed = np.interp(np.arange(len(fed) * shown_rate // rate) * rate / shown_rate, np.arange(len(fed)), fed)
    assert rendered.gaps == 0
    assert abs(sound_offset_ms(fed, played, shown_rate)) <= 5


def test_the_description_may_come_with_the_records(street, tmp_path):
    told = b'{"picture": "jpeg", "sound": "pcm_s16le", "sound_rate": 16000}'

    rendered = write_mp4([(DESCRIPTION, 0, 0, told), *street], None, tmp_path / "told.mp4")

    assert (rendered.pictures, rendered.sound_ms) == (35, sum(len(p) for _, p in of(SOUND, street)) // 32)


def test_title_and_comment_are_in_the_film_and_progress_only_rises(street, tmp_path):
    steps = []
    out = tmp_path / "told.mp4"

    said = {"title": "0007", "comment": "cut short after chunk 57"}
    write_mp4(street, TOLD, out, end_ms=3520, progress=steps.append, **said)

    with av.open(str(out)) as film:
        assert {name: film.metadata[name] for name in said} == said
    assert steps == sorted(steps)
    assert steps[-1] == 1.0
    assert len(steps) > 10


def test_a_fault_in_the_records_leaves_neither_a_film_nor_a_part_of_one(street, tmp_path):
    def torn():
        yield from street[:20]
        raise RuntimeError("the chunk after this does not prove")

    with pytest.raises(RuntimeError, match="does not prove"):
        write_mp4(torn(), TOLD, tmp_path / "torn.mp4")

    assert list(tmp_path.iterdir()) == []


def test_the_film_is_for_its_owner_alone_and_replaces_an_older_one(street, tmp_path):
    out = tmp_path / "own.mp4"
    out.write_bytes(b"older")
    (tmp_path / "own.mp4.part").write_bytes(b"left by a run that was killed")

    write_mp4(street[:20], TOLD, out)

    assert out.stat().st_mode & 0o777 == 0o600
    assert out.read_bytes()[4:8] == b"ftyp"
    assert [path.name for path in tmp_path.iterdir()] == ["own.mp4"]


def test_a_full_disk_is_said(street, tmp_path):
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (60000, 60000));"
        "sys.path[:0] = sys.argv[1:3]; import test_media as t; from pathlib import Path;"
        "film = list(t.read_reel(sys.argv[3]));\n"
        "try: t.write_mp4(film, t.TOLD, sys.argv[4])\n"
        "except t.MediaBroken as fault: print('said:', fault)"
    )
    film = tmp_path / "street.reel"
    footage.make_reel(STREET, film, seconds=2)
    (tmp_path / "out").mkdir()

    done = child(code, film, tmp_path / "out" / "full.mp4")

    assert done.stdout.startswith("said: full.mp4: ")
    assert "could not be written" in done.stdout
    assert list((tmp_path / "out").iterdir()) == []


def child(code, *words):
    folders = (ROOT / "host", ROOT / "host" / "tests")
    command = [sys.executable, "-c", code, *map(str, folders), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_length(tmp_path):
    code = (
        "import sys; sys.path[:0] = sys.argv[1:3]; import test_media as t;"
        "t.write_mp4(t.read_reel(sys.argv[3]), t.TOLD, sys.argv[4]);"
        "print(t.resource.getrusage(t.resource.RUSAGE_SELF).ru_maxrss)"
    )
    peaks = []
    for loops in (1, 6):
        film = tmp_path / f"{loops}.reel"
        footage.make_reel(STREET, film, loop=loops)
        peaks.append(int(child(code, film, tmp_path / "long.mp4").stdout) / 1024)

    assert resource.RUSAGE_SELF == 0
    assert max(peaks) < 200
    assert peaks[1] < peaks[0] + 20
