"""Pictures to MP4: what was filmed is shown, at its own time, and what cannot be shown is said."""

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
from films import (
    DESCRIPTION,
    EVENT,
    PICTURE,
    RATE,
    ROOT,
    SOUND,
    STREET,
    TOLD,
    compared,
    footage,
    jpeg,
    of,
    only,
    read_reel,
    street,
)
from pictures import heard, jpeg_luma, shown, sound_offset_ms, ssim, wave

pytestmark = pytest.mark.slow  # decodes and encodes film


def test_every_picture_is_shown_once_at_its_own_millisecond_and_looks_like_what_was_fed(tmp_path):
    out = tmp_path / "street.mp4"

    rendered = write_mp4(street(), TOLD, out, end_ms=3520)

    stamps, fed, likeness = compared(out, street())
    assert stamps == fed
    assert min(likeness) >= 0.95
    assert (rendered.pictures, rendered.dropped, rendered.duration_ms) == (35, 0, 3520)


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


@pytest.mark.slow
def test_pictures_with_jittered_times_and_a_late_start_keep_them_exactly(tmp_path):
    jitter = np.random.default_rng(7).integers(3, 700, 35).cumsum()
    payloads = [payload for _, payload in of(PICTURE, street())]
    records = [(PICTURE, 1, int(ms) + 1234, payload) for ms, payload in zip(jitter, payloads, strict=True)]
    out = tmp_path / "jitter.mp4"

    write_mp4(records, {"picture": "jpeg"}, out)

    stamps, fed, likeness = compared(out, records)
    assert stamps == fed
    assert min(likeness) >= 0.95


def test_a_record_with_a_broken_time_is_left_out_and_counted(tmp_path):
    records = [(PICTURE, 1, ms, jpeg(64, 48)) for ms in (0, 100, 0xFFFFFFFF, 200)]
    records.insert(3, (SOUND, 0, 0xFFFFFFF0, bytes(1024)))
    out = tmp_path / "leap.mp4"

    rendered = write_mp4(records, TOLD, out)

    assert [ms for ms, _ in shown(out)] == [0, 100, 200]
    assert rendered.dropped_at == (0xFFFFFFF0, 0xFFFFFFFF)
    assert rendered.duration_ms == 300


def test_two_pictures_of_one_millisecond_are_both_shown(tmp_path):
    records = [(PICTURE, 1, ms, jpeg(64, 48, number)) for number, ms in enumerate((0, 100, 100, 100, 200))]
    out = tmp_path / "twins.mp4"

    rendered = write_mp4(records, {"picture": "jpeg"}, out)

    assert rendered.pictures == 5
    assert [int(ms) for ms, _ in shown(out)] == [0, 100, 100, 100, 200]


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
def test_a_damaged_picture_is_left_out_and_counted_and_the_rest_is_shown(damage, place, tmp_path):
    records = only(PICTURE, street())[:6]
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


def test_h264_access_units_keep_their_times(tmp_path):
    fed = of(PICTURE, street())[:20]
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


def test_the_description_may_come_with_the_records(tmp_path):
    told = b'{"picture": "jpeg", "sound": "pcm_s16le", "sound_rate": 16000}'

    rendered = write_mp4([(DESCRIPTION, 0, 0, told), *street()], None, tmp_path / "told.mp4")

    assert (rendered.pictures, rendered.sound_ms) == (35, sum(len(p) for _, p in of(SOUND, street())) // 32)


def test_title_and_comment_are_in_the_film_and_progress_only_rises(tmp_path):
    steps = []
    out = tmp_path / "told.mp4"

    said = {"title": "0007", "comment": "cut short after chunk 57"}
    write_mp4(street(), TOLD, out, end_ms=3520, progress=steps.append, **said)

    with av.open(str(out)) as film:
        assert {name: film.metadata[name] for name in said} == said
    assert out.read_bytes().index(b"moov") < out.read_bytes().index(b"mdat")  # plays before it is whole
    assert steps == sorted(steps)
    assert steps[-1] == 1.0
    assert len(steps) > 10


def test_a_fault_in_the_records_leaves_neither_a_film_nor_a_part_of_one(tmp_path):
    def torn():
        yield from street()[:20]
        raise RuntimeError("the chunk after this does not prove")

    with pytest.raises(RuntimeError, match="does not prove"):
        write_mp4(torn(), TOLD, tmp_path / "torn.mp4")

    assert list(tmp_path.iterdir()) == []


def test_the_film_is_for_its_owner_alone_and_replaces_an_older_one(tmp_path):
    out = tmp_path / "own.mp4"
    out.write_bytes(b"older")
    (tmp_path / "own.mp4.part").write_bytes(b"left by a run that was killed")

    write_mp4(street()[:20], TOLD, out)

    assert out.stat().st_mode & 0o777 == 0o600
    assert out.read_bytes()[4:8] == b"ftyp"
    assert [path.name for path in tmp_path.iterdir()] == ["own.mp4"]


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path):
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "sys.path[:0] = sys.argv[1:3]; import films; from sealhost.errors import SealcamError;"
        "from sealhost.media import write_mp4; records = films.street();"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (60000, 60000))\n"
        "try: write_mp4(records, films.TOLD, sys.argv[3])\n"
        "except SealcamError as fault: print(type(fault).__name__, fault)"
    )

    said = child(code, tmp_path / "full.mp4").stdout

    assert said.startswith("MediaBroken full.mp4: ")
    assert "could not be written" in said
    assert list(tmp_path.iterdir()) == []


def child(code, *words):
    folders = (ROOT / "host", ROOT / "host" / "tests")
    command = [sys.executable, "-c", code, *map(str, folders), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=900)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_length(tmp_path):
    code = (
        "import sys; sys.path[:0] = sys.argv[1:3]; import films, resident;"
        "from sealhost.media import write_mp4;"
        "write_mp4(films.read_reel(sys.argv[3]), films.TOLD, sys.argv[4]);"
        "print(resident.peak_kib())"
    )
    peaks = []
    for loops in (1, 6):
        film = tmp_path / f"{loops}.reel"
        footage.make_reel(STREET, film, loop=loops)
        peaks.append(int(child(code, film, tmp_path / "long.mp4").stdout) / 1024)

    assert max(peaks) < 200
    assert peaks[1] < peaks[0] + 20
