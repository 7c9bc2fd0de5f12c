"""What this machine can do at most: bare HMACs over whole 16 KiB pieces in one buffer. Imports nothing of
ours.

`python ceiling.py hmac FILE JOBS` prints the seconds it took, file read beforehand.
"""

import hmac
import multiprocessing
import os
import sys
import time

PIECE = 16384
KEY = bytes(range(32))


def read_whole(path: str) -> bytearray:
    """The file in one buffer."""
    buffer = bytearray(os.path.getsize(path))
    with open(path, "rb") as file:
        file.readinto(buffer)
    return buffer


def hmac_pieces(buffer: bytearray, first: int = 0, last: int | None = None) -> None:
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


if __name__ == "__main__":
    _, _, name, count = sys.argv
    print(hmac_seconds(read_whole(name), int(count)))
