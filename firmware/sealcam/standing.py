"""Where in the ring each number's entries stand, and how many live in each sector.

Three places in one small number, for a camera knows hundreds of files and has little memory. Knows places;
never an entry's bytes, and never the flash.
"""

OPENED_AT, END_AT, RECEIPTED_AT = 0, 8, 16  # each holds a place plus 1, 0 for none
_OTHERS = 0xFFFF  # what a receipt's entry waits for: its number's opened and end entries


class Standing:
    """`sectors` is the ring's own {place: Sector}, whose `live` is kept here."""

    def __init__(self, sectors):
        self._sectors = sectors
        self._places = {}  # sequence -> places
        self._gone = []
        self.newest_end = 0  # the number whose closing entry is the newest

    def knows(self, seq: int) -> bool:
        """Whether anything of this number stands in the ring."""
        return bool(self._places.get(seq, 0))

    def is_receipted(self, seq: int) -> bool:
        return bool(self._places.get(seq, 0) >> RECEIPTED_AT)

    def is_waited_for(self, seq: int) -> bool:
        """Whether an opened or an end entry of this number stands: its receipt's entry may not go before."""
        return bool(self._places.get(seq, 0) & _OTHERS)

    def put(self, seq: int, kind_at: int, place: int) -> None:
        """An entry that stands in `place` and lives."""
        self._set(seq, kind_at, place + 1)
        self._sectors[place].live += 1

    def put_end(self, seq: int, place: int) -> None:
        """The newest closing entry; the one before it stood, if it was settled, only because it was the
        newest.
        """
        before, self.newest_end = self.newest_end, seq
        self.put(seq, END_AT, place)
        if self.is_receipted(before):
            self._lose(before, END_AT)

    def put_receipt(self, seq: int, place: int) -> None:
        """What settles a number: its other entries die, but for the newest closing entry."""
        self.put(seq, RECEIPTED_AT, place)
        self._lose(seq, OPENED_AT)
        if seq != self.newest_end:
            self._lose(seq, END_AT)
        if not self.is_waited_for(seq):  # at a load the others may be gone already
            self._lose(seq, RECEIPTED_AT)

    def let_go(self, seq: int, kind_at: int) -> None:
        """A dead entry that is not copied; `moved` follows."""
        self._gone.append((seq, kind_at))

    def moved(self, old: int, new: int) -> None:
        """What lived in sector `old` stands in `new`; what was let go of there stands nowhere."""
        gone, self._gone = self._gone, []
        for seq, kind_at in gone:
            self._set(seq, kind_at, 0)
        for seq in list(self._places):
            for kind_at in (OPENED_AT, END_AT, RECEIPTED_AT):
                if self._place(seq, kind_at) == old:
                    self._set(seq, kind_at, new + 1)
        for seq in set([seq for seq, kind_at in gone if kind_at != RECEIPTED_AT]):
            if not self.is_waited_for(seq):
                self._lose(seq, RECEIPTED_AT)

    def _set(self, seq, kind_at, value):
        places = self._places.get(seq, 0) & ~(0xFF << kind_at) | value << kind_at
        if places:
            self._places[seq] = places
        else:
            self._places.pop(seq, None)

    def _place(self, seq, kind_at):
        return (self._places.get(seq, 0) >> kind_at & 0xFF) - 1

    def _lose(self, seq, kind_at):
        place = self._place(seq, kind_at)
        if place >= 0:
            self._sectors[place].live -= 1
