"""A dict and a counter play along: random issues, PINs, waits, restarts and cuts, and both must agree.

Runs on MicroPython (gate_model.py SEED STEPS) and under CPython (`play`). The model knows nothing of flash:
whose the camera is, which PIN, how many tries are spent, when the next one may be made.
"""

import random
import sys

_HERE = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
sys.path.insert(0, _HERE)

import gate_bench  # noqa: E402 - only reachable from here on
from gate_bench import FAR, OTHER_PIN, PIN, A, B  # noqa: E402
from sealcam import digests, pingate  # noqa: E402
from sealcam.errors import Locked, OutOfOrder  # noqa: E402

PINS = (PIN, OTHER_PIN, b"1029384756")
NOBODY = bytes(16)


class PowerLost(Exception):
    """The supply goes while a PIN is judged."""


class Model:
    """What a gate is, without flash."""

    def __init__(self):
        self.is_ = {"issue": NOBODY, "pin": None, "lost": False, "open": False}
        self.spent = 0

    def state(self):
        is_ = self.is_
        if is_["issue"] == NOBODY:
            return pingate.OFF
        if is_["pin"] is None:
            return pingate.LOST if is_["lost"] else pingate.CHOOSE
        return pingate.OPEN if is_["open"] else pingate.SHUT

    def issue(self, issue):
        self.is_ = {"issue": issue, "pin": None, "lost": False, "open": False}
        self.spent = 0

    def choose(self, pin):
        self.is_["pin"], self.spent = pin, 0

    def spend(self):
        self.spent += 1
        self.is_["open"] = False

    def judge(self, pin):
        self.spend()
        if pin == self.is_["pin"]:
            self.spent, self.is_["open"] = 0, True
        elif self.spent == 10:
            self.is_["pin"], self.is_["lost"] = None, True

    def restart(self):
        self.is_["open"] = False
        if self.spent == 10 and self.is_["pin"]:
            self.is_["pin"], self.is_["lost"] = None, True

    def wait_ms(self):
        """At the least and at the most, right after a try or a restart."""
        return pingate.WAITS_MS[min(self.spent, 9)] if self.is_["pin"] else 0


class Play:
    """One camera and its model, step by step."""

    def __init__(self, seed, bench):
        self.bench, self.model = bench, Model()
        self.random = random
        random.seed(seed)
        self.camera = bench.start()
        self.done = {}

    def step(self):
        name, doing = self.random.choice(self.deeds())
        doing()
        self.done[name] = self.done.get(name, 0) + 1
        self.check(name)

    def deeds(self):
        return [
            ("issue", self._issue),
            ("end", self._end),
            ("choose", self._choose),
            ("choose", self._choose),
            ("restart", self._restart),
            ("lock", self._lock),
        ] + [("try", self._try), ("cut", self._cut), ("wrong", self._wrong)] * 4

    def check(self, name):
        gate, model = self.camera.gate, self.model
        found = (gate.state, self.camera.issuing.current)
        if found != (model.state(), model.is_["issue"]):
            raise AssertionError("after %s: camera %s, model %s" % (name, found, model.state()))
        if model.is_["pin"] and gate.tries_left != 10 - model.spent:
            raise AssertionError("after %s: %d left, model %d" % (name, gate.tries_left, 10 - model.spent))
        if name in ("restart", "cut", "wrong") and model.is_["pin"] and gate.wait_ms() != model.wait_ms():
            raise AssertionError("after %s: wait %d, model %d" % (name, gate.wait_ms(), model.wait_ms()))

    def _issue(self):
        if self.random.random() < 0.8 and self.model.is_["pin"]:
            return
        issue = self.random.choice((A, B))
        self.camera.issuing.issue(issue, FAR, 1)
        self.model.issue(issue)

    def _end(self):
        if self.random.random() < 0.8:
            return
        self.camera.issuing.end()
        self.model.issue(NOBODY)

    def _choose(self):
        pin = self.random.choice(PINS)
        try:
            gate_bench.choose(self.camera, pin)
        except OutOfOrder:
            if self.model.state() == pingate.CHOOSE:
                raise
            return
        self.model.choose(pin)

    def _try(self):
        self._offer(self.random.choice(PINS))

    def _wrong(self):
        pins = [pin for pin in PINS if pin != self.model.is_["pin"]]
        if self.model.is_["pin"] and self._offer(self.random.choice(pins)):
            return
        self._restart()

    def _offer(self, pin):
        """Whether a try was made; while it has to wait, or has nothing to open, it must be refused."""
        gate, model = self.camera.gate, self.model
        if gate.wait_ms() and model.is_["pin"]:
            try:
                gate.judge(pin)
            except Locked:
                self.camera.board.rtc.advance(gate.wait_ms())
            else:
                raise AssertionError("judged before its time")
        try:
            gate.judge(pin)
        except Locked:
            if model.is_["pin"]:
                raise
            return False
        model.judge(pin)
        return True

    def _cut(self):
        """The power goes between spending the try and judging it: spent it is."""
        gate, model = self.camera.gate, self.model
        if not model.is_["pin"]:
            return self._restart()
        self.camera.board.rtc.advance(gate.wait_ms())
        gate.offer(self.random.choice(PINS))
        gate.step()
        model.spend()
        return self._restart()

    def _restart(self):
        self.camera = self.bench.start()
        self.model.restart()

    def _lock(self):
        self.camera.gate.lock()
        self.model.is_["open"] = False


def few_rounds(pin, salt, rounds):
    """PBKDF2 with hardly any rounds: the model plays for hours otherwise."""
    return (yield from _PLAIN(pin, salt, 2))


_PLAIN = digests.stretch


def play(seed, steps):
    """How often what was done."""
    pingate.stretch = few_rounds
    try:
        game = Play(seed, gate_bench.enrolled())
        for _ in range(steps):
            game.step()
        return game.done
    finally:
        pingate.stretch = _PLAIN


if __name__ == "__main__":
    print(sorted(play(int(sys.argv[1]), int(sys.argv[2])).items()))
