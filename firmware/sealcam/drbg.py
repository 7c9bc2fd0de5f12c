"""Random bytes that survive a poor generator in hardware: HMAC-DRBG, health tests, state never used twice.

HMAC-DRBG with SHA-256 is NIST SP 800-90A section 10.1.2, the health tests are SP 800-90B section 4.4. State
lives in two raw flash sectors used in turn, because a file system keeps old states. Never touches a file or a
source of noise: both are handed in.
"""

import struct

from sealcam.crypto import hmac_sha256, same, sha256
from sealcam.errors import EntropyFault, FlashFault

RESEED_INTERVAL = 1 << 20  # requests; SP 800-90A table 2 allows 2^48, a camera reseeds at every boot
MAX_REQUEST = 1 << 16  # bytes; table 2 again, 2^19 bits
NOISE_SAMPLES = 1024  # one byte each: the least a start-up test looks at (SP 800-90B section 4.3, item 4)


class Drbg:
    """HMAC-DRBG. `entropy` holds 256 bits of it in 32 bytes or more; `nonce` is 16 bytes or more."""

    def __init__(self, entropy: bytes, nonce: bytes, personalisation: bytes = b""):
        if len(entropy) < 32:
            raise EntropyFault  # less than the 256 bits the generator claims
        self._key, self._value = bytes(32), b"\x01" * 32
        self._update(bytes(entropy) + nonce + personalisation)
        self._requests = 1

    def generate(self, size: int, additional: bytes = b"") -> bytes:
        """`size` bytes (section 10.1.2.5); EntropyFault when a reseed is due."""
        if not 0 <= size <= MAX_REQUEST:
            raise ValueError
        if self._requests > RESEED_INTERVAL:
            raise EntropyFault  # too many requests on one seed
        if additional:
            self._update(additional)
        output = b""
        while len(output) < size:
            self._value = hmac_sha256(self._key, self._value)
            output += self._value
        self._update(additional)
        self._requests += 1
        return output[:size]

    def reseed(self, entropy: bytes, additional: bytes = b"") -> None:
        """Mix fresh entropy in (section 10.1.2.4); what was there counts as well."""
        if len(entropy) < 32:
            raise EntropyFault  # less than the 256 bits the generator claims
        self._update(bytes(entropy) + additional)
        self._requests = 1

    def _update(self, provided):
        self._key = hmac_sha256(self._key, self._value, b"\x00", provided)
        self._value = hmac_sha256(self._key, self._value)
        if provided:
            self._key = hmac_sha256(self._key, self._value, b"\x01", provided)
            self._value = hmac_sha256(self._key, self._value)


class RepetitionCount:
    """SP 800-90B section 4.4.1: a source stuck on one value. For one bit of min-entropy, alpha 2^-20."""

    CUTOFF = 21  # 1 + 20 / H

    def __init__(self):
        self._last = None
        self._run = 0

    def feed(self, sample: int) -> bool:
        """Whether the source is still healthy."""
        if sample != self._last:
            self._last, self._run = sample, 1
        else:
            self._run += 1
        return self._run < self.CUTOFF


class AdaptiveProportion:
    """SP 800-90B section 4.4.2: one value far too often. The same assumption, windows of 512 samples."""

    WINDOW = 512
    CUTOFF = 311  # 1 + CRITBINOM(512, 2^-H, 1 - alpha), H = 1, alpha = 2^-20

    def __init__(self):
        self._seen = 0
        self._first = self._count = 0

    def feed(self, sample: int) -> bool:
        """Whether the source is still healthy."""
        if self._seen == 0:
            self._first, self._count = sample, 0
        if sample == self._first:
            self._count += 1
        self._seen = (self._seen + 1) % self.WINDOW
        return self._count < self.CUTOFF


def check_noise(samples: bytes) -> None:
    """Both health tests over raw samples, one byte each and unconditioned; EntropyFault if one fails."""
    if len(samples) < NOISE_SAMPLES:
        raise EntropyFault  # too few for a start-up test
    repetition, proportion = RepetitionCount(), AdaptiveProportion()
    for sample in samples:
        if not (repetition.feed(sample) and proportion.feed(sample)):
            raise EntropyFault  # stuck, or nearly so


# State in flash: magic 4, counter u64, seed 32, SHA-256 of what comes before
_MAGIC = b"SDB1"
_BODY = struct.calcsize(">4sQ32s")
_RECORD = _BODY + 32
_LAST_COUNTER = 0xFFFFFFFFFFFFFFFE


