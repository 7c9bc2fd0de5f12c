"""Open slots and derive recording keys.

A key is whatever can do two things: agree with a point, and sign a message. Here it is a passphrase file; a
token
is another. Nothing here reads a recording, and no key ever reaches a message.
"""

from sealhost.keys.points import CURVE, N, decode_point, key_id_of, verifies
from sealhost.keys.slots import (
    RecordingKeys,
    derive,
    hkdf_expand,
    hpke_open,
    open_area,
    open_area_by,
    open_slot,
    open_slot_as,
    roles_for,
    slot_info,
    verify_secret_of,
)
from sealhost.keys.soft import PBKDF2_ROUNDS, Opener, SoftKey, load, save

__all__ = [
    "CURVE",
    "N",
    "Opener",
    "PBKDF2_ROUNDS",
    "RecordingKeys",
    "SoftKey",
    "decode_point",
    "derive",
    "hkdf_expand",
    "hpke_open",
    "key_id_of",
    "load",
    "open_area",
    "open_area_by",
    "open_slot",
    "open_slot_as",
    "roles_for",
    "save",
    "slot_info",
    "verifies",
    "verify_secret_of",
]
