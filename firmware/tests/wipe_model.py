"""Sets that play along with receipts through random evenings, on either machine.

They hold what must stand on the card, what a receipt settled, and what is gone without one.
"""

import random

from power import enrol, film
from power_bench import Bench, Faults
from power_wipes import empty, names_of
from sealcam.enrolment import inventory
from sealcam.receipts import IN_CAMERA, IN_READER, RECEIPT
from vault_bench import ALTERED, entries_of, receipt

SPOILT = [{"verdict": ALTERED}, {"copies": 1}, {"last_tag": b"?" * 32}, {"recording_id": b"?" * 16}]


class Model:
    def __init__(self):
        self.there, self.settled, self.stolen = set(), set(), set()
        self.number, self.alarm = 0, False

    def check(self, bench, camera):
        """What the camera says and shows, at the start of an evening."""
        found = set(entries_of(bench, camera))
        assert self.there <= found, (self.there, found)
        assert not found & (self.settled | self.stolen), (found, self.settled, self.stolen)
        for seq in self.there | self.stolen:
            assert not camera.journal.is_settled(seq), seq
        for seq in self.settled:
            assert camera.journal.is_settled(seq), seq
        assert bool(camera.alarms) == self.alarm
        assert camera.wiper.last_number() == self.number
        self.there = found


def evening(bench, model, chance):
    """One evening: dock, check, a receipt over some of it, by wire or in a reader; then perhaps a thief."""
    camera = bench.start()
    if chance.random() < 0.6:
        film(camera)
    camera.dock_down()
    camera.wiper.alarm_tells()
    for _ in inventory(camera, bytes(16)):
        pass
    model.check(bench, camera)
    entries = entries_of(bench, camera)
    named = [seq for seq in sorted(entries) if chance.random() < 0.6]
    good = [seq for seq in named if chance.random() < 0.8]
    where = IN_CAMERA if chance.random() < 0.6 else IN_READER
    gone = act(bench, camera, model, where, entries, named, good, chance) if named else []
    camera.undock()
    camera.wiper.alarm_told()
    model.alarm = False
    camera.power_off()
    bench.faults.dark = True
    if gone:
        empty(bench, gone, None)


def act(bench, camera, model, where, entries, named, good, chance):
    """Judge and act; the names that a reader has to take away."""
    spoilt = [dict(entries[seq], **({} if seq in good else chance.choice(SPOILT))) for seq in named]
    number = model.number + chance.choice([0, 1, 1, 1, 4])
    raw = receipt(bench, camera, number, spoilt) if number else None
    if raw is None:
        return []
    digest, statuses = camera.wiper.judge(RECEIPT, where, raw)
    wanted = [seq for seq in good if number > model.number]
    assert [seq for seq, status in zip(named, statuses) if not status] == wanted, (named, list(statuses))
    if not wanted:
        return []
    names = [name for seq in wanted for name in names_of(camera, seq)]
    if where == IN_CAMERA:
        camera.wiper.wipe(digest, lambda done, of: None)
    else:
        camera.wiper.wiped(digest, bytes([seq in wanted for seq in named]))
    model.there -= set(wanted)
    model.settled |= set(wanted)
    model.number = number
    return names if where == IN_READER else []


def steal(bench, model, chance):
    """Somebody takes files off the card, and leaves no receipt."""
    seq = chance.choice(sorted(model.there))
    camera = bench.start()
    names = names_of(camera, seq)
    camera.power_off()
    bench.faults.dark = True
    empty(bench, names, None)
    model.there.remove(seq)
    model.stolen.add(seq)
    model.alarm = True


def play(seed, evenings):
    """Random evenings; (numbers settled, stolen)."""
    chance = random
    chance.seed(seed)
    bench, model = Bench(200), Model()
    enrol(bench, Faults()).power_off()
    for _ in range(evenings):
        evening(bench, model, chance)
        if model.there and chance.random() < 0.2:
            steal(bench, model, chance)
    return len(model.settled), len(model.stolen)
