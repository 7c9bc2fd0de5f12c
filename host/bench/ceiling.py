"""What this machine can do at most, with nothing that could be left out. Imports nothing of ours.

`ceiling.py hmac FILE JOBS`: seconds for bare HMACs over whole 16 KiB pieces in one buffer, file read before.
`ceiling.py ingest ORDER FOLDER CARD START:LENGTH...`: seconds to read these stretches of a card once, HMAC
every 16 KiB piece, SHA-256 them, write them to two files, flush those, and SHA-256 both read past the page
cache. ORDER is serial (one thread) or overlapped (one thread a lane). Where the disk takes O_DIRECT, writes
and reads go past the page cache; that is the faster way.
"""

import errno
import fcntl
import functools
import hashlib
import hmac
import itertools
import mmap
import multiprocessing
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

PIECE = 16384
ACROSS = 1 << 20  # bytes of one read or write of the card's
BACK = 4 << 20  # bytes of one uncached read
RING = 8
KEY = bytes(range(32))

Stretch = tuple[int, int]  # where it starts on the card, how long it is


def read_whole(path: str) -> bytearray:
    """The file in one buffer."""
    buffer = bytearray(os.path.getsize(path))
    with open(path, "rb") as file:
        file.readinto(buffer)
    return buffer


def hmac_pieces(buffer: bytearray | memoryview, first: int = 0, last: int | None = None) -> None:
    """An HMAC-SHA-256 over every piece."""
    view, digest = memoryview(buffer), hmac.digest
    for at in range(first, len(buffer) if last is None else last, PIECE):
        digest(KEY, view[at : at + PIECE], "sha256")


def hmac_seconds(buffer: bytearray, jobs: int) -> float:
    """Seconds for all pieces, shared by so many processes."""
    pieces = -(-len(buffer) // PIECE)
    edges = [pieces * job // jobs * PIECE for job in range(jobs + 1)]
    start = time.perf_counter()
    context = multiprocessing.get_context("fork")
    shares = zip(edges[1:], edges[2:], strict=False)
    helpers = [context.Process(target=hmac_pieces, args=(buffer, low, high)) for low, high in shares]
    for helper in helpers:
        helper.start()
    hmac_pieces(buffer, edges[0], edges[1])
    for helper in helpers:
        helper.join()
    return time.perf_counter() - start


def open_direct(path: str, flags: int) -> int:
    """A handle that passes the page cache by, where the file system has such."""
    try:
        return os.open(path, flags | os.O_DIRECT, 0o600)
    except OSError as fault:
        if fault.errno != errno.EINVAL:
            raise
        return os.open(path, flags, 0o600)


def write_all(handle: int, view: memoryview) -> None:
    """All of it; an end that is no whole block goes through the page cache."""
    if len(view) % mmap.PAGESIZE:
        fcntl.fcntl(handle, fcntl.F_SETFL, fcntl.fcntl(handle, fcntl.F_GETFL) & ~os.O_DIRECT)
    while len(view):
        view = view[os.write(handle, view) :]


def pieces_of(
    card: int, stretches: Sequence[Stretch], take: Callable[[], memoryview]
) -> Iterator[memoryview]:
    """The card, read once into the buffers given."""
    for start, length in stretches:
        for at in range(start, start + length, ACROSS):
            view = take()[: min(ACROSS, start + length - at)]
            os.preadv(card, [view], at)
            yield view


def copy_serial(card: int, stretches: Sequence[Stretch], files: Sequence[int]) -> bytes:
    """Read, HMAC, SHA-256 and write, one after the other; the SHA-256 of all of it."""
    summed, buffer = hashlib.sha256(), memoryview(mmap.mmap(-1, ACROSS))
    for view in pieces_of(card, stretches, lambda: buffer):
        hmac_pieces(view)
        summed.update(view)
        for handle in files:
            write_all(handle, view)
    for handle in files:
        os.fsync(handle)
    return summed.digest()


class Lane(threading.Thread):
    """Does one thing with every piece in order; `room` counts the buffers it is past."""

    def __init__(self, work: Callable[[memoryview], object]) -> None:
        super().__init__()
        self.work, self.room = work, threading.Semaphore(RING)
        self.pieces: queue.SimpleQueue[memoryview | None] = queue.SimpleQueue()
        self.start()

    def run(self) -> None:
        while (view := self.pieces.get()) is not None:
            self.work(view)
            self.room.release()


def copy_overlapped(card: int, stretches: Sequence[Stretch], files: Sequence[int]) -> bytes:
    """The same with one thread a lane; a buffer is used again when every lane is past it."""
    summed = hashlib.sha256()
    buffers = itertools.cycle([memoryview(mmap.mmap(-1, ACROSS)) for _ in range(RING)])
    lanes = [Lane(summed.update), *(Lane(functools.partial(write_all, handle)) for handle in files)]

    def take() -> memoryview:
        for lane in lanes:
            lane.room.acquire()
        return next(buffers)

    for view in pieces_of(card, stretches, take):
        for lane in lanes:
            lane.pieces.put(view)
        hmac_pieces(view)
    for lane in lanes:
        lane.pieces.put(None)
        lane.join()
    together([functools.partial(os.fsync, handle) for handle in files])
    return summed.digest()


def together(works: Sequence[Callable[[], Any]]) -> list[Any]:
    """One thread each."""
    with ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(lambda work: work(), works))


def read_back(path: str, is_overlapped: bool) -> bytes:
    """SHA-256 past the page cache; overlapped, one piece is read while the one before is hashed."""
    handle = open_direct(path, os.O_RDONLY)
    os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
    summed, at = hashlib.sha256(), 0
    buffers = itertools.cycle([memoryview(mmap.mmap(-1, BACK)) for _ in range(2)])
    with ThreadPoolExecutor(1) as thread:
        hashing = thread.submit(int)
        while count := os.preadv(handle, [view := next(buffers)], at):
            hashing.result()
            hashing = thread.submit(summed.update, view[:count])
            at += count
            if not is_overlapped:
                hashing.result()
        hashing.result()
    os.close(handle)
    return summed.digest()


def ingest_seconds(order: str, folder: str, card: str, stretches: Sequence[Stretch]) -> float:
    """Seconds for the whole of it."""
    is_overlapped = order == "overlapped"
    paths = [os.path.join(folder, name) for name in ("one", "two")]
    start = time.perf_counter()
    source = os.open(card, os.O_RDONLY)
    files = [open_direct(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL) for path in paths]
    wanted = (copy_overlapped if is_overlapped else copy_serial)(source, stretches, files)
    for handle in files:
        os.close(handle)
    backs = [functools.partial(read_back, path, is_overlapped) for path in paths]
    found = together(backs) if is_overlapped else [back() for back in backs]
    if found != [wanted, wanted]:
        raise SystemExit("what was written reads back changed")
    return time.perf_counter() - start


if __name__ == "__main__":
    what, *rest = sys.argv[1:]
    if what == "hmac":
        print(hmac_seconds(read_whole(rest[0]), int(rest[1])))
    else:
        cut = [tuple(map(int, stretch.split(":"))) for stretch in rest[3:]]
        print(ingest_seconds(*rest[:3], [(start, length) for start, length in cut]))
