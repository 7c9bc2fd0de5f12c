"""Issue, PIN and tries: what opens, what counts, what is gone; the bytes of the image on real MicroPython."""

import gate_bench
import pytest
from gate_bench import FAR, OTHER_PIN, PIN, A, B, choose, enrolled, issued, settle, wait_out
from sealcam import gateflash, pingate, usagelog
from sealcam.errors import FlashFault, FormatFault, Locked, OutOfOrder, PolicyFault
from sealcam.pingate import CHOOSE, FAULTY, LOST, OFF, OPEN, OVER, REFUSED, SHUT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def saved():
    """(a bench, the moment after enrolment): each test begins there."""
    bench = enrolled()
    return bench, gate_bench.moment(bench)


@pytest.fixture
def bench(saved):
    bench, moment = saved
    gate_bench.go_back(bench, moment)
    return bench


def events(camera):
    """(event, detail) of the log, as flash holds it."""
    raw = camera.files.read("log")
    return [
        (int.from_bytes(raw[at + 4 : at + 6], "big"), int.from_bytes(raw[at + 6 : at + 8], "big"))
        for at in range(0, len(raw), 128)
    ]


@pytest.mark.parametrize(
    ("pin", "why"),
    [
        (b"12345", "6 to 12 digits"),
        (b"4839261748392", "6 to 12 digits"),
        (b"48392a", "digits only"),
        (b"777777", "not one digit, not a run"),
        (b"345678", "not one digit, not a run"),
        (b"789012", "not one digit, not a run"),
        (b"987654", "not one digit, not a run"),
        (b"321098", "not one digit, not a run"),
        (b"483926", ""),
        (b"112233", ""),
        (b"483926174839", ""),
    ],
)
def test_a_pin_is_six_to_twelve_digits_and_no_run(pin, why):
    assert pingate.weakness(pin) == why


def test_a_camera_that_is_nobodys_has_no_replay(bench):
    """Proves BW-8."""
    camera = bench.start()

    assert camera.gate.state == OFF
    with pytest.raises(Locked):
        camera.gate.offer(PIN)
    with pytest.raises(OutOfOrder):
        camera.gate.choose(PIN)


@pytest.mark.promise2
@pytest.mark.parametrize(("flags", "state"), [(1, OFF), (3, REFUSED), (5, OFF)])
def test_replay_is_refused_unless_the_signed_policy_allows_it(flags, state):
    """Proves BW-8, BW-9, BW-11: off by default; and on an open board the second flag is asked for."""
    camera = enrolled(flags).start()

    assert camera.issuing.issue(A, FAR, 1) == 0
    assert camera.gate.state == state
    with pytest.raises(PolicyFault if state == REFUSED else OutOfOrder):
        camera.gate.choose(PIN)
    assert camera.gate.recipients(1) == []


@pytest.mark.promise2
def test_rule_r2_the_right_pin_opens_and_a_wrong_one_costs_a_try(bench):
    """Proves BW-10."""
    camera = issued(bench)

    assert camera.gate.state == SHUT and not camera.gate.judge(OTHER_PIN)
    assert camera.gate.tries_left == 9 and camera.gate.state == SHUT
    assert camera.gate.judge(PIN) and camera.gate.state == OPEN
    assert camera.gate.tries_left == 10
    last = [found for found in events(camera) if found[0] in (22, 24, 25, 26)]
    assert last == [(usagelog.ISSUED, 0), (usagelog.PIN_WRONG, 1), (usagelog.REPLAY, 1)]


def test_rule_r11_the_gate_is_shut_again_after_a_restart_and_after_a_minute(bench):
    camera = issued(bench)
    assert camera.gate.judge(PIN)
    camera.board.rtc.advance(pingate.IDLE_MS)
    camera.gate.step()
    assert camera.gate.state == SHUT
    assert camera.gate.judge(PIN)
    camera.power_off()

    camera = bench.start()

    assert camera.gate.state == SHUT
    with pytest.raises(Locked):
        camera.gate.key()
    assert camera.gate.judge(PIN)


@pytest.mark.promise2
def test_rule_r1_the_try_is_spent_in_flash_before_the_pin_is_stretched(bench, monkeypatch):
    camera = issued(bench)

    def judged_too_early(*arguments):
        tries = gateflash.Tries(camera.flash, 19)
        tries.load()
        raise AssertionError(f"spent {tries.spent}")

    monkeypatch.setattr(pingate, "stretch", judged_too_early)
    with pytest.raises(AssertionError, match="spent 1"):
        camera.gate.judge(PIN)


@pytest.mark.promise2
def test_waits_grow_and_a_restart_begins_the_current_one_again(bench):
    camera = issued(bench)
    waits = []
    for _ in range(6):
        camera.gate.judge(OTHER_PIN)
        waits.append(camera.gate.wait_ms())
        wait_out(camera)
    assert waits == [0, 0, 5000, 30000, 60000, 120000]

    camera.gate.judge(OTHER_PIN)
    camera.board.rtc.advance(299000)
    assert camera.gate.wait_ms() == 1000
    with pytest.raises(Locked):
        camera.gate.offer(PIN)
    camera.power_off()

    camera = bench.start()
    assert camera.gate.wait_ms() == 300000 and camera.gate.tries_left == 3


