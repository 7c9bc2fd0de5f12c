"""What a host may ask of a camera that is in its dock, and how each is answered (docs/dock-protocol.md, 3).

One request at a time. An order answers with bytes, with nothing, or in slices; it raises what refuses it. The
line, the session and who may ask at all are known elsewhere.
"""

import struct

from sealcam import telling
from sealcam.answers import PIECE
from sealcam.enrolment import inventory
from sealcam.errors import CardFault, FormatFault, OutOfOrder, UnknownCommand
from sealcam.frames import PROVED, SEALED
from sealcam.holding import RECEIPT, RELEASE
from sealcam.listing import Listing
from sealcam.telling import ENROLLED, Health, introduction
from sealcam.trusts import Trusts
from sealcam.usagelog import ENTRY_SIZE

READ = 0x13
_HEAD = ">BBH"
_NO_ISSUE = bytes(16)
_LOG = "log"
LAMPS = (None, "verifying", "stored twice", "wiped", "safe to take", "keep", "leave here")
_NEVER_MORE_THAN = 0xFFFF
# code: (states it is allowed in, bytes of its body or -1 for any, name). 0 alone, 1 in enrolment, 2 enrolled,
# d docked
_ORDERS = {
    0x01: ("012", 0, "identify"),
    0x02: ("012", 0, "health"),
    0x03: ("12", 0, "restart"),
    0x04: ("2", 1, "lamp"),
    0x10: ("2", 0, "dock"),
    0x11: ("d", 16, "inventory"),
    0x12: ("d1", 0, "list"),
    READ: ("d1", 14, "read"),
    0x14: ("d", 8, "log"),
    0x15: ("d", 2, "judge"),
    0x16: ("d", 32, "wipe"),
    0x17: ("d", -1, "wiped"),
    0x18: ("d", 32, "record"),
    0x19: ("d", 0, "undock"),
    0x1A: ("12", 0, "ask_time"),
    0x1B: ("12", -1, "time"),
    0x20: ("012", -1, "put"),
    0x21: ("2", 0, "key_list"),
    0x22: ("2", 0, "policy"),
    0x23: ("12", 0, "drill"),
    0x24: ("2", 0, "firmware"),
    0x28: ("2", 25, "issue"),
    0x29: ("2", 0, "return"),
    0x30: ("01", 0, "enrol"),
    0x31: ("12", 1, "fetch"),
    0x32: ("1", 0, "trial"),
}


# what a camera that refuses to record still does
_ALL_THE_SAME = ("identify", "health", "restart", "lamp", "undock", "put", "firmware", "enrol")


