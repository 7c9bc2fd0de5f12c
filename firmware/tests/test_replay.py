"""Replay: what the wearer filmed and nobody else, chunk by chunk, with the number drawn in."""

import gate_bench
import pytest
from gate_bench import FAR, OTHER_PIN, PIN, A, B, choose, enrolled, film, issued, settle
from sealcam import panel, replay, usagelog, wearer
from sealcam.errors import CardFull, JournalFull, Locked, NotDrilled, OutOfOrder
from sealcam.layout import TRACK_EVENT
from sealcam.pingate import IDLE_MS, OPEN, SHUT
from sealcam.replay import ENDED, PAUSED, PLAYING, own_recordings
from sealcam.slots import parse_slots


@pytest.fixture(scope="module")
def saved():
    """A bench whose camera is issued to A and holds two recordings of A's."""
    bench = enrolled()
    camera = issued(bench)
    for _ in range(2):
        settle(camera)
        film(camera)
    settle(camera)
    camera.power_off()
    return bench, gate_bench.moment(bench)


@pytest.fixture
def bench(saved):
    gate_bench.go_back(*saved)
    return saved[0]


@pytest.fixture
def camera(bench):
    """Switched on, its gate open."""
    camera = bench.start()
    settle(camera)
    assert camera.gate.judge(PIN)
    return camera


def run(camera, turns=20000):
    """Play to the end; the most turns are a test's own patience."""
    for _ in range(turns):
        if camera.replay.state in (None, ENDED):
            return
        if not camera.step():
            camera.board.idle(camera)
    raise AssertionError("it never ends")


def press(camera, *buttons):
    for button in buttons:
        camera.wearer.press(button)
        settle(camera)


def digits(pin):
    """A PIN as presses."""
    buttons = []
    for at, digit in enumerate(pin):
        buttons += ["right"] * bool(at) + ["up"] * (digit - 48)
    return [*buttons, "ok"]


def shown(camera, monkeypatch):
    """Every picture that reaches the glass, as (first bytes, time, bookmarks)."""
    pictures = []
    plain = camera.panel.picture

    def watch(jpeg, number, time, bookmarks):
        pictures.append((bytes(jpeg[:16]), time, bookmarks))
        return plain(jpeg, number, time, bookmarks)

    monkeypatch.setattr(camera.panel, "picture", watch)
    return pictures


def test_rule_r9_the_whole_recording_comes_in_order_and_each_use_is_in_the_log(bench, camera, monkeypatch):
    """Proves BW-7."""
    pictures = shown(camera, monkeypatch)
    first = own_recordings(camera)[0]
    before = bytes(bench.card.bytes)

    camera.replay.open(first)
    run(camera)

    assert camera.replay.state == ENDED and camera.replay.said == "the end"
    numbers = [int.from_bytes(picture[4:8], "big") for picture, _, _ in pictures]
    assert numbers == sorted(numbers) and len(numbers) >= 5 and set(numbers) <= set(range(0, 12, 2))
    assert bytes(bench.card.bytes) == before  # under the shim the blocks, on the VM the power suite looks
    noted = camera.files.read("log")[-128:]
    assert int.from_bytes(noted[4:6], "big") == usagelog.REPLAY
    assert int.from_bytes(noted[40:48], "big") == first.sequence


def test_pictures_come_at_their_times(camera, monkeypatch):
    pictures = []
    plain = camera.panel.picture
    monkeypatch.setattr(
        camera.panel, "picture", lambda *given: pictures.append(camera.clock.ms()) or plain(*given)
    )
    camera.replay.open(own_recordings(camera)[0])

    run(camera)

    gaps = [later - earlier for earlier, later in zip(pictures, pictures[1:])]
    assert gaps and all(500 <= gap < 700 for gap in gaps)  # a picture is due every 500 ms of the fast clock


def test_the_devices_own_number_stands_in_every_frame(bench, camera, monkeypatch):
    """Proves BW-12: read from the dots of the frame that went to the glass."""
    seen = []
    plain = bench.screen.show
    read = lambda frame: seen.append(camera.panel.number()) or plain(frame)  # noqa: E731
    monkeypatch.setattr(bench.screen, "show", read)

    camera.replay.open(own_recordings(camera)[0])
    run(camera)

    pictures = [number for number in seen if number == "01020304"]
    assert len(pictures) >= 5 and A.hex()[:8].upper() == "01020304"


