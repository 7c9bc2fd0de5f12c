"""Answer the dock's commands, one at a time.

Stands between the line and the orders: frames, sessions, who is believed, and when a session or the dock is
over. Decides nothing about evidence; acts on nothing before a frame has proved.
"""

from sealcam import telling, usagelog
from sealcam.answers import Answers
from sealcam.crypto import sha256
from sealcam.drbg import Drbg, check_noise
from sealcam.errors import (
    BadSignature,
    FlashFault,
    FormatFault,
    JournalFault,
    KeyListFault,
    NotProved,
    OutOfOrder,
    SealcamError,
)
from sealcam.frames import OPEN, PAYLOAD_AT, Reader, open_frame
from sealcam.orders import Orders
from sealcam.policy import LINK
from sealcam.session import HELLO, Handshake, Hello, closed, is_who

_NOBODY = bytes(16)
_SLICES = 8  # of a handshake at once while nothing is filmed
_SILENCE_MS = 60000  # until a camera leaves its dock by itself
_SLOW_MS = 500  # over a frame that the line did not take
_LEFT_ALONE_MS = 10000  # a line that is not read, by whoever talks on it all the same


class Dock:
    """`camera` is the introduction of the parts, `port` the line. One session, one request in it."""

    def __init__(self, camera, port):
        self._camera, self._port = camera, port
        self._reader = Reader()
        self._answers = Answers(port)
        self._orders = Orders(camera, self._answers)
        self._handshake = self._session = self._work = None
        self._now = 0
        self._waiting = 0  # the form of a frame that came while a request was at work
        self._heard_ms = 0
        self._busy = False
        self._deaf_until = 0
        self._refused = set()

    @property
    def docked(self) -> bool:
        return self._camera.docked

    @property
    def is_busy(self) -> bool:
        """Whether a handshake or a request is at work."""
        return self._work is not None or self._handshake is not None

    def step(self) -> bool:
        """One slice; False if nothing was done. Called from within a long order, it gives a sign of life."""
        if self._busy:
            self.at_work()
            return False
        self._busy = True
        try:
            return self._step()
        except MemoryError:
            self._forget()  # whoever asked for so much begins again; nothing else is lost
            return True
        finally:
            self._busy = False

    def at_work(self) -> None:
        """For an order that takes long and does not turn the camera's own wheel meanwhile (D14)."""
        if self._work is not None:
            self._answers.at_work()

    def _step(self):
        now = self._now = self._port.ms()
        if self._camera.docked and now - self._heard_ms >= _SILENCE_MS and not self.is_busy:
            self._leave()
        heard = self._listen()
        if self._handshake is not None:
            return self._shake()
        if self._work is not None:
            return self._go_on()
        return heard

    def _leave(self):
        self._orders.files.forget()
        self._camera.undock()

    def _listen(self):
        """Take the next frame. What proves waits until the request before it is answered."""
        form = self._waiting or self._reader.poll(self._port, self._now)
        if not form:
            return False
        if form == OPEN:
            self._waiting = 0
            self._hear_open()
        elif self._work is not None:
            self._waiting = form
            return False
        else:
            self._waiting = 0
            self._hear()
        return True

    def _payload(self):
        return memoryview(self._reader.buffer)[PAYLOAD_AT : PAYLOAD_AT + self._reader.size]

    def _hear_open(self):
        payload = self._payload()
        if self._now < self._deaf_until:
            return  # as if it had been lost
        if is_who(payload):
            self._say(telling.introduction(self._camera))
        elif payload[0] == HELLO:
            self._begin(payload)

    def _begin(self, payload):
        """A hello ends the session before it, whatever comes of it (D10)."""
        self._forget()
        nonce = _NOBODY
        try:
            hello = Hello(payload)
            nonce = hello.nonce
            self._check(hello)
            camera = self._camera
            who = (telling.state(camera), telling.flags(camera), telling.version(camera))
            self._handshake = Handshake(hello, who, camera.identity, _random_of(camera))
        except SealcamError as fault:
            self._close(fault, nonce)

    def _check(self, hello):
        """D5: a camera of an organisation talks to its docks alone."""
        own = self._camera.identity
        if own is None:
            return
        if hello.organisation != own.organisation:
            self._note_stranger(hello, BadSignature)
            raise BadSignature
        if telling.believed(self._camera).point(LINK) != hello.link:
            self._note_stranger(hello, KeyListFault)
            raise KeyListFault  # another dock's key, or none that may dock it

    def _note_stranger(self, hello, fault):
        """Once each until the next boot: nobody fills the log from outside."""
        if fault in self._refused or self._camera.fault is not None:
            return
        self._refused.add(fault)
        digest = sha256(hello.organisation, hello.link)[:16]
        self._camera.logbook.note(usagelog.HELLO_REFUSED, fault.status, 0, digest)

    def _shake(self):
        handshake, recorder = self._handshake, self._camera.recorder
        filming = recorder is not None and recorder.recording
        try:
            for _ in range(1 if filming else _SLICES):
                if handshake.step():
                    break
            else:
                return True
        except (SealcamError, MemoryError) as fault:
            self._handshake = None
            self._close(fault, handshake.nonce)  # of a point that is none (D6), or of no healthy noise
            return True
        self._handshake, self._session = None, handshake.session
        self._say(handshake.welcome)
        return True

    def _hear(self):
        """A frame that must prove, or the session is over (D9, D12)."""
        session = self._session
        try:
            if session is None:
                raise NotProved
            session.open(self._reader.buffer, self._reader.size)
            self._heard_ms = self._now
            self._work = self._orders.begin(session, self._payload())
        except (NotProved, FormatFault) as fault:
            self._forget()
            self._close(fault, session.nonce if session else _NOBODY)

    def _go_on(self):
        """A slice of the request in hand. Whatever goes wrong is its answer."""
        was, over = self._camera.identity, True
        try:
            next(self._work)
            over = False
        except StopIteration:
            pass
        except (SealcamError, MemoryError) as fault:
            self._refuse(fault)
        if over:
            self._work = None
            self._heard_ms = self._port.ms()
        if self._camera.identity is not was:
            self._end_of_identity()
        elif self._answers.gone:
            self._forget()  # the host counts other frames than we do: it begins again
        return True

    def _refuse(self, fault):
        if isinstance(fault, (FlashFault, JournalFault)) and self._camera.fault is None:
            self._camera.fail(fault)
        self._answers.send(getattr(fault, "status", SealcamError.status))

    def _end_of_identity(self):
        """It took an organisation in this session: the next one is signed for (section 5)."""
        nonce = self._session.nonce
        self._forget()
        self._close(OutOfOrder, nonce)

    def _close(self, fault, nonce):
        self._say(closed(getattr(fault, "status", SealcamError.status), nonce))

    def _say(self, payload):
        """An open frame, which may be for anybody: who asks and does not read keeps nobody from filming."""
        port = self._port
        began = port.ms()
        if began < self._deaf_until or port.write(open_frame(payload)):
            return
        now = port.ms()
        if now - began >= _SLOW_MS:
            self._deaf_until = now + _LEFT_ALONE_MS

    def _forget(self):
        """No session, and nothing of it."""
        self._handshake = self._session = self._work = None
        self._waiting = 0
        self._orders.forget()


def _random_of(camera):
    """The generator's, or of a camera without one its noise alone: the session then says nothing secret."""
    if camera.identity is not None:
        return camera.drbg.generate
    noise = camera.noise()
    check_noise(noise)
    return Drbg(sha256(noise) + bytes(noise), _NOBODY, b"sealcam/1 session").generate
