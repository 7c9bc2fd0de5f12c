"""Judge a sealed recording: a second reader, written from recording.md alone; the sections named are its.
It never decrypts, never writes, and touches only the parts it is given."""

import argparse
import hmac
import json
import mmap
import sys
from collections import namedtuple
from hashlib import sha256
from struct import pack, unpack_from

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, hpke, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

MAGIC, BLOCKS = b"SEALCAM\n", {512: 2048, 4096: 4096, 16384: 16384}  # B by chunk size, 1.1
MORE, ENDED, CUT, VOID = range(4)  # closing states, 1.5; MORE is ours: the journal knew more, 3.5
TAIL, ABSENT = 4096, 1 << 20  # most marks of a removed tail, 3.4, and of absent chunks, 3.2
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256
STATUS = {"altered": 20, "not judged": 22, "cut short": 21, "intact": 0, "no recording": 22}  # 3.7
HPKE = hpke.Suite(hpke.KEM.P256, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
_Chunk = namedtuple("_Chunk", "position type index before tag body unknown")  # body: statement and signature

def judge(parts: list, *, points: list[bytes], scalar: bytes | None = None, secret: bytes | None = None,
          verify_secret: bytes | None = None, word: tuple[int, int, bytes] | None = None) -> dict:
    """Judge the parts (bytes-like or files) of one recording by a private key, `V` or `S`, section 3."""
    keys = _keys(scalar, _expand(secret, b"sealcam/1 verify\0") if secret else verify_secret)
    return _conclude(_examine([_open(part) for part in parts], keys, points), word)

def words(judgements: list[dict]) -> list[dict]:
    """The judgements again, each under the word a later header has on it (3.5), forks altered (3.6)."""
    files, answers = [one["facts"] for one in judgements if one["facts"].head], []
    for facts, word in [(one["facts"], one["word"]) for one in judgements]:
        kin = sorted((each for each in files if each.device == facts.device), key=lambda each: each.sequence)
        fork = any(each.sequence == facts.sequence and each.h_core != facts.h_core for each in kin)
        answers.append(_conclude(facts, word or _later_word(facts, kin), fork))
    return answers
def _later_word(facts, kin):
    """What the headers of the same camera, by sequence, say of one file, 3.5."""
    after = [each for each in kin if each.sequence > facts.sequence]
    named = next((facts.closings[each.prev] for each in after if each.prev in facts.closings), None)
    h = next((each for each in after if each.prev != facts.prev), None)
    if named or h is None or facts.ended:
        return named
    logs = [each.sequence for each in kin if each.kind == 2 and each.sequence < facts.sequence]
    first = max(logs, default=facts.sequence)
    at_hand = {each.sequence for each in kin if first <= each.sequence <= h.sequence}
    ended = all(each.ended for each in after if each.sequence < h.sequence)
    known = any(h.prev in each.closings for each in kin if each.sequence < h.sequence)
    return (MORE, 0, b"") if ended and not known and len(at_hand) == h.sequence - first + 1 else None

def _open(part):
    """A part as something that slices into bytes; a slice beyond its end is short."""
    try:
        return mmap.mmap(part.fileno(), 0, access=mmap.ACCESS_READ)
    except (AttributeError, OSError, ValueError):  # not a file on a disk, or an empty one
        return part if isinstance(part, bytes) else bytes(part.read() if hasattr(part, "read") else part)
def _u(block, offset, size):
    return int.from_bytes(block[offset : offset + size], "big")
def _expand(secret, info):
    """HKDF-Expand to 32 bytes, one block: RFC 5869 section 2.3."""
    return hmac.digest(secret, info + b"\x01", "sha256")

def _heads(part):
    """The copies that read, in order; copy 1 is looked for at every place it may have, 3.1."""
    places = [(0, size) for size in BLOCKS.values()] + [(size, 2 * size) for size in BLOCKS.values()]
    return [part[start:end] for start, end in places if _reads(part[start:end])]
def _reads(copy):
    """Whether a head copy reads, 3.1, and is whole for the chunk size it names."""
    known = copy[:12] == MAGIC + pack(">HH", 1, 1) and 1 <= _u(copy, 12, 1) <= 4 and _u(copy, 13, 1) == 0
    return known and BLOCKS.get(_u(copy, 14, 2)) == len(copy) and not any(copy[105:112] + copy[240:256])

def _keys(scalar, verify_secret):
    """What the reader holds: a private key, its key id, and `V`."""
    if scalar is None:
        return None, b"", verify_secret
    private = ec.derive_private_key(int.from_bytes(scalar, "big"), ec.SECP256R1())
    form = serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    return private, sha256(private.public_key().public_bytes(*form)).digest(), verify_secret
def _addressed(copy, keys):
    """The slots addressed to us, of those before the first with role byte 0, four at most, 1.1."""
    slots = [copy[at : at + 192] for at in range(512, 512 + 4 * 192, 192)]
    count = next((number for number, slot in enumerate(slots) if slot[0] == 0), 4)
    return [slot for slot in slots[:count] if slot[8:40] == keys[1]]
def _k_mac(copy, keys):
    """K_mac if the copy opens, 1.2, 3.1; what a payload is, the role in the info says, M12."""
    secrets, roles = [keys[2]] if keys[2] else [], (1,) if copy[12] == 2 else (1, 2)
    for slot, role in [(slot, role) for slot in _addressed(copy, keys) if slot[1] == 1 for role in roles]:
        info = b"sealcam/1 slot\0" + copy[10:12] + bytes([role, copy[12]]) + copy[16:64] + slot[8:40]
        try:
            payload = HPKE.decrypt(slot[40:153], keys[0], info)
            secrets.append(payload if role == 2 else _expand(payload, b"sealcam/1 verify\0"))
        except (InvalidTag, ValueError):
            continue
    macs = [_expand(secret, b"sealcam/1 mac\0" + sha256(copy[:256]).digest()) for secret in secrets]
    return next((mac for mac in macs if hmac.digest(mac, copy[:256], "sha256") == copy[256:288]), None)
def _slots_hold(copy):
    return sha256(copy[512:]).digest() == copy[176:208] or not any(copy[512:])

class _Facts:
    """What the bytes say before the camera's word; `why` names each altered place that they show."""
    def __init__(self, head, verdict, reason):
        self.head, self.verdict, self.reason, self.signed_to = head, verdict, reason, 0
        self.kind, self.size, self.start = _u(head, 12, 1), _u(head, 14, 2), 2 * len(head)
        self.device, self.sequence, self.prev = head[16:48], _u(head, 64, 8), head[112:144]
        self.h_core = sha256(head[:256]).digest() if head else None
        self.chunks, self.marks, self.why, self.ended = {}, {}, {}, False  # by index; ended: a valid end at k
        self.k, self.room, self.closings = 0, ABSENT, {}  # closing entries it could have, by digest, 3.5
    def spoil(self, index, reason):
        self.marks[index], self.why[index] = "!", reason
    def tag(self, index):  # of a proved chunk, `tag_0` for 0, else None
        return self.head[256:288] if index == 0 else getattr(self.chunks.get(index), "tag", None)
    def block(self, part, position):  # if it is whole and says it is of this recording, else nothing
        at = self.start + position * self.size
        ours = part[at : at + 4] == b"SKC1" and part[at + 16 : at + 24] == self.head[48:56]
        return part[at : at + self.size] if ours and at + self.size <= len(part) else b""

def _examine(parts, keys, points):
    """Heads, chunks, chain and signatures, 3.1 to 3.3."""
    copies = [copy for part in parts for copy in _heads(part)]
    opening = [copy for copy in copies if _k_mac(copy, keys)]
    facts = _Facts(max(opening, key=_slots_hold, default=b""), "not judged", "no head is for this key")
    if not opening:
        if any(keys[2] or _addressed(copy, keys) for copy in copies):
            facts.why[0] = "no head proves"
        elif copies and not any(_slots_hold(copy) for copy in copies):
            facts.why[0] = "no slot is for this key, and no slot area is as it was sealed"
        elif not any(part[at : at + 8] == MAGIC for part in parts for at in (0, *BLOCKS.values())):
            facts.verdict, facts.reason = "no recording", "no head"
        return facts
    try:
        known = {sha256(point).digest(): point for point in points if len(point) == 65}
        device = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), known[facts.device])
    except (KeyError, ValueError):
        facts.reason = "the device is not known"
        return facts
    facts.verdict = facts.reason = ""
    _walk(facts, parts, _k_mac(facts.head, keys))
    _check_chain(facts)
    _check_signatures(facts, device)
    return facts