@pytest.mark.promise2
def test_the_tenth_wrong_try_loses_replay_and_no_evidence(bench):
    camera = issued(bench)
    settle(camera)
    seq = gate_bench.film(camera)
    for _ in range(10):
        wait_out(camera)
        assert not camera.gate.judge(OTHER_PIN)

    assert camera.gate.state == LOST and camera.gate.recipients(1) == []
    assert events(camera)[-1] == (usagelog.REPLAY_KEY_ERASED, 0)
    assert bytes(bench.flash.bytes[18 * 4096 : 19 * 4096]) == b"\xff" * 4096
    assert any("%010d" % seq in name for name in camera.card.list())
    camera.power_off()
    camera = bench.start()
    assert camera.gate.state == LOST and camera.fault is None
    with pytest.raises(OutOfOrder):
        camera.gate.choose(PIN)
    assert camera.issuing.issue(B, FAR, 1) == 1  # until the next issue


def test_rule_r3_returning_and_docking_end_the_issue_and_erase_the_word(bench):
    """Proves BW-10."""
    camera = issued(bench)

    assert camera.issuing.end() == A and camera.gate.state == OFF
    assert camera.issuing.end() == bytes(16)
    assert bytes(bench.flash.bytes[18 * 4096 : 19 * 4096]) == b"\xff" * 4096
    assert [e for e, _ in events(camera)][-2:] == [usagelog.REPLAY_KEY_ERASED, usagelog.RETURNED]
    camera.power_off()
    assert bench.start().gate.state == OFF


def test_a_new_issue_takes_the_place_of_the_old_one_and_its_key(bench):
    camera = issued(bench)
    point = camera.gate.point()

    assert camera.issuing.issue(B, FAR, 2) == 1
    assert camera.gate.state == CHOOSE and camera.gate.recipients(1) == []
    choose(camera, OTHER_PIN)

    assert camera.gate.point() != point and not camera.gate.judge(PIN) and camera.gate.judge(OTHER_PIN)


def test_rule_r5_the_pool_is_dropped_whenever_the_wearers_key_changes(bench):
    """Proves M3, BW-10."""
    camera = bench.start()
    for change in (
        lambda: camera.issuing.issue(A, FAR, 1),
        lambda: choose(camera),
        lambda: camera.issuing.end(),
    ):
        settle(camera)
        assert camera.pool.has(1)
        change()
        assert not camera.pool.has(1)
    names = [name for name in camera.card.list() if name.lower().startswith("ready-")]
    settle(camera)
    assert len([name for name in camera.card.list() if name.lower().startswith("ready-")]) == len(names)


def test_an_issue_that_makes_no_sense_is_refused_and_changes_nothing(bench):
    camera = issued(bench)
    for wrong in ((bytes(16), FAR, 1), (A[:15], FAR, 1), (B, FAR, 3)):
        with pytest.raises(FormatFault):
            camera.issuing.issue(*wrong)
    settle(camera)
    camera.recorder.start()
    with pytest.raises(OutOfOrder):
        camera.issuing.issue(B, FAR, 1)
    camera.recorder.stop()
    assert camera.issuing.current == A and camera.gate.judge(PIN)


def test_rule_r10_after_its_hour_an_issue_replays_nothing_where_the_clock_is_known(bench):
    camera = bench.start()
    now = camera.clock.utc_ms()
    assert now
    camera.issuing.issue(A, now + 60000, 1)
    choose(camera)
    assert camera.gate.judge(PIN)

    camera.board.rtc.advance(61000)

    assert camera.gate.state == OVER
    with pytest.raises(Locked):
        camera.gate.key()
    settle(camera)
    camera.recorder.start()  # recording is never blocked
    camera.recorder.stop()


@pytest.mark.promise2
def test_a_word_that_does_not_go_keeps_the_gate_shut_and_is_said(bench, monkeypatch):
    camera = issued(bench)

    def stuck(sector):
        raise FlashFault

    monkeypatch.setattr(camera.flash, "erase", stuck)
    with pytest.raises(FlashFault):
        camera.issuing.issue(B, FAR, 1)
    assert camera.issuing.current == A and camera.gate.state == FAULTY
    with pytest.raises(Locked):
        camera.gate.offer(PIN)

    assert camera.issuing.end() == A  # the evidence must come out all the same
    assert (usagelog.REPLAY_KEY_ERASED, FlashFault.status) in events(camera)
    assert any("replay is shut" in line for line in bench.said)
    monkeypatch.undo()
    camera.power_off()
    camera = bench.start()  # tried again at every start
    assert camera.gate.state == OFF and bytes(bench.flash.bytes[18 * 4096 :][:4096]) == b"\xff" * 4096


