"""When what was filmed is sealed and signed, whatever the source does; the whole device under CPython."""

import struct

import pytest
from power_rules import read_parts
from sealcam import crypto, layout, usagelog
from sealcam.errors import FlashFault, SelfTestFailed
from test_recorder import bench, chunks_of, film, records_of  # noqa: F401 - the fixture is asked for by name

pytestmark = pytest.mark.slow  # films for seconds


def feed(camera, shape):
    """Let each record of the camera's feed pass through `shape(number, found)`."""
    real, numbers = camera.source._feed.next_into, iter(range(1000))

    def next_into(buffer):
        found = real(buffer)
        return found and shape(next(numbers), found)

    camera.source._feed.next_into = next_into


def waits(chunks):
    """How long each data chunk waited for a signature that covers it."""
    waiting, found = {}, []
    for index, chunk in enumerate(chunks, 1):
        ms = struct.unpack_from(">I", chunk, 24)[0]
        if chunk[4] == layout.TYPE_DATA:
            waiting[index] = ms
            continue
        covered = struct.unpack_from(">Q", chunk, 64)[0]
        found += [ms - waiting.pop(done) for done in list(waiting) if done <= covered]
    assert waiting == {}
    return found


SOURCES = {
    "one picture in nine seconds": lambda number, found: (1, number * 9000, found[2]),
    "sound alone": lambda number, found: (2, number * 125, found[2]),
    "silent for a minute": lambda number, found: (found[0], 0 if number < 3 else 60000, found[2]),
    "all at once": lambda number, found: (found[0], 0, found[2]),
    "nothing": lambda number, found: None,
}


@pytest.mark.parametrize("shape", SOURCES.values(), ids=SOURCES)
def test_must_10_whatever_the_source_does_no_chunk_waits_longer_than_the_interval(bench, shape):  # noqa: F811
    """Proves M10."""
    camera = bench.start()
    feed(camera, shape)
    recorder = film(camera)
    while recorder.ms() < 5000:
        camera.step() or camera.board.idle(camera)
    recorder.stop()

    fields, chunks = chunks_of(bench, camera, recorder.seq)
    assert 0 <= max(waits(chunks)) <= fields["interval_ms"]


def test_what_was_filmed_is_sealed_after_a_second_though_nothing_follows(bench):  # noqa: F811
    camera = bench.start()
    feed(camera, lambda number, found: None)
    camera.recorder.start()
    while camera.recorder.ms() < 5000:
        camera.step() or camera.board.idle(camera)
    camera.recorder.stop()

    _, chunks = chunks_of(bench, camera, camera.recorder.seq)
    assert struct.unpack_from(">I", chunks[0], 24)[0] <= 1100
    assert chunks[0][4] == layout.TYPE_DATA and chunks[1][4] == layout.TYPE_SIGNATURE


def test_a_picture_longer_than_the_camera_takes_is_dropped_and_counted(bench):  # noqa: F811
    camera = bench.start()
    real, turn = camera.source._feed.next_into, iter(range(1000))

    def next_into(buffer):
        found = real(buffer)
        return (1, found[1], len(buffer) + 1) if found and next(turn) in (2, 11) else found

    camera.source._feed.next_into = next_into
    recorder = film(camera)
    recorder.stop()

    _, chunks = chunks_of(bench, camera, recorder.seq)
    events = [struct.unpack(">BBHi", body[:8])[::3] for track, _, body in records_of(chunks) if track == 4]
    assert sum(track in (1, 2) for track, _, _ in records_of(chunks)) == 10
    assert [value for kind, value in events if kind == layout.EVENT_DROPPED] == [1, 1]
    assert struct.unpack_from(">QQQQ", chunks[-1], 64 + 40)[3] == 2


def settle(camera, turns=4000):
    for _ in range(turns):
        camera.step() or camera.board.idle(camera)


def segments(bench, camera):  # noqa: F811
    """The entries of each log segment, by number."""
    found = {}
    for core in read_parts(camera):
        if core[12] == layout.KIND_LOG:
            seq = layout.unpack_core(core)["sequence"]
            chunks = chunks_of(bench, camera, seq)[1]
            records = records_of(chunks) if chunks else []  # one that has just begun
            found[seq] = [body for track, _, body in records if track == layout.TRACK_LOG]
    return found


@pytest.mark.parametrize("filming", [False, True])
def test_a_camera_that_is_never_switched_off_turns_to_a_new_log_segment(bench, filming):  # noqa: F811
    """Flash holds so many entries and no more, and the chain runs on over the border."""
    camera = bench.start()
    settle(camera)
    if filming:
        feed(camera, lambda number, found: None)
        camera.recorder.start()
    most = 1024 if filming else 256
    for _ in range(most + 10):
        camera.logbook.note(usagelog.BATTERY, 50)
        camera.step()
    settle(camera)
    camera.logbook.note(usagelog.BATTERY, 40)
    settle(camera)

    assert len(camera.files.read("log")) < 20 * 128
    newest, before = sorted(segments(bench, camera).items(), reverse=True)[:2]
    assert len(before[1]) >= most
    usagelog.check(before[1] + [entry for entry in newest[1] if entry not in before[1]])
    assert camera.recorder.recording == filming and camera.fault is None


def test_an_entry_that_flash_refused_is_followed_by_none_before_the_next_boot(bench):  # noqa: F811
    camera = bench.start()
    append, refused = camera.files.append, []

    def refuse_once(name, entry):
        if not refused:
            refused.append(entry)
            raise FlashFault
        append(name, entry)

    camera.files.append = refuse_once
    for _ in range(2):
        with pytest.raises(FlashFault):
            camera.logbook.note(usagelog.BATTERY, 50)

    assert bench.start().fault is None


def test_a_cipher_that_stops_in_mid_recording_ends_it_and_no_plain_byte_is_written(bench, monkeypatch):  # noqa: F811
    """Proves promise 1: the self-test at boot is not the last that looks."""
    camera = bench.start()
    recorder = film(camera, 8)
    monkeypatch.setattr(crypto.Ctr, "crypt", lambda self, view, index, size=None: None)
    settle(camera, 200)

    assert recorder.fault is SelfTestFailed and not recorder.recording
    assert not any(b"FEED" in content for parts in read_parts(camera).values() for _, content in parts)
    _, chunks = chunks_of(bench, camera, recorder.seq)
    assert chunks[-1][4] == layout.TYPE_END and chunks[-1][64 + 92] == layout.REASON_FAULT
