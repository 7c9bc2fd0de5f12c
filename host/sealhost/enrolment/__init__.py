"""Take a camera into the organisation, by exchanged files: key list, policy, seed and time out; key, trial
and journal back.

Office and vault each do the steps they hold keys for; one home that is both does all of them. Each call does
what the files in the folder ask for and can be run again at any time. It ends with a trial recording that the
evidence key and m escrow shares have each opened: before that a camera records nothing for real.
statements.md.
"""

from typing import Any

from sealhost.enrolment.answer import Answer, parse_answer
from sealhost.enrolment.courier import carry, folder_of, forget_seeds, refuse_unhealthy
from sealhost.enrolment.desk import ANSWER, CERTIFICATE, DRILL, ENROLLED, OFFER, TIME, Authority, Progress
from sealhost.enrolment.office import build_offer, certify, drill, give_certificate, offer
from sealhost.enrolment.witness import give_time, take_drill, welcome

FILES = (OFFER, ANSWER, CERTIFICATE, TIME, DRILL, ENROLLED)
_STEPS = (give_certificate, give_time, drill, take_drill, welcome)


def enrol(exchange: Any, authority: Authority) -> Progress:
    """Do every step the folder allows; EnrolmentRefused for what may not go on."""
    progress = Progress()
    raw = exchange.read(ANSWER)
    if raw is None:
        progress.waiting_for = offer(exchange, authority, progress)
        return progress
    answer = parse_answer(raw)
    progress.device_id, progress.facts = answer.device_id, answer.facts
    for step in _STEPS:
        progress.waiting_for = step(exchange, authority, answer, progress)
        if progress.waiting_for:
            break
    return progress


__all__ = ["FILES", "Answer", "Authority", "Progress", "build_offer", "carry", "certify", "enrol"]
__all__ += ["folder_of", "forget_seeds", "parse_answer", "refuse_unhealthy"]
