"""What opens a slot, and what follows from it; recording.md, section 1.2, RFC 9180, RFC 5869."""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field

import construct
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sealhost import layout
from sealhost.errors import SlotClosed
from sealhost.keys.soft import Opener
from sealhost.records import Core

_KEM = b"KEM\x00\x10"
_HPKE = b"HPKE\x00\x10\x00\x01\x00\x02"  # DHKEM(P-256), HKDF-SHA256, AES-256-GCM


def hkdf_expand(secret: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869, section 2.3; at most 32 bytes are ever asked for."""
    return hmac.digest(secret, info + b"\x01", "sha256")[:length]


def hpke_open(opener: Opener, enc: bytes, info: bytes, sealed: bytes) -> bytes:
    """RFC 9180 base mode, single shot, by hand over `agree`, so that a token can do it; SlotClosed when it
    does not.
    """
    key, nonce = _schedule(_decap(opener, enc), info)
    try:
        return AESGCM(key).decrypt(nonce, bytes(sealed), b"")
    except InvalidTag:
        raise SlotClosed("a slot") from None


def _decap(opener: Opener, enc: bytes) -> bytes:
    """RFC 9180, section 4.1."""
    prk = _extract(_KEM, b"", b"eae_prk", opener.agree(enc))
    return _expand(_KEM, prk, b"shared_secret", bytes(enc) + opener.point, 32)


def _schedule(shared: bytes, info: bytes) -> tuple[bytes, bytes]:
    """RFC 9180, section 5.1, mode 0: key and nonce of the one message."""
    context = b"\x00" + _extract(_HPKE, b"", b"psk_id_hash", b"") + _extract(_HPKE, b"", b"info_hash", info)
    secret = _extract(_HPKE, shared, b"secret", b"")
    return _expand(_HPKE, secret, b"key", context, 32), _expand(_HPKE, secret, b"base_nonce", context, 12)


def _extract(suite: bytes, salt: bytes, label: bytes, material: bytes) -> bytes:
    return hmac.digest(salt, b"HPKE-v1" + suite + label + material, "sha256")


def _expand(suite: bytes, secret: bytes, label: bytes, info: bytes, length: int) -> bytes:
    return hkdf_expand(secret, length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info, length)


def slot_info(core: Core, role: int, recipient: bytes) -> bytes:
    """What a slot is bound to; recording.md, section 1.2."""
    suite = layout.SUITE.to_bytes(2, "big")
    return (
        b"sealcam/1 slot\x00"
        + suite
        + bytes([role, core.kind])
        + core.device_id
        + core.recording_id
        + recipient
    )


def roles_for(opener: Opener, kind: int) -> tuple[int, ...]:
    """Which roles our key may have in a file of this kind; a role byte from outside decides nothing (M12)."""
    role = getattr(opener, "role", 0)
    if role == layout.ROLE_OPEN or kind == layout.KIND_LOG:
        return (layout.ROLE_OPEN,)
    return (layout.ROLE_VERIFY,) if role == layout.ROLE_VERIFY else (layout.ROLE_OPEN, layout.ROLE_VERIFY)


def open_slot(opener: Opener, core: Core, slot: construct.Container) -> bytes:
    """The 32 bytes in a slot addressed to this key; SlotClosed or PointBad."""
    return open_slot_as(opener, core, slot)[1]


def open_slot_as(opener: Opener, core: Core, slot: construct.Container) -> tuple[int, bytes]:
    """(role, payload) of a slot addressed to this key: S for role 1, V for role 2; SlotClosed or PointBad."""
    for role in roles_for(opener, core.kind):
        try:
            return role, hpke_open(opener, slot.enc, slot_info(core, role, opener.key_id), slot.sealed)
        except SlotClosed:
            continue
    raise SlotClosed(core.name)


def open_area(opener: Opener, core: Core, area: bytes) -> tuple[int, bytes]:
    """(role, payload) of the slot of a slot area that is addressed to this key; SlotClosed without one."""
    return open_area_by([opener], core, area)


def open_area_by(openers: Iterable[Opener], core: Core, area: bytes) -> tuple[int, bytes]:
    """The same by whichever of these keys a slot is addressed to."""
    known = {opener.key_id: opener for opener in openers}
    for slot in layout.slots_of(area):
        if slot.recipient in known:
            return open_slot_as(known[slot.recipient], core, slot)
    raise SlotClosed(core.name)


@dataclass(frozen=True)
class RecordingKeys:
    """What follows from S or V under one header; `k_enc` and `secret` only where S was in hand."""

    v: bytes = field(repr=False)
    k_mac: bytes = field(repr=False)
    k_enc: bytes | None = field(default=None, repr=False)

    def proof(self, h_core: bytes) -> bytes:
        """That somebody opened it, without saying what is in it; recording.md, section 1.2."""
        return hmac.digest(self.k_mac, b"sealcam/1 opened\x00" + h_core, "sha256")


def verify_secret_of(secret: bytes) -> bytes:
    """V of S."""
    return hkdf_expand(secret, b"sealcam/1 verify\x00", 32)


def derive(core: Core, *, secret: bytes | None = None, verify_secret: bytes | None = None) -> RecordingKeys:
    """Both keys from S, or the MAC key alone from V; never a K_enc from outside (M1, M2)."""
    if secret is None and verify_secret is None:
        raise SlotClosed(core.name)
    v = verify_secret_of(secret) if secret is not None else bytes(verify_secret or b"")
    k_mac = hkdf_expand(v, b"sealcam/1 mac\x00" + core.h_core, 32)
    if secret is None:
        return RecordingKeys(v, k_mac)
    return RecordingKeys(v, k_mac, hkdf_expand(secret, b"sealcam/1 enc\x00" + core.h_core, 32))
