"""Judge a sealed recording: a second reader, written from recording.md alone (sections named below are its own).

One file, the standard library and `cryptography`. It never decrypts, never writes, touches only the parts given.
"""

import argparse
import hmac
import json
import mmap
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from struct import pack, unpack_from
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.serialization import load_pem_private_key

MAGIC, BLOCKS = b"SEALCAM\n", {512: 2048, 4096: 4096, 16384: 16384}  # B by chunk size, 1.1
MORE, ENDED, CUT, VOID = range(4)  # closing states, 1.5; MORE is ours: the journal knew more, 3.5
TAIL, STRIP = 4096, 1 << 20  # most marks of a removed tail, 3.4, and (our own bound) of absent chunks in a strip
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256
STATUS = {"intact": 0, "no recording": 0, "cut short": 21, "not judged": 22, "altered": 20}  # 3.7, worst last
HPKE = Suite(KEM.P256, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
Word = tuple[int, int, bytes]  # state, last index, last tag

def judge(parts: Sequence[Any], *, scalar: bytes | None = None, verify_secret: bytes | None = None,
          points: Sequence[bytes], word: Word | None = None) -> dict[str, Any]:
    """Judge the parts (bytes-like or binary files) of one recording, section 3; raises on nothing they hold."""
    return _conclude(_examine([_open(part) for part in parts], _keys(scalar, verify_secret), points), word)

def words(judgements: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The judgements again, each under the word a later header has on it (3.5), forks altered (3.6)."""
    files, answers = [one["facts"] for one in judgements if one["facts"].head], []
    for facts, word in [(one["facts"], one["word"]) for one in judgements]:
        kin = sorted((each for each in files if each.device == facts.device), key=lambda each: each.sequence)
        fork = any(each.sequence == facts.sequence and each.h_core != facts.h_core for each in kin)
        answers.append(_conclude(facts, word or _later_word(facts, kin), fork))
    return answers

def _later_word(facts: "_Facts", kin: list["_Facts"]) -> Word | None:
    """What the headers of the same camera, by sequence, say of one file, 3.5."""
    after = [each for each in kin if each.sequence > facts.sequence]
    named = next((facts.closings[each.prev] for each in after if each.prev in facts.closings), None)
    h = next((each for each in after if each.prev != facts.prev), None)
    if named or h is None or facts.ends:
        return named
    logs = [each.sequence for each in kin if each.kind == 2 and each.sequence < facts.sequence]
    first = max(logs, default=facts.sequence)
    at_hand = {each.sequence for each in kin if first <= each.sequence <= h.sequence}
    ended = all(each.ends for each in after if each.sequence < h.sequence)
    known = any(h.prev in each.closings for each in kin if each.sequence < h.sequence)
    return (MORE, 0, b"") if ended and not known and len(at_hand) == h.sequence - first + 1 else None

def _open(part: Any) -> Any:
    """A part as something that slices into bytes; a slice beyond its end is short."""
    if not hasattr(part, "read"):
        return part if isinstance(part, bytes | mmap.mmap) else bytes(part)
    try:
        return mmap.mmap(part.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError):  # no real file, or an empty one
        return part.read()

def _u(block: bytes, offset: int, size: int) -> int:
    return int.from_bytes(block[offset : offset + size], "big")

def _expand(secret: bytes, info: bytes) -> bytes:
    """HKDF-Expand to 32 bytes, one block: RFC 5869 section 2.3."""
    return hmac.digest(secret, info + b"\x01", "sha256")

def _heads(part: Any) -> list[bytes]:
    """The copies that read, in order; where copy 0 does not, every place that copy 1 may have, 3.1."""
    first = [part[:size] for size in BLOCKS.values() if _reads(part[:size])]
    places = [len(first[0])] if first else BLOCKS.values()
    return first + [part[at : 2 * at] for at in places if _reads(part[at : 2 * at])]

def _reads(copy: bytes) -> bool:
    """Whether a head copy reads, 3.1, and is whole for the chunk size it names."""
    if len(copy) < 2048 or copy[:12] != MAGIC + pack(">HH", 1, 1) or copy[12] not in (1, 2, 3, 4) or copy[13]:
        return False
    return BLOCKS.get(_u(copy, 14, 2)) == len(copy) and not any(copy[105:112] + copy[240:256])

def _keys(scalar: bytes | None, secret: bytes | None) -> tuple[Any, bytes, bytes | None]:
    """What the reader holds: a private key, its key id, and `V`."""
    if scalar is None:
        return None, b"", secret
    private = ec.derive_private_key(int.from_bytes(scalar, "big"), ec.SECP256R1())
    xy = private.public_key().public_numbers()
    return private, sha256(pack(">B32s32s", 4, xy.x.to_bytes(32, "big"), xy.y.to_bytes(32, "big"))).digest(), secret

def _addressed(copy: bytes, keys: tuple) -> list[bytes]:
    """The slots addressed to us, of those before the first with role byte 0, four at most, 1.1."""
    slots = [copy[at : at + 192] for at in range(512, 512 + 4 * 192, 192)]
    count = next((number for number, slot in enumerate(slots) if slot[0] == 0), 4)
    return [slot for slot in slots[:count] if slot[8:40] == keys[1]]

def _k_mac(copy: bytes, keys: tuple) -> bytes | None:
    """K_mac if the copy opens, 1.2 and 3.1. A payload is what the role in its info makes it, not the slot's byte, M12."""
    secrets = [] if keys[2] is None else [keys[2]]
    roles = (1,) if copy[12] == 2 else (1, 2)
    for slot, role in [(slot, role) for slot in _addressed(copy, keys) if slot[1] == 1 for role in roles]:
        info = b"sealcam/1 slot\0" + copy[10:12] + bytes([role, copy[12]]) + copy[16:64] + slot[8:40]
        try:
            payload = HPKE.decrypt(slot[40:153], keys[0], info)
            secrets.append(payload if role == 2 else _expand(payload, b"sealcam/1 verify\0"))
        except (InvalidTag, ValueError):
            continue
    macs = [_expand(secret, b"sealcam/1 mac\0" + sha256(copy[:256]).digest()) for secret in secrets]
    return next((mac for mac in macs if hmac.digest(mac, copy[:256], "sha256") == copy[256:288]), None)

def _proving(copies: list[bytes]) -> bytes:
    """Of copies that open, the first whose slot area hashes to the core's digest or is zero, else the first, 3.1."""
    return next((copy for copy in copies if _slots_hold(copy)), copies[0])

def _slots_hold(copy: bytes) -> bool:
    return sha256(copy[512:]).digest() == copy[176:208] or not any(copy[512:])

class _Chunk(NamedTuple):
    position: int
    type: int
    index: int
    before: bytes  # the tag before it, as this chunk says
    tag: bytes
    body: bytes  # statement and signature, types 2 and 3
    unknown: bool  # type or reserved bytes that nobody may guess at

@dataclass
class _Facts:
    """What the bytes say before the camera's word; `why` names each altered place that they show."""
    head: bytes = b""
    verdict: str = ""  # where there is nothing to judge by
    reason: str = ""
    chunks: dict[int, _Chunk] = field(default_factory=dict)
    marks: dict[int, str] = field(default_factory=dict)
    why: dict[int, str] = field(default_factory=dict)
    closings: dict[bytes, Word] = field(default_factory=dict)  # closing entries this file could have, 3.5
    ends: set[int] = field(default_factory=set)  # valid ones
    signed_to: int = 0

    def __post_init__(self) -> None:
        self.kind, self.size, self.start = _u(self.head, 12, 1), _u(self.head, 14, 2), 2 * len(self.head)
        self.device, self.sequence, self.prev = self.head[16:48], _u(self.head, 64, 8), self.head[112:144]
        self.h_core = sha256(self.head[:256]).digest() if self.head else None

    def spoil(self, index: int, reason: str) -> None:
        self.marks[index], self.why[index] = "!", reason

    def tag(self, index: int) -> bytes | None:
        """The tag of a proved chunk, `tag_0` for 0."""
        return self.head[256:288] if index == 0 else self.chunks[index].tag if index in self.chunks else None

    def block(self, part: Any, position: int) -> bytes:
        """The block at a position if it is whole and says it is of this recording, else nothing."""
        at = self.start + position * self.size
        ours = part[at : at + 4] == b"SKC1" and part[at + 16 : at + 24] == self.head[48:56]
        return part[at : at + self.size] if ours and at + self.size <= len(part) else b""

def _examine(parts: list[Any], keys: tuple, points: Sequence[bytes]) -> _Facts:
    """Heads, chunks, chain and signatures, 3.1 to 3.3."""
    copies = [copy for part in parts for copy in _heads(part)]
    opening = [copy for copy in copies if _k_mac(copy, keys)]
    if not opening and any(keys[2] is not None or _addressed(copy, keys) for copy in copies):
        return _Facts(why={0: "no head proves"})
    if not opening and not any(part[at : at + 8] == MAGIC for part in parts for at in (0, *BLOCKS.values())):
        return _Facts(verdict="no recording", reason="no head")
    if not opening:
        return _Facts(verdict="not judged", reason="no slot for this key" if copies else "no head of a known form")
    facts = _Facts(_proving(opening))
    point = next((each for each in points if len(each) == 65 and sha256(each).digest() == facts.device), b"")
    try:
        device = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError:
        facts.verdict, facts.reason = "not judged", "the device is not known"
        return facts
    _walk(facts, parts, _k_mac(facts.head, keys) or b"")
    _check_chain(facts)
    _check_signatures(facts, device)
    return facts

def _walk(facts: _Facts, parts: list[Any], k_mac: bytes) -> None:
    """Place every proved chunk by its index, 3.2; hold the heads of their parts to the proof, 3.1."""
    proved = [(part, chunks) for part in parts if (chunks := _proved(facts, part, k_mac))]
    if any(chunk.unknown for _, chunks in proved for chunk in chunks):
        facts.verdict, facts.reason = "not judged", "unknown type or reserved bytes under a tag that proves"
    first = next(part for part in parts if any(copy[:288] == facts.head[:288] for copy in _heads(part)))
    cores = all(any(first[at : at + 256]) for at in (0, facts.start // 2))
    for part in [part for part, _ in proved] or [first] * cores:
        if part[: facts.start] != 2 * facts.head or not _slots_hold(facts.head):
            facts.why[0] = "a head is not the one that proves"
    last = unproved = following = 0
    for part, chunks in sorted(proved, key=lambda each: next((c.index for c in each[1] if c.index), 0)):
        first, following = part, 0
        for chunk in chunks:
            unproved, following = unproved + chunk.position - following, chunk.position + 1
            if chunk.index:  # an index 0 has no place: not judged
                last, unproved = _place(facts, chunk, last, unproved), 0
        unproved += -(-(len(part) - facts.start) // facts.size) - following
    torn = _u(facts.block(first, following), 8, 8)
    if torn and torn == max(facts.chunks, default=0) + 1:
        facts.marks[torn] = "~"

def _proved(facts: _Facts, part: Any, k_mac: bytes) -> list[_Chunk]:
    """The proved chunks of a part by position, 3.2."""
    found = []
    for position in range((len(part) - facts.start) // facts.size):
        block = facts.block(part, position)
        if block and hmac.digest(k_mac, block[:-32], "sha256") == block[-32:]:
            kind, zero, first, index, _, _, more, before = unpack_from(">BBHQQIL32s", block, 4)
            unknown = kind not in (1, 2, 3) or zero or more or index == 0 or facts.size - 96 <= first < 0xFFFF
            body = block[64:256] if kind in (2, 3) else b""
            unknown = unknown or any(body[93:128]) or (body and any(block[256:-32]))
            found.append(_Chunk(position, kind, index, before, block[-32:], body, bool(unknown)))
    return found

def _place(facts: _Facts, chunk: _Chunk, last: int, unproved: int) -> int:
    """Mark what is absent before the chunk, or the chunk if it is out of place, 3.2; the new highest index."""
    facts.chunks.setdefault(chunk.index, chunk)
    missing = chunk.index - last - 1
    if missing < 0:
        facts.spoil(chunk.index, "chunk out of place")
    for index in range(last + 1, last + 1 + min(unproved, missing)):
        facts.spoil(index, "chunk does not prove")
    if unproved > missing >= 0:
        facts.spoil(chunk.index, "something was put in before this chunk")
    elif unproved < missing:
        facts.why[last + 1 + unproved] = "chunk absent"
    return max(last, chunk.index)

def _check_chain(facts: _Facts) -> None:
    """Links between neighbours, nothing after an end, 3.2; what closing entries the chunks allow, 3.5."""
    ends = [index for index, chunk in facts.chunks.items() if chunk.type == 3]
    says = [(ENDED, index, facts.chunks[index].tag) for index in ends] + [(CUT, 0, bytes(32))]
    for index, chunk in facts.chunks.items():
        if facts.tag(index - 1) not in (None, chunk.before):
            facts.spoil(index, "chunk does not link to the one before")
        says += [(CUT, _u(chunk.body, 0, 8), chunk.body[8:40])] if chunk.body else []
    if after := [index for index in facts.chunks if ends and index > min(ends)]:
        facts.spoil(min(after), "chunk after the end")
    for state, index, tag in says:
        entry = facts.head[64:72] + facts.head[48:64] + pack(">Q32sB", index, tag, state)
        facts.closings[sha256(b"sealcam/1 closed\0" + entry).digest()] = (state, index, tag)

def _check_signatures(facts: _Facts, device: ec.EllipticCurvePublicKey) -> None:
    """Which signatures are valid, how far they reach, what is signed for, 3.3."""
    covered, signed_for = set(), False
    for index, chunk in facts.chunks.items():
        if chunk.body and not _is_valid(facts, chunk, device):
            facts.spoil(index, "signature is not valid")
        elif chunk.body:
            covered.add(_u(chunk.body, 0, 8))
            facts.ends |= {index} if chunk.type == 3 else set()
    facts.signed_to = max(covered & facts.chunks.keys(), default=0)
    for index in sorted(facts.chunks, reverse=True):
        later = facts.chunks.get(index + 1)
        signed_for = index in covered or (signed_for and bool(later) and later.before == facts.chunks[index].tag)
        facts.marks.setdefault(index, "|" if index in facts.ends else "." if signed_for else ",")

def _is_valid(facts: _Facts, chunk: _Chunk, device: ec.EllipticCurvePublicKey) -> bool:
    """One signature, 1.3 and 3.3; of an unproved chunk only the tag stays unchecked."""
    covers, says, r, s = _u(chunk.body, 0, 8), chunk.body[8:40], _u(chunk.body, 128, 32), _u(chunk.body, 160, 32)
    if covers >= chunk.index or (chunk.type == 3 and covers != chunk.index - 1):
        return False
    if facts.tag(covers) not in (None, says) or not (0 < r < ORDER and 0 < s < ORDER):
        return False
    signed = b"sealcam/1 device chunk\0" + (facts.h_core or b"") + bytes([chunk.type]) + chunk.body[:128]
    try:
        device.verify(utils.encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True

def _conclude(facts: _Facts, word: Word | None, fork: bool = False) -> dict[str, Any]:
    """The verdict under the camera's word, 3.4: altered before not judged before cut short before intact."""
    marks, why, k = dict(facts.marks), dict(facts.why), max(facts.chunks, default=0)
    if word and facts.closings:
        _heed(facts, k, word, marks, why)
    if fork:
        why[0] = "fork: two cores under one sequence number"
    verdict, reason = "cut short", "no end" + ", unconfirmed" * (word is None)
    if why:
        verdict, reason = "altered", why[min(why)]
    elif facts.verdict:
        verdict, reason = facts.verdict, facts.reason
    elif k in facts.ends:
        verdict, reason = "intact", "every chunk proves and the camera signed the end"
    confirmed = verdict == "intact" or (verdict == "cut short" and word is not None)
    return {"verdict": verdict, "confirmed": confirmed, "strip": _strip(marks), "last_index": k, "reason": reason,
            "signed_to": facts.signed_to, "place": min(why, default=None), "h_core": facts.h_core, "word": word,
            "facts": facts}

def _heed(facts: _Facts, k: int, word: Word, marks: dict[int, str], why: dict[int, str]) -> None:
    """Every place that the camera's word makes altered, and its mark, 3.4."""
    state, last, tag = word
    if state == VOID:
        why.setdefault(0, "the journal says void")
    elif 0 < last <= k and facts.tag(last) not in (None, tag):
        marks[last] = why.setdefault(last, "the journal names another tag") and "!"
    if (state in (ENDED, CUT) and last > k) or state == MORE or (state == ENDED and k not in facts.ends):
        marks |= dict.fromkeys(range(k + 1, min(max(last, k + (state == MORE)), k + TAIL) + 1), "-")
        why.setdefault(k + 1, "the tail is removed")
    elif state == ENDED and last < k:
        marks[last + 1] = why.setdefault(last + 1, "the journal says ended before this chunk") and "!"

def _strip(marks: dict[int, str]) -> str:
    """One mark an index; what is below a proved chunk and nowhere is absent, STRIP of them shown at most."""
    strip, last, room = "", 0, STRIP
    for index in sorted(marks):
        absent = min(index - last - 1, room)
        strip, last, room = strip + "-" * absent + marks[index], index, room - absent
    return strip

def _grouped(parts: list[Any], keys: tuple) -> list[list[int]]:
    """Numbers of the parts that belong together, 3.1: a copy of theirs equals the proving one in bytes 0..287."""
    heads, groups = {number: _heads(part) for number, part in enumerate(parts)}, []
    good = {copy for mine in heads.values() for copy in mine if _k_mac(copy, keys)}
    while heads:
        copies = [copy for mine in heads.values() for copy in mine if copy in good] or heads[min(heads)]
        lead = _proving(copies)[:288] if copies else b""
        group = [number for number, mine in heads.items() if any(copy[:288] == lead for copy in mine)] or [min(heads)]
        groups.append(group)
        heads = {number: mine for number, mine in heads.items() if number not in group}
    return groups

def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Judge the parts of sealed recordings.")
    parser.add_argument("--device", action="append", type=bytes.fromhex, required=True, metavar="POINTHEX")
    key = parser.add_mutually_exclusive_group(required=True)
    key.add_argument("--key", type=bytes.fromhex, metavar="SCALARHEX")
    key.add_argument("--key-file", dest="key", type=_pem, metavar="P8.pem")
    key.add_argument("--verify-secret", type=bytes.fromhex, metavar="HEX")
    parser.add_argument("--word", type=_word, metavar="STATE,INDEX,TAGHEX")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("parts", nargs="+", type=argparse.FileType("rb"), metavar="PART")
    return parser.parse_args(argv)

def _pem(path: str) -> bytes:
    with open(path, "rb") as file:
        return load_pem_private_key(file.read(), None).private_numbers().private_value.to_bytes(32, "big")

def _word(text: str) -> Word:
    state, index, tag = text.split(",")
    return (ENDED, CUT, VOID)[int(state) - 1], int(index), bytes.fromhex(tag)

def main(argv: Sequence[str] | None = None) -> int:
    """Print a line for each recording; give the exit status of 3.7."""
    given = _arguments(argv)
    parts, keys = [_open(part) for part in given.parts], _keys(given.key, given.verify_secret)
    groups = [[parts[number] for number in group] for group in _grouped(parts, keys)]
    found = words([_conclude(_examine(group, keys, given.device), given.word) for group in groups])
    for one in found:
        one.pop("facts")
        line = "{verdict} {strip} k={last_index} n={signed_to} place={place}  {reason}".format(**one)
        print(json.dumps(one, default=bytes.hex) if given.json else line)
    verdicts = {one["verdict"] for one in found}
    return STATUS["not judged" if verdicts == {"no recording"} else next(v for v in ("altered", "not judged", "cut short", "intact", "no recording") if v in verdicts)]

if __name__ == "__main__":
    sys.exit(main())