class Orders:
    """`camera` is the introduction of the parts, `answers` where answers are laid."""

    def __init__(self, camera, answers):
        self._camera, self._answers = camera, answers
        self.files = Listing(camera)
        self._trusts = Trusts(camera, answers)
        self._health = Health(camera)
        self._ended = _NO_ISSUE
        self._acts = dict([(code, self._act(order[2])) for code, order in _ORDERS.items()])

    def _act(self, name):
        return getattr(self, "_do_" + name, None) or getattr(self._trusts, "do_" + name)

    def forget(self) -> None:
        """A session is over: what it had put, asked and agreed to is gone."""
        self._trusts.forget()
        if self._camera.wiper is not None:
            self._camera.wiper.forget()

    def begin(self, session, payload):
        """The work of one request, a generator; FormatFault if it is too short to be answered."""
        if len(payload) < 4:
            raise FormatFault
        command, zero, number = struct.unpack_from(_HEAD, payload)
        form = PROVED if command == READ else SEALED  # what is sealed already is only proved (D12)
        self._answers.begin(session, command, number, form)
        return self._work(command, zero, payload[4:])

    def _work(self, command, zero, body):
        order = _ORDERS.get(command)
        if order is None:
            raise UnknownCommand
        states, size, name = order
        if zero or 0 <= size != len(body):
            raise FormatFault
        if not self._is_allowed(states):
            raise OutOfOrder
        if name not in _ALL_THE_SAME:
            self._camera.check_sound()
        answer = self._acts[command](body)
        if answer is None or isinstance(answer, (bytes, bytearray)):
            self._answers.say(answer or b"")
        else:
            yield from self._while_allowed(states, answer)

    def _while_allowed(self, states, answer):
        """A long answer; who takes the camera out of its dock films, and nobody reads on beside it."""
        for _ in answer:
            yield
            if not self._is_allowed(states):
                self.files.forget()
                raise OutOfOrder

    def _is_allowed(self, states):
        state = telling.state(self._camera)
        return str(state) in states or (state == ENROLLED and self._camera.docked and "d" in states)

    def _do_identify(self, body):
        return introduction(self._camera)[2:]

    def _do_health(self, body):
        return self._health.tell()

    def _do_restart(self, body):
        self._answers.done()
        self.files.forget()
        self._camera.restart()
        yield

    def _do_lamp(self, body):
        if not 1 <= body[0] < len(LAMPS):
            raise FormatFault
        self._camera.dock_lamp = body[0]
        self._camera.say("- lamp %s" % LAMPS[body[0]])

    def _do_dock(self, body):
        """Again and again the same until *undock*: an answer that was lost is asked for once more."""
        camera = self._camera
        if not camera.docked:
            self.files.forget()
            self._ended = _NO_ISSUE
        ended = camera.dock_down()
        if any(ended):
            self._ended = ended
        number = 0
        if camera.wiper is not None:
            number = camera.wiper.last_number()
            camera.wiper.alarm_tells()
        self._answers.say(
            struct.pack(
                ">IQQB16s", camera.boot_count, camera.clock.ms(), number, camera.alarms & 0xFF, self._ended
            )
        )
        if camera.update:
            camera.update.prove("dock")
        return iter(())

    def _do_inventory(self, body):
        return self._answers.stream(inventory(self._camera, bytes(body)))

    def _do_list(self, body):
        return self._answers.stream(self.files.entries())

    def _do_read(self, body):
        part, left = self.files.reading(*struct.unpack(">HQI", body))
        offset, view, answers = struct.unpack_from(">Q", body, 2)[0], self._answers.body, self._answers
        while left > PIECE:
            _fill(part, offset, view)
            answers.more(PIECE)
            offset, left = offset + PIECE, left - PIECE
            yield
        _fill(part, offset, view[:left])
        answers.done(left)

    def _do_log(self, body):
        return self._answers.stream(self._entries(struct.unpack(">Q", body)[0]))

    def _entries(self, first):
        """What flash holds of the log, from one entry on; their numbers rise by one."""
        files, entry, at = self._camera.files, bytearray(ENTRY_SIZE), 0
        size = files.size_of(_LOG)
        while at < size:
            files.read_at(_LOG, at, entry)
            if struct.unpack_from(">Q", entry, 8)[0] >= first:
                yield entry
            at += ENTRY_SIZE

    def _wiper(self):
        if self._camera.wiper is None:
            raise UnknownCommand  # this firmware has no such part
        self.files.forget()
        return self._camera.wiper

    def _do_judge(self, body):
        what, where = body
        if what not in (RECEIPT, RELEASE) or where not in (1, 2):
            raise FormatFault
        digest, statuses = self._wiper().judge(what, where, self._trusts.holding.whole(what))
        return bytes(digest) + struct.pack(">H", len(statuses)) + bytes(statuses)

    def _do_wipe(self, body):
        return self._wiper().wipe(bytes(body), self._tell_progress)

    def _tell_progress(self, done, of):
        struct.pack_into(">HH", self._answers.body, 0, done & _NEVER_MORE_THAN, of & _NEVER_MORE_THAN)
        self._answers.more(4)

    def _do_wiped(self, body):
        if len(body) < 34 or len(body) != 34 + struct.unpack_from(">H", body, 32)[0]:
            raise FormatFault
        flags = bytes(body[34:])
        if any([flag > 1 for flag in flags]):
            raise FormatFault
        return self._wiper().wiped(bytes(body[:32]), flags)

    def _do_record(self, body):
        return self._wiper().record(bytes(body))

    def _do_undock(self, body):
        self.files.forget()
        self._camera.undock()
        self._camera.alarms = 0  # they were told
        if self._camera.wiper is not None:
            self._camera.wiper.alarm_told()  # but for one that came since


def _fill(part, offset, view):
    if len(view) and part.read_at(offset, view) != len(view):
        raise CardFault  # shorter than its own directory entry
