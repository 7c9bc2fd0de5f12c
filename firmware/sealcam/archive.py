"""A firmware archive: signature, body, table of files, all of it checked before it counts
(docs/format/statements.md, Firmware archive).

Read by pieces through a function that its caller brings; never knows where it lies, and runs nothing.
"""

import struct
from hashlib import sha256

from sealcam import statements
from sealcam.errors import FirmwareRefused

MOST = 1 << 20
MOST_FILES = 96
_HEAD = ">32s2sHIHH"
_NAME_LEAST, _NAME_MOST, _FILE_LEAST = 5, 32, 4
_PIECE = 1024
_MAIN = b"main.mpy"


class Archive:
    """What an archive says of itself, once all of it was checked."""

    def __init__(self, version: int, digest: bytes, board: str, mpy: bytes, counter: int):
        self.version, self.digest, self.board, self.mpy, self.counter = version, digest, board, mpy, counter


def check(read, total: int, root_point: bytes) -> Archive:
    """The archive of `total` bytes that `read(offset, view)` fills pieces of.

    BadSignature for a statement the root did not make; FirmwareRefused for a body that is another, or is not
    what the page says.
    """
    start = statements.size_of(statements.FIRMWARE)
    if not start + struct.calcsize(_HEAD) <= total <= MOST:
        raise FirmwareRefused  # cut off, or longer than any
    statement = bytearray(start)
    read(0, memoryview(statement))
    version, digest = statements.read(statements.FIRMWARE, statement, root_point)
    if version == 0 or _digest(read, start, total) != digest:
        raise FirmwareRefused  # signed, and not this body
    return _open(_Body(read, start, total), version, digest)


def _digest(read, at, end):
    whole, buffer = sha256(), memoryview(bytearray(_PIECE))
    while at < end:
        piece = buffer[: min(_PIECE, end - at)]
        read(at, piece)
        whole.update(piece)
        at += len(piece)
    return whole.digest()


class _Body:
    """The body from its beginning on, taken by the byte; FirmwareRefused where it ends too early."""

    def __init__(self, read, at, end):
        self._read, self.at, self.end = read, at, end

    def take(self, size):
        found = bytearray(size)
        self.skip(size)
        self._read(self.at - size, memoryview(found))
        return bytes(found)

    def skip(self, size):
        if size > self.end - self.at:
            raise FirmwareRefused
        self.at += size


def _open(body, version, digest):
    board, mpy, zero, counter, count, zero_end = struct.unpack(_HEAD, body.take(struct.calcsize(_HEAD)))
    name = board.rstrip(b"\x00")
    if zero or zero_end or not name or not _is_word(name) or not 1 <= count <= MOST_FILES:
        raise FirmwareRefused
    last, has_main = b"", False
    for _ in range(count):
        file_name = _file(body, mpy)
        if file_name <= last:
            raise FirmwareRefused  # out of order, or twice: which one runs would be a guess
        last, has_main = file_name, has_main or file_name == _MAIN
    if body.at != body.end or not has_main:
        raise FirmwareRefused
    return Archive(version, digest, name.decode(), mpy, counter)


def _file(body, mpy):
    size = body.take(1)[0]
    if not _NAME_LEAST <= size <= _NAME_MOST:
        raise FirmwareRefused
    name = body.take(size)
    if name[-4:] != b".mpy" or not _is_word(name[:-4]):
        raise FirmwareRefused  # a path, or a name no module has
    length = struct.unpack(">I", body.take(4))[0]
    if length < _FILE_LEAST:
        raise FirmwareRefused
    start = body.take(_FILE_LEAST)
    body.skip(length - _FILE_LEAST)
    if start[0] != 0x4D or start[1] != mpy[0] or start[2] not in (0, mpy[1]):
        raise FirmwareRefused  # no module, or machine code of another machine
    return name


def _is_word(name):
    for c in name:
        if not (0x61 <= c <= 0x7A or 0x30 <= c <= 0x39 or c == 0x5F):
            return False
    return True
