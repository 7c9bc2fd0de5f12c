"""Read and write at the medium, not in memory: O_DIRECT where it works, else flush and drop the cache first.

SHA-256 and bytes only; names and places mean nothing here.
"""

import errno
import fcntl
import hashlib
import mmap
import os
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

_PIECE = 4 << 20  # a multiple of every block size, and the same memory for a file of any size


def digest_past_cache(path: Path) -> tuple[bytes, int, str]:
    """(SHA-256, size, how): how is "direct" or "cache dropped"."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)  # only clean pages can be dropped
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(handle)
    try:
        return *_digest(path, os.O_DIRECT), "direct"
    except OSError as fault:
        if fault.errno != errno.EINVAL:  # this file system has no O_DIRECT
            raise
    return *_digest(path, 0), "cache dropped"


def go_direct(handle: int) -> bool:
    """Have an open file pass the page cache by; False where its file system cannot."""
    try:
        fcntl.fcntl(handle, fcntl.F_SETFL, fcntl.fcntl(handle, fcntl.F_GETFL) | os.O_DIRECT)
    except OSError as fault:
        if fault.errno != errno.EINVAL:
            raise
        return False
    return True


def go_cached(handle: int) -> bool:
    """Have it go through the page cache again; always False: it is direct no more."""
    fcntl.fcntl(handle, fcntl.F_SETFL, fcntl.fcntl(handle, fcntl.F_GETFL) & ~os.O_DIRECT)
    return False


def _digest(path: Path, flags: int) -> tuple[bytes, int]:
    """Read one piece while the piece before is hashed."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | flags)
    buffers = [mmap.mmap(-1, _PIECE), mmap.mmap(-1, _PIECE)]
    summed, size, hashing = hashlib.sha256(), 0, None
    try:
        with ThreadPoolExecutor(1) as thread:
            while count := os.preadv(handle, [buffers[0]], size):
                _wait(hashing)
                hashing = thread.submit(_update, summed, buffers[0], count)
                buffers.reverse()
                size += count
            _wait(hashing)
    finally:
        os.close(handle)
    return summed.digest(), size


def _update(summed: "hashlib._Hash", buffer: mmap.mmap, count: int) -> None:
    with memoryview(buffer) as view:
        summed.update(view[:count])


def _wait(hashing: Future[None] | None) -> None:
    if hashing is not None:
        hashing.result()