def test_rule_r7_without_its_number_no_picture_is_shown(bench, camera, monkeypatch):
    """Proves BW-12."""
    monkeypatch.setattr(panel.Panel, "_draw_number", lambda self, number: None)
    camera.replay.open(own_recordings(camera)[0])
    before = bench.screen.shown
    while camera.replay.state == replay.OPENING or camera.replay.state == PLAYING:
        if not camera.step():
            camera.board.idle(camera)

    assert camera.replay.state is None and bench.screen.shown - before <= 2  # words, and no picture
    assert camera.panel.number().strip() == ""


@pytest.mark.promise5
@pytest.mark.parametrize("where", ["payload", "tag", "swapped"])
def test_rule_r6_nothing_is_shown_before_its_chunk_proves_and_it_says_where(camera, monkeypatch, where):
    pictures = shown(camera, monkeypatch)
    head = own_recordings(camera)[0]
    part = camera.card._fs.open("/sealcam/" + head.name, "r+b")
    at = 4096 + 3 * 512  # the fourth chunk
    if where == "swapped":
        part.seek(at - 512)
        third = part.read(512)
        part.seek(at)
        part.write(third)
    else:
        part.seek(at + (100 if where == "payload" else 500))
        byte = part.read(1)[0]
        part.seek(at + (100 if where == "payload" else 500))
        part.write(bytes([byte ^ 0xFF]))

    camera.replay.open(head)
    run(camera)

    assert camera.replay.state is None
    assert camera.replay.said == "stops at chunk 4: what stands there does not prove"
    assert len(pictures) < 5


@pytest.mark.parametrize("offset", [16 + 70, 256, 300 + 512, 512 + 110, 1500])
def test_a_head_that_does_not_prove_opens_nothing(camera, monkeypatch, offset):
    pictures = shown(camera, monkeypatch)
    name = own_recordings(camera)[0].name
    content = camera.card._fs._files["/sealcam/" + name]
    for copy in (0, 2048):
        content[copy + offset] ^= 0xFF
    heads = [head for head in own_recordings(camera) if head.name == name]

    for head in heads:
        camera.replay.open(head)
        run(camera)
        assert camera.replay.said == "this recording does not open"

    assert pictures == []


def test_the_second_copy_of_a_head_serves_where_the_first_is_gone(camera):
    """Proves M13."""
    name = own_recordings(camera)[0].name
    camera.card._fs._files["/sealcam/" + name][:512] = bytes(512)

    head = own_recordings(camera)[0]
    camera.replay.open(head)
    run(camera)

    assert head.name == name and camera.replay.said == "the end"


@pytest.mark.promise2
def test_behind_a_shut_gate_nothing_is_listed_or_opened(bench, camera):
    head = own_recordings(camera)[0]
    camera.gate.lock()

    with pytest.raises(Locked):
        camera.replay.open(head)
    camera.issuing.end()
    with pytest.raises(Locked):
        own_recordings(camera)


@pytest.mark.promise2
@pytest.mark.parametrize("kind", [1, 2])
def test_what_one_wearer_filmed_the_next_cannot_replay(bench, camera, kind):
    """Proves BW-10: a personal camera and one from the pool; by list, by slot and by an edited slot."""
    theirs = own_recordings(camera)
    assert len(theirs) == 2
    camera.issuing.end()
    camera.issuing.issue(B, FAR, kind)
    choose(camera, OTHER_PIN)
    settle(camera)
    own = film(camera)
    settle(camera)
    assert camera.gate.judge(OTHER_PIN)

    assert [head.sequence for head in own_recordings(camera)] == [own]
    for head in theirs:  # a head of A's in hand, its slot opened with B's key
        camera.replay.open(head)
        run(camera)
        assert camera.replay.said == "this recording does not open"


