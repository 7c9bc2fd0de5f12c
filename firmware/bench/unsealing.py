"""One chunk back into records: its tag proved, decrypted in place, cut into records.

Runs on the emulated Cortex-M3: unsealing.py. Prints instructions for one chunk.
"""

import gc
import time

from sealcam.demuxer import Demuxer
from sealcam.layout import KIND_RECORDING, PAYLOAD_AT, TAG_SIZE, TRACK_PICTURE, pack_core
from sealcam.muxer import Muxer
from sealcam.sealer import ChunkBuffer, Sealer
from sealcam.unsealer import Unsealer

_CHUNK, _CHUNKS, _PICTURE = 16384, 16, 20480
_NUMBERS = "sequence boot interval_ms start_utc_ms start_ms uncertainty_ms keylist".split()


def _core():
    fields = dict([(name, 1) for name in _NUMBERS])
    fields.update([(name, bytes(32)) for name in ("device_id", "prev", "anchor", "slot_digest", "firmware")])
    fields.update({"kind": KIND_RECORDING, "chunk_size": _CHUNK})
    fields.update({"recording_id": bytes(16), "clock_source": 0})
    return pack_core(fields)


def _sealed(core, secret, count):
    """Chunks full of pictures, as the recorder makes them."""
    muxer, sealer, picture = Muxer(_CHUNK), Sealer(core, secret, _CHUNK), bytes(_PICTURE)
    chunks, chunk = [], ChunkBuffer(_CHUNK)
    while len(chunks) < count:
        if not muxer.pending:
            muxer.offer(TRACK_PICTURE, 1, 0, picture)
        if muxer.fill(chunk):
            sealer.seal(chunk, muxer.first_record, 0)
            chunks.append(chunk.view)
            chunk = ChunkBuffer(_CHUNK)
    return chunks


def main():
    core, secret = _core(), bytes(range(32))
    chunks = _sealed(core, secret, _CHUNKS)
    unsealer, demuxer, tag = Unsealer(core, secret, _CHUNK), Demuxer(bytearray(_PICTURE)), None
    tag, pictures = unsealer.tag_0, 0
    gc.collect()
    start = time.ticks_us()
    for index, chunk in enumerate(chunks):
        unsealer.open(chunk, index + 1, tag)
        tag = bytes(chunk[_CHUNK - TAG_SIZE :])
        demuxer.feed(chunk[PAYLOAD_AT : _CHUNK - TAG_SIZE])
        while demuxer.next():
            pictures += 1
    instructions = time.ticks_diff(time.ticks_us(), start) * 1000 // _CHUNKS
    print("unsealing", instructions if pictures == _CHUNKS * (_CHUNK - 96) // (_PICTURE + 12) else 0)


main()
