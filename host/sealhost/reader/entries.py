"""Names of a FAT directory, struck out and added where they stand (FAT specification 1.03, section 6).

The library writes a directory anew from its start, packed: a cut in the middle of that loses names, and old
entries stay behind the new end, which a full last cluster brings back. Here an entry is one small write in
its own place, and no other entry moves.
"""

from collections.abc import Iterator, Sequence
from typing import Any

SIZE = 32
_STRUCK, _END = 0xE5, 0x00
_LONG = 0x0F  # the attribute of a piece of a long name

Runs = Sequence[tuple[int, int]]  # (offset, bytes) of the directory in the file of the card, in order


def _slots(file: Any, runs: Runs) -> Iterator[tuple[int, bytes]]:
    """(offset, entry) of every slot of a directory, behind its end mark too."""
    for start, size in runs:
        file.seek(start)
        content = file.read(size)
        for at in range(0, len(content) - SIZE + 1, SIZE):
            yield start + at, content[at : at + SIZE]


def strike(file: Any, runs: Runs, short_name: bytes) -> bool:
    """Strike out the entry of a short name (11 bytes) and the pieces of its long one; whether it was there.

    In one write where they lie together; else the entry itself first: a cut after it leaves pieces of a name
    that belong to nothing.
    """
    pieces: list[int] = []
    for at, entry in _slots(file, runs):
        if entry[0] == _END:
            return False
        if entry[0] == _STRUCK:
            pieces = []
        elif entry[11] & 0x3F == _LONG:
            pieces.append(at)
        elif entry[:11] == short_name:
            _strike_all(file, pieces, at)
            return True
        else:
            pieces = []
    return False


def _strike_all(file: Any, pieces: list[int], at: int) -> None:
    start = at - SIZE * len(pieces)
    if pieces == list(range(start, at, SIZE)):
        file.seek(start)
        content = bytearray(file.read(at + SIZE - start))
        content[::SIZE] = bytes([_STRUCK]) * (len(pieces) + 1)
        _write(file, start, bytes(content))
        return
    for place in [at, *pieces]:
        _write(file, place, bytes([_STRUCK]))


def add(file: Any, runs: Runs, entries: bytes) -> bool:
    """Put an entry, its long name before it, into free slots in a row; whether there were enough of them.

    Behind the end mark nothing is believed to be free before a new mark stands. From the last slot to the
    first, so that a cut leaves pieces of a name that belong to nothing, or all of it.
    """
    wanted, free, is_over = len(entries) // SIZE, list[int](), False
    for at, entry in _slots(file, runs):
        is_over = is_over or entry[0] == _END
        free = [*free, at] if is_over or entry[0] == _STRUCK else []
        if len(free) == wanted + is_over:
            break
    else:
        return False
    if is_over:
        _write(file, free.pop(), bytes(SIZE))
    for number in reversed(range(wanted)):
        _write(file, free[number], entries[number * SIZE : (number + 1) * SIZE])
    return True


def _write(file: Any, at: int, content: bytes) -> None:
    file.seek(at)
    file.write(content)
