"""Make the folder of recordings at its full size, before the first name stands in it.

FAT links a folder's next cluster before it is cleared: a cut between the two would put what stood there among
the names. A folder that has all its clusters from the start never grows. Knows entries of a FAT directory;
never what they will name.
"""

import struct

import vfs

from sealcam.errors import CardFault

_ENTRY, _SECTOR, _PIECE = 32, 512, 2048
_ATTRIBUTE_AT, _HIGH_AT, _LOW_AT, _SIZE_AT = 11, 20, 26, 28  # in an entry (FAT specification, section 6)
_FILE, _FOLDER = 0x20, 0x10
_DOTS = 2 * _ENTRY  # `.` and `..`, with which a folder begins
_IS_FILE = 0x8000


class _Noting:
    """Passes blocks on, and notes where the entry of `short_name` was written last."""

    def __init__(self, blocks, short_name):
        self._blocks, self._name = blocks, short_name
        self.block = self.at = -1
        self.watching = True  # until it is made: a file that is let go of later must not allocate here

    def readblocks(self, block, buffer, offset=0):
        return self._blocks.readblocks(block, buffer)

    def writeblocks(self, block, buffer, offset=0):
        if self.watching and len(buffer) == _SECTOR:
            for at in range(0, _SECTOR, _ENTRY):  # the card's own label may be the same word
                if buffer[at + _ATTRIBUTE_AT] == _FILE and bytes(buffer[at : at + 11]) == self._name:
                    self.block, self.at = block, at
        return self._blocks.writeblocks(block, buffer)

    def ioctl(self, op, argument):
        return self._blocks.ioctl(op, argument)


def make(blocks, name: str, entries: int) -> None:
    """A folder `name` (eight letters at most) in the root, with room for `entries`; mount the card after it.

    It is made as a file of zeros and becomes a folder in one sector. A cut before that leaves lost clusters,
    an empty file, or that file, and the next call begins again; after it stands the folder. OSError as FAT
    gives it, CardFault where a file stands that is not ours.
    """
    noting = _Noting(blocks, (name.upper() + " " * 11)[:11].encode())
    fs = vfs.VfsFat(noting)
    path = "/" + name
    _clear_way(fs, path)
    cluster = fs.statvfs("/")[0]
    # whole clusters, for a folder is read to the end of its last one
    size = (entries * _ENTRY + _DOTS + cluster - 1) // cluster * cluster
    file = fs.open(path, "w+b")
    try:
        _fill(file, size)
        file.flush()  # only now the file shows a length, and where it begins
        sector = _sector_of_entry(noting, size)
        file.seek(0)
        file.write(_dots(sector, noting.at))
        file.close()
    finally:
        noting.watching = False
    sector = _sector_of_entry(noting, size)
    sector[noting.at + _ATTRIBUTE_AT] = _FOLDER
    struct.pack_into("<I", sector, noting.at + _SIZE_AT, 0)
    if blocks.writeblocks(noting.block, sector):  # from here on it is a folder
        raise CardFault


def _clear_way(fs, path):
    """Remove what a cut has left; anything else under this name is somebody's file."""
    try:
        if fs.stat(path)[0] != _IS_FILE:
            raise CardFault  # a folder that could not be listed
    except OSError as fault:
        if fault.args[0] != 2:
            raise
        return
    piece = bytearray(_PIECE)
    file = fs.open(path, "rb")
    try:
        size = file.readinto(piece)
        used = _DOTS if piece[0] == piece[_ENTRY] == 0x2E else 0  # dots
        while size:
            if size % _SECTOR or any(piece[used:size]):
                raise CardFault
            size, used = file.readinto(piece), 0
    finally:
        file.close()
    fs.remove(path)


def _fill(file, size):
    if file.seek(size) != size:
        raise OSError(28)
    file.seek(0)
    zeros = bytes(_PIECE)
    for at in range(0, size, _PIECE):
        if file.write(memoryview(zeros)[: min(_PIECE, size - at)]) != min(_PIECE, size - at):
            raise OSError(28)


def _sector_of_entry(noting, size):
    """The sector of the root in which our entry was written last, and is what we think it is."""
    sector = bytearray(_SECTOR)
    if noting.block < 0 or noting.readblocks(noting.block, sector):
        raise CardFault
    if struct.unpack_from("<I", sector, noting.at + _SIZE_AT)[0] != size:
        raise CardFault
    return sector


def _dots(sector, at):
    """The two entries that every folder begins with: itself, and the root, which counts as cluster 0."""
    dots = bytearray(_DOTS)
    for place, name in ((0, b".          "), (_ENTRY, b"..         ")):
        dots[place : place + _ENTRY] = sector[at : at + _ENTRY]
        dots[place : place + 11] = name
        dots[place + _ATTRIBUTE_AT : place + 13] = bytes([_FOLDER, 0])
        struct.pack_into("<I", dots, place + _SIZE_AT, 0)
    for field in (_HIGH_AT, _LOW_AT):
        struct.pack_into("<H", dots, _ENTRY + field, 0)
    return dots
