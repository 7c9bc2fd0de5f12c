"""Run the published vectors of docs/vectors/primitives through the firmware's own functions.

One runner for CPython, the two MicroPython images and the emulated board: it imports nothing but `sealcam`,
`cryptolib` and what all of them have. `run(text)` takes a vector file's text and returns how many cases held.
"""

import json
from binascii import hexlify, unhexlify

from cryptolib import aes
from sealcam import crypto, curve, hpke, p256
from sealcam.drbg import Drbg
from sealcam.errors import BadPoint, NotProved


class WrongAnswer(Exception):
    """A case whose answer differs, or a wrong input that was taken."""


def run(text: str) -> int:
    vectors = json.loads(text)
    check = _CHECKS[vectors["kind"]]
    for case in vectors["cases"]:
        check(Case(case))
    return len(vectors["cases"])


class Case:
    """One case: `case["key"]` is bytes where the file has hex; `case.raw` is what the file has."""

    def __init__(self, raw):
        self.raw = raw

    def __getitem__(self, name):
        return unhexlify(self.raw[name])

    def number(self, name):
        return int(self.raw[name], 16)

    def expect(self, name, answer):
        """`answer` must be the field `name`."""
        if bytes(answer) != self[name]:
            raise WrongAnswer("{}: {} is {}".format(self.raw["name"], name, hexlify(answer)))

    def expect_refusal(self, error, call, *arguments):
        try:
            call(*arguments)
        except error:
            return
        raise WrongAnswer("{}: taken".format(self.raw["name"]))


def _aes_ecb(case):
    case.expect("ciphertext", aes(case["key"], 1).encrypt(case["plaintext"]))
    case.expect("plaintext", aes(case["key"], 1).decrypt(case["ciphertext"]))
    out = bytearray(len(case["plaintext"]))
    aes(case["key"], 1).encrypt(case["plaintext"], out)
    case.expect("ciphertext", out)


def _aes_cbc(case):
    case.expect("ciphertext", aes(case["key"], 2, case["iv"]).encrypt(case["plaintext"]))
    case.expect("plaintext", aes(case["key"], 2, case["iv"]).decrypt(case["ciphertext"]))


