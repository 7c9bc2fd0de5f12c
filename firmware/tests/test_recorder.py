"""The whole device under CPython, its files in memory: what a recording holds, when it ends, what is written
when.
"""

import json
import struct
from hashlib import sha256

import pytest
import vfs
from power_bench import Bench, Faults, Feed
from power_rules import check_journal, check_parts, read_parts
from sealcam import layout, usagelog
from sealcam.enrolment import Enrolment
from sealcam.errors import CardFault, CardFull, JournalFault, NotDrilled, OutOfOrder, SourceFault
from sealcam.flash import NotThere
from sealcam.layout import unpack_core
from sealcam.unsealer import Unsealer


@pytest.fixture
def bench():
    made = Bench()
    camera = made.start()
    steps = Enrolment(camera, made.folder)
    for _ in range(6):
        made.office.attend(made.folder)
        if steps.step() == "enrolled":
            break
    camera.power_off()
    yield made
    made.faults.dark = True
    try:
        vfs.umount("/card")
    except OSError:
        pass


def film(camera, turns=100000):
    camera.recorder.start()
    while camera.recorder.recording and not camera.source.ended and turns:
        if not camera.step():
            camera.board.idle(camera)
        turns -= 1
    return camera.recorder


def chunks_of(bench, camera, seq):
    """(core, opened chunks) of one recording: header fields and plaintext, by the unsealer."""
    for core, parts in read_parts(camera).items():
        fields = unpack_core(core)
        if fields and fields["sequence"] == seq:
            secret = bench.watch.secrets[core]
            reader = Unsealer(core, secret, fields["chunk_size"])
            block = layout.block_size(fields["chunk_size"])
            found, tag = [], bytes(parts[0][1][256:288])
            for _, content in parts:
                for at in range(2 * block, len(content), fields["chunk_size"]):
                    chunk = content[at : at + fields["chunk_size"]]
                    if bytes(chunk[32:64]) != tag:
                        break
                    tag = bytes(chunk[-32:])
                    reader.open(memoryview(chunk), len(found) + 1, bytes(chunk[32:64]))
                    found.append(bytes(chunk))
            return fields, found
    raise AssertionError("no such recording")


