"""Take a camera into the organisation, by exchanged files: key list, policy, seed and time out; key, trial
and journal back.

Each call does what the files in the folder ask for and can be run again at any time. It ends with a trial
recording that the evidence key and m escrow shares have each opened: before that a camera records nothing for
real. statements.md.
"""

import hashlib
import json
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sealhost import certificates, keys, statements
from sealhost.desk import utc_ms
from sealhost.errors import EnrolmentRefused, KeyTrouble
from sealhost.keys import SoftKey
from sealhost.records import Actor, Judgement, Verdict
from sealhost.verify import judge, open_secret

OFFER, ANSWER, TIME, DRILL, ENROLLED = (
    f"{word}.seal" for word in ("offer", "answer", "time", "drill", "enrolled")
)
EVIDENCE, ESCROW = 1, 2  # `opened_by` of a drill statement
_CENTURY = timedelta(days=36525)


@dataclass(frozen=True)
class Authority:
    """What the enrolment desk holds. Keys are asked for when a step needs them, so that each desk does its
    own steps.
    """

    organisation: bytes
    root_point: bytes
    keylist: bytes  # the files as a camera takes them
    keylist_version: int
    policy: bytes
    actor: Actor
    key: Callable[[str], SoftKey]  # by role: "time", "enrolment", "evidence", "release"
    enrolment_certificate: bytes  # X.509, of the enrolment key, by the root
    escrow_key: Callable[[], SoftKey]  # put together from m shares, now
    register: Any
    custody: Any
    clock: Callable[[], int] = utc_ms


@dataclass
class Progress:
    """What was done just now, and what the folder waits for; nothing once the camera is enrolled."""

    done: list[str] = field(default_factory=list)
    waiting_for: str = ""
    device_id: bytes = b""
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """A camera's answer, checked."""

    point: bytes
    nonce: bytes
    organisation: bytes
    firmware: bytes
    time_nonce: bytes
    facts: dict[str, Any]

    @property
    def device_id(self) -> bytes:
        return hashlib.sha256(self.point).digest()


def enrol(exchange: Any, authority: Authority) -> Progress:
    """Do every step the folder allows; EnrolmentRefused for what may not go on."""
    progress = Progress()
    raw = exchange.read(ANSWER)
    if raw is None:
        return _offer(exchange, authority, progress)
    answer = parse_answer(raw)
    progress.device_id, progress.facts = answer.device_id, answer.facts
    for step in (_certify, _drill, _welcome):
        progress.waiting_for = step(exchange, authority, answer, progress)
        if progress.waiting_for:
            break
    return progress


def _offer(exchange: Any, authority: Authority, progress: Progress) -> Progress:
    """The seed is insurance beside the camera's own noise; the only copy is in this file, which goes when it
    was answered.
    """
    if not exchange.has(OFFER):
        exchange.write(OFFER, build_offer(authority, os.urandom(16), os.urandom(48)))
        authority.custody.note("camera.offered", authority.actor, "", keylist=authority.keylist_version)
        progress.done.append("offer written")
    progress.waiting_for = ANSWER
    return progress


def build_offer(authority: Authority, nonce: bytes, seed: bytes) -> bytes:
    """statements.md, `offer.seal`."""
    lists = b"".join(struct.pack(">I", len(body)) + body for body in (authority.keylist, authority.policy))
    return b"SKOFFER1" + authority.root_point + nonce + seed + lists


def parse_answer(raw: bytes) -> Answer:
    """statements.md, `answer.seal`: the camera's own signature, over our nonce, with the key it shows."""
    signed = statements.size_of(statements.ENROL)
    if raw[:8] != b"SKANSWR1" or len(raw) < 73 + signed + 18:
        raise EnrolmentRefused(ANSWER, "it is not a camera's answer")
    point, rest = raw[8:73], raw[73 + signed :]
    fields = statements.read(statements.ENROL, raw[73 : 73 + signed], point)
    length = struct.unpack_from(">H", rest, 16)[0]
    if fields.device_id != keys.key_id_of(point) or len(rest) != 18 + length:
        raise EnrolmentRefused(ANSWER, "its id is not that of its key, or its length is wrong")
    return Answer(point, fields.nonce, fields.organisation, fields.firmware, rest[:16], _facts(rest[18:]))


def _facts(raw: bytes) -> dict[str, Any]:
    try:
        facts = json.loads(raw)
    except ValueError:
        raise EnrolmentRefused(ANSWER, "its facts are not JSON") from None
    return facts if isinstance(facts, dict) else {}


def _certify(exchange: Any, authority: Authority, answer: Answer, progress: Progress) -> str:
    """Certify the key, set the clock. Order of writes: register, custody, `time.seal`, and only then the
    offer goes.
    """
    known = authority.register.get(answer.device_id)
    if known is None:
        _check_answers_us(exchange, authority, answer)
        certificate = certify(answer.point, authority)
        authority.register.certify(answer.point, certificate, authority.keylist_version)
        _note(authority, "camera.certified", answer, keylist=authority.keylist_version)
        progress.done.append("device key certified")
    if not exchange.has(TIME):
        exchange.write(TIME, _times(authority, answer))
        progress.done.append("time and certificate written")
    if exchange.has(OFFER):
        exchange.remove(OFFER)
        progress.done.append("offer and its seed removed")
    return ""