def _aes_ctr(case):
    """Native where the image has it; everywhere as ECB over counters, which is what the other image does."""
    text = bytearray(case["plaintext"])
    if crypto.NATIVE_CTR:
        aes(case["key"], 6, case["counter"]).encrypt(text, text)
        case.expect("ciphertext", text)
    start = int.from_bytes(case["counter"], "big")
    counters = b"".join([(start + i).to_bytes(16, "big") for i in range(len(text) // 16)])
    stream = bytearray(aes(case["key"], 1).encrypt(counters))
    text = bytearray(case["plaintext"])
    crypto._lay_for(text)(text, stream, 0, len(text))
    case.expect("ciphertext", text)


def _chunk_ctr(case):
    size, index = case.raw["size"], case.number("index")
    for scratch in (16, 48, 4096):
        for offset in (0, 1, 2, 4):
            buffer = bytearray(size + 16)
            view = memoryview(buffer)[offset : offset + size]
            view[:] = _counting(size)
            cipher = crypto.Ctr(case["key"], scratch)
            cipher.crypt(view, index)
            case.expect("ciphertext_sha256", crypto.sha256(view))
            case.expect("first_block", view[:16])
            case.expect("last_block", view[-16:])
            if any(buffer[:offset]) or any(buffer[offset + size :]):
                raise WrongAnswer("{}: wrote outside its view".format(case.raw["name"]))
            cipher.crypt(view, index)
            if bytes(view) != _counting(size):
                raise WrongAnswer("{}: does not come back".format(case.raw["name"]))


def _counting(size):
    return (bytes(range(251)) * (size // 251 + 1))[:size]


def _gcm(case):
    key, nonce, aad, sealed = case["key"], case["nonce"], case["aad"], case["sealed"]
    case.expect("sealed", crypto.gcm_seal(key, nonce, case["plaintext"], aad))
    case.expect("plaintext", crypto.gcm_open(key, nonce, sealed, aad))
    for at in (0, len(sealed) - 1):
        case.expect_refusal(NotProved, crypto.gcm_open, key, nonce, _flipped(sealed, at), aad)
    case.expect_refusal(NotProved, crypto.gcm_open, key, nonce, sealed, aad + b"\x00")
    case.expect_refusal(NotProved, crypto.gcm_open, key, nonce, sealed[:15], aad)


def _flipped(data, at):
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


def _sha256(case):
    message = case["message"]
    case.expect("digest", crypto.sha256(message))
    case.expect("digest", crypto.sha256(message[:7], message[7:]))


def _hmac(case):
    size = len(case["tag"])
    message = case["message"]
    out = memoryview(bytearray(32))
    mac = crypto.Hmac(case["key"])
    case.expect("tag", mac.tag(message, out)[:size])
    case.expect("tag", out[:size])
    case.expect("tag", crypto.hmac_sha256(case["key"], message[:5], message[5:])[:size])


def _hkdf(case):
    case.expect("prk", crypto.hkdf_extract(case["salt"], case["ikm"]))
    case.expect("okm", crypto.hkdf_expand(case["prk"], case["info"], len(case["okm"])))


def _key_wrap(case):
    case.expect("wrapped", crypto.key_wrap(case["kek"], case["key"]))
    case.expect("key", crypto.key_unwrap(case["kek"], case["wrapped"]))
    wrapped = case["wrapped"]
    for at in range(len(wrapped)):
        case.expect_refusal(NotProved, crypto.key_unwrap, case["kek"], _flipped(wrapped, at))
    for size in (0, 8, 16, len(wrapped) - 1):
        case.expect_refusal(NotProved, crypto.key_unwrap, case["kek"], wrapped[:size])


def _pbkdf2(case):
    case.expect("key", crypto.pbkdf2(case["password"], case["salt"], case.raw["rounds"]))


def _ecdsa(case):
    digest, d, signature = crypto.sha256(case["message"]), case.number("d"), case["signature"]
    case.expect("public", p256.public(d))
    case.expect("signature", p256.sign(d, digest))
    job = p256.SignJob(d, digest)
    while not job.step():
        pass
    case.expect("signature", job.signature)
    if not p256.verify(case["public"], digest, signature):
        raise WrongAnswer("{}: not verified".format(case.raw["name"]))
    for at in (0, 31, 32, 63):
        if p256.verify(case["public"], digest, _flipped(signature, at)):
            raise WrongAnswer("{}: a changed signature was taken".format(case.raw["name"]))


def _ecdh(case):
    d = case.number("d")
    case.expect("public", p256.public(d, _fixed_random))
    case.expect("secret", p256.agree(d, case["point"], _fixed_random))
    case.expect("secret", p256.agree(d, case["point"]))
    case.expect("secret", p256.agree_blinded(d, case["point"], _fixed_random))
    job = p256.AgreeJob(d, case["point"], _fixed_random)
    while not job.step():
        pass
    case.expect("secret", job.secret)


def _fixed_random(size):
    return (b"\xc3\x5a\x99\x17" * size)[:size]


def _points_good(case):
    x, y = p256.decode_point(case["point"])
    case.expect("point", p256.encode_point(x, y))


def _points_bad(case):
    case.expect_refusal(BadPoint, p256.decode_point, case["point"])
    case.expect_refusal(BadPoint, p256.agree, 5, case["point"])
    case.expect_refusal(BadPoint, p256.verify, case["point"], bytes(32), bytes(64))
    case.expect_refusal(BadPoint, p256.seal_hpke, case["point"], b"", bytes(32), _fixed_random)
    case.expect_refusal(BadPoint, p256.open_hpke, 5, case["point"], b"", bytes(48))


def _hpke_a3(case):
    """The KEM and the key schedule; AES-128-GCM at the end by the same GCM."""
    case.expect("enc", p256.public(case.number("sk_e")))
    case.expect("pk_r", p256.public(case.number("sk_r")))
    dh = p256.agree(case.number("sk_r"), case["enc"])
    case.expect("shared_secret", hpke.kem_secret(dh, case["enc"], case["pk_r"]))
    key, nonce = hpke.key_schedule(case["shared_secret"], case["info"], aead=1, key_size=16)
    case.expect("key", key)
    case.expect("base_nonce", nonce)
    case.expect("sealed", crypto.gcm_seal(key, nonce, case["plaintext"], case["aad"]))


def _hpke(case):
    d, enc, info, sealed = case.number("d"), case["enc"], case["info"], case["sealed"]
    case.expect("payload", p256.open_hpke(d, enc, info, sealed))
    case.expect("payload", p256.open_hpke(d, enc, info, sealed, _fixed_random))
    case.expect_refusal(NotProved, p256.open_hpke, d, enc, info + b"\x00", sealed)
    case.expect_refusal(NotProved, p256.open_hpke, d, enc, info, _flipped(sealed, 40))
    case.expect_refusal(NotProved, p256.open_hpke, d + 1, enc, info, sealed)
    table = curve.comb_table(*p256.decode_point(case["public"]))
    for with_table in (None, table):
        again = p256.seal_hpke(case["public"], info, case["payload"], _fixed_random, with_table)
        case.expect("payload", p256.open_hpke(d, again[0], info, again[1]))


def _drbg(case):
    generator = Drbg(case["entropy"], case["nonce"], case["personalisation"])
    if "reseed" in case.raw:
        generator.reseed(case["reseed"], case["reseed_additional"])
    size = len(case["returned"])
    for additional in case.raw["additional"]:
        answer = generator.generate(size, unhexlify(additional))
    case.expect("returned", answer)


_CHECKS = {
    "aes_ecb": _aes_ecb,
    "aes_cbc": _aes_cbc,
    "aes_ctr": _aes_ctr,
    "chunk_ctr": _chunk_ctr,
    "gcm": _gcm,
    "sha256": _sha256,
    "hmac": _hmac,
    "hkdf": _hkdf,
    "key_wrap": _key_wrap,
    "pbkdf2": _pbkdf2,
    "ecdsa": _ecdsa,
    "ecdh": _ecdh,
    "points_good": _points_good,
    "points_bad": _points_bad,
    "hpke_a3": _hpke_a3,
    "hpke": _hpke,
    "drbg": _drbg,
}