@pytest.mark.promise2
def test_an_older_flash_put_back_replays_only_with_the_pin_of_its_own_wearer(bench, camera):
    """Proves BW-10: A's flash comes back under B's card; B's PIN opens nothing, A's nothing of B's."""
    older = gate_bench.moment(bench)
    camera.issuing.issue(B, FAR, 2)
    choose(camera, OTHER_PIN)
    settle(camera)
    film(camera)
    settle(camera)
    camera.power_off()
    card, beside = bytes(bench.card.bytes), dict(getattr(bench.card, "shim_files", {}))

    gate_bench.go_back(bench, older)
    bench.card.bytes[:] = card
    bench.card.shim_files = beside
    camera = bench.start()

    assert not camera.gate.judge(OTHER_PIN)
    assert camera.gate.judge(PIN)
    assert len(own_recordings(camera)) == 2  # A's own


@pytest.mark.promise1
def test_only_recordings_of_an_issue_with_a_key_have_a_fourth_slot(bench, camera):
    """Proves M12: evidence, escrow, vault, and the wearer; logs never."""

    def slots(name):
        return parse_slots(camera.card._fs._files["/sealcam/" + name][512 : 512 + 768])

    own = {head.name[:28] for head in own_recordings(camera)}
    for name in camera.card.list():
        count = 2 if name.endswith(".skl") else 4 if name[:28] in own else 3
        if not name.startswith("ready-"):
            assert len(slots(name)) == count, name
    camera.issuing.end()
    settle(camera)
    name = "%010d-0000.skr" % film(camera)
    assert len(slots(next(found for found in camera.card.list() if found.endswith(name)))) == 3


def test_pause_step_and_go(camera, monkeypatch):
    pictures = shown(camera, monkeypatch)
    press_ok = lambda: camera.wearer.press("ok")  # noqa: E731
    camera.replay.open(own_recordings(camera)[0])
    while len(pictures) < 2:
        if not camera.step():
            camera.board.idle(camera)
    press_ok()
    settle(camera)
    assert camera.replay.state == PAUSED and len(pictures) == 2
    camera.board.rtc.advance(5000)
    settle(camera)
    assert len(pictures) == 2  # it stands

    press(camera, "right")
    assert len(pictures) == 3 and camera.replay.state == PAUSED

    press_ok()
    assert camera.replay.state == PLAYING
    run(camera)
    assert camera.replay.said == "the end" and len(pictures) >= 5


def test_the_next_bookmark_passes_over_what_lies_before_it(bench, camera, monkeypatch):
    camera.replay.stop()
    camera.recorder.start()
    for turn in range(120):
        if turn == 60:
            camera.recorder.bookmark()
        if not camera.step():
            camera.board.idle(camera)
    camera.recorder.stop()
    settle(camera)
    pictures = shown(camera, monkeypatch)
    camera.replay.open(own_recordings(camera)[-1])
    while camera.replay.state == replay.OPENING:
        camera.step()

    camera.wearer.press("down")
    run(camera)

    assert pictures and pictures[0][2] == 1 and pictures[0][1] != "00:00"


def test_the_record_button_ends_replay_and_records_at_once(camera):
    camera.replay.open(own_recordings(camera)[0])
    while camera.replay.state == replay.OPENING:
        camera.step()

    camera.wearer.press("record")

    assert camera.recorder.recording and camera.replay.state is None and camera.gate.state == SHUT
    with pytest.raises((Locked, OutOfOrder)):
        camera.replay.open(replay.Head("x", 0, bytes(288), {"sequence": 1, "start_utc_ms": 0}, None))
    camera.wearer.press("record")
    assert not camera.recorder.recording


def test_rule_r11_asking_for_a_recording_by_any_button_locks_the_gate(camera):
    camera.replay.open(own_recordings(camera)[0])
    for _ in range(100):
        camera.step()
    assert camera.gate.state == OPEN

    camera.record()

    assert camera.gate.state == SHUT and camera.replay.state is None
    camera.recorder.stop()


@pytest.mark.parametrize("why", [CardFull, JournalFull, NotDrilled])
def test_a_record_button_that_is_refused_costs_the_camera_nothing(camera, monkeypatch, why):
    """Proves R8: a card that is full today is emptied tomorrow, and nobody has to switch the camera off."""

    def refuse():
        raise why

    monkeypatch.setattr(camera.recorder, "start", refuse)
    camera.panel.press("record")
    settle(camera)

    assert camera.fault is None


