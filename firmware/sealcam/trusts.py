"""What a host brings a camera that has to be signed: time, lists, firmware, an issue, an organisation.

Takes what was put, hands it to the part that judges it, and answers what that part says. Believes nothing by
itself but a time statement over its own question.
"""

import struct

from sealcam import holding, policy, statements, usagelog
from sealcam.crypto import sha256
from sealcam.enrolment import Enrolment, inventory
from sealcam.errors import ClockFault, FormatFault, OutOfOrder, PolicyFault, SealcamError, UnknownCommand
from sealcam.telling import ALONE, ENROLLED, IN_ENROLMENT, state

_WAITS = {"enrolled": 0, "waiting for offer.seal": 1, "waiting for time.seal": 2, "waiting for drill.seal": 3}
_ANSWER, _ENROLLED = 1, 2
_MOST_BACK_MS = 86400000  # a clock that was wrong is put right by a day; more is somebody's doing


class Trusts:
    """`camera` is the introduction of the parts, `answers` where pieces are laid."""

    def __init__(self, camera, answers):
        self._camera, self._answers = camera, answers
        self.holding = holding.Holding()
        self.forget()

    def forget(self) -> None:
        self.holding.forget()
        self._exchange = holding.WiredExchange(self.holding)
        self._asked = None  # (nonce, the board's clock then) of the time that was asked for

    def do_ask_time(self, body):
        nonce = self._camera.drbg.generate(16)
        self._asked = (nonce, self._camera.clock.board_ms())
        return nonce

    def do_time(self, body):
        """A question is answered once."""
        camera = self._camera
        raw = bytes(body)
        if len(raw) != statements.size_of(statements.TIME):
            raise FormatFault
        asked, self._asked = self._asked, None
        try:
            change = self._set_clock(raw, asked)
        except SealcamError as fault:
            camera.logbook.note(usagelog.TIME_REFUSED, fault.status, 0, sha256(raw)[:16])
            raise
        camera.logbook.note(usagelog.CLOCK_SET, camera.clock.source, 0, struct.pack(">q", change))
        return struct.pack(">q", change)

    def _set_clock(self, raw, asked):
        """A cut in it leaves the old hour or the new one, whole."""
        camera = self._camera
        point = camera.keylist.point(policy.TIME)
        device_id, nonce, utc_ms, _, _ = statements.read(statements.TIME, raw, point)
        if asked is None or nonce != asked[0] or device_id != camera.identity.device_id:
            raise ClockFault  # signed, and for another camera or another question
        if utc_ms + _MOST_BACK_MS < camera.clock.latest_ms(sha256(point)):
            raise ClockFault  # a vault whose own clock was set back
        return camera.clock.accept(utc_ms, statements.digest(raw), asked[1], sha256(point))

    def do_put(self, body):
        what, total, offset, piece = holding.parse(body)
        camera = self._camera
        here = state(camera)
        if here == ALONE and what != holding.OFFER:
            raise OutOfOrder  # it obeys nothing else yet
        if what == holding.OFFER and camera.is_debug:
            raise PolicyFault  # a debug build belongs to nobody
        if what == holding.FIRMWARE:
            if here != ENROLLED:
                raise OutOfOrder
            return struct.pack(">I", _part(camera.update).put(total, offset, piece))
        return struct.pack(">I", self.holding.put(what, total, offset, piece))

    def do_key_list(self, body):
        lists = _part(self._camera.lists)
        return struct.pack(">I", lists.take_keylist(self.holding.whole(holding.KEY_LIST)))

    def do_policy(self, body):
        lists = _part(self._camera.lists)
        return struct.pack(">I", lists.take_policy(self.holding.whole(holding.POLICY)))

    def do_drill(self, body):
        camera = self._camera
        raw = self.holding.whole(holding.DRILL)
        if state(camera) == IN_ENROLMENT:
            self._step()
            return struct.pack(">I", camera.drilled)
        return struct.pack(">I", _part(camera.lists).take_drill(raw))

    def do_firmware(self, body):
        version, digest = _part(self._camera.update).stage()
        return struct.pack(">I", version) + digest

    def do_issue(self, body):
        issue, until_ms, kind = struct.unpack(">16sQB", body)
        return bytes([_part(self._camera.issuing).issue(issue, until_ms, kind)])

    def do_return(self, body):
        return bytes(_part(self._camera.issuing).end())

    def do_enrol(self, body):
        return bytes([self._step()])

    def _step(self):
        if self._camera.is_debug:
            raise PolicyFault
        return _WAITS[Enrolment(self._camera, self._exchange).step()]

    def do_fetch(self, body):
        camera, what = self._camera, body[0]
        if what == _ANSWER:
            content = self._exchange.read("answer.seal")
        elif what == _ENROLLED:
            content = b"".join(inventory(camera, camera.identity.nonce)) if camera.drilled else None
        else:
            raise FormatFault
        if content is None:
            raise OutOfOrder
        return self._answers.stream([content])

    def do_trial(self, body):
        trial = self._camera.keystore.trial()
        if trial is None:
            raise OutOfOrder
        return struct.pack(">QQ32s", *trial)


def _part(part):
    if part is None:
        raise UnknownCommand  # this firmware has no such part
    return part
