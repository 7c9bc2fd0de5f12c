"""Turn plaintext into chunks.

A sealer knows keys and counters. It never touches the card, the clock or a pin. An index is spent before the
cipher runs, and a chunk buffer goes filling -> sealed -> written: counter mode applied twice gives the
plaintext back.
"""

import struct

from sealcam.crypto import Ctr, Hmac, hkdf_expand, sha256
from sealcam.errors import OutOfOrder, SelfTestFailed
from sealcam.layout import (
    ALL,
    CHUNK_FIELDS,
    CHUNK_MAGIC,
    CHUNK_OVERHEAD,
    CHUNK_SIZES,
    CORE_SIZE,
    COVERED_FIELDS,
    LABEL_ENC,
    LABEL_MAC,
    LABEL_OPENED,
    LABEL_STATEMENT,
    LABEL_VERIFY,
    NO_RECORD,
    PAYLOAD_AT,
    PREVIOUS_AT,
    SIGNATURE_AT,
    SIGNATURE_SIZE,
    TAG_SIZE,
    TOTALS_AT,
    TOTALS_SIZE,
    TYPE_DATA,
    TYPE_END,
    TYPE_SIGNATURE,
    clear,
)

WRITTEN, FILLING, SEALED = 0, 1, 2  # a buffer that holds nothing is as good as written


class ChunkBuffer:
    """The bytes of one chunk, made once at boot, and what may be done with them now."""

    def __init__(self, chunk_size: int):
        if chunk_size not in CHUNK_SIZES:
            raise ValueError
        self.size = chunk_size
        self.state = WRITTEN
        # every view that the recording loop needs is made here: one made there would be garbage at each chunk
        self.view = memoryview(bytearray(chunk_size))
        self.payload = self.view[PAYLOAD_AT : chunk_size - TAG_SIZE]
        self.previous = self.view[PREVIOUS_AT:PAYLOAD_AT]
        self.body = self.view[: chunk_size - TAG_SIZE]
        self.tag = self.view[chunk_size - TAG_SIZE :]

    def begin(self) -> None:
        """Take plaintext from here on."""
        if self.state != WRITTEN:
            raise OutOfOrder  # what is in it is not on the card yet
        self.state = FILLING

    def to_write(self):
        """The sealed chunk, for the card: as often as a retry needs it, and always the same bytes."""
        if self.state != SEALED:
            raise OutOfOrder  # plaintext, or a chunk that was written already
        return self.view

    def written(self) -> None:
        """The card has it, read back."""
        if self.state != SEALED:
            raise OutOfOrder
        self.state = WRITTEN

    def wipe(self) -> None:
        """Zero the buffer, whatever is in it."""
        clear(self.view)
        self.state = WRITTEN


class Keys:
    """What one secret gives under one core (docs/format/recording.md, section 1.2)."""

    def __init__(self, secret, core):
        if len(secret) != 32 or len(core) != CORE_SIZE:
            raise ValueError
        self.h_core = sha256(core)
        self.k_enc = hkdf_expand(secret, LABEL_ENC + self.h_core, 32)
        self.v = verify_secret(secret)
        self.k_mac = hkdf_expand(self.v, LABEL_MAC + self.h_core, 32)

    def proof_of_opening(self) -> bytes:
        """Shows that somebody opened the recording, without saying what is in it."""
        return Hmac(self.k_mac).tag(LABEL_OPENED + self.h_core)


def verify_secret(secret) -> bytes:
    """V, from which the MAC key can be derived and the encryption key cannot."""
    return hkdf_expand(secret, LABEL_VERIFY, 32)


def _three(view, at):
    """Three bytes as a number that is no object on any chip: one chunk in 2^48 is refused for nothing."""
    return view[at] << 16 | view[at + 1] << 8 | view[at + 2]


def scratch_size(chunk_size: int) -> int:
    """Key stream made at once where the image has no counter mode."""
    return min(4096, chunk_size - CHUNK_OVERHEAD)


