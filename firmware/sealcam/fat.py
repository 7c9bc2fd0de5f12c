"""Where FAT keeps what: clusters, their sectors and chains, from sectors somebody reads.

Reads tables only; never a name, and writes nothing. FAT12 and exFAT it does not know (docs/format/, hosts
format cards as FAT32).
"""

import struct

_SECTOR = 512
_TABLE_AT = 446 + 8  # in a partition table: the first partition's first sector
_LEAST_FAT16, _LEAST_FAT32 = 4085, 65525  # clusters (FAT specification, section 3.5)


class Fat:
    """The tables of the card behind `read(sector) -> 512 bytes`; `clusters` is 0 where it knows no such
    tables.
    """

    def __init__(self, read):
        self._read = read
        self._at, self._sector = -1, b""
        self.clusters = 0
        boot, start = read(0), 0
        if boot[54:57] != b"FAT" and boot[82:87] != b"FAT32":
            start = struct.unpack_from("<I", boot, _TABLE_AT)[0]
            boot = read(start)
        self._take(boot, start)

    def _take(self, boot, start):
        size, self.per_cluster, reserved, tables, roots, few = struct.unpack_from("<HBHBHH", boot, 11)
        narrow = struct.unpack_from("<H", boot, 22)[0]
        many, wide = struct.unpack_from("<II", boot, 32)
        if size != _SECTOR or not self.per_cluster or not tables:
            return
        length = narrow or wide
        self._table = start + reserved
        self._data = self._table + tables * length + (roots * 32 + _SECTOR - 1) // _SECTOR
        count = (start + (few or many) - self._data) // self.per_cluster
        self._width = 4 if count >= _LEAST_FAT32 else 2
        if _LEAST_FAT16 <= count <= length * _SECTOR // self._width - 2:
            self.clusters = count

    def sector_of(self, cluster: int) -> int:
        return self._data + (cluster - 2) * self.per_cluster

    def cluster_of(self, sector: int) -> int:
        return (sector - self._data) // self.per_cluster + 2

    def next(self, cluster: int) -> int:
        """What the table says of a cluster, from 2 on: 0 free, the next of its chain, or above `last` for an
        end. The table's sector is kept until `forget`.
        """
        at = cluster * self._width
        if at // _SECTOR != self._at:
            self._at, self._sector = at // _SECTOR, self._read(self._table + at // _SECTOR)
        if self._width == 2:
            return struct.unpack_from("<H", self._sector, at % _SECTOR)[0]
        return struct.unpack_from("<I", self._sector, at % _SECTOR)[0] & 0x0FFFFFFF

    def forget(self) -> None:
        """The table may have changed."""
        self._at = -1

    @property
    def last(self) -> int:
        """The highest cluster."""
        return self.clusters + 1
