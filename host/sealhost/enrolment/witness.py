"""The vault's steps: the camera into the register and custody, and its clock set.

It believes the office's certificate as far as the root's chain goes, its drills as far as the release key
signed them, and the camera's own signatures; never an unsigned word. It holds no key that opens a recording.
"""

import struct
from typing import Any

from sealhost import certificates, statements
from sealhost.enrolment.answer import Answer
from sealhost.enrolment.desk import ANSWER, CERTIFICATE, DRILL, ENROLLED, TIME, Authority, Progress
from sealhost.enrolment.office import ESCROW, EVIDENCE, judge_trial, refuse_unless_whole
from sealhost.errors import EnrolmentRefused
from sealhost.statements import RELEASE_KEY


def give_time(exchange: Any, authority: Authority, answer: Answer, progress: Progress) -> str:
    """Take the camera in, set its clock. Order of writes: register, custody, `time.seal`."""
    if not authority.is_vault:
        return "" if exchange.has(TIME) else TIME
    if authority.register.get(answer.device_id) is None:
        if answer.organisation != authority.organisation:
            raise EnrolmentRefused(ANSWER, "it is for another organisation")
        certificate = parse_certificate(exchange.read(CERTIFICATE) or b"", answer)
        authority.register.certify(answer.point, certificate, authority.keylist_version)
        authority.note("camera.certified", answer.device_id, keylist=authority.keylist_version)
        progress.done.append("camera taken into the register")
    if not exchange.has(TIME):
        exchange.write(TIME, _times(authority, answer))
        progress.done.append("time and certificate written")
    return ""


def parse_certificate(raw: bytes, answer: Answer) -> bytes:
    """statements.md, `certificate.seal`: X.509 for the key that answered; the register checks its chain."""
    if raw[:8] != b"SKCERTS1" or len(raw) < 12 or len(raw) != 12 + struct.unpack_from(">I", raw, 8)[0]:
        raise EnrolmentRefused(CERTIFICATE, "it is not a certificate of the evidence office")
    if certificates.point_of(raw[12:]) != answer.point:
        raise EnrolmentRefused(CERTIFICATE, "it is for another camera")
    return raw[12:]


def _times(authority: Authority, answer: Answer) -> bytes:
    size, root = authority.custody.head()
    asked = {"device_id": answer.device_id, "nonce": answer.time_nonce}
    now = {"utc_ms": authority.clock(), "tree_size": size, "root": root}
    statement = statements.make(statements.TIME, authority.key("time"), **asked, **now)
    certificate: bytes = authority.register.get(answer.device_id).certificate
    return b"SKTIMES1" + statement + struct.pack(">I", len(certificate)) + certificate


def take_drill(exchange: Any, authority: Authority, answer: Answer, progress: Progress) -> str:
    """The office's two signed words, over a trial that our own key proves as well."""
    if not authority.is_vault or authority.register.get(answer.device_id).state != "certified":
        return ""
    judgement = judge_trial(exchange.trial_parts(), authority.key("verify"), answer)
    refuse_unless_whole(judgement)
    _check_drills(exchange.read(DRILL) or b"", authority, answer, bytes.fromhex(judgement.name))
    core = judgement.core
    assert core is not None
    authority.register.drill(answer.device_id, core.h_core, core.sequence)
    authority.note("camera.drilled", answer.device_id, trial=judgement.name, opened_by=[EVIDENCE, ESCROW])
    progress.done.append("drill statements taken into custody")
    return ""


def _check_drills(raw: bytes, authority: Authority, answer: Answer, h_core: bytes) -> None:
    size, point = statements.size_of(statements.DRILL), authority.point(RELEASE_KEY) or b""
    if raw[:8] != b"SKDRILL1" or len(raw) != 8 + 2 * size:
        raise EnrolmentRefused(DRILL, "it does not hold two drill statements")
    said = [statements.read(statements.DRILL, raw[at : at + size], point) for at in (8, 8 + size)]
    about = {(drill.device_id, drill.keylist, drill.h_core) for drill in said}
    if about != {(answer.device_id, authority.keylist_version, h_core)}:
        raise EnrolmentRefused(DRILL, "it speaks of another camera, key list or recording")
    if [drill.opened_by for drill in said] != [EVIDENCE, ESCROW]:
        raise EnrolmentRefused(DRILL, "it does not say that evidence key and escrow have each opened it")


def welcome(exchange: Any, authority: Authority, answer: Answer, progress: Progress) -> str:
    """The camera's journal over the offer's nonce says that it took the drills."""
    raw = exchange.read(ENROLLED)
    if raw is None:
        return ENROLLED
    if authority.is_vault and authority.register.get(answer.device_id).state == "enrolled":
        return ""
    statements.read_inventory(raw, answer.point, answer.nonce)
    if authority.is_vault:
        authority.register.keep_inventory(answer.device_id, raw)
        authority.register.enrol(answer.device_id)
        authority.note("camera.enrolled", answer.device_id, keylist=authority.keylist_version)
        progress.done.append("enrolled")
    return ""
