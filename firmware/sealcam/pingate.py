"""Spend a try, judge the PIN, open or stay shut.

What the PIN opens is the replay key of this issue; the evidence is not this key's to lose. Order and bytes:
docs/format/replay.md. Never draws anything, never reads the card.
"""

from sealcam import p256, usagelog
from sealcam.crypto import hmac_sha256, key_unwrap, key_wrap, sha256, stretch
from sealcam.errors import FlashFault, Locked, NotProved, OutOfOrder, PolicyFault
from sealcam.layout import KIND_RECORDING, ROLE_OPEN

OFF, REFUSED, CHOOSE, SHUT, OPEN, LOST, OVER, FAULTY = range(8)
FEWEST_ROUNDS = 2000
SHORTEST, LONGEST = 6, 12
IDLE_MS = 60000
WAITS_MS = (0, 0, 0, 5000, 30000, 60000, 120000, 300000, 600000, 600000)  # by the tries spent
_ABOUT_MS = 1000
_MOST_ROUNDS = 0xFFFFFFFF
_ASKED, _WRAPPED = b"sealcam/1 pin\x00", b"sealcam/1 replay\x00"


def weakness(pin) -> str:
    """What speaks against a PIN (bytes of ASCII digits); empty if nothing does."""
    if not SHORTEST <= len(pin) <= LONGEST:
        return "6 to 12 digits"
    if any([not 48 <= digit <= 57 for digit in pin]):
        return "digits only"
    steps = set([(pin[i + 1] - pin[i]) % 10 for i in range(len(pin) - 1)])
    if steps in ({0}, {1}, {9}):
        return "not one digit, not a run"
    return ""


