"""C2SP signed notes and checkpoints; text in, text out.

A note is lines of text, an empty line, and signature lines; a checkpoint is a note that names a tree's
origin, size and root. Keys are Ed25519, the one exception to one curve, because C2SP witnesses expect it.
Nothing here knows a database. C2SP signed-note and tlog-checkpoint.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from sealhost.errors import BadSignature, BadStatement

_ED25519 = b"\x01"


@dataclass(frozen=True)
class Checkpoint:
    """A tree as it was when somebody signed for it."""

    origin: str
    size: int
    root: bytes


def key_hash(name: str, public: bytes) -> bytes:
    """First 4 bytes of SHA-256(name || 0A || 01 || public key)."""
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:4]


def vkey(name: str, public: bytes) -> str:
    """What a stranger checks a note with: name, key hash, key."""
    return f"{name}+{key_hash(name, public).hex()}+{base64.b64encode(_ED25519 + public).decode()}"


def parse_vkey(line: str) -> tuple[str, bytes]:
    """(name, public key) of a vkey; BadStatement when its parts do not fit."""
    name, _, rest = line.strip().partition("+")
    hashed, _, encoded = rest.partition("+")
    key = _decode(encoded)
    if len(key) != 33 or key[:1] != _ED25519 or hashed != key_hash(name, key[1:]).hex():
        raise BadStatement("a vkey whose name, hash and key do not fit")
    return name, key[1:]


def sign(text: str, name: str, key: Ed25519PrivateKey) -> str:
    """A note over `text`, which ends with a line break."""
    signature = key_hash(name, key.public_key().public_bytes_raw()) + key.sign(text.encode())
    return f"{text}\n\u2014 {name} {base64.b64encode(signature).decode()}\n"


def check(note: str, name: str, public: bytes) -> str:
    """The text of a note this key signed; signatures of others are passed over.

    BadStatement or BadSignature.
    """
    text, separator, lines = note.rpartition("\n\n")
    if not separator or not lines.endswith("\n"):
        raise BadStatement("a note without signature lines")
    text += "\n"
    for line in lines.splitlines():
        dash, _, rest = line.partition(" ")
        signer, _, encoded = rest.partition(" ")
        raw = _decode(encoded)
        if dash == "\u2014" and signer == name and raw[:4] == key_hash(name, public):
            _verify(text, raw[4:], name, public)
            return text
    raise BadSignature(f"a note by {name}")


def _verify(text: str, signature: bytes, name: str, public: bytes) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, text.encode())
    except InvalidSignature:
        raise BadSignature(f"a note by {name}") from None


def checkpoint_text(checkpoint: Checkpoint) -> str:
    """Origin, decimal size, base64 root, a line each."""
    return f"{checkpoint.origin}\n{checkpoint.size}\n{base64.b64encode(checkpoint.root).decode()}\n"


def parse_checkpoint(text: str) -> Checkpoint:
    """The checkpoint of a note's text; extension lines are passed over. BadStatement otherwise."""
    lines = text.split("\n")
    if len(lines) < 4 or not lines[1].isascii() or not lines[1].isdigit() or lines[1] != str(int(lines[1])):
        raise BadStatement("a checkpoint without origin, size and root")
    root = _decode(lines[2])
    if not lines[0] or len(root) != 32:
        raise BadStatement("a checkpoint whose root is not a SHA-256")
    return Checkpoint(lines[0], int(lines[1]), root)


def _decode(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return b""
