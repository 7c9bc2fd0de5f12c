"""Records out of proved chunks; recording.md, section 1.4. No chunk is decrypted before its tag proves
(M1).
"""

from collections.abc import Iterator, Sequence

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from sealhost import keys, layout
from sealhost.errors import KeyTrouble, NotProved, SealBroken, SlotClosed
from sealhost.records import Core, Judgement, Part
from sealhost.verify.chunks import Prover, positions_of

MAX_RECORD = 64 * 1024 * 1024  # no camera makes a longer one; a length is bounded before it is believed (M17)
_SHOWN = b".,|"

Record = tuple[int, int, int, bytes]  # track, flags, milliseconds, payload


def open_secret(judgement: Judgement, openers: Sequence[keys.Opener]) -> bytes:
    """S, by a slot addressed to one of these keys whose tag_0 was proved; SlotClosed otherwise."""
    core = judgement.core
    if core is None or judgement.slot_area is None:
        raise SlotClosed(judgement.name or "a recording")
    for slot in layout.slots_of(judgement.slot_area):
        for opener in openers:
            if slot.recipient == opener.key_id and (secret := _secret_in(opener, core, slot, judgement)):
                return secret
    raise SlotClosed(judgement.name)


def _secret_in(
    opener: keys.Opener, core: Core, slot: layout.c.Container, judgement: Judgement
) -> bytes | None:
    try:
        role, payload = keys.open_slot_as(opener, core, slot)
    except KeyTrouble:
        return None
    return (
        payload
        if role == layout.ROLE_OPEN and keys.verify_secret_of(payload) == judgement.verify_secret
        else None
    )


def records(parts: Sequence[Part], judgement: Judgement, secret: bytes) -> Iterator[Record]:
    """Every whole record of the chunks that nothing is held against, in order.

    After a hole it goes on with the next whole record. A record that runs past the last chunk is dropped; a
    record of
    a track nobody knows is passed over; a padding that is not zero raises SealBroken (M21).
    """
    core = judgement.core
    if core is None:
        return
    reader = _Reader(judgement.name)
    for index, first, payload in _plaintexts(parts, judgement, core, secret):
        yield from reader.more(index, first, payload)


def _plaintexts(
    parts: Sequence[Part], judgement: Judgement, core: Core, secret: bytes
) -> Iterator[tuple[int, int, bytes]]:
    """(index, first record, plaintext) of data chunks by rising index, each proved again before it is
    decrypted.
    """
    derived = keys.derive(core, secret=secret)
    if judgement.verify_secret is not None and derived.v != judgement.verify_secret:
        raise SlotClosed(judgement.name)
    marks, last = judgement.marks, 0
    if (
        len(marks) < judgement.last_index
    ):  # absent indices were left out: behind the first hole no mark can be found
        marks = marks[: marks.find(b"-")]
    for index, header, chunk in _proved(parts, core, Prover(derived.k_mac)):
        if index <= last or index > len(marks) or marks[index - 1] not in _SHOWN:
            continue
        last = index
        if header.type == layout.TYPE_DATA:
            sealed = chunk[layout.CHUNK_HEADER : -layout.TAG_SIZE]
            yield index, header.first_record, _decrypt(derived.k_enc or b"", index, sealed)
        else:
            yield index, layout.NO_RECORD, b""
    if last < judgement.last_index <= len(marks) and marks[judgement.last_index - 1] in _SHOWN:
        raise NotProved(judgement.name, last + 1)  # it proved a moment ago


def _proved(
    parts: Sequence[Part], core: Core, prover: Prover
) -> Iterator[tuple[int, layout.c.Container, bytes]]:
    for part in _in_order(parts, core, prover):
        for position in range(positions_of(part, core)):
            chunk = _chunk_at(part, core, position, prover)
            if chunk is not None:
                header = layout.HEADER.parse(chunk)
                yield header.index, header, chunk


def _in_order(parts: Sequence[Part], core: Core, prover: Prover) -> list[Part]:
    """Parts by their first proved index."""
    firsts = []
    for part in parts:
        chunks = (_chunk_at(part, core, position, prover) for position in range(positions_of(part, core)))
        first = next((chunk for chunk in chunks if chunk is not None), None)
        if first is not None:
            firsts.append((layout.HEADER.parse(first).index, part))
    return [part for _, part in sorted(firsts, key=lambda pair: pair[0])]


def _chunk_at(part: Part, core: Core, position: int, prover: Prover) -> bytes | None:
    buffer = bytearray(core.chunk_size)
    got = part.read_into(2 * core.block_size + position * core.chunk_size, memoryview(buffer))
    body = memoryview(buffer)[: -layout.TAG_SIZE]
    ours = got == core.chunk_size and buffer[:4] == layout.CHUNK_MAGIC
    return bytes(buffer) if ours and prover.tag(body) == buffer[-layout.TAG_SIZE :] else None


def _decrypt(k_enc: bytes, index: int, sealed: bytes) -> bytes:
    """AES-256-CTR, counter block index and 0; SP 800-38A, 6.5."""
    return (
        Cipher(algorithms.AES(k_enc), modes.CTR(index.to_bytes(8, "big") + bytes(8)))
        .decryptor()
        .update(sealed)
    )


class _Reader:
    """Puts records together across chunks."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._rest = bytearray()
        self._expected = 1
        self._lost = False  # after a hole, until a chunk says where a record begins

    def more(self, index: int, first: int, payload: bytes) -> Iterator[Record]:
        """The records that are whole now."""
        if index != self._expected:
            self._lost = True
            self._rest.clear()
        self._expected = index + 1
        if self._lost and first >= len(payload):
            return
        start = first if self._lost else 0
        self._lost = False
        self._rest += payload[start:]
        yield from self._whole(index)

    def _whole(self, index: int) -> Iterator[Record]:
        at = 0
        while at < len(self._rest):
            if self._rest[at] == layout.TRACK_PADDING:
                if any(self._rest[at:]):
                    raise SealBroken(self._name, index)  # M21: padding is zeros
                at = len(self._rest)
                break
            if len(self._rest) - at < layout.RECORD_HEADER:
                break
            track, flags, _, ms, length = layout.RECORD_STRUCT.unpack_from(self._rest, at)
            if length > MAX_RECORD:
                raise SealBroken(self._name, index)  # M17: no camera makes such a record
            if len(self._rest) - at - layout.RECORD_HEADER < length:
                break
            at += layout.RECORD_HEADER + length
            if track in layout.TRACKS:
                yield track, flags, ms, bytes(self._rest[at - length : at])
        del self._rest[:at]