class PinGate:
    """`camera` is the introduction of the parts; `word` and `tries` are those of gateflash."""

    def __init__(self, camera, word, tries):
        self._camera, self._word, self._tries = camera, word, tries
        self._held = self._key = self._work = self._secret = None
        self._not_before = self._touched = 0
        self.fault = None

    def load(self) -> None:
        """At boot: take up what flash holds. What fits no issue, key or policy is erased; a flash that fails
        keeps the gate shut and is said, and stops no recording.
        """
        self._held = self._key = self._work = self.fault = None
        try:
            self._tries.load()
            self._held = self._what_fits()
            if self._held is None and not self._word.is_blank():
                self.erase()
        except FlashFault as fault:
            self._fail(fault)
        self._wait_again()

    def _what_fits(self):
        """(issue, rounds, point, wrapped key), if word, file, tries, issue and policy all agree."""
        word, held, issue = self._word.read(), self._camera.keystore.replay(), self._camera.issuing.current
        if word is None or held is None or not any(issue) or not self.is_allowed():
            return None
        fits = word[0] == held[0] == self._tries.issue == issue and word[1] == sha256(held[2])
        return held if fits and self._tries.spent < self._tries.MOST else None

    def _fail(self, fault):
        self._held = self._key = self._work = None
        self.fault = type(fault)
        self._camera.say("- replay is shut: %s" % self.fault.__name__)

    def _wait_again(self):
        wait = WAITS_MS[min(self._tries.spent, len(WAITS_MS) - 1)]
        self._not_before = self._camera.clock.ms() + wait

    def is_allowed(self) -> bool:
        """Whether the root-signed policy lets this board replay at all."""
        camera = self._camera
        protected = getattr(camera.board, "flash_protected", False)
        return camera.policy.replay and (protected or camera.policy.replay_unprotected)

    @property
    def state(self) -> int:
        camera, issue = self._camera, self._camera.issuing.current
        if self.fault is not None:
            return FAULTY
        if not any(issue) or not camera.policy.replay or camera.panel is None:
            return OFF
        if not self.is_allowed():
            return REFUSED
        if self._held is None:
            return LOST if self._tries.issue == issue and self._tries.spent else CHOOSE
        if camera.issuing.is_over():
            return OVER
        return SHUT if self._key is None else OPEN

    @property
    def asks(self) -> bool:
        """Whether the wearer is asked to choose a PIN."""
        return self.state == CHOOSE

    @property
    def is_busy(self) -> bool:
        return self._work is not None

    @property
    def tries_left(self) -> int:
        return self._tries.MOST - self._tries.spent

    def wait_ms(self) -> int:
        """How long until a try is taken."""
        return max(0, self._not_before - self._camera.clock.ms())

    def recipients(self, kind: int) -> list:
        """(slot role, point) of the wearer, for recordings while there is a replay key."""
        if self._held is None or kind != KIND_RECORDING:
            return []
        return [(ROLE_OPEN, self._held[2])]

    def point(self) -> bytes:
        """The wearer's point; Locked if there is none."""
        if self._held is None:
            raise Locked
        return self._held[2]

    def key(self) -> int:
        """The private replay key; Locked while the gate is not open."""
        if self.state != OPEN:
            raise Locked
        return self._key

    def choose(self, pin) -> None:
        """Begin to make the replay key of this issue under `pin`; `step` does it."""
        if self.state == REFUSED:
            raise PolicyFault  # the flash is not protected, and nobody has accepted that
        if self.state != CHOOSE or self.is_busy or weakness(pin):
            raise OutOfOrder
        self._work = self._choosing(bytes(pin))

    def _choosing(self, pin):
        """Tries, then the wrapped key, then the word: only with the last write is there a replay key."""
        camera, issue, rand = self._camera, self._camera.issuing.current, self._camera.drbg.generate
        rounds = yield from self._measure()
        d = p256.scalar(rand)
        point, word = p256.public(d, rand), rand(32)
        yield
        kek = yield from self._kek(pin, issue, rounds, word)
        wrapped = key_wrap(kek, d.to_bytes(32, "big"))
        if self._tries.issue != issue or self._tries.spent:
            self._tries.give_back(issue)
        camera.keystore.keep_replay(issue, rounds, point, wrapped)
        self._word.keep(issue, sha256(point), word)
        self._held = self._what_fits()
        if self._held is None:
            raise FlashFault  # written and read back, and yet it is not there
        camera.forget_ready()
        self._wait_again()

    def _measure(self):
        """Rounds for a try of about a second on this device; a clock that stands still measures none."""
        clock = self._camera.clock
        began = clock.ms()
        yield from stretch(b"000000", bytes(16), FEWEST_ROUNDS)
        took = clock.ms() - began
        if took <= 0:
            return FEWEST_ROUNDS
        return min(max(FEWEST_ROUNDS, FEWEST_ROUNDS * _ABOUT_MS // took), _MOST_ROUNDS)

    def _kek(self, pin, issue, rounds, word):
        stretched = yield from stretch(pin, issue, rounds)
        if self._secret is None:
            self._secret = self._camera.keystore.device_secret(self._camera.drbg.generate)
        return hmac_sha256(word, _WRAPPED, hmac_sha256(self._secret, _ASKED, stretched, issue))

    def offer(self, pin) -> None:
        """Begin to judge a PIN; `step` does it. Locked while there is nothing to open, or not yet."""
        if self.state not in (SHUT, OPEN) or self.wait_ms() or self.is_busy:
            raise Locked
        self._key = None
        self._work = self._judging(bytes(pin))

    def _judging(self, pin):
        issue, rounds, _, wrapped = self._held
        self._tries.spend()  # read back, before anything is judged: pulling the battery buys nothing
        yield
        word = self._word.read()
        if word is None:
            raise FlashFault  # it was there at boot
        kek = yield from self._kek(pin, issue, rounds, word[2])
        try:
            key = key_unwrap(kek, wrapped)
        except NotProved:
            self._wrong()
            return
        self._tries.give_back(issue)
        self._key, self._not_before = int.from_bytes(key, "big"), 0
        self.touch()
        yield  # judged; nothing is shown before `step` has nothing left to do
        self._camera.logbook.note(usagelog.REPLAY, 1)

    def _wrong(self):
        self._camera.logbook.note(usagelog.PIN_WRONG, self._tries.spent)
        if self._tries.spent >= self._tries.MOST:
            self.erase()
        self._wait_again()

    def step(self) -> bool:
        """A slice of what was begun; False when there is nothing to do. Locks a gate nobody uses."""
        if self._key is not None and self._camera.clock.ms() - self._touched >= IDLE_MS:
            self.lock()
        if self._work is None:
            return False
        work = self._work
        try:
            next(work)
        except StopIteration:
            if self._work is work:
                self._work = None
        except FlashFault as fault:
            self._fail(fault)
        return True

    def judge(self, pin) -> bool:
        """Offer a PIN and run to the end: whether the gate is open."""
        self.offer(pin)
        while self.step():
            pass
        return self._key is not None

    def touch(self) -> None:
        """Somebody is there."""
        self._touched = self._camera.clock.ms()

    def lock(self) -> None:
        """Forget the key; a judgement that is under way is given up, its try stays spent."""
        if self._work is not None:
            self._work = None
            self._wait_again()
        self._key = None

    def begin(self, issue: bytes) -> None:
        """Before an issue: nothing is left of the one before, and ten tries wait for its PIN."""
        self.erase()
        if self.is_allowed():
            try:
                self._tries.give_back(issue)
            except FlashFault as fault:
                self._fail(fault)
                raise

    def erase(self) -> None:
        """The word is gone, read back; FlashFault where the chip does not let go, and then the gate stays
        shut. A cut leaves a word that is whole, or none: the next boot erases one that fits nothing.
        """
        self.lock()
        had_key, self._held = self._held is not None, None
        try:
            was = not self._word.is_blank()
            self._word.erase()
        except FlashFault as fault:
            self._fail(fault)
            self._camera.logbook.note(usagelog.REPLAY_KEY_ERASED, fault.status)
            raise
        finally:
            if had_key:
                self._camera.forget_ready()
        if was:
            self._camera.logbook.note(usagelog.REPLAY_KEY_ERASED)
