"""The SD card: mount, allocate, append, read back, list.

Stands on FAT over `ProvenBlocks`. Knows files and their sizes, and that a head block begins with 512 bytes of
which 256 may be zero; never a key or a record.
"""

import struct

import vfs

from sealcam import folder
from sealcam.errors import CardFault, CardFull, NoCard
from sealcam.layout import FOLDER

_ENOENT, _ENOSPC = 2, 28
_ENTRIES_A_NAME = 5  # a name of ours takes 4
_SECTOR = 512
_FIRST_PARTITION_AT = 446 + 8  # in the table: its first sector


class PartFile:
    """One file of fixed size, open for writing chunks; an error leaves it closed and the card in doubt."""

    def __init__(self, card, file, name, size):
        self._card, self._file = card, file
        self.name, self.size = name, size

    def write(self, view, whole: bool = False) -> None:
        """One chunk at the present place, in one write; its last sector, or the `whole` of it, is read back.
        """
        self._card.last_sector_only(not whole)
        try:
            if self._file.write(view) != len(view):
                raise CardFault  # it was allocated whole: there is room
        except OSError:
            raise CardFault from None  # the write failed or was lost
        finally:
            self._card.last_sector_only(False)

    def write_at(self, offset: int, view) -> None:
        """Bytes at a place of their own, read back whole; the present place is then behind them."""
        try:
            if self._file.seek(offset) != offset or self._file.write(view) != len(view):
                raise CardFault
        except OSError:
            raise CardFault from None  # the write failed or was lost

    def seek(self, offset: int) -> None:
        try:
            self._file.seek(offset)
        except OSError:
            raise CardFault from None

    def read_at(self, offset: int, view) -> int:
        try:
            self._file.seek(offset)
            return self._file.readinto(view)
        except OSError:
            raise CardFault from None

    def flush(self) -> None:
        """Put size and place into the directory."""
        try:
            self._file.flush()
        except OSError:
            raise CardFault from None

    def close(self) -> None:
        """Let go of the file. On a dead card nothing more is written."""
        try:
            self._file.close()
        except OSError:
            if not self._card.dead:
                raise CardFault from None


