"""Issue, PIN and replay for the power tests, and what must hold after each of them.

Each begins with a camera that is on and at rest: what a boot writes is cut in the other workflows. No cut
buys a try, no camera is half issued, and after a docking the word is gone.
"""

import gate_bench
from gate_bench import FAR, OTHER_PIN, PIN, A, B
from power_rules import Broken
from sealcam import digests, pingate
from sealcam.pingate import CHOOSE, LOST, OFF, SHUT
from sealcam.replay import ENDED, own_recordings

NOBODY = bytes(16)
_PLAIN_STRETCH, _PLAIN_UNWRAP = digests.stretch, pingate.key_unwrap


def _few_rounds(pin, salt, rounds):
    return (yield from _PLAIN_STRETCH(pin, salt, 2))


class Judged:
    """Whether a PIN was held against the key since the last look."""

    yes = False

    def unwrap(self, kek, wrapped):
        self.yes = True
        return _PLAIN_UNWRAP(kek, wrapped)


judged = Judged()


def awake(bench, faults):
    """A camera at rest; only from here on do faults count."""
    faults.asleep, judged.yes = True, False
    camera = bench.start(faults)
    gate_bench.settle(camera)
    gate_bench.wait_out(camera)
    faults.asleep = False
    return camera


def issue(bench, faults):
    camera = awake(bench, faults)
    camera.issuing.issue(B, FAR, 2)
    return camera


def give_back(bench, faults):
    camera = awake(bench, faults)
    camera.issuing.end()
    return camera


def docking(bench, faults):
    camera = awake(bench, faults)
    camera.dock_down()
    return camera


def choose(bench, faults):
    camera = awake(bench, faults)
    gate_bench.choose(camera, PIN)
    return camera


def wrong_pin(bench, faults):
    camera = awake(bench, faults)
    camera.gate.judge(OTHER_PIN)
    return camera


def right_pin(bench, faults):
    camera = awake(bench, faults)
    camera.gate.judge(PIN)
    return camera


def tenth(bench, faults):
    return wrong_pin(bench, faults)


def play(bench, faults):
    """The gate is opened, a recording shown to its end."""
    camera = awake(bench, faults)
    if camera.gate.judge(PIN):
        show(camera)
    return camera


def show(camera):
    camera.replay.open(own_recordings(camera)[0])
    while camera.replay.state not in (None, ENDED):
        if not camera.step():
            camera.board.idle(camera)


GATES = (issue, give_back, docking, choose, wrong_pin, right_pin, tenth, play)


def prepare_gate(bench, work):
    """Issued to A, its PIN chosen, something filmed; before the tenth, nine wrong ones."""
    pingate.stretch, pingate.key_unwrap = _few_rounds, judged.unwrap
    camera = bench.start()
    camera.issuing.issue(A, FAR, 1)
    if work is choose:
        camera.power_off()
        return
    gate_bench.choose(camera, PIN)
    gate_bench.settle(camera)
    gate_bench.film(camera)
    for _ in range(9 if work is tenth else 0):
        gate_bench.wait_out(camera)
        camera.gate.judge(OTHER_PIN)
    camera.power_off()


def check_gate(bench, work):
    """On the first boot after the fault, and after the same was done once more."""
    was_judged = judged.yes
    camera = bench.start()
    found = (camera.issuing.current, camera.gate.state)
    if camera.gate.fault is not None:
        raise Broken("the gate does not come back: %s" % bench.said)
    if found not in _ALLOWED[work]:
        raise Broken("half issued: %s" % (found,))
    if found[1] != SHUT and not camera.gate._word.is_blank():
        raise Broken("a word that nobody has a key for")
    most = {wrong_pin: 9, tenth: 0}.get(work, 10)
    if was_judged and camera.gate.tries_left > most:
        raise Broken("a cut bought a try: %d left" % camera.gate.tries_left)
    _finish(bench, camera, work, found[1])
    camera.power_off()


def _finish(bench, camera, work, state):
    """It ends the same."""
    if work is issue:
        camera.issuing.issue(B, FAR, 2)
        _expect(camera, B, CHOOSE)
    elif work in (give_back, docking):
        camera.issuing.end()
        _expect(camera, NOBODY, OFF)
    elif work is choose and state == CHOOSE:
        gate_bench.choose(camera, PIN)
    if work in (choose, wrong_pin, right_pin, play) or state == SHUT and work is tenth:
        _opens(camera)


def _expect(camera, current, state):
    blank = camera.gate._word.is_blank()
    if (camera.issuing.current, camera.gate.state, blank) != (current, state, True):
        raise Broken("done again, and it is not done")


def _opens(camera):
    """The PIN is still the PIN; and what was filmed under it is still shown."""
    gate_bench.wait_out(camera)
    if not camera.gate.judge(PIN) or camera.gate.tries_left != 10:
        raise Broken("the right PIN does not open")
    for _ in own_recordings(camera)[:1]:
        show(camera)
        if camera.replay.said != "the end":
            raise Broken("replay: %s" % camera.replay.said)


_ALLOWED = {  # (issue, state) at the first boot after the fault
    issue: ((A, SHUT), (A, CHOOSE), (B, CHOOSE)),
    give_back: ((A, SHUT), (A, CHOOSE), (NOBODY, OFF)),
    docking: ((A, SHUT), (A, CHOOSE), (NOBODY, OFF)),
    choose: ((A, CHOOSE), (A, SHUT)),
    wrong_pin: ((A, SHUT),),
    right_pin: ((A, SHUT),),
    tenth: ((A, SHUT), (A, LOST)),
    play: ((A, SHUT),),
}
