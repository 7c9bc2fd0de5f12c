"""Turn chunks back into the stream, refusing the first one that does not prove.

An unsealer knows keys. It never touches the card or the panel, and it decrypts nothing that has not proved.
"""

import struct

from sealcam.crypto import Ctr, Hmac, same
from sealcam.errors import FormatFault, NotProved
from sealcam.layout import (
    CHUNK_FIELDS,
    CHUNK_MAGIC,
    CHUNK_SIZES,
    NO_RECORD,
    PAYLOAD_AT,
    PREVIOUS_AT,
    TAG_SIZE,
    TYPE_DATA,
    TYPE_END,
    unpack_core,
)
from sealcam.sealer import Keys, scratch_size


class Unsealer:
    """One recording, opened with its secret."""

    def __init__(self, core, secret, chunk_size: int):
        fields = unpack_core(core)
        if fields is None or fields["chunk_size"] != chunk_size or chunk_size not in CHUNK_SIZES:
            raise FormatFault  # not a core of this format, or of chunks of another size
        keys = Keys(secret, core)
        self._ctr = Ctr(keys.k_enc, scratch_size(chunk_size))
        self._mac = Hmac(keys.k_mac)
        self._short_id = bytes(core[48:56])
        self._size = chunk_size
        self.h_core = keys.h_core
        self.tag_0 = self._mac.tag(core)

    def open(self, chunk, expected_index: int, previous_tag) -> int:
        """Prove one chunk, then decrypt its payload in place if it is data; its type.

        `chunk` is a writable buffer. Raises NotProved before one byte is decrypted, FormatFault for what
        proves and is not of this format.
        """
        view = memoryview(chunk)
        if len(view) != self._size:
            raise NotProved  # not one whole chunk
        magic, kind, zero, first, index, short_id, _, reserved = struct.unpack_from(CHUNK_FIELDS, view, 0)
        if magic != CHUNK_MAGIC or short_id != self._short_id:
            raise NotProved  # of another recording, or stale space
        if not same(self._mac.tag(view[: self._size - TAG_SIZE]), view[self._size - TAG_SIZE :]):
            raise NotProved  # changed after it was sealed
        if index != expected_index or not same(view[PREVIOUS_AT:PAYLOAD_AT], previous_tag):
            raise NotProved  # a chunk of ours, in the wrong place
        if zero or reserved or not TYPE_DATA <= kind <= TYPE_END:
            raise FormatFault  # made by a newer Sealcam
        payload = view[PAYLOAD_AT : self._size - TAG_SIZE]
        if first != NO_RECORD and (kind != TYPE_DATA or first >= len(payload)):
            raise FormatFault  # no record can begin there
        if kind == TYPE_DATA:
            self._ctr.crypt(payload, index)
        return kind
