"""The boot sector and the table of a FAT card, bounded before the library believes them."""

import struct
from collections.abc import Iterator
from typing import Any

from pyfatfs._exceptions import PyFATException
from pyfatfs.PyFat import PyFat

_ACROSS = 1024  # entries of a table compared at once
_MAX_FAT = 64 << 20  # bytes of one table: a card of 2 TB with clusters of 128 KiB
_FAT_TYPES = (0x01, 0x04, 0x06, 0x0B, 0x0C, 0x0E)


def fat_offset(head: bytes) -> int | None:
    """Where the file system begins in a device whose first sector is `head`; None where there is none."""
    if len(head) < 512 or head[510:512] != b"\x55\xaa":
        return None
    if bounds(head):
        return 0
    for at in range(446, 510, 16):
        kind, start = head[at + 4], int.from_bytes(head[at + 8 : at + 12], "little")
        if kind in _FAT_TYPES and start:
            return start * 512
    return None


def bounds(boot: bytes) -> bool:
    """Whether a boot sector says nothing impossible (M17 holds for file systems too)."""
    sector, cluster, reserved, tables = struct.unpack_from("<HBHB", boot, 11)
    narrow, wide = struct.unpack_from("<H", boot, 22)[0], struct.unpack_from("<I", boot, 36)[0]
    powers = sector in (512, 1024, 2048, 4096) and cluster in (1, 2, 4, 8, 16, 32, 64, 128)
    return bool(powers and reserved and tables in (1, 2) and 0 < (narrow or wide) * sector <= _MAX_FAT)


class Bounded(PyFat):
    """The library follows a circle for ever and writes its table when forgotten; this one does neither."""

    def __del__(self) -> None:
        """Nothing is written behind anybody's back: another run may have changed the card since."""

    def parse_lfn_entry(self, lfn_entry: Any, address: int) -> None:
        """Pieces of a long name that a cut left belong to nothing: where another begins they are let go."""
        parse = super().parse_lfn_entry
        try:
            parse(lfn_entry, address)
        except PyFATException:
            lfn_entry.lfn_entries.clear()
            parse(lfn_entry, address)

    def get_cluster_chain(self, first_cluster: int) -> Iterator[int]:
        """Clusters of a chain, each once."""
        seen: set[int] = set()
        for cluster in super().get_cluster_chain(first_cluster):
            if cluster in seen:
                raise PyFATException("a chain of clusters turns in a circle")
            seen.add(cluster)
            yield cluster

    def runs(self, cluster: int | None, wanted: int) -> Iterator[tuple[int, int]]:
        """Neighbouring clusters of a chain as (first, how many), until so many are found or it ends."""
        seen = bytearray(len(self.fat) + 1)
        while cluster is not None and wanted > 0:
            count = self._straight(cluster, wanted)
            if seen.find(1, cluster, cluster + count) >= 0:
                raise PyFATException("a chain of clusters turns in a circle")
            seen[cluster : cluster + count] = b"\1" * count
            chain = super().get_cluster_chain(cluster + count - 1)
            if next(chain, None) is None:  # refuses an entry that is bad or free
                raise PyFATException("a chain of clusters leaves the file system")
            yield cluster, count
            wanted -= count
            cluster = next(chain, None) if wanted else None

    def _straight(self, first: int, most: int) -> int:
        """How many clusters from this one on each name the next; whole stretches are compared at once."""
        last = first
        while last - first + 1 + _ACROSS < most and self.fat[last : last + _ACROSS] == list(
            range(last + 1, last + _ACROSS + 1)
        ):
            last += _ACROSS
        while last - first + 1 < most and last < len(self.fat) and self.fat[last] == last + 1:
            last += 1
        return last - first + 1
