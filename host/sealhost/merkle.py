"""RFC 6962 trees; bytes in, proofs out.

Hashes of whole subtrees are kept by whoever stores the tree, as (level, index): level 0 are leaf hashes, and
the hash at (l, i) covers leaves i * 2^l up to (i + 1) * 2^l. They never change, so appending costs the
logarithm of the size, and a root or a proof is put together without looking at a leaf. RFC 6962, section
2.1.
"""

import hashlib
from collections.abc import Callable, Sequence

EMPTY_ROOT = hashlib.sha256(b"").digest()
Read = Callable[[int, int], bytes]


def leaf_hash(leaf: bytes) -> bytes:
    """SHA-256(00 || leaf)."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def grown(size: int, leaf: bytes, read: Read) -> list[tuple[int, int, bytes]]:
    """The hashes to store when a leaf hash is appended to a tree of `size` leaves:

    (level, index, hash) each.
    """
    made = [(0, size, leaf)]
    level, index, top = 0, size, leaf
    while index & 1:  # a left neighbour of the same height stands there: together they are one subtree
        top = node_hash(read(level, index - 1), top)
        level, index = level + 1, index >> 1
        made.append((level, index, top))
    return made


def root(size: int, read: Read) -> bytes:
    """The root over the first `size` leaves."""
    return EMPTY_ROOT if size == 0 else _subtree(0, size, read)


def inclusion(index: int, size: int, read: Read) -> list[bytes]:
    """The audit path of leaf `index` in a tree of `size`; RFC 6962, section 2.1.1."""
    if not 0 <= index < size:
        raise IndexError(index)
    path, begin, end = [], 0, size
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            path.append(_subtree(middle, end, read))
            end = middle
        else:
            path.append(_subtree(begin, middle, read))
            begin = middle
    return path[::-1]


def consistency(old: int, new: int, read: Read) -> list[bytes]:
    """That the tree of `new` leaves extends the one of `old`; RFC 6962, section 2.1.2."""
    if not 0 <= old <= new:
        raise IndexError(old)
    path: list[bytes] = []
    begin, end, is_whole = 0, new, True
    while 0 < old < end:  # until the old tree's right edge is this subtree's
        middle = begin + _split(end - begin)
        if old <= middle:
            path.append(_subtree(middle, end, read))
            end = middle
        else:
            path.append(_subtree(begin, middle, read))
            begin, is_whole = middle, False
    if not is_whole:
        path.append(_subtree(begin, end, read))
    return path[::-1]


def _split(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << ((count - 1).bit_length() - 1)


def _subtree(begin: int, end: int, read: Read) -> bytes:
    """The hash over leaves begin..end-1.

    `begin` is always a multiple of the power of two that holds the range.
    """
    count = end - begin
    if count & (count - 1) == 0:
        level = count.bit_length() - 1
        return read(level, begin >> level)
    middle = begin + _split(count)
    return node_hash(_subtree(begin, middle, read), _subtree(middle, end, read))


def proves_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], tree_root: bytes) -> bool:
    """Whether `path` leads from a leaf hash to the root; RFC 9162, section 2.1.3.2."""
    if not 0 <= index < size:
        return False
    place, last, top = index, size - 1, leaf
    for step in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            top = node_hash(step, top)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            top = node_hash(top, step)
        place, last = place >> 1, last >> 1
    return last == 0 and top == tree_root


def proves_consistency(old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether `path` leads from both roots to one history; RFC 9162, section 2.1.4.2."""
    if old == new:
        return old_root == new_root and not path
    if old == 0:
        return old_root == EMPTY_ROOT and not path
    steps = list(path) if old & (old - 1) else [old_root, *path]
    if not 0 < old < new or not steps:
        return False
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    was = now = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            was, now = node_hash(step, was), node_hash(step, now)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            now = node_hash(now, step)
        place, last = place >> 1, last >> 1
    return last == 0 and was == old_root and now == new_root
