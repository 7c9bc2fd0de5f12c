"""Known answers and a scratch chunk before the first frame: a camera that computes wrongly refuses to record.

Runs the very functions that seal, on this image and this chip. Touches no card and no flash.
"""

from sealcam import crypto, p256
from sealcam.errors import NotProved, SelfTestFailed
from sealcam.layout import KIND_RECORDING, TRACK_EVENT, TYPE_DATA, pack_core
from sealcam.muxer import Muxer
from sealcam.sealer import ChunkBuffer, Sealer
from sealcam.unsealer import Unsealer

_SIZE = 512
_PLAIN = b"a scratch chunk of the self-test"


def run(d: int, point: bytes) -> None:
    """SelfTestFailed, with its reason beside the raise, unless everything comes out."""
    crypto.self_test()
    p256.self_test()
    if p256.public(d) != point:
        raise SelfTestFailed  # the device key in flash is not the one that was certified
    _scratch_chunk()


def _scratch_chunk():
    core, secret = _scratch_core(), bytes(range(32))
    chunk = ChunkBuffer(_SIZE)
    muxer, sealer = Muxer(_SIZE), Sealer(core, secret, _SIZE)
    muxer.offer(TRACK_EVENT, 0, 0, _PLAIN)
    muxer.fill(chunk)
    muxer.pad(chunk)
    plain = bytes(chunk.payload)
    sealer.seal(chunk, muxer.first_record, 0)
    if _PLAIN in bytes(chunk.view):
        raise SelfTestFailed  # the cipher did nothing
    try:
        kind = Unsealer(core, secret, _SIZE).open(chunk.view, 1, sealer.tag_0)
    except NotProved:
        raise SelfTestFailed from None  # what was sealed does not prove
    if kind != TYPE_DATA or bytes(chunk.payload) != plain:
        raise SelfTestFailed  # what was sealed does not open


def _scratch_core():
    zeros = bytes(32)
    numbers = ("sequence", "boot", "interval_ms", "start_utc_ms", "start_ms", "uncertainty_ms", "keylist")
    fields = dict([(name, 1) for name in numbers])
    fields.update(
        {"kind": KIND_RECORDING, "chunk_size": _SIZE, "device_id": zeros, "recording_id": zeros[:16]}
    )
    fields.update(
        {"clock_source": 0, "prev": zeros, "anchor": zeros, "slot_digest": zeros, "firmware": zeros}
    )
    return pack_core(fields)
