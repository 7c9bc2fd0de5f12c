"""A dict that plays along with the journal through random days, receipts and power cuts, on either machine.

Holds, for each number, what the journal must still know; a number that a receipt settled it may forget.
"""

import random
import struct

import board as desk
from sealcam.flash import Flash
from sealcam.journal import Journal
from sealcam.layout import STATE_CUT, STATE_ENDED, STATE_VOID

SERIAL, DIGEST = b"S" * 16, b"D" * 32
SECTORS = 4


class Faults(desk.Faults):
    def power_lost(self):
        raise desk.PowerLost


def journal_on(store, faults=None):
    return Journal(Flash(desk.Blocks(store, 4096, faults or Faults(), False)), 0, SECTORS)


def tag_of(seq, index):
    return struct.pack(">QQ16x", seq, index)


def id_of(seq):
    return struct.pack(">QQ", seq, 77)


class Model:
    """`files`: number -> [index, state], state 0 open; `settled`: numbers a receipt named; `doing`: what the
    cut met.
    """

    def __init__(self, chance):
        self.chance = chance
        self.files, self.settled, self.doing = {}, set(), None
        self.next = 1

    def one(self, journal):
        """One random act, in the journal first; `doing` says which until the model has it too."""
        open_now = [seq for seq, file in self.files.items() if not file[1]]
        over = [seq for seq, file in self.files.items() if file[1] and seq not in self.settled]
        act = self.chance.choice(["open", "progress", "progress", "close", "void", "receipt", "receipt"])
        if act == "open" and len(open_now) < 2 and journal.has_room():
            self.begin("open", self.next)
            journal.open_file(self.next, 1, id_of(self.next), SERIAL)
        elif act in ("progress", "close", "void") and open_now:
            seq = self.chance.choice(open_now)
            self.begin(act, seq)
            self.over_or_on(journal, act, seq, self.files[seq][0] + 1)
        elif act == "receipt" and len(over) > 3:
            seq = self.chance.choice(over)
            self.begin("receipt", seq)
            recording_id = bytes(16) if self.files[seq][1] == STATE_VOID else id_of(seq)
            journal.receipted(seq, recording_id, SERIAL, 9, DIGEST)
        if self.doing:
            self.keep(*self.doing)

    def begin(self, act, seq):
        self.doing = act, seq

    def over_or_on(self, journal, act, seq, index):
        if act == "progress":
            journal.progress(seq, index, tag_of(seq, index))
        elif act == "close":
            journal.close_file(seq, id_of(seq), index, tag_of(seq, index), STATE_ENDED)
        else:
            journal.void(seq)

    def keep(self, act, seq):
        """The model's own half of an act that stands."""
        self.doing = None
        if act == "open":
            self.files[seq] = [0, 0]
            self.next = seq + 1
        elif act == "receipt":
            self.settled.add(seq)
        else:
            self.files[seq][0] += 1
            if act == "close":
                self.files[seq][1] = STATE_ENDED
            elif act == "void":
                self.files[seq] = [0, STATE_VOID]

    def after_cut(self, journal):
        """Of what the cut met, the journal says whether it stands."""
        if self.doing:
            before, act = str(self.said(journal)), self.doing
            if before != str(self.wanted()):
                self.keep(*act)
            self.doing = None

    def wanted(self):
        """What must be known of every number that no receipt settled."""
        left = [seq for seq in self.files if seq not in self.settled]
        return sorted([(seq, self.files[seq][0], self.files[seq][1]) for seq in left])

    def said(self, journal):
        known = journal.known().items()
        return sorted([(seq, file.index, file.state) for seq, file in known if not journal.is_settled(seq)])

    def check(self, journal):
        assert self.said(journal) == self.wanted(), (self.said(journal), self.wanted())
        assert journal.next_sequence() == self.next
        for seq in self.files:
            assert journal.is_settled(seq) == (seq in self.settled), seq
        told = [struct.unpack_from(">Q", entry, 16)[0] for entry in journal.entries()]
        assert not [seq for seq in told if not 0 < seq < self.next]


def live(journal):
    """Entries that live, sector by sector, as the ring counts them."""
    return sorted([(place, sector.live) for place, sector in journal._ring.sectors.items()])


def play(seed, days, acts=40):
    """Random days with a cut in each; answers how many numbers were spent and how many were settled."""
    chance = random
    chance.seed(seed)
    store = desk.MemoryStore(b"\xff" * 4096 * SECTORS)
    journal_on(store).format()
    model = Model(chance)
    for _ in range(days):
        faults = Faults(cut_after=1 + int(chance.random() * 3 * acts), torn=chance.choice([0.0, 0.3, 0.999]))
        try:
            journal = journal_on(store, faults)
            journal.load(True)
            for _ in range(acts):
                model.one(journal)
        except desk.PowerLost:
            pass
        again = journal_on(store)
        again.load(True)
        model.after_cut(again)
        model.check(again)
        if not faults.dark:
            model.check(journal)
            assert live(journal) == live(again), (live(journal), live(again))
            assert journal.newest_closing() == again.newest_closing()
    return len(model.files), len(model.settled)


def film_for_years(shifts):
    """Shift after shift, receipted each evening: the ring never fills."""
    store = desk.MemoryStore(b"\xff" * 4096 * SECTORS)
    journal = journal_on(store)
    journal.format()
    for shift in range(1, shifts + 1):
        made = []
        for state in (STATE_ENDED, STATE_CUT, STATE_ENDED):
            seq = journal.next_sequence()
            assert journal.has_room(), shift
            journal.open_file(seq, 1, id_of(seq), SERIAL)
            for index in range(1, 6):
                journal.progress(seq, index, tag_of(seq, index))
            journal.close_file(seq, id_of(seq), 5, tag_of(seq, 5), state)
            made.append(seq)
        for seq in made:
            journal.receipted(seq, id_of(seq), SERIAL, shift, DIGEST)
    again = journal_on(store)
    again.load()
    assert live(again) == live(journal)
    return again.next_sequence(), len(list(again.entries()))
