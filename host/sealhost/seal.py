"""Write a recording from the document, for imports, renditions and tests.

Keys and counters, no file: chunks go to whoever is given as `emit`. docs/format/recording.md, sections 1.1
to 1.7.
"""

import hmac
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from sealhost import keys, layout
from sealhost.errors import BadUsage
from sealhost.records import Core, Totals

Recipient = tuple[int, bytes]  # role in the slot, point
_SUITE = Suite(KEM.P256, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def blank_core(device: keys.SoftKey, **fields: object) -> Core:
    """A core with sensible values; any field may be given."""
    core = Core(
        raw=b"",
        kind=layout.KIND_RECORDING,
        chunk_size=16384,
        device_id=device.key_id,
        recording_id=os.urandom(16),
        sequence=1,
        boot=1,
        interval_ms=10_000,
        start_utc_ms=0,
        start_ms=0,
        uncertainty_ms=0xFFFFFFFF,
        keylist=1,
        clock_source=0,
        prev=bytes(32),
        anchor=bytes(32),
        slot_digest=bytes(32),
        firmware=bytes(32),
    )
    return replace(core, **fields)  # type: ignore[arg-type]


def make_slot(core: Core, role: int, point: bytes, payload: bytes) -> bytes:
    """192 bytes that hand 32 bytes to one point; sections 1.1 and 1.2."""
    recipient = keys.key_id_of(point)
    sealed = _SUITE.encrypt(payload, keys.decode_point(point), keys.slot_info(core, role, recipient))
    fields = {"role": role, "algorithm": layout.SLOT_HPKE, "keylist": core.keylist, "recipient": recipient}
    reserved = {"reserved": bytes(2), "reserved_end": bytes(39)}
    return bytes(layout.SLOT.build({**fields, **reserved, "enc": sealed[:65], "sealed": sealed[65:]}))


def slot_area(core: Core, secret: bytes, recipients: Sequence[Recipient]) -> bytes:
    """The slot area of a head block: at most four slots, then zeros."""
    if len(recipients) > layout.MAX_SLOTS:
        raise BadUsage("a recording has room for four slots")
    payloads = {layout.ROLE_OPEN: secret, layout.ROLE_VERIFY: keys.verify_secret_of(secret)}
    slots = b"".join(make_slot(core, role, point, payloads[role]) for role, point in recipients)
    return slots.ljust(core.block_size - layout.SLOT_AREA, b"\0")


@dataclass
class Writer:
    """One recording being sealed: records in, chunks out. Each index is spent before the cipher runs (M4)."""

    core: Core
    secret: bytes = field(repr=False)
    device: keys.SoftKey = field(repr=False)
    area: bytes = field(repr=False)
    emit: Callable[[bytes], None] | None = None
    chunks: list[bytes] = field(default_factory=list, repr=False)
    index: int = 0
    tag: bytes = b""
    totals: Totals = Totals()
    ended: bool = False

    def __post_init__(self) -> None:
        """Derive the keys; the tag that chunk 1 links to is that of the core."""
        self.keys = keys.derive(self.core, secret=self.secret)
        self.tag_0 = hmac.digest(self.keys.k_mac, self.core.raw, "sha256")
        self.tag = self.tag or self.tag_0
        self._plain = bytearray()
        self._first: int | None = None

    @property
    def room(self) -> int:
        """Plaintext bytes of one chunk."""
        return self.core.chunk_size - layout.CHUNK_OVERHEAD

    @property
    def head(self) -> bytes:
        """The head block, B bytes."""
        return (self.core.raw + self.tag_0).ljust(layout.SLOT_AREA, b"\0") + self.area

    def record(self, track: int, payload: bytes, ms: int = 0, flags: int = 0) -> None:
        """One record; full chunks are sealed on the way."""
        if self._first is None:
            self._first = len(self._plain)
        counted = {layout.TRACK_PICTURE: "pictures", layout.TRACK_SOUND: "sounds"}.get(track)
        if counted:
            self.totals = replace(self.totals, **{counted: getattr(self.totals, counted) + 1})
        self._plain += layout.RECORD_STRUCT.pack(track, flags, 0, ms, len(payload)) + payload
        while len(self._plain) >= self.room:
            self._data(ms)

    def pad(self, ms: int = 0) -> None:
        """Close a chunk that is filled in part."""
        if self._plain:
            self._plain += bytes(self.room - len(self._plain))
            self._data(ms)

    def _data(self, ms: int) -> None:
        plain, first = bytes(self._plain[: self.room]), self._first
        del self._plain[: self.room]
        begins = first is not None and first < self.room
        self._first = None if begins or first is None else first - self.room
        counter = (self.index + 1).to_bytes(8, "big") + bytes(8)
        self.totals = replace(self.totals, data_chunks=self.totals.data_chunks + 1)
        sealed = Cipher(algorithms.AES(self.keys.k_enc or b""), modes.CTR(counter)).encryptor().update(plain)
        self.chunk(layout.TYPE_DATA, sealed, ms, first if begins and first is not None else layout.NO_RECORD)

    def chunk(self, kind: int, payload: bytes, ms: int = 0, first: int = layout.NO_RECORD) -> bytes:
        """Any chunk at the next index, under the tag before it."""
        self.index += 1
        short = self.core.recording_id[:8]
        header = layout.HEADER_STRUCT.pack(
            layout.CHUNK_MAGIC, kind, 0, first, self.index, short, ms, 0, self.tag
        )
        body = header + payload.ljust(self.room, b"\0")
        self.tag = hmac.digest(self.keys.k_mac, body, "sha256")
        (self.emit or self.chunks.append)(body + self.tag)
        return body + self.tag

    def sign(self, ms: int = 0, kind: int = layout.TYPE_SIGNATURE, reason: int = 0) -> None:
        """A signature over the chunk before it; section 1.3."""
        self.pad(ms)
        said = replace(self.totals, ms=ms, reason=reason)
        self.chunk(kind, statement(self.core, kind, self.index, self.tag, said, self.device), ms)

    def end(self, ms: int = 0, reason: int = 1) -> None:
        """The signed end."""
        self.sign(ms, layout.TYPE_END, reason)
        self.ended = True

    def part(self, chunks: Sequence[bytes], positions: int = 0) -> bytes:
        """One part: the head twice, chunks, and room for as many as `positions`."""
        return (self.head * 2 + b"".join(chunks)).ljust(
            2 * self.core.block_size + positions * self.core.chunk_size, b"\0"
        )

    def parts(self, across: int = 0) -> list[bytes]:
        """The recording in parts of `across` chunks, or in one."""
        across = across or max(1, len(self.chunks))
        pieces = [self.chunks[at : at + across] for at in range(0, len(self.chunks), across)] or [[]]
        return [self.part(piece) for piece in pieces]

    def body(self) -> bytes:
        """The body form; section 1.7."""
        zeroed = self.head[: layout.SLOT_AREA].ljust(self.core.block_size, b"\0")
        return zeroed * 2 + b"".join(self.chunks)

    def closing(self, state: int, index: int | None = None, tag: bytes | None = None) -> bytes:
        """What the next header's `prev` is; section 1.5."""
        at = self.index if index is None else index
        return layout.closing_digest(
            self.core.sequence, self.core.recording_id, at, self.tag if tag is None else tag, state
        )


def statement(core: Core, kind: int, index: int, tag: bytes, said: Totals, device: keys.SoftKey) -> bytes:
    """Statement and signature, 192 bytes, over the chunk of that index and tag."""
    fields = {"covered_index": index, "covered_tag": tag, "reserved": bytes(35), "signature": bytes(64)}
    built = bytes(layout.STATEMENT.build({**vars(said), **fields}))[: layout.STATEMENT_SIZE]
    digest = layout.digest_to_sign(core.h_core, kind, index, tag, built[layout.STATED])
    return built + device.sign_digest(digest)


def begin(
    device: keys.SoftKey,
    recipients: Sequence[Recipient],
    *,
    secret: bytes | None = None,
    emit: Callable[[bytes], None] | None = None,
    **fields: object,
) -> Writer:
    """A recording by this device for these readers; `fields` are those of the core."""
    secret = secret or os.urandom(32)
    core = blank_core(device, **fields)
    area = slot_area(core, secret, recipients)
    core = replace(core, slot_digest=layout.hashlib.sha256(area).digest())
    core = layout.core_of(layout.pack_core(core))
    return Writer(core, secret, device, area, emit)