class Card:
    """A card in the slot, by way of `blocks` (a ProvenBlocks); `mount` before anything else.

    Names are those in the folder `sealcam`. Everything raises CardFault where the card fails or lost a write.
    """

    def __init__(self, blocks, mount_point: str, most_names: int = 2000):
        self._blocks, self._at, self._most_names = blocks, mount_point, most_names
        self._fs = None
        self._names = 0
        self.serial = bytes(16)

    @property
    def dead(self) -> bool:
        return self._blocks.dead

    @property
    def mounted(self) -> bool:
        return self._fs is not None

    def mount(self) -> None:
        """NoCard if there is none or no FAT on it; makes the folder where there is none yet."""
        try:
            self.serial = self._read_serial()
            self._fs = vfs.VfsFat(self._blocks)
            vfs.mount(self._fs, self._at)
        except OSError:
            self._fs = None
            raise NoCard from None  # no card, or no file system a camera can use
        try:
            self._names = len(self._names_in("/" + FOLDER))
        except OSError as fault:
            if fault.args[0] != _ENOENT:
                self.unmount()
                raise CardFault from None
            self._make_folder()

    def _make_folder(self):
        """A folder that has room for all its names from the start: see `folder`. The card is mounted anew."""
        self.unmount()
        try:
            folder.make(self._blocks, FOLDER, self._most_names * _ENTRIES_A_NAME)
            self._fs = vfs.VfsFat(self._blocks)
            vfs.mount(self._fs, self._at)
        except OSError as fault:
            self._fs = None
            if fault.args[0] == _ENOSPC:
                raise CardFull from None
            raise CardFault from None
        self._names = 0

    def _names_in(self, path):
        try:
            return [entry[0] for entry in self._fs.ilistdir(path)]
        except UnicodeError:
            raise CardFault from None  # what stands in the folder are no names

    def unmount(self) -> None:
        if self._fs is not None:
            self._fs = None
            vfs.umount(self._at)

    def taken_out(self) -> None:
        """Nothing is written any more, not even what is still open: another card may come in."""
        self._blocks.dead = True

    def _read_serial(self):
        """The volume serial number, in 16 bytes: what a reader of the card can know of it as well."""
        boot = self._sector(0)
        if boot[54:57] != b"FAT" and boot[82:87] != b"FAT32":  # a partition table, as cards are sold with
            boot = self._sector(struct.unpack_from("<I", boot, _FIRST_PARTITION_AT)[0])
        narrow = struct.unpack_from("<H", boot, 22)[0]  # sectors of a FAT12 or FAT16 table; 0 on FAT32
        return bytes(12) + boot[39:43] if narrow else bytes(12) + boot[67:71]

    def _sector(self, number):
        sector = bytearray(_SECTOR)
        if self._blocks.readblocks(number, sector):
            raise OSError(5)
        return sector

    @property
    def blocks(self):
        """The blocks underneath, for whoever overwrites what no name holds any more."""
        return self._blocks

    def sector(self, number: int) -> bytearray:
        """512 bytes at a place of the card, past every file."""
        try:
            return self._sector(number)
        except OSError:
            raise CardFault from None

    def last_sector_only(self, yes: bool) -> None:
        self._blocks.last_only = yes

    def has_room(self, size: int) -> bool:
        facts = self._call(self._mounted().statvfs, "/")
        return facts[0] * facts[3] >= size + facts[0]

    def allocate(self, name: str, size: int, head=None) -> PartFile:
        """A new file of `size` bytes, with `head` written twice and read back before its name has a length.

        A cut leaves no file, an empty one (and lost clusters), or the whole one with its heads: never a file
        that shows, where its head should be, what stood there before.
        """
        if self._names >= self._most_names:
            raise CardFull  # the folder would have to grow
        file = self._open(name, "x+b")  # never over a file that is there
        self._names += 1
        part = PartFile(self, file, name, size)
        try:
            if self._reach(file, size) != size:
                raise CardFull
            if head is not None:
                part.write_at(0, head)
                part.write_at(len(head), head)
            part.flush()
            part.seek(0 if head is None else 2 * len(head))
        except CardFull:
            part.close()
            self.remove(name)
            raise
        return part

    def _reach(self, file, size):
        try:
            return file.seek(size)
        except OSError as fault:
            if fault.args[0] == _ENOSPC:
                return 0
            raise CardFault from None

    def open(self, name: str) -> PartFile:
        """A file that is there, for reading and for writing inside its size."""
        return PartFile(self, self._open(name, "r+b"), name, self.size_of(name))

    def _open(self, name, mode):
        return self._call(self._mounted().open, _path(name), mode)

    def size_of(self, name: str) -> int:
        return self._call(self._mounted().stat, _path(name))[6]

    def has(self, name: str) -> bool:
        try:
            self._mounted().stat(_path(name))
        except OSError as fault:
            if fault.args[0] != _ENOENT:
                raise CardFault from None
            return False
        return True

    def rename(self, old: str, new: str) -> None:
        """A cut inside leaves both names on one chain of clusters; see `recorder` for who clears up.

        Never over a file that is there: FAT would take it away first.
        """
        if self.has(new):
            raise CardFault
        self._call(self._mounted().rename, _path(old), _path(new))

    def remove(self, name: str) -> None:
        self._call(self._mounted().remove, _path(name))
        self._names -= 1

    def list(self) -> list:
        """Names of the files in the folder."""
        self._mounted()
        try:
            return self._names_in("/" + FOLDER)
        except OSError:
            raise CardFault from None

    def _mounted(self):
        if self._fs is None:
            raise NoCard
        return self._fs

    def _call(self, function, *arguments):
        try:
            return function(*arguments)
        except OSError as fault:
            if fault.args[0] == _ENOSPC:
                raise CardFull from None
            raise CardFault from None  # failed, or lost a write of its tables


def _path(name):
    return "/" + FOLDER + "/" + name
