"""The reel: what the desk camera sees and hears, ready for a device that has no decoder.

Read here on MicroPython and CPython, an entry at a time into the caller's buffer; written by `footage.py`.
This module never decodes, never writes, and keeps nothing but a header and its place in the file.

A reel is one header and then entries, all big-endian:

    header, 64 bytes                                 entry, 12 bytes and its payload
    off len field                                    off len field
      0   8 magic `SEALREEL`                           0   2 0x5245 (`RE`)
      8   2 version, 1                                 2   1 track: 1 picture, 2 sound
     10   2 width, pixels (0: no pictures)             3   1 zero
     12   2 height, pixels                             4   4 milliseconds since the start of the reel
     14   2 zero                                       8   4 length of the payload, 1 or more
     16   4 nominal pictures per 1000 seconds         12   - one JPEG, or PCM signed 16-bit little-endian
     20   4 sound rate, Hz (0: no sound)                     mono, the time being that of its first sample
     24   4 number of pictures
     28   4 number of sound blocks
     32   4 duration, ms: the end of the last picture or sound
     36   4 the longest payload
     40   8 length of all entries together
     48  16 zero

Entries stand in the order of their times. Every length is held against the file, the header and the caller's
buffer before it is believed.
"""

import struct

MAGIC = b"SEALREEL"
VERSION = 1
HEADER = ">8sHHHHIIIIIIQ16s"
HEADER_SIZE = 64
ENTRY = ">HBBII"
ENTRY_SIZE = 12
MARK = 0x5245
PICTURE = 1
SOUND = 2
MAX_PAYLOAD = 16 * 1024 * 1024

_NOTHING = bytes(16)


class ReelFault(ValueError):
    """The file is no reel, is damaged, or holds more than the buffer takes; the message says which."""


class Reel:
    """One open reel: its header as attributes, its entries by `next_into`."""

    def __init__(self, path):
        self._file = open(path, "rb")
        self._head = bytearray(ENTRY_SIZE)
        try:
            self._read_header()
        except ReelFault:
            self._file.close()
            raise
        self.rewind()

    def _read_header(self):
        raw = self._file.read(HEADER_SIZE)
        if len(raw) != HEADER_SIZE or raw[:8] != MAGIC:
            raise ReelFault("this is no reel; make one with boards/unix/footage.py")
        fields = struct.unpack(HEADER, raw)
        if fields[1] != VERSION:
            raise ReelFault(f"reel version {fields[1]} is not known here; make it again")
        self.width, self.height = fields[2], fields[3]
        self.pictures_per_1000_s = fields[5]
        self.sound_rate = fields[6]
        self.pictures, self.sounds = fields[7], fields[8]
        self.duration_ms = fields[9]
        self.longest = fields[10]
        self._end = HEADER_SIZE + fields[11]
        if fields[4] or fields[12] != _NOTHING or self.longest > MAX_PAYLOAD:
            raise ReelFault("the reel's header is damaged; make it again")
        if self._file.seek(0, 2) != self._end:
            raise ReelFault("the reel is not as long as its header says; make it again")

    def rewind(self):
        """Go back to the first entry."""
        self._file.seek(HEADER_SIZE)
        self._at = HEADER_SIZE
        self._last_ms = 0

    def next_into(self, buffer):
        """Read the next payload into `buffer`; answer (track, ms, length); None: the end.

        A length above the buffer's: the entry was passed over, and nothing was read. Raises ReelFault where
        one is damaged; `rewind` before reading on.
        """
        if self._at == self._end:
            return None
        track, ms, length = self._next_entry()
        if length > len(buffer):
            self._file.seek(self._at + ENTRY_SIZE + length)
        elif self._file.readinto(memoryview(buffer)[:length]) != length:
            raise ReelFault("the reel ends inside an entry; make it again")
        self._at += ENTRY_SIZE + length
        self._last_ms = ms
        return track, ms, length

    def _next_entry(self):
        left = self._end - self._at - ENTRY_SIZE
        if left < 0 or self._file.readinto(self._head) != ENTRY_SIZE:
            raise ReelFault("the reel ends inside an entry; make it again")
        mark, track, zero, ms, length = struct.unpack(ENTRY, self._head)
        if mark != MARK or zero or track not in (PICTURE, SOUND):
            raise ReelFault(f"no entry begins at byte {self._at} of the reel; make it again")
        if not 0 < length <= self.longest or length > left:
            raise ReelFault(f"the entry at byte {self._at} of the reel has a wrong length; make it again")
        if ms < self._last_ms:
            raise ReelFault(f"the entry at byte {self._at} of the reel goes back in time; make it again")
        return track, ms, length

    def close(self):
        """Let go of the file."""
        self._file.close()
