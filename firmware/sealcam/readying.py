"""Make a secret and its first part ready before anybody asks for them.

A ready part has its slots, a zero core and a name without a number. Secrets wait in the pool, in RAM alone;
what is on the card opens nothing. Knows the card and the slots; never a sequence number, never a chunk.
"""

from sealcam.errors import CardFull
from sealcam.layout import KIND_LOG, LOG_CHUNK_SIZE, block_size, pack_head, part_name, ready_name

_NAMES_APART = 1000  # of two recordings under one number
_NO_CORE, _NO_TAG = bytes(256), bytes(32)


class Readying:
    """One kind of file. `slots` is a SlotMaker, `pool` a Pool; `head` is lent by whoever writes heads of this
    kind.
    """

    def __init__(self, card, slots, pool, kind: int, chunk_size: int, part_bytes: int):
        self._card, self._slots, self._pool = card, slots, pool
        self.kind, self.chunk_size, self.part_bytes = kind, chunk_size, part_bytes
        self.block = block_size(chunk_size)
        self.head = memoryview(bytearray(self.block))
        self._job = None
        self._number = 0
        self.name = ""

    def step(self) -> bool:
        """Do a slice of the work; False when there is nothing left to do. CardFull if there is no room for a
        part.
        """
        if self._pool.has(self.kind):
            return False
        if self._job is None:
            self._job = self._slots.job(self.kind, self.block)
        elif self._job.step():
            ready, self._job = self._job.ready, None
            self._allocate(ready)
            self._pool.offer(ready)
        return True

    def take(self):
        """(ready secret, name of its part), made now if there was no time before."""
        while self.step():
            pass
        return self._pool.take(self.kind), self.name

    def use(self, slots) -> None:
        """Make ready for other readers; what was ready for the readers before is forgotten, its part removed.
        """
        self.drop()
        self._slots = slots
        ready = self._pool.take(self.kind)
        if ready is not None:
            ready.forget()
            self._card.remove(self.name)

    def drop(self) -> None:
        """Forget a job that is half done; the pool is dropped by whoever owns it."""
        self._job = None

    def _allocate(self, ready):
        if self.name and self._card.has(self.name):
            self._card.remove(self.name)  # its secret was forgotten before it served
        if not self._card.has_room(self.part_bytes):
            raise CardFull
        pack_head(self.head, _NO_CORE, _NO_TAG, ready.slot_area)
        self._number += 1
        self.name = ready_name(self._number, self.kind)
        self._card.allocate(self.name, self.part_bytes, self.head).close()


def for_log(card, slots, pool, part_bytes: int) -> Readying:
    return Readying(card, slots, pool, KIND_LOG, LOG_CHUNK_SIZE, part_bytes)


def free_name(camera, seq: int, number: int, kind: int) -> str:
    """The name of a part, or one that nobody has: where one stands under our number already, somebody put an
    old flash back. That file stays, and a reader finds the fork by the heads.
    """
    while True:
        name = part_name(camera.identity.device_id, seq, number, kind)
        if not camera.card.has(name):
            return name
        camera.say("- %s is there already: this flash is older than the card" % name)
        number += _NAMES_APART
