"""Receipts and alarms as a dock commands them: what a repeated, an old or a broken order costs."""

import pytest
from power_wipes import empty, names_of
from sealcam import orders, wiper
from sealcam.errors import CardFault, ClockFault, OutOfOrder
from sealcam.receipts import IN_READER
from test_wiper import bench, evening, judge, nobody  # noqa: F401 - bench and evening are fixtures


class Spoken:
    """What a camera would have answered, in the clear."""

    def begin(self, session, command, number, form):
        self.said = []

    def say(self, content):
        self.said.append(bytes(content))


def ask(made, command, body=b""):
    """One request to the orders themselves; the whole answer."""
    answers = made._answers
    for _ in made.begin(None, bytes([command, 0, 0, 1]) + body):
        pass
    return b"".join(answers.said)


@pytest.mark.promise4
def test_an_alarm_that_nobody_was_told_of_outlives_the_docking_it_came_in(bench):  # noqa: F811
    """Proves PH-5: a card that comes back in the dock, emptied, is told of at the next docking."""
    camera, made = bench.camera, orders.Orders(bench.camera, Spoken())
    assert ask(made, 0x10)[20] == 0
    gone = names_of(camera, 1)
    camera.remove_card()
    bench.faults.asleep = True
    empty(bench, gone, None)
    bench.faults.asleep = False
    camera.insert_card()
    assert camera.alarms == 1

    ask(made, 0x19)

    assert camera.alarms == 1
    assert ask(made, 0x10)[20] == 1
    ask(made, 0x19)
    assert camera.alarms == 0


@pytest.mark.promise4
def test_an_old_receipt_takes_the_place_of_no_record(bench):  # noqa: F811
    """Proves M19: one of which nothing may go is acted on by nobody, in a reader either."""
    camera = bench.camera
    old, _ = judge(bench, IN_READER, number=3, entries=[bench.entries[1]])
    camera.wiper.wiped(old, b"\x01")
    newer, _ = judge(bench, IN_READER, number=7, entries=[bench.entries[2]])
    record = camera.wiper.wiped(newer, b"\x01")

    for number, entries in ((3, [bench.entries[1]]), (9, [])):
        digest, statuses = judge(bench, IN_READER, number=number, entries=entries)
        assert 0 not in statuses
        with pytest.raises(OutOfOrder):
            camera.wiper.wiped(digest, bytes(len(entries)))

    assert camera.wiper.record(newer) == record and camera.wiper.last_number() == 7


@pytest.mark.promise4
def test_a_wipe_that_failed_is_carried_on_before_anything_is_allocated(bench, monkeypatch):  # noqa: F811
    """Proves BK-1: out of the dock as after a restart, and the card is good for the next one."""
    camera = bench.camera
    digest, statuses = judge(bench)
    plain, calls = wiper.overwrite_heads, []

    def fails_once(card, name):
        calls.append(name)
        if len(calls) == 3:
            raise CardFault  # a read that did not come: the card lives
        return plain(card, name)

    monkeypatch.setattr(wiper, "overwrite_heads", fails_once)
    with pytest.raises(CardFault):
        camera.wiper.wipe(digest, nobody)

    camera.undock()

    assert camera.card_fault is None and camera.wiper.last_number() == 1
    assert camera.wiper.record(digest) and all(camera.journal.is_settled(seq) for seq in bench.entries)
    camera.recorder.start()
    camera.power_off()
    assert bench.start().card_fault is None


@pytest.mark.promise4
@pytest.mark.parametrize("holds", ["another's", "its old head"])
def test_a_card_that_was_elsewhere_while_its_wipe_waited_is_good_again(bench, monkeypatch, holds):  # noqa: F811
    """Proves BK-1: what another camera wrote there is no sample; a head that is there again is a fault."""
    camera, sector = bench.camera, bench.card.size // 512 - 9
    digest, _ = judge(bench)
    plain, calls = wiper.overwrite_heads, []

    def fails_once(card, name):
        calls.append(name)
        if len(calls) == 3:
            raise CardFault
        plain(card, name)
        return sector

    part = camera.card.open(names_of(camera, 1)[0])
    head = bytearray(512)
    part.read_at(0, head)
    part.close()
    with monkeypatch.context() as broken:
        broken.setattr(wiper, "overwrite_heads", fails_once)
        with pytest.raises(CardFault):
            camera.wiper.wipe(digest, nobody)
    camera.power_off()
    there = b"another" * 73 + b"s" if holds == "another's" else head
    bench.card.bytes[sector * 512 : sector * 512 + 512] = there

    camera = bench.start()

    assert (camera.card_fault is CardFault) == (holds == "its old head")
    assert camera.wiper.last_number() == (holds == "another's")


def test_an_hour_that_no_calendar_has_is_refused_and_changes_nothing(bench):  # noqa: F811
    """Whoever signed it: a clock that took it would take no other any more."""
    clock = bench.camera.clock
    before = clock.utc_ms()

    with pytest.raises(ClockFault):
        clock.accept(1 << 63, bytes(32), 1)

    assert clock.utc_ms() == before and clock.latest_ms(bytes(32)) < 1 << 62