@pytest.mark.promise2
@pytest.mark.parametrize("what", ["issue", "replay", "word", "tries", "policy"])
def test_what_does_not_fit_is_erased_at_the_next_start(bench, what):
    camera = issued(bench)
    camera.power_off()
    camera = bench.start()
    if what in ("issue", "replay"):
        raw = bytearray(camera.files.read(what))
        raw[3] ^= 0xFF
        camera.files.replace(what, raw)
    elif what == "policy":
        raw = bench.office.policy_file(2, 1)
        camera.keystore.keep_lists(camera.keystore.keylist(), raw)
    camera.power_off()
    if what == "word":
        bench.flash.bytes[18 * 4096 + 60] ^= 0xFF
    elif what == "tries":
        for sector in (19, 20):
            bench.flash.bytes[sector * 4096 + 20] ^= 0xFF

    camera = bench.start()

    assert camera.fault is None and camera.gate.state in (OFF, CHOOSE, LOST)
    assert bytes(bench.flash.bytes[18 * 4096 : 19 * 4096]) == b"\xff" * 4096
    settle(camera)
    camera.recorder.start()
    camera.recorder.stop()


@pytest.mark.promise2
def test_rule_r4_a_mark_that_is_torn_counts_as_spent(bench):
    camera = issued(bench)
    camera.power_off()
    sector = next(s for s in (19, 20) if bench.flash.bytes[s * 4096 : s * 4096 + 4] == b"SKT1")
    bench.flash.bytes[sector * 4096 + 64 + 4 * 32 + 31] = 0x7F  # one bit of the fifth

    assert bench.start().gate.tries_left == 5


def test_a_try_whose_write_is_lost_is_not_judged(bench, monkeypatch):
    camera = issued(bench)
    monkeypatch.setattr(camera.flash._device, "writeblocks", lambda *arguments: 0)

    assert not camera.gate.judge(PIN)

    assert camera.gate.state == FAULTY and camera.gate.fault is FlashFault
    assert camera.fault is None  # it still records


def test_rounds_are_measured_on_the_device_and_never_too_few(bench):
    camera = bench.start()
    camera.issuing.issue(A, FAR, 1)
    times = iter([0, 100])
    slow = camera.gate._measure()
    camera.clock.ms = lambda: next(times)
    with pytest.raises(StopIteration) as ended:
        while True:
            next(slow)
    assert ended.value.value == 20000  # a tenth of a second for 2,000
    del camera.clock.ms
    choose(camera)
    assert camera.gate._held[1] == pingate.FEWEST_ROUNDS  # on a clock that stands still


@pytest.mark.promise2
def test_what_one_wearer_filmed_the_next_cannot_open_with_the_older_flash_put_back_either(bench):
    """Proves BW-10."""
    camera = issued(bench)
    camera.power_off()
    older = gate_bench.moment(bench)
    camera = bench.start()
    camera.issuing.end()
    camera.issuing.issue(B, FAR, 2)
    choose(camera, OTHER_PIN)
    newer = camera.gate.point()
    camera.power_off()

    gate_bench.go_back(bench, older)
    camera = bench.start()

    assert camera.issuing.current == A and camera.gate.point() != newer
    assert not camera.gate.judge(OTHER_PIN)  # B's PIN is not A's


IMAGE = """
import gate_bench
from gate_bench import *
from sealcam import pingate

kept = {}
plain_unwrap = pingate.key_unwrap
def watch_unwrap(kek, wrapped):
    kept["kek"] = bytes(kek)
    return plain_unwrap(kek, wrapped)
pingate.key_unwrap = watch_unwrap

def scan(bench, when):
    image = bytes(bench.flash.bytes)
    for name, secret in kept.items():
        for at in (0, 16):
            found = image.find(secret[at : at + 16]) >= 0
            print(when, name, "found" if found else "gone")

bench = enrolled()
camera = issued(bench)
for _ in range(30):  # old copies of blocks: littlefs moves on, the word must not
    camera.logbook.note(7)
assert camera.gate.judge(PIN)
kept["d"] = camera.gate.key().to_bytes(32, "big")
kept["word"] = camera.gate._word.read()[2]
scan(bench, "issued")
{erase}
scan(bench, "erased")
camera.power_off()
scan(bench, "off")
camera = bench.start()
scan(bench, "again")
"""
TENTH = "for _ in range(10):\n    wait_out(camera)\n    camera.gate.judge(OTHER_PIN)"


@pytest.mark.slow
@pytest.mark.promise2
@pytest.mark.parametrize("erase", ["camera.issuing.end()", TENTH, "camera.dock_down()"])
def test_after_the_erasure_the_image_holds_neither_the_key_nor_what_opens_it(machine, erase):
    said = machine(IMAGE.replace("{erase}", erase), heap="32m").split("\n")

    assert said.count("issued word found") == 2  # the scan finds what is there
    assert [line for line in said if line.startswith("issued d ")] == ["issued d gone"] * 2
    after = [line for line in said if line and not line.startswith("issued")]
    assert len(after) == 3 * 6 and all(line.endswith("gone") for line in after)
