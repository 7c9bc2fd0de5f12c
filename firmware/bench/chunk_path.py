"""Our whole chunk path, from frame to card: mux, seal, chain, append through FAT to a block device in memory.

Runs on the emulated Cortex-M3: chunk_path.py IMAGE READ_BACK. Twenty-kilobyte pictures at 12 a second, 1 KiB
blocks of 16 kHz sound. Prints instructions for one chunk, and the bytes it takes in passing and leaves
behind.
"""

import gc
import sys
import time

import vfs
from ram_card import RamCard, frame_buffers
from sealcam.card import Card
from sealcam.layout import TRACK_PICTURE, TRACK_SOUND, pack_core
from sealcam.muxer import Muxer
from sealcam.proven import ProvenBlocks
from sealcam.sealer import ChunkBuffer, Sealer

_CHUNK = 16384
_CHUNKS = 64
_ROUND = (TRACK_PICTURE, TRACK_SOUND, TRACK_SOUND, TRACK_PICTURE, TRACK_SOUND, TRACK_SOUND, TRACK_SOUND)


class Path:
    """One recording on a card, without buttons and clock."""

    def __init__(self, image, read_back):
        card = Card(ProvenBlocks(RamCard(image), _CHUNK, read_back), "/card")
        card.mount()
        self._part = card.allocate("bench.skr", 16 << 20)
        self._chunk = ChunkBuffer(_CHUNK)
        self._muxer = Muxer(_CHUNK)
        self._sealer = Sealer(_core(), bytes(range(32)), _CHUNK)
        self._pictures = frame_buffers(4, 20480)
        self._sound = memoryview(bytes(1024))
        self._turn = self._ms = 0
        self.chunks = 0

    def run_to(self, chunks):
        """Records go in until so many chunks are on the card."""
        while self.chunks < chunks:
            if not self._muxer.pending:
                self._offer_next()
            if self._muxer.fill(self._chunk):
                self._sealer.seal(self._chunk, self._muxer.first_record, self._ms)
                self._part.write(self._chunk.to_write())
                self._chunk.written()
                self.chunks += 1

    def _offer_next(self):
        track = _ROUND[self._turn % 7]
        view = self._pictures[self._turn & 3] if track == TRACK_PICTURE else self._sound
        self._muxer.offer(track, 1, self._ms, view)
        self._turn += 1
        self._ms += 24


def _core():
    zeros = bytes(32)
    fields = {"kind": 1, "chunk_size": _CHUNK, "recording_id": bytes(16), "sequence": 1, "interval_ms": 10000}
    for name in ("boot", "start_utc_ms", "start_ms", "uncertainty_ms", "keylist", "clock_source"):
        fields[name] = 0
    for name in ("device_id", "prev", "anchor", "slot_digest", "firmware"):
        fields[name] = zeros
    return pack_core(fields)


def main():
    path = Path(sys.argv[1], sys.argv[2])
    path.run_to(8)
    gc.collect()
    start = time.ticks_us()
    path.run_to(8 + _CHUNKS)
    instructions = time.ticks_diff(time.ticks_us(), start) * 1000 // _CHUNKS
    print("path", instructions)
    _measure_heap(path)
    vfs.umount("/card")


def _measure_heap(path):
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    path.run_to(path.chunks + 7)
    print("passing", (gc.mem_alloc() - before) // 7)
    gc.enable()
    gc.collect()
    before = gc.mem_alloc()
    path.run_to(path.chunks + 64)
    gc.collect()
    print("left", (gc.mem_alloc() - before) // 64)


main()
