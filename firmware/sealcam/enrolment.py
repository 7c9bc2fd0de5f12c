"""Make the device key, take the organisation's, prove a trial recording.

Each `step` does what the files in the exchange folder ask for and can be run again at any time; what was done
stands in the key store, one file at a time. A camera that has an organisation refuses another, and until two
drills have shown that its trial recording can be opened it records nothing for real.
"""

import json
import struct

from sealcam import p256, policy, statements, usagelog
from sealcam.crypto import sha256
from sealcam.errors import BadPoint, BadSignature, FormatFault, OutOfOrder
from sealcam.layout import KIND_RECORDING, part_name

_OFFER, _ANSWER, _TIMES = b"SKOFFER1", b"SKANSWR1", b"SKTIMES1"
_OFFER_HEAD = ">8s65s16s48s"
_MAX_BODY = 16384
_COPY = 4096
TRIAL_MS = 3000


class Enrolment:
    """`camera` is the introduction of the parts, `exchange` the folder."""

    def __init__(self, camera, exchange):
        self._camera, self._exchange = camera, exchange

    def step(self) -> str:
        """Go as far as the folder allows; answers what the camera now waits for, or `enrolled`."""
        camera, store = self._camera, self._camera.keystore
        if not store.has_identity():
            offer = self._exchange.read("offer.seal")
            if offer is None:
                return "waiting for offer.seal"
            self._take_offer(offer)
            camera.boot()
        camera.check_sound()
        self._refuse_second_offer()
        if not store.has_certificate():
            return self._await_time()
        if store.trial() is None:
            self._make_trial()
        if camera.drilled == 0:
            return self._await_drill()
        if not self._exchange.has("enrolled.seal"):
            self._exchange.write("enrolled.seal", inventory(camera, camera.identity.nonce))
        return "enrolled"

    def _refuse_second_offer(self):
        offer = self._exchange.read("offer.seal")
        if offer is not None and _parse_offer(offer)[2] != self._camera.identity.nonce:
            raise OutOfOrder  # it has an organisation

    def _take_offer(self, offer):
        """Nothing counts before the identity is written: cut anywhere, the camera belongs to nobody and
        begins again.
        """
        camera = self._camera
        _, root_point, nonce, seed, keylist, policy_file = _parse_offer(offer)
        organisation = sha256(root_point)
        _check_point(root_point)
        policy.KeyList.parse(keylist, root_point, organisation)
        policy.Policy.parse(policy_file, root_point, organisation)
        camera.drbg.provision(seed, camera.noise())  # healthy noise, or no key is made
        camera.journal.format()
        camera.keystore.keep_lists(keylist, policy_file)
        d = _scalar(camera.drbg.generate)
        time_nonce = camera.drbg.generate(16)
        point = p256.public(d)
        camera.keystore.keep_identity(
            d, point, root_point, organisation, nonce, time_nonce, camera.clock.board_ms()
        )

    def _await_time(self):
        camera = self._camera
        if not self._exchange.has("answer.seal"):
            self._exchange.write("answer.seal", self._answer())
        times = self._exchange.read("time.seal")
        if times is None:
            return "waiting for time.seal"
        self._take_time(times)
        camera.logbook.note(usagelog.KEY_LIST_ACCEPTED, camera.keylist.version & 0xFFFF)
        camera.logbook.note(usagelog.POLICY_ACCEPTED, camera.policy.version & 0xFFFF)
        return self.step()

    def _answer(self):
        camera, own = self._camera, self._camera.identity
        statement = statements.make(
            statements.ENROL,
            own.d,
            camera.drbg.generate,
            own.device_id,
            own.nonce,
            own.organisation,
            camera.firmware,
        )
        facts = dict(camera.facts)
        facts["noise"] = camera.noise_sources
        encoded = json.dumps(facts).encode()
        return [_ANSWER, own.point, statement, own.time_nonce, struct.pack(">H", len(encoded)), encoded]

    def _take_time(self, times):
        camera, own = self._camera, self._camera.identity
        size = statements.size_of(statements.TIME)
        if times[:8] != _TIMES or len(times) < 8 + size + 4:
            raise FormatFault
        statement = times[8 : 8 + size]
        length = struct.unpack_from(">I", times, 8 + size)[0]
        certificate = times[12 + size :]
        if length != len(certificate) or length > _MAX_BODY:
            raise FormatFault
        point = camera.keylist.point(policy.TIME)
        device_id, nonce, utc_ms, _, _ = statements.read(statements.TIME, statement, point)
        if device_id != own.device_id or nonce != own.time_nonce:
            raise BadSignature  # signed, and for another camera or another question
        change = camera.clock.accept(utc_ms, statements.digest(statement), own.asked_ms, sha256(point))
        camera.logbook.note(usagelog.CLOCK_SET, camera.clock.source, 0, struct.pack(">q", change))
        camera.keystore.keep_certificate(statement, certificate)

    def _make_trial(self):
        camera = self._camera
        camera.film(TRIAL_MS)
        camera.keystore.keep_trial(camera.recorder.seq, camera.recorder.chunks, camera.recorder.h_core)

    def _await_drill(self):
        sequence, chunks, h_core = self._camera.keystore.trial()
        self._copy_trial(sequence, chunks)
        drill = self._exchange.read("drill.seal")
        if drill is None:
            return "waiting for drill.seal"
        self._take_drill(drill, h_core)
        return self.step()

    def _copy_trial(self, sequence, chunks):
        camera = self._camera
        if camera.recorder is None:
            raise camera.card_fault  # its card is out, and the trial with it
        size, per_part = camera.recorder.geometry()
        number = 0
        while chunks > 0 or number == 0:
            here = min(chunks, per_part)
            name = part_name(camera.identity.device_id, sequence, number, KIND_RECORDING)
            if not self._exchange.has("trial-%04d.skr" % number):
                length = camera.recorder.head_bytes() + here * size
                self._exchange.write("trial-%04d.skr" % number, _pieces(camera.card.open(name), length))
            chunks -= here
            number += 1

    def _take_drill(self, drill, h_core):
        camera, version = self._camera, self._camera.keylist.version
        point = camera.keylist.point(policy.RELEASE)
        statements.check_drills(drill, point, camera.identity.device_id, version, h_core)
        for by in (statements.OPENED_BY_EVIDENCE, statements.OPENED_BY_ESCROW):
            camera.logbook.note(usagelog.DRILL_ACCEPTED, by)
        camera.logbook.note(usagelog.ENROLLED, 0, 0, camera.identity.organisation[:16])
        camera.keystore.keep_drill(camera.keylist.version)  # from here on it may record for real
        camera.drilled = camera.keylist.version


