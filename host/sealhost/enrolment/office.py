"""The evidence office's steps: offer, certificate, and the trial recording opened twice.

It holds the enrolment, release and evidence keys and is handed the escrow shares; it sets no clock and keeps
no register. Each step answers what it waits for, and can be run again at any time.
"""

import os
import struct
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sealhost import certificates, keys, statements
from sealhost.enrolment.answer import Answer
from sealhost.enrolment.desk import ANSWER, CERTIFICATE, DRILL, OFFER, TRIAL, Authority, Progress
from sealhost.errors import EnrolmentRefused, KeyTrouble
from sealhost.keys import SoftKey
from sealhost.records import Judgement, Verdict
from sealhost.verify import judge, open_secret

EVIDENCE, ESCROW = 1, 2  # `opened_by` of a drill statement
_CENTURY = timedelta(days=36525)


def offer(exchange: Any, authority: Authority, progress: Progress) -> str:
    """The seed is insurance beside the camera's own noise; the only copy is in this file, which goes when it
    was answered.
    """
    if not exchange.has(OFFER):
        if not authority.is_office:
            return OFFER
        authority.note("camera.offered", b"", keylist=authority.keylist_version)
        exchange.write(OFFER, build_offer(authority, os.urandom(16), os.urandom(48)))
        progress.done.append("offer written")
    return ANSWER


def build_offer(authority: Authority, nonce: bytes, seed: bytes) -> bytes:
    """statements.md, `offer.seal`."""
    lists = b"".join(struct.pack(">I", len(body)) + body for body in (authority.keylist, authority.policy))
    return b"SKOFFER1" + authority.root_point + nonce + seed + lists


def give_certificate(exchange: Any, authority: Authority, answer: Answer, progress: Progress) -> str:
    """Certify the key that answered our offer. Order of writes: diary, `certificate.seal`, and only then the
    offer goes.
    """
    if not authority.is_office:
        return "" if exchange.has(CERTIFICATE) else CERTIFICATE
    if not exchange.has(CERTIFICATE):
        _check_answers_us(exchange, authority, answer)
        certificate = certify(answer.point, authority)
        authority.note_in_office("camera.certified", answer.device_id, keylist=authority.keylist_version)
        exchange.write(CERTIFICATE, b"SKCERTS1" + struct.pack(">I", len(certificate)) + certificate)
        progress.done.append("device key certified")
    if exchange.has(OFFER):
        exchange.remove(OFFER)
        progress.done.append("offer and its seed removed")
    return ""


def _check_answers_us(exchange: Any, authority: Authority, answer: Answer) -> None:
    written = exchange.read(OFFER)
    if written is None:
        raise EnrolmentRefused(ANSWER, "there is no offer here that it could answer")
    if (
        written[:8] != b"SKOFFER1"
        or answer.nonce != written[73:89]
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


def drill(exchange: Any, authority: Authority, answer: Answer, progress: Progress) -> str:
    """Open the trial with the evidence key, then with the escrow shares; sign a statement for each."""
    if exchange.has(DRILL):
        return ""
    parts = exchange.trial_parts()
    if not parts:
        return TRIAL
    if not authority.is_office:
        return DRILL
    evidence = authority.key("evidence")
    judgement = judge_trial(parts, evidence, answer)
    if judgement.verdict is Verdict.CUT_SHORT:
        return "the rest of the trial recording"
    refuse_unless_whole(judgement)
    _open_twice(judgement, evidence, authority.escrow_key())
    drills = [_drill_statement(authority, answer, judgement, opened_by) for opened_by in (EVIDENCE, ESCROW)]
    authority.note_in_office(
        "camera.drilled", answer.device_id, trial=judgement.name, opened_by=[EVIDENCE, ESCROW]
    )
    exchange.write(DRILL, b"SKDRILL1" + b"".join(drills))
    progress.done.append("trial recording opened by the evidence key and by the escrow shares")
    return ""


def judge_trial(parts: Any, opener: SoftKey, answer: Answer) -> Judgement:
    """The trial recording, by a key of ours and the key the camera showed."""
    return judge(
        parts, [opener], device_point=lambda device: answer.point if device == answer.device_id else None
    )


def refuse_unless_whole(judgement: Judgement) -> None:
    if judgement.verdict is not Verdict.INTACT or judgement.core is None:
        raise EnrolmentRefused("the trial recording", judgement.reason or judgement.verdict.value)


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