class Sealer:
    """One recording: its keys, its next `index` and the `tag` of the chunk before."""

    def __init__(self, core, secret, chunk_size: int):
        if struct.unpack_from(">H", core, 14)[0] != chunk_size or chunk_size not in CHUNK_SIZES:
            raise ValueError  # every chunk has the header's size
        keys = Keys(secret, core)
        self._ctr = Ctr(keys.k_enc, scratch_size(chunk_size))
        self._mac = Hmac(keys.k_mac)
        self._short_id = bytes(core[48:56])
        self._size = chunk_size
        self._spent = 0
        self.h_core = keys.h_core
        self.tag_0 = self.tag = self._mac.tag(core)
        self.index = 1

    def begin(self, chunk: ChunkBuffer) -> None:
        """Let `chunk` take plaintext for this sealer."""
        if chunk.size != self._size:
            raise ValueError
        chunk.begin()

    def seal(self, chunk: ChunkBuffer, first_record: int, ms: int) -> None:
        """Encrypt the payload of `chunk` in place, write its header and tag; `ms` since the start.

        Raises OutOfOrder for a buffer that is not being filled. If anything else goes wrong the buffer is
        zeroed, and its index stays spent: only a statement, which needs no key stream, may follow under it.
        """
        if chunk.state != FILLING or chunk.size != self._size:
            raise OutOfOrder  # sealed already: a second time would write the plaintext
        index = self.index
        if self._spent >= index:
            raise OutOfOrder  # the cipher may have run under this index
        self._spent = index
        try:
            self._frame(chunk, TYPE_DATA, first_record, index, ms)
            begins, goes_on = _three(chunk.payload, 0), _three(chunk.payload, 3)
            self._ctr.crypt(chunk.payload, index)
            if begins == _three(chunk.payload, 0) and goes_on == _three(chunk.payload, 3):
                raise SelfTestFailed  # the cipher stopped doing anything, hours after the self-test
            self._close(chunk, index)
        finally:
            if chunk.state != SEALED:
                chunk.wipe()

    def statement(
        self, chunk: ChunkBuffer, kind: int, covered_index: int, covered_tag, totals, signature, ms: int
    ) -> None:
        """Make `chunk` (written, or new) a signature or end chunk over what `digest_to_sign` gave to be
        signed.
        """
        if (
            kind not in (TYPE_SIGNATURE, TYPE_END)
            or len(totals) != TOTALS_SIZE
            or len(signature) != SIGNATURE_SIZE
        ):
            raise ValueError
        index = self.index
        if not 0 <= covered_index < index or (kind == TYPE_END and covered_index != index - 1):
            raise OutOfOrder  # an end vouches for the chunk before it, and nothing for what is not there
        self.begin(chunk)
        try:
            clear(chunk.payload)
            self._frame(chunk, kind, NO_RECORD, index, ms)
            struct.pack_into(COVERED_FIELDS, chunk.payload, 0, covered_index, covered_tag)
            chunk.payload[TOTALS_AT : TOTALS_AT + TOTALS_SIZE][:] = totals
            chunk.payload[SIGNATURE_AT : SIGNATURE_AT + SIGNATURE_SIZE][:] = signature
            self._close(chunk, index)
        finally:
            if chunk.state != SEALED:
                chunk.wipe()

    def _frame(self, chunk, kind, first_record, index, ms):
        struct.pack_into(
            CHUNK_FIELDS, chunk.view, 0, CHUNK_MAGIC, kind, 0, first_record, index, self._short_id, ms, 0
        )
        chunk.previous[ALL] = self.tag

    def _close(self, chunk, index):
        self.tag = self._mac.tag(chunk.body, chunk.tag)
        self.index = index + 1
        chunk.state = SEALED

    def digest_to_sign(self, kind: int, covered_index: int, covered_tag, totals) -> bytes:
        """What the device key signs for a statement of this recording (section 1.3)."""
        covered = struct.pack(COVERED_FIELDS, covered_index, bytes(covered_tag))
        return sha256(LABEL_STATEMENT, self.h_core, bytes([kind]), covered, totals)