def _walk(facts, parts, k_mac):
    """Place every proved chunk by its index, 3.2; hold the heads of their parts to the proof, 3.1."""
    found = [(part, _proved(facts, part, k_mac)) for part in parts]
    if any(chunk.unknown for _, chunks in found for chunk in chunks):
        facts.verdict, facts.reason = "not judged", "unknown type or reserved bytes under a tag that proves"
    proved = [(part, chunks) for part, chunks in found if any(chunk.index for chunk in chunks)]
    _hold_heads(facts, parts, [part for part, _ in proved])
    newest, unproved, following = parts[0], 0, 0
    for part, chunks in sorted(proved, key=lambda each: next(c.index for c in each[1] if c.index)):
        newest, after = part, 0  # after: the position behind the newest chunk met
        for chunk in chunks:
            unproved, after = unproved + chunk.position - after, chunk.position + 1
            if chunk.index:  # an index 0 is not walked and not counted: not judged
                _place(facts, chunk, unproved)
                unproved, following = 0, after
        unproved += -((facts.start - len(part)) // facts.size) - after
    if (torn := _u(facts.block(newest, following), 8, 8)) == facts.k + 1:
        facts.marks[torn] = "~"
def _hold_heads(facts, parts, holding):
    """The heads of the parts that hold proved chunks, or, without any, of the first that belongs, 3.1."""
    first = next(part for part in parts if facts.head[:288] in [copy[:288] for copy in _heads(part)])
    cores = all(any(first[at : at + 256]) for at in (0, facts.start // 2))
    held = [part[: facts.start] == 2 * facts.head for part in holding or [first] * cores]
    if not all(held) or any(facts.head[288:512]) or (held and not _slots_hold(facts.head)):
        facts.why[0] = "a head is not as it was sealed"
def _proved(facts, part, k_mac):
    """The proved chunks of a part by position, 3.2."""
    found = []
    for position in range((len(part) - facts.start) // facts.size):
        block = facts.block(part, position)
        if block and hmac.digest(k_mac, block[:-32], "sha256") == block[-32:]:
            kind, zero, first, index, _, _, more, before = unpack_from(">BBHQQIL32s", block, 4)
            unknown = kind not in (1, 2, 3) or zero or more or not index or facts.size - 97 < first < 0xFFFF
            body = block[64:256] if kind in (2, 3) else b""
            unknown = unknown or any(body[93:128]) or (body and any(block[256:-32]))
            found.append(_Chunk(position, kind, index, before, block[-32:], body, unknown))
    return found
def _place(facts, chunk, unproved):
    """Mark what is absent before the chunk, or the chunk if out of place, 3.2."""
    facts.chunks.setdefault(chunk.index, chunk)
    missing, first = chunk.index - facts.k - 1, facts.k + 1
    marked = max(min(missing, facts.room), 0)
    facts.marks |= dict.fromkeys(range(first, first + marked), "-")
    for index in range(first, first + min(unproved, marked)):
        facts.spoil(index, "chunk does not prove")
    if unproved > missing:
        facts.spoil(chunk.index, "chunk out of place" if missing < 0 else "put in before it")
    elif unproved < missing:
        facts.why[first + unproved] = "chunk absent"
    facts.k, facts.room = max(facts.k, chunk.index), facts.room - marked

def _check_chain(facts):
    """Links between neighbours, nothing after an end, 3.2; what closing entries the chunks allow, 3.5."""
    ends = [index for index, chunk in facts.chunks.items() if chunk.type == 3]
    says = [(ENDED, index, facts.chunks[index].tag) for index in ends] + [(CUT, 0, bytes(32))]
    for index, chunk in facts.chunks.items():
        if facts.tag(index - 1) not in (None, chunk.before):
            facts.spoil(index, "chunk does not link to the one before")
        says += [(CUT, _u(chunk.body, 0, 8), chunk.body[8:40])] if any(chunk.body[:8]) else []
    if after := [index for index in facts.chunks if ends and index > min(ends)]:
        facts.spoil(min(after), "chunk after the end")
    for state, index, tag in says:
        entry = facts.head[64:72] + facts.head[48:64] + pack(">Q32sB", index, tag, state)
        facts.closings[sha256(b"sealcam/1 closed\0" + entry).digest()] = (state, index, tag)
def _check_signatures(facts, device):
    """Which signatures are valid, how far they reach, what is signed for, 3.3."""
    valid = {i: c for i, c in facts.chunks.items() if c.body and _is_valid(facts, c, device)}
    for index in [index for index, chunk in facts.chunks.items() if chunk.body and index not in valid]:
        facts.spoil(index, "signature is not valid")
    ends = [index for index, chunk in valid.items() if chunk.type == 3]
    facts.ended = facts.k in ends
    covered, signed_for = {_u(chunk.body, 0, 8) for chunk in valid.values()}, False
    facts.signed_to = max(covered & facts.chunks.keys(), default=0)
    for index in sorted(facts.chunks, reverse=True):
        later = facts.chunks.get(index + 1)
        signed_for = index in covered or (signed_for and later and later.before == facts.chunks[index].tag)
        facts.marks.setdefault(index, "|" if index in ends else "." if signed_for else ",")
def _is_valid(facts, chunk, device):
    """One signature, 1.3 and 3.3; of an unproved chunk only the tag stays unchecked."""
    covers, r, s = _u(chunk.body, 0, 8), _u(chunk.body, 128, 32), _u(chunk.body, 160, 32)
    before = covers < chunk.index if chunk.type == 2 else covers == chunk.index - 1
    signed = b"sealcam/1 device chunk\0" + facts.h_core + bytes([chunk.type]) + chunk.body[:128]
    try:
        device.verify(utils.encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return before and facts.tag(covers) in (None, chunk.body[8:40]) and 0 < r < ORDER and 0 < s < ORDER

def _conclude(facts, word, fork=False):
    """The verdict under the camera's word, 3.4: altered before not judged before cut short before intact."""
    marks, why = dict(facts.marks), dict(facts.why)
    if word and facts.closings:
        _heed(facts, word, marks, why)
    why |= {0: "fork: two cores under one sequence number"} if fork else {}
    sure, place = word is not None or facts.ended, min(why, default=None)
    verdict = "altered" if why else facts.verdict or ("intact" if facts.ended else "cut short")
    reason = why[place] if why else facts.reason or "all proved" + ", unconfirmed" * (not sure)
    return {"verdict": verdict, "confirmed": sure and verdict in ("intact", "cut short"), "reason": reason,
            "strip": "".join(marks[index] for index in sorted(marks)), "place": place, "word": word,
            "last_index": facts.k, "signed_to": facts.signed_to, "h_core": facts.h_core, "facts": facts}
def _heed(facts, word, marks, why):
    """Every place that the camera's word makes altered, and its mark, 3.4."""
    (state, last, tag), k = word, facts.k
    other = state in (ENDED, CUT) and 0 < last <= k and facts.tag(last) not in (None, tag)
    early = state == ENDED and facts.ended and last < k
    for index in [last] * other + [last + 1] * early:
        marks[index] = "-" if marks.get(index) == "-" else "!"
        why.setdefault(index, "the journal names another tag, or an end before this chunk")
    if state == VOID:
        why.setdefault(0, "the journal says void")
    elif last > k or state == MORE or (state == ENDED and not facts.ended):
        marks |= dict.fromkeys(range(k + 1, min(max(last, k + 1), k + TAIL) + 1), "-")
        why.setdefault(k + 1, "the tail is removed")

def _grouped(parts, keys):
    """The parts that belong together, 3.1: a copy of theirs equals the proving one in bytes 0..287."""
    rest, groups = [(part, _heads(part)) for part in parts], []
    good = {copy for _, mine in rest for copy in mine if _k_mac(copy, keys)}
    while rest:
        copies = [copy for _, mine in rest for copy in mine if copy in good] or rest[0][1]
        lead = max(copies, key=_slots_hold, default=b"")[:288]
        group = [each for each in rest if lead in [copy[:288] for copy in each[1]]] or rest[:1]
        rest = [each for each in rest if not any(each is one for one in group)]
        groups.append([part for part, _ in group])
    return groups
def _word(text):
    state, index, tag = text.split(",")
    return (ENDED, CUT, VOID).index(int(state)) + 1, int(index), bytes.fromhex(tag)
def main(argv: list[str] | None = None) -> int:
    """Print a line for each recording; give the exit status of 3.7."""
    parser, file = argparse.ArgumentParser(description="Judge sealed recordings."), argparse.FileType("rb")
    parser.add_argument("--device", action="append", type=bytes.fromhex, required=True, metavar="POINTHEX")
    key = parser.add_mutually_exclusive_group(required=True)
    key.add_argument("--key", type=bytes.fromhex, metavar="SCALARHEX")
    key.add_argument("--key-file", type=file, metavar="P8.pem")
    key.add_argument("--verify-secret", type=bytes.fromhex, metavar="HEX")
    parser.add_argument("--word", type=_word, metavar="STATE,INDEX,TAGHEX")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("parts", nargs="+", type=file, metavar="PART")
    given = parser.parse_args(argv)
    if given.key_file:
        private = serialization.load_pem_private_key(given.key_file.read(), None)
        given.key = private.private_numbers().private_value.to_bytes(32, "big")
    keys = _keys(given.key, given.verify_secret)
    groups = _grouped([_open(part) for part in given.parts], keys)
    if given.word and len(groups) > 1:
        parser.error("a word is on one recording, and these are several")
    found = words([_conclude(_examine(group, keys, given.device), given.word) for group in groups])
    for one in found:
        line = "{} {strip} k={last_index} n={signed_to} place={}  {reason}"
        line = line.format(one["verdict"].upper(), "none" if one["place"] is None else one["place"], **one)
        print(json.dumps(one | {"facts": None}, default=bytes.hex) if given.json else line)
    return next(STATUS[verdict] for verdict in STATUS if verdict in [one["verdict"] for one in found])

if __name__ == "__main__":
    sys.exit(main())
