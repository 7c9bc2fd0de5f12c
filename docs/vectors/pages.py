"""Vectors of the pages beside the recording: statements, usage log, custody."""

import base64
import json
import struct

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from writer import Key, sha

ROLES = ("evidence", "escrow", "vault", "receipt", "time", "certificate", "release", "link", "enrolment")


def signed(label: str, fields: bytes, key: Key) -> bytes:
    message = label.encode() + b"\0" + fields
    return message + key.sign(message)


def key_list(organisation: bytes, version: int, keys: dict[str, Key]) -> bytes:
    body = organisation + struct.pack(">IHH", version, len(ROLES), 0)
    return body + b"".join(struct.pack(">B3x65s3x", n, keys[role].point) for n, role in enumerate(ROLES, 1))


def policy(organisation: bytes, version: int) -> bytes:
    return (organisation + struct.pack(">IIIIHHBB", version, 1, 10_000, 65_536, 512, 0, 2, 2)).ljust(96, b"\0")


def journal_entry(kind: int, state: int, number: int, seq: int, recording_id: bytes, index: int, tag: bytes) -> bytes:
    entry = struct.pack(">4sBB2xQQ16sQ32s16x", b"SKJ1", kind, state, number, seq, recording_id, index, tag)
    return entry + sha(entry)


def firmware(counter: int) -> bytes:
    """Two modules that nobody runs; the architecture is armv7m's."""
    files = {"errors.mpy": b"M\6\0\x1f" + bytes(range(40)), "main.mpy": b"M\6\x17\x1f" + sha(b"program")}
    body = struct.pack(">32s2sHIHH", b"qemu_mps2", b"\6\x17", 0, counter, len(files), 0)
    return body + b"".join(bytes([len(name)]) + name.encode() + struct.pack(">I", len(code)) + code for name, code in files.items())


def statements(keys: dict[str, Key]) -> list[dict]:
    root, camera = Key("root"), keys["camera"]
    named = {**{role: Key(role) for role in ROLES}, **keys}
    organisation, nonce = root.id, sha(b"nonce")[:16]
    body, rules = key_list(organisation, 1, named), policy(organisation, 1)
    entry = struct.pack(">Q16s32sQ32sBBBB32s", 3, sha(b"id")[:16], sha(b"core"), 6, sha(b"tag"), 1, 1, 2, 2, sha(b"body"))
    journal = journal_entry(1, 1, 1, 3, sha(b"id")[:16], 0, sha(b"serial")[:16] + bytes(16)) + journal_entry(3, 1, 2, 3, sha(b"id")[:16], 6, sha(b"tag"))
    utc = 1_790_000_000_000
    made = [
        ("keylist", root, signed("sealcam/1 root keylist", struct.pack(">I", 1) + sha(body), root) + body),
        ("policy", root, signed("sealcam/1 root policy", struct.pack(">I", 1) + sha(rules), root) + rules),
        ("firmware", root, signed("sealcam/1 root firmware", struct.pack(">I", 4) + sha(firmware(3)), root) + firmware(3)),
        ("time", named["time"], signed("sealcam/1 vault time", camera.id + nonce + struct.pack(">QQ", utc, 5) + sha(b"root"), named["time"])),
        ("receipt", named["receipt"], signed("sealcam/1 vault receipt", organisation + struct.pack(">Q32sQIH", 4, camera.id, utc, 1, 1) + entry, named["receipt"])),
        ("release", named["release"], signed("sealcam/1 office release", entry + sha(b"quarantine"), named["release"])),
        ("drill", named["release"], signed("sealcam/1 office drill", camera.id + struct.pack(">I", 1) + sha(b"core") + b"\1", named["release"])),
        ("enrol", camera, signed("sealcam/1 device enrol", camera.id + nonce + organisation + sha(b"vector firmware"), camera)),
        ("inventory", camera, signed("sealcam/1 device inventory", camera.id + nonce + struct.pack(">IQ", 7, 61_000) + sha(journal) + struct.pack(">Q", 0), camera) + journal),
        ("wiped", camera, signed("sealcam/1 device wiped", camera.id + sha(b"receipt") + struct.pack(">IQH", 7, 61_000, 1) + bytes(32), camera)),
    ]  # fmt: skip
    return [{"name": f"statement_{name}", "says": "statements.md", "signer_point": key.point, "organisation": organisation, "root_point": root.point, "statement": blob} for name, key, blob in made]


def usage_log(camera: Key, entries: list[bytes]) -> dict:
    return {"name": "usage_log", "says": "three entries: power on, record start, bookmark", "device_id": camera.id, **{f"entry_{i}": e for i, e in enumerate(entries)}}


def merkle_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1."""
    if len(leaves) < 2:
        return sha(b"\0", leaves[0]) if leaves else sha()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha(b"\1", merkle_root(leaves[:split]), merkle_root(leaves[split:]))


def custody(organisation: bytes) -> dict:
    signer = ed25519.Ed25519PrivateKey.from_private_bytes(sha(b"sealcam vector key checkpoint"))
    public = signer.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    leaves = [{"actor": {"id": "vault", "role": "vault"}, "at": 1_790_000_000_000 + n, "detail": {"copies": 2}, "event": event, "n": n, "subject": sha(b"core").hex()} for n, event in enumerate(["recording.verified", "recording.stored", "receipt.signed"])]
    lines = [json.dumps(leaf, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() for leaf in leaves]
    origin = "sealcam/" + organisation.hex()[:16]
    note = f"{origin}\n{len(lines)}\n{base64.b64encode(merkle_root(lines)).decode()}\n"
    key_hash = sha(origin.encode(), b"\n\x01", public)[:4]
    mark = base64.b64encode(key_hash + signer.sign(note.encode())).decode()
    vkey = f"{origin}+{key_hash.hex()}+{base64.b64encode(bytes([1]) + public).decode()}"
    return {"name": "custody", "says": "three leaves and their checkpoint", **{f"leaf_{n}": line for n, line in enumerate(lines)}, "root": merkle_root(lines), "vkey": vkey, "checkpoint": f"{note}\n\u2014 {origin} {mark}\n".encode()}


def pages(keys: dict[str, Key], entries: list[bytes]) -> list[dict]:
    return [*statements(keys), usage_log(keys["camera"], entries), custody(Key("root").id)]
