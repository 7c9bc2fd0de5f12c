"""What a camera answers to an offer, checked by its own signature; statements.md, `answer.seal`."""

import hashlib
import json
import struct
from dataclasses import dataclass
from typing import Any

from sealhost import keys, statements
from sealhost.enrolment.desk import ANSWER
from sealhost.errors import EnrolmentRefused


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
