"""Several places written at once:

one thread a place, one that keeps the digest, and a fixed number of buffers.

The slowest place sets the pace. When one place fails the draft fails as a whole and nothing becomes visible
that was not whole; bodies that another place had already named stay, and are found there by the next run.
"""

import hashlib
import mmap
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sealhost.errors import NotFound, StoreUnavailable
from sealhost.vault.store import BODIES, Draft, ReadBack, Store, StoredPart

_PIECE = 1 << 20
_BUFFERS = 8


class _Piece:
    """A buffer that several lanes read and that is free again when the last has done so."""

    def __init__(self, free: "queue.SimpleQueue[_Piece]") -> None:
        self.view = memoryview(mmap.mmap(-1, _PIECE))  # whole pages: what O_DIRECT takes
        self.length = 0
        self._free, self._lock, self._readers = free, threading.Lock(), 0

    def lend(self, readers: int) -> None:
        self._readers = readers

    def give_back(self) -> None:
        with self._lock:
            self._readers -= 1
            is_free = self._readers == 0
        if is_free:
            self.length = 0
            self._free.put(self)


class _Lane(threading.Thread):
    """One thread that takes every piece in order; after a failure it only gives them back."""

    def __init__(self, take: Callable[[memoryview], None]) -> None:
        super().__init__(daemon=True)
        self._take = take
        self._pieces: queue.SimpleQueue[_Piece | None] = queue.SimpleQueue()
        self.fault: StoreUnavailable | None = None
        self.start()

    def put(self, piece: _Piece | None) -> None:
        self._pieces.put(piece)

    def run(self) -> None:
        while (piece := self._pieces.get()) is not None:
            try:
                if self.fault is None:
                    self._take(piece.view[: piece.length])
            except StoreUnavailable as fault:
                self.fault = fault
            finally:
                piece.give_back()

    def finish(self) -> None:
        """Wait until everything put is taken."""
        if self.is_alive():
            self.put(None)
            self.join()


class VaultDraft:
    """One body written to every place at once; `with` discards what was not committed."""

    def __init__(self, stores: Sequence[Store]) -> None:
        self._drafts: list[Draft] = []
        self._lanes: list[_Lane] = []
        self._sum = hashlib.sha256()
        try:
            for store in stores:
                self._drafts.append(store.draft())
        except StoreUnavailable:
            self.discard()
            raise
        self._free: queue.SimpleQueue[_Piece] = queue.SimpleQueue()
        for _ in range(_BUFFERS):
            self._free.put(_Piece(self._free))
        self._piece = self._free.get()
        self._lanes = [_Lane(self._sum.update), *(_Lane(draft.write_unhashed) for draft in self._drafts)]

    def write(self, view: memoryview | bytes) -> None:
        """Append; the bytes are copied before this returns. StoreUnavailable as soon as a place failed."""
        rest = memoryview(view)
        while rest:
            count = min(len(rest), _PIECE - self._piece.length)
            start = self._piece.length
            self._piece.view[start : start + count] = rest[:count]
            self._piece.length += count
            rest = rest[count:]
            if self._piece.length == _PIECE:
                self._send()
                self._refuse_after_a_fault()

    def _send(self) -> None:
        self._piece.lend(len(self._lanes))
        for lane in self._lanes:
            lane.put(self._piece)
        self._piece = self._free.get()

    def _refuse_after_a_fault(self) -> None:
        for lane in self._lanes:
            if lane.fault is not None:
                raise lane.fault

    def commit(self) -> bytes:
        """Flush and name it in every place at once; its SHA-256."""
        if self._piece.length:
            self._send()
        for lane in self._lanes:
            lane.finish()
        self._refuse_after_a_fault()
        digest = self._sum.digest()
        with ThreadPoolExecutor(len(self._drafts)) as threads:
            list(threads.map(lambda draft: draft.commit(digest), self._drafts))
        self._drafts = []
        return digest

    def discard(self) -> None:
        """Forget it in every place; a place that is gone keeps its draft until it is swept."""
        for lane in self._lanes:
            lane.finish()
        for draft in self._drafts:
            try:
                draft.discard()
            except StoreUnavailable:
                continue  # the next start sweeps it; what matters is the error that led here
        self._drafts = []

    def __enter__(self) -> "VaultDraft":
        return self

    def __exit__(self, *_: object) -> None:
        self.discard()


class Vault:
    """Every place of this vault."""

    def __init__(self, stores: Sequence[Store]) -> None:
        self.stores = tuple(stores)

    @classmethod
    def at(cls, places: Sequence[Path], room: str = BODIES, is_ours: bool = True) -> "Vault":
        """The vault over these folders; StoreUnavailable when one is not there. A guest only reads."""
        return cls([Store(place, room, is_ours) for place in places])

    def draft(self) -> VaultDraft:
        """A body to be, in every place."""
        return VaultDraft(self.stores)

    def has(self, digest: bytes) -> bool:
        """Whether every place holds it."""
        return all(store.has(digest) for store in self.stores)

    @property
    def copies(self) -> int:
        """How many places there are: what a committed draft is held by."""
        return len(self.stores)

    def held(self, digest: bytes) -> int:
        """How many places hold it."""
        return sum(store.has(digest) for store in self.stores)

    def open(self, digest: bytes) -> StoredPart:
        """A body as a Part, from the first place that holds it; NotFound."""
        for store in self.stores:
            if store.has(digest):
                return store.open(digest)
        raise NotFound(digest.hex())

    def read_back(self, digest: bytes) -> list[ReadBack]:
        """Prove every copy on its medium, all places at once; CopyDamaged, NotFound or StoreUnavailable."""
        with ThreadPoolExecutor(len(self.stores)) as threads:
            return list(threads.map(lambda store: store.read_back(digest), self.stores))
