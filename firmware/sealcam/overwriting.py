"""Let go of what no name holds any more: extents erased where the driver can, free space overwritten where
policy asks.

Touches clusters that the table calls free, and no others; leaves no name behind. What was in them was sealed,
and its heads were gone before.
"""

import struct

from sealcam.errors import CardFault
from sealcam.fat import Fat
from sealcam.layout import clear

_FILE = "overwrite"
_FIELDS = ">16sI"  # card serial, the cluster to go on at
_SECTOR = 512
_PIECE = 16384  # overwritten in one step
_KEEP_EVERY = 512  # pieces between two notes of the place: after a cut no more is done again
_LOOKED_AT = 64  # clusters looked at in one step that finds none free


def extents_from(card, sectors) -> list:
    """[(first sector, count)] of the files that begin at these sectors; nothing where the driver cannot
    erase.
    """
    if not card.blocks.can_erase:
        return []
    fat, runs = Fat(card.sector), []
    for sector in sectors:
        cluster = fat.cluster_of(sector) if fat.clusters else 0
        for _ in range(fat.clusters):
            if not 2 <= cluster <= fat.last:
                break
            _add_run(runs, fat.sector_of(cluster), fat.per_cluster)
            cluster = fat.next(cluster)
    return runs


def _add_run(runs, first, count):
    if runs and runs[-1][0] + runs[-1][1] == first:
        first, count = runs[-1][0], runs.pop()[1] + count
    runs.append((first, count))


def erase(card, runs) -> None:
    """Erase what their names have let go of. A card that does not take the order costs nothing: what opened
    the extents is overwritten.
    """
    for first, count in runs:
        if card.blocks.erase_blocks(first, count):
            return


class Overwriting:
    """The full overwrite after a wipe: in slices, in idle time, from where it was when the power went."""

    def __init__(self, camera):
        self._camera = camera
        self._fat = self._cluster = None
        self._since = 0
        self._zeros = None

    def begin(self) -> None:
        """A wipe is over; where policy asks, the free space of this card is to be overwritten."""
        if self._camera.policy.full_overwrite:
            self._keep(2)
            self.take_up()

    def take_up(self) -> None:
        """Go on where this card was; on another card there is nothing to do."""
        self._fat = self._cluster = None
        noted = self._camera.files.find(_FILE)
        if noted is None or len(noted) != struct.calcsize(_FIELDS):
            return
        serial, cluster = struct.unpack(_FIELDS, noted)
        if serial == self._camera.card.serial:
            self._cluster, self._since = max(2, cluster), 0

    def _keep(self, cluster):
        self._camera.files.replace(_FILE, struct.pack(_FIELDS, self._camera.card.serial, cluster))

    def step(self) -> bool:
        """Overwrite one free piece; False when there is nothing left to do. The table is read anew each time,
        for a file may have come since.
        """
        if self._cluster is None:
            return False
        card = self._camera.card
        if self._fat is None:
            self._fat = Fat(card.sector)
            self._zeros = memoryview(bytearray(_PIECE))
            clear(self._zeros)
        self._fat.forget()
        for _ in range(_LOOKED_AT):
            if self._cluster > self._fat.last:
                return self._end()
            if self._fat.next(self._cluster) == 0:
                return self._overwrite(card)
            self._cluster += 1
        return True

    def _end(self):
        self._camera.files.remove(_FILE)
        self._fat = self._cluster = self._zeros = None
        self._camera.say("- the card's free space was overwritten")
        return True

    def _overwrite(self, card):
        """As many free clusters in a row as one piece holds, at least one."""
        fat, first = self._fat, self._cluster
        size = fat.per_cluster * _SECTOR
        while self._cluster <= fat.last and fat.next(self._cluster) == 0:
            self._cluster += 1
            if (self._cluster - first + 1) * size > _PIECE:
                break
        sector, left = fat.sector_of(first), (self._cluster - first) * size
        while left:
            piece = self._zeros[: min(left, _PIECE)]
            if card.blocks.writeblocks(sector, piece):
                raise CardFault
            sector, left = sector + len(piece) // _SECTOR, left - len(piece)
        self._since += 1
        if self._since >= _KEEP_EVERY:
            self._since = 0
            self._keep(self._cluster)
        return True