def _check_answers_us(exchange: Any, authority: Authority, answer: Answer) -> None:
    offer = exchange.read(OFFER)
    if offer is None:
        raise EnrolmentRefused(ANSWER, "there is no offer here that it could answer")
    if (
        offer[:8] != b"SKOFFER1"
        or answer.nonce != offer[73:89]
        or answer.organisation != authority.organisation
    ):
        raise EnrolmentRefused(ANSWER, "it answers another offer")


def certify(point: bytes, authority: Authority) -> bytes:
    """X.509 for strangers: the device key, under the enrolment key. Its serial is drawn, its name is the
    device id. DER.
    """
    issuer = certificates.load(authority.enrolment_certificate)
    now = datetime.fromtimestamp(authority.clock() / 1000, UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, keys.key_id_of(point).hex())])
    built = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer.subject)
    built = built.public_key(keys.decode_point(point)).serial_number(x509.random_serial_number())
    built = built.not_valid_before(now - timedelta(minutes=5)).not_valid_after(now + _CENTURY)
    built = built.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    signed = built.sign(_private(authority.key("enrolment")), hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.DER)


def _private(key: SoftKey) -> ec.EllipticCurvePrivateKey:
    loaded = serialization.load_pem_private_key(key.pem(), None)
    if not isinstance(loaded, ec.EllipticCurvePrivateKey):
        raise KeyTrouble("the enrolment key", "it is not a key of the curve")
    return loaded


def _times(authority: Authority, answer: Answer) -> bytes:
    size, root = authority.custody.head()
    asked = {"device_id": answer.device_id, "nonce": answer.time_nonce}
    now = {"utc_ms": authority.clock(), "tree_size": size, "root": root}
    statement = statements.make(statements.TIME, authority.key("time"), **asked, **now)
    certificate: bytes = authority.register.get(answer.device_id).certificate
    return b"SKTIMES1" + statement + struct.pack(">I", len(certificate)) + certificate


def _drill(exchange: Any, authority: Authority, answer: Answer, progress: Progress) -> str:
    """Open the trial with the evidence key, then with the escrow shares; sign a statement for each."""
    if exchange.has(DRILL):
        return ""
    parts = exchange.trial_parts()
    if not parts:
        return "trial-0000.skr"
    evidence = authority.key("evidence")
    judgement = judge(
        parts, [evidence], device_point=lambda device: answer.point if device == answer.device_id else None
    )
    if judgement.verdict is Verdict.CUT_SHORT:
        return "the rest of the trial recording"
    if judgement.verdict is not Verdict.INTACT or judgement.core is None:
        raise EnrolmentRefused("the trial recording", judgement.reason or judgement.verdict.value)
    _open_twice(judgement, evidence, authority.escrow_key())
    drills = [_drill_statement(authority, answer, judgement, opened_by) for opened_by in (EVIDENCE, ESCROW)]
    authority.register.drill(answer.device_id, judgement.core.h_core, judgement.core.sequence)
    _note(authority, "camera.drilled", answer, trial=judgement.name, opened_by=[EVIDENCE, ESCROW])
    exchange.write(DRILL, b"SKDRILL1" + b"".join(drills))
    progress.done.append("trial recording opened by the evidence key and by the escrow shares")
    return ""


def _open_twice(judgement: Judgement, evidence: SoftKey, escrow: SoftKey) -> None:
    secrets = {open_secret(judgement, [key]) for key in (evidence, escrow)}
    if len(secrets) != 1:
        raise EnrolmentRefused("the trial recording", "evidence key and escrow key open different secrets")


def _drill_statement(authority: Authority, answer: Answer, judgement: Judgement, opened_by: int) -> bytes:
    about = {
        "device_id": answer.device_id,
        "keylist": authority.keylist_version,
        "h_core": bytes.fromhex(judgement.name),
    }
    return statements.make(statements.DRILL, authority.key("release"), opened_by=opened_by, **about)


def _welcome(exchange: Any, authority: Authority, answer: Answer, progress: Progress) -> str:
    """The camera's journal over our nonce says that it took the drills."""
    raw = exchange.read(ENROLLED)
    if raw is None:
        return ENROLLED
    known = authority.register.get(answer.device_id)
    if known is not None and known.state == "enrolled":
        return ""
    statements.read_inventory(raw, answer.point, answer.nonce)
    authority.register.enrol(answer.device_id)
    _note(authority, "camera.enrolled", answer, keylist=authority.keylist_version)
    progress.done.append("enrolled")
    return ""


def _note(authority: Authority, event: str, answer: Answer, **detail: Any) -> None:
    authority.custody.note(event, authority.actor, answer.device_id.hex(), **detail)


__all__ = ["Answer", "Authority", "Progress", "build_offer", "certify", "enrol", "parse_answer"]