def test_an_event_too_short_to_be_one_is_passed_over(camera):
    """What proves is still not believed: a record without a byte has no first one."""

    class Demuxer:
        track, ms, view = TRACK_EVENT, 5, memoryview(b"")

    camera.replay._demuxer = Demuxer()
    camera.replay._look()

    assert camera.replay.bookmarks == 0


def test_rule_r8_the_record_button_does_not_wait_for_a_pin_that_is_judged(camera):
    camera.gate.lock()
    camera.gate.offer(PIN)
    camera.step()

    camera.wearer.press("record")

    assert camera.recorder.recording and not camera.gate.is_busy and camera.gate.tries_left == 9
    camera.recorder.stop()


def test_replay_locks_when_nobody_is_there(camera):
    press(camera, "up")
    camera.board.rtc.advance(IDLE_MS)
    settle(camera)

    assert camera.gate.state == SHUT and camera.replay.state is None


def test_the_buttons_alone_choose_a_pin_judge_it_and_play(bench):
    """Proves BW-10: PIN by the buttons the board has."""
    camera = bench.start()
    camera.issuing.issue(B, FAR, 1)
    settle(camera)
    press(camera, *digits(b"111111"))
    assert "not one digit, not a run" in camera.wearer._words()
    press(camera, *digits(PIN), *digits(OTHER_PIN))
    assert "not the same: choose again" in camera.wearer._words()
    press(camera, *digits(PIN), *digits(PIN))
    assert camera.gate.state == SHUT
    settle(camera)
    film(camera)
    settle(camera)

    press(camera, *digits(OTHER_PIN))
    assert camera.gate.tries_left == 9 and wearer.FORGOTTEN in camera.wearer._words()
    press(camera, *digits(PIN))
    assert camera.gate.state == OPEN
    camera.wearer.press("ok")
    run(camera)
    assert camera.replay.said == "the end" and camera.panel.number() == B.hex()[:8].upper()


def test_without_a_card_the_buttons_and_the_screen_answer_all_the_same(bench):
    """Proves BW-10: whoever is issued a camera without a card chooses a PIN all the same."""
    camera = bench.start(with_card=False)
    shown = bench.screen.shown
    camera.issuing.issue(B, FAR, 1)
    settle(camera)
    press(camera, *digits(PIN), *digits(PIN), *digits(PIN))
    assert camera.gate.state == OPEN and "the card cannot be read" in camera.wearer._words()
    camera.panel.press("record")
    settle(camera)
    assert camera.fault is None and camera.gate.state == SHUT and bench.screen.shown > shown + 3
    camera.issuing.end()
    settle(camera)
    assert camera.wearer._words() == ["no card"]


@pytest.mark.parametrize(
    ("utc_ms", "said"),
    [
        (0, "-"),
        (1, "1970-01-01 00:00"),
        (951782400000, "2000-02-29 00:00"),
        (1709251140000, "2024-02-29 23:59"),
        (1735689600000, "2025-01-01 00:00"),
        (4102444799000, "2099-12-31 23:59"),
    ],
)
def test_days_and_hours_are_right(utc_ms, said):
    assert wearer.date(utc_ms) == said


ON_THE_VM = """
from gate_bench import *
from sealcam.replay import ENDED, own_recordings
bench = enrolled()
camera = issued(bench)
settle(camera)
film(camera)
settle(camera)
assert camera.gate.judge(PIN)
before = bytes(bench.card.bytes)
camera.replay.open(own_recordings(camera)[0])
for _ in range(20000):
    if camera.replay.state in (None, ENDED):
        break
    if not camera.step():
        camera.board.idle(camera)
after = bytes(bench.card.bytes)
changed = [at for at in range(0, len(after), 512) if before[at : at + 512] != after[at : at + 512]]
print(camera.replay.said, bench.screen.shown > 5, camera.panel.number(), len(changed))
"""


@pytest.mark.slow
def test_the_same_on_real_micropython(machine):
    said = machine(ON_THE_VM, heap="32m").split("\n")[-2].split()

    assert said[:4] == ["the", "end", "True", "01020304"] and int(said[4]) <= 8  # the log segment, no more