def records_of(chunks):
    """(track, ms, bytes) from chunks that were opened."""
    stream, size = b"".join(chunk[64:-32] for chunk in chunks if chunk[4] == 1), len(chunks[0]) - 96
    at = 0
    while at < len(stream):
        if stream[at] == 0:
            at = (at // size + 1) * size
            continue
        track, _, _, ms, length = struct.unpack_from(">BBHII", stream, at)
        yield track, ms, stream[at + 12 : at + 12 + length]
        at += 12 + length


def test_a_recording_begins_with_its_description_and_ends_with_its_end(bench):
    camera = bench.start()
    recorder = film(camera)
    recorder.bookmark(9)
    recorder.category(4, "stop and search")
    recorder.stop()

    _, chunks = chunks_of(bench, camera, recorder.seq)
    records = list(records_of(chunks))
    description = json.loads(records[0][2])
    assert records[0][0] == layout.TRACK_DESCRIPTION and description["picture"] == "jpeg"
    events = [
        struct.unpack(">BBHi", body[:8])[::3] for track, _, body in records if track == layout.TRACK_EVENT
    ]
    assert events == [(1, 0), (3, 9), (6, 4), (2, 0)]
    assert [ms for _, ms, _ in records] == sorted(ms for _, ms, _ in records)
    assert chunks[-1][4] == layout.TYPE_END


def test_everything_fed_comes_back_in_order(bench):
    camera = bench.start()
    recorder = film(camera)
    recorder.stop()

    _, chunks = chunks_of(bench, camera, recorder.seq)
    feed, buffer, fed = Feed(), bytearray(1024), []
    while found := feed.next_into(buffer):
        fed.append((found[0], found[1], bytes(buffer[: found[2]])))
    assert [record for record in records_of(chunks) if record[0] in (1, 2)] == fed


def test_must_10_no_data_chunk_waits_longer_than_the_interval_for_its_signature(bench):
    """Proves M10."""
    camera = bench.start()
    recorder = film(camera)
    recorder.stop()

    fields, chunks = chunks_of(bench, camera, recorder.seq)
    waiting = {}
    for index, chunk in enumerate(chunks, 1):
        ms = struct.unpack_from(">I", chunk, 24)[0]
        if chunk[4] == layout.TYPE_DATA:
            waiting[index] = ms
            continue
        covered = struct.unpack_from(">Q", chunk, 64)[0]
        for done in [index for index in waiting if index <= covered]:
            assert ms - waiting.pop(done) <= fields["interval_ms"]
    assert waiting == {}
    assert sum(chunk[4] == layout.TYPE_SIGNATURE for chunk in chunks) >= 2


def test_the_next_header_names_the_newest_closing_entry(bench):
    camera = bench.start()
    first = film(camera)
    first.stop()
    expected = camera.journal.newest_closing()
    film(camera).stop()

    fields, _ = chunks_of(bench, camera, camera.recorder.seq)
    assert fields["prev"] == expected != bytes(32)


def test_must_16_the_number_is_in_the_journal_before_the_core_is_on_the_card(bench):
    """Proves M16."""
    camera = bench.start()
    order = []
    opened, part_written = camera.journal.open_file, type(camera.card.allocate("probe", 4096)).write_at
    camera.journal.open_file = lambda *a: (order.append("journal"), opened(*a))
    import sealcam.card

    def write_at(part, offset, view):
        order.append("core" if bytes(view[:8]) == layout.MAGIC else "head")
        part_written(part, offset, view)

    sealcam.card.PartFile.write_at = write_at
    try:
        camera.recorder.start()
    finally:
        sealcam.card.PartFile.write_at = part_written
    assert order[-3:] == ["journal", "core", "core"]


def test_must_03_a_ready_secret_serves_once_and_none_is_left_after_a_card_change(bench):
    """Proves M3."""
    camera = bench.start()
    while camera.step():
        pass
    assert camera.pool.has(layout.KIND_RECORDING)
    names = [name for name in camera.card.list() if name.startswith("ready-")]
    content = bytearray(8192)
    camera.card.open(names[0]).read_at(0, content)
    assert bytes(content[:512]) == bytes(512) and any(content[512:704])

    camera.recorder.start()
    assert not camera.pool.has(layout.KIND_RECORDING)
    camera.recorder.stop()
    cores = [unpack_core(core) for core in read_parts(camera)]
    assert len({fields["recording_id"] for fields in cores if fields}) == len([f for f in cores if f])


def test_the_journal_never_knows_more_than_the_card(bench):
    camera = bench.start()
    film(camera).stop()

    check_journal(camera, check_parts(bench, camera))


def test_muted_by_policy_there_is_no_sound_at_all(bench):
    """Proves AU-1, AU-2."""
    camera = bench.start()
    camera.policy.sound = False
    recorder = film(camera)
    recorder.stop()

    _, chunks = chunks_of(bench, camera, recorder.seq)
    records = list(records_of(chunks))
    assert {track for track, _, _ in records} == {1, 4, 5}
    assert "sound" not in json.loads(records[0][2])
    totals = chunks[-1][64 + 40 : 64 + 128]
    assert struct.unpack(">QQQQQ", totals[:40])[2] == 0


def test_a_source_that_stops_ends_the_recording_closed_and_signed(bench):
    camera = bench.start()
    camera.source._feed.next_into = lambda buffer: (9, 0, 1)
    with pytest.raises(SourceFault):
        camera.recorder.start()

    assert not camera.recorder.recording
    assert camera.journal.unclosed() == [] or camera.journal.unclosed()[-1].kind == 2


def test_a_card_that_dies_stops_the_recording_and_closes_the_books(bench):
    camera = bench.start()
    recorder = film(camera, 30)
    camera.card._blocks.dead = True
    part = recorder._carrier._parts[0]
    part._file.write = lambda view: (_ for _ in ()).throw(OSError(5))
    while recorder.recording:
        if not camera.step():
            camera.board.idle(camera)

    assert recorder.fault is CardFault
    with pytest.raises(CardFault):
        camera.recorder.start()
    closed = [entry for entry in camera.journal.entries() if entry[4] == 3]
    assert closed[-1][5] == layout.STATE_CUT
    assert struct.unpack_from(">Q", closed[-1], 16)[0] == recorder.seq


def test_flash_that_fails_in_mid_recording_stops_it_and_the_next_boot_closes_the_books(bench):
    camera = bench.start()
    recorder = film(camera, 5)

    def lose(*arguments):
        raise JournalFault

    camera.journal.progress = camera.journal.close_file = camera.files.append = lose
    while recorder.recording:
        if not camera.step():
            camera.board.idle(camera)

    assert recorder.fault is JournalFault
    assert any("could not be written down" in line for line in bench.said)
    seq, camera = recorder.seq, bench.start()
    closed = {struct.unpack_from(">Q", e, 16)[0]: e[5] for e in camera.journal.entries() if e[4] == 3}
    assert closed[seq] in (layout.STATE_CUT, layout.STATE_ENDED) and camera.fault is None


def test_a_full_card_ends_the_recording_with_its_reason(bench):
    camera = bench.start()
    room = camera.card.has_room
    camera.card.has_room = lambda size: False if camera.recorder.recording else room(size)
    recorder = film(camera)

    assert recorder.fault is CardFull and not recorder.recording
    _, chunks = chunks_of(bench, camera, recorder.seq)
    assert chunks[-1][4] == layout.TYPE_END and chunks[-1][64 + 92] == layout.REASON_CARD_FULL
    assert camera.journal.unclosed()[-1].kind == layout.KIND_LOG


def test_buttons_need_a_recording(bench):
    camera = bench.start()
    for button in (
        camera.recorder.bookmark,
        camera.recorder.mute,
        camera.recorder.unmute,
        camera.recorder.stop,
    ):
        with pytest.raises(OutOfOrder):
            button()


@pytest.mark.promise1
def test_without_a_drill_for_this_key_list_nothing_is_recorded_for_real(bench):
    camera = bench.start()
    camera.drilled = 0

    with pytest.raises(NotDrilled):
        camera.recorder.start()
    entries = camera.files.read("log")
    assert struct.unpack_from(">HH", entries, len(entries) - 128 + 4) == (usagelog.REFUSED, NotDrilled.status)


@pytest.mark.promise7
def test_rule_l1_the_log_is_in_flash_before_it_is_on_the_card_and_repeated_after_a_cut(bench):
    """Proves BW-7, L1, L2 and L4."""
    camera = bench.start()
    film(camera).stop()
    entries = camera.files.read("log")
    split = [entries[at : at + 128] for at in range(0, len(entries), 128)]
    usagelog.check(split)
    assert split

    camera = bench.start()
    for _ in range(2000):
        camera.step() or camera.board.idle(camera)
    log = max(unpack_core(core)["sequence"] for core in read_parts(camera) if core[12] == layout.KIND_LOG)
    _, chunks = chunks_of(bench, camera, log)
    sealed = [body for track, _, body in records_of(chunks) if track == layout.TRACK_LOG]
    assert sealed[: len(split)] == split
    usagelog.check(sealed)


@pytest.mark.promise7
def test_rule_l5_a_log_that_cannot_be_read_is_no_new_beginning(bench):
    """Proves L5."""
    camera = bench.start()
    camera.files.remove("log")
    with pytest.raises(NotThere):
        camera.files.read("log")

    assert bench.start().fault.__name__ == "LogFault"


def test_a_journal_that_cannot_be_read_refuses_to_record(bench):
    bench.flash.bytes[2 * 4096 : 18 * 4096] = b"\xff" * 16 * 4096

    camera = bench.start()

    assert camera.fault is JournalFault
    with pytest.raises(JournalFault):
        camera.check_may_record()


def test_what_is_left_of_yesterday_is_cleared_before_anything_is_allocated(bench):
    camera = bench.start()
    film(camera, 40)
    cut = camera.recorder.seq
    camera.card.allocate("READY-7.SKR", 8192, bytes(2048)).close()
    camera.card.allocate("holiday.jpg", 100).close()

    camera = bench.start()

    names = camera.card.list()
    assert not [name for name in names if name.lower().startswith("ready-") and name != "ready-1.skr"]
    assert "holiday.jpg" in names
    closed = {struct.unpack_from(">Q", e, 16)[0]: e[5] for e in camera.journal.entries() if e[4] in (3, 4)}
    assert closed[cut] == layout.STATE_CUT


def test_a_ready_part_with_a_core_is_kept_and_the_card_refused(bench):
    camera = bench.start()
    head = bytearray(2048)
    head[:8] = layout.MAGIC
    camera.card.allocate("ready-9.skr", 8192, memoryview(head)).close()

    camera = bench.start()

    assert camera.card_fault is CardFault
    assert "ready-9.skr" in camera.card.list()
    assert any("holds a recording" in line for line in bench.said)


def test_a_number_without_a_core_becomes_void(bench):
    camera = bench.start()
    seq = camera.journal.next_sequence()
    camera.journal.open_file(seq, layout.KIND_RECORDING, bytes(16), camera.card.serial)

    camera = bench.start()

    ends = {
        struct.unpack_from(">Q", e, 16)[0]: (e[4], e[5]) for e in camera.journal.entries() if e[4] in (3, 4)
    }
    assert ends[seq] == (4, layout.STATE_VOID)


def test_a_file_of_another_card_waits_for_it(bench):
    camera = bench.start()
    seq = camera.journal.next_sequence()
    camera.journal.open_file(seq, layout.KIND_RECORDING, bytes(16), b"another card's 1")

    camera = bench.start()

    assert seq in [file.seq for file in camera.journal.unclosed()]


def test_the_firmware_names_itself_in_every_header(bench):
    camera = bench.start()
    camera.firmware = sha256(b"this image").digest()
    film(camera).stop()

    fields, _ = chunks_of(bench, camera, camera.recorder.seq)
    assert fields["firmware"] == sha256(b"this image").digest()


def test_faults_are_off_unless_asked_for():
    assert Faults().landing(512, True) == 512