def inventory(camera, nonce: bytes) -> list:
    """The inventory file in pieces: the signed statement, then the journal's entries.

    What it tells of as void may go with the next receipt.
    """
    entries = list(camera.journal.entries())
    camera.journal.tell()
    own = camera.identity
    statement = statements.make(
        statements.INVENTORY,
        own.d,
        camera.drbg.generate,
        own.device_id,
        nonce,
        camera.boot_count,
        camera.clock.ms(),
        sha256(*entries),
        camera.keystore.receipt()[0],
    )
    return [statement] + entries


def _parse_offer(offer):
    head = struct.calcsize(_OFFER_HEAD)
    if len(offer) < head or offer[:8] != _OFFER:
        raise FormatFault
    magic, root_point, nonce, seed = struct.unpack(_OFFER_HEAD, offer[:head])
    keylist, at = _body(offer, head)
    policy_file, at = _body(offer, at)
    if at != len(offer):
        raise FormatFault
    return magic, root_point, nonce, seed, keylist, policy_file


def _body(raw, at):
    if len(raw) < at + 4:
        raise FormatFault
    length = struct.unpack_from(">I", raw, at)[0]
    if length > _MAX_BODY or len(raw) < at + 4 + length:
        raise FormatFault
    return raw[at + 4 : at + 4 + length], at + 4 + length


def _check_point(point):
    try:
        p256.decode_point(point)
    except BadPoint:
        raise BadSignature from None  # no root


def _scalar(rand):
    while True:
        d = int.from_bytes(rand(32), "big")
        if 0 < d < p256.N:
            return d


def _pieces(part, length):
    buffer = memoryview(bytearray(_COPY))
    try:
        at = 0
        while at < length:
            piece = buffer[: min(_COPY, length - at)]
            part.read_at(at, piece)
            yield bytes(piece)
            at += len(piece)
    finally:
        part.close()