class StoredDrbg:
    """The camera's generator: one state in flash, replaced at every boot before a byte is given out.

    `flash` has `sector_size`, `read(sector, offset, buffer)`, `write(sector, offset, data)` and
    `erase(sector)`. What is stored is drawn from the generator, so it says nothing of the running state, nor
    that of it.
    """

    def __init__(self, flash, sector_a: int, sector_b: int):
        self._flash = flash
        self._sectors = (sector_a, sector_b)
        self._drbg = None

    def provision(self, seed: bytes, noise: bytes) -> None:
        """Begin at enrolment from the organisation's seed (32 bytes or more) and this device's own noise.

        The seed is insurance, never the only source. A state that is there already is mixed in, and its
        counter goes on. A cut leaves the state before, or none: enrolment is done again.
        """
        check_noise(noise)
        if len(seed) < 32:
            raise EntropyFault  # an insurance of less than 256 bits is none
        counter, held, sector = self._newest() or (0, b"", self._sectors[1])
        self._turn(counter, sector, held + bytes(seed), noise)

    def boot(self, noise: bytes) -> None:
        """Take up the stored state with fresh noise: at least NOISE_SAMPLES raw samples, one byte each.

        EntropyFault when no state is there, the noise is sick, or flash did not keep or let go: do not
        record.
        """
        check_noise(noise)
        state = self._newest()
        if state is None:
            raise EntropyFault  # enrolled, and both sectors invalid: somebody or something was here
        counter, held, sector = state
        self._turn(counter, sector, held, noise)

    def generate(self, size: int) -> bytes:
        if self._drbg is None:
            raise EntropyFault  # not booted, or booting failed
        return self._drbg.generate(size)

    def reseed(self, entropy: bytes, additional: bytes = b"") -> None:
        """Mix in another source, 32 bytes at least; it may be poor, it cannot take anything away."""
        if self._drbg is None:
            raise EntropyFault  # not booted, or booting failed
        self._drbg.reseed(entropy, additional)

    def _turn(self, counter, old, held, noise):
        """From the state in sector `old` to the next one in the other.

        Cut before the write is whole: the old state is the newest, and gave out nothing in this turn. Cut
        after it: the new one is, and the erase is made up for when its sector is written next.
        """
        self._drbg = None
        if counter >= _LAST_COUNTER:
            raise EntropyFault  # no camera boots this often: the counter was not ours
        nonce = struct.pack(">QQ", counter, len(noise))
        running = Drbg(held + sha256(noise) + bytes(noise), nonce, b"sealcam/1 drbg")
        new = self._sectors[0] if old == self._sectors[1] else self._sectors[1]
        try:
            self._erase(new)
            self._store(new, counter + 1, running.generate(32))
            self._erase(old)
        except (OSError, FlashFault):
            raise EntropyFault from None  # flash failed: the state may be used again
        self._drbg = running

    def _newest(self):
        """(counter, seed, sector) of the valid state that counts highest, or None."""
        newest = None
        for sector in self._sectors:
            state = self._load(sector)
            if state and (newest is None or state[0] > newest[0]):
                newest = (state[0], state[1], sector)
        return newest

    def _load(self, sector):
        record = self._read(sector, _RECORD)
        if not same(sha256(record[:_BODY]), record[_BODY:]):
            return None
        magic, counter, seed = struct.unpack(">4sQ32s", record[:_BODY])
        return (counter, seed) if magic == _MAGIC else None

    def _store(self, sector, counter, seed):
        body = struct.pack(">4sQ32s", _MAGIC, counter, seed)
        record = body + sha256(body)
        self._flash.write(sector, 0, record)
        if self._read(sector, _RECORD) != record:
            raise EntropyFault  # the write was lost, and nobody said so

    def _erase(self, sector):
        self._flash.erase(sector)
        step = 256
        for offset in range(0, self._flash.sector_size, step):
            if self._read(sector, step, offset) != b"\xff" * step:
                raise EntropyFault  # the erase was lost: an old state would still be there

    def _read(self, sector, size, offset=0):
        buffer = bytearray(size)
        try:
            self._flash.read(sector, offset, buffer)
        except (OSError, FlashFault):
            raise EntropyFault from None  # a failed read never becomes an empty start
        return bytes(buffer)
