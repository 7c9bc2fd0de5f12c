"""Cut the power at every block write of every workflow, on a real MicroPython with card and flash in memory.

    build/micropython/ctr firmware/tests/power.py WORKFLOW [cut|torn|lose|fail] [SAMPLE=i/k] [ONLY=n]
        [DUMP=folder]

Workflows: enrol, shift, morning, shelf, renew, those of `power_wipes` and `power_gate`, and `gates`: all of
the latter in turn. After each fault the camera starts again on what the memories hold, the rules of
`power_rules` are checked, it films again, and they are checked again. Prints one line; a broken rule ends the
run.
"""

import sys

_HERE = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
sys.path.insert(0, _HERE)

from gate_bench import MAY_REPLAY, Screen  # noqa: E402 - only reachable from here on
from power_bench import Bench, Faults, desk, main  # noqa: E402
from power_dock import dock  # noqa: E402
from power_gate import GATES, check_gate, prepare_gate  # noqa: E402
from power_rules import Broken, check_all, check_plain, check_written  # noqa: E402
from power_wipes import WIPES, check_wipe, overwrite, prepare, wiped  # noqa: E402
from sealcam import lists, logbook  # noqa: E402
from sealcam.enrolment import Enrolment  # noqa: E402
from sealcam.errors import SealcamError  # noqa: E402


def enrol(bench, faults):
    """From the offer to `enrolled.seal`, each side doing what the folder asks."""
    camera = bench.start(faults)
    steps = Enrolment(camera, bench.folder)
    for _ in range(6):
        bench.office.attend(bench.folder)
        if steps.step() == "enrolled":
            return camera
    raise Broken("enrolment did not end")


def shift(bench, faults):
    """Boot, film over three parts with a bookmark and a mute, power off."""
    camera = bench.start(faults)
    film(camera)
    camera.power_off()
    return camera


def film(camera):
    camera.check_may_record()
    recorder = camera.recorder
    recorder.start()
    turns = 0
    while recorder.recording and not camera.source.ended:
        if not camera.step():
            camera.board.idle(camera)
        turns += 1
        if turns == 20:
            recorder.bookmark()
        if turns == 25:
            recorder.mute()
        if turns == 32:
            recorder.unmute()
    if recorder.recording:
        recorder.stop()
    return recorder


def morning(bench, faults):
    """Boot on what a cut has left, and nothing more."""
    return bench.start(faults)


def shelf(bench, faults):
    """Many short files and log segments, so that the journal has to make room."""
    camera = bench.start(faults)
    for _ in range(3):
        recorder = camera.recorder
        camera.check_may_record()
        recorder.start()
        for _ in range(4):
            if not camera.step():
                camera.board.idle(camera)
        if recorder.recording:
            recorder.stop()
        for _ in range(20):
            camera.step() or camera.board.idle(camera)
    camera.power_off()
    return camera


def renew(bench, faults):
    """A newer key list, the trial recording under it, its drill, a newer policy."""
    camera = bench.start(faults)
    camera.check_may_record()
    camera.lists.take_keylist(bench.office.key_list(2))
    while camera.keylist is not camera.sealing:
        trial = camera.keystore.next_trial(2)
        if trial is not None:
            camera.lists.take_drill(bench.office.drill_file(trial, 2))
        elif not camera.step():
            camera.board.idle(camera)
        camera.check_may_record()
    camera.lists.take_policy(bench.office.policy_file(2, 0))
    camera.power_off()
    return camera


def check_renewed(bench):
    """Run again it ends the same: the newer list in force, and nothing waits."""
    camera = renew(bench, Faults())
    versions = (camera.keylist.version, camera.sealing.version, camera.drilled, camera.policy.version)
    if versions != (2, 2, 2, 2) or camera.keystore.next_keylist() is not None:
        raise Broken("a key list is half in force: %s" % (versions,))


def rest(bench, work):
    """The moment of rest a workflow begins at; answers what stood whole on the card by then."""
    if work is enrol:
        return {}
    enrol(bench, Faults()).power_off()
    shift(bench, Faults()).power_off()
    if work is shelf:
        while journal_room(bench) > 30:
            shelf(bench, Faults())
    camera = bench.start()
    reach = check_all(bench, camera, {})
    camera.power_off()
    if work in WIPES:
        prepare(bench, work)
    if work in GATES:
        prepare_gate(bench, work)
    if work is morning:
        lose_power(bench, shift, Faults(cut_after=CUT_AT))
    return whole(reach)


DUMP = ""
CUT_AT = 100  # of a shift: in the middle of its recording


def journal_room(bench):
    """Entries until the journal has to make room."""
    camera = bench.start()
    room = camera.journal.room()
    camera.power_off()
    return room


def whole(reach):
    """The recordings of `reach` that have an end: nothing may touch them any more."""
    return dict([(seq, found) for seq, found in reach.items() if found[2]])


def lose_power(bench, work, faults):
    """Run until the fault, or to the end; whether the camera noticed something."""
    try:
        camera = work(bench, faults)
    except desk.PowerLost:
        return True
    except SealcamError:
        return True
    finally:
        faults.dark = True  # nothing that is collected later may reach the memories
    if camera.gate is not None and camera.gate.fault is not None:
        return True
    return bool(camera.fault or camera.card_fault or camera.card.dead or camera.recorder.fault)


def again(bench, work, before, written):
    """The next day: start, check, film, check."""
    if work is enrol:
        enrol(bench, Faults()).power_off()
    if work in GATES:
        check_gate(bench, work)
    if work is wiped:
        wiped(bench, Faults())  # the host asks again, before the card is back
    camera = bench.start()
    reach = check_all(bench, camera, before)
    check_written(reach, written)
    film(camera)
    check_all(bench, camera, whole(reach))
    camera.power_off()
    if work is renew:
        check_renewed(bench)
    if work in WIPES:
        check_wipe(bench, work)
    if camera.journal.unclosed():
        raise Broken("an orderly day left something open")


def make_faults(kind, number):
    if kind in ("cut", "torn"):
        return Faults(cut_after=number, torn=0.5 if kind == "torn" else 0.0)
    if kind == "lose":
        return Faults(loses_at=number, flash_too=True)
    return Faults(fails_at=number, fails_once=True, flash_too=True)


def count_writes(bench, work):
    counting = Faults()
    work(bench, counting)
    counting.dark = True
    return counting.writes


def one(bench, work, kind, number, saved, before):
    """One fault, from the same moment of rest."""
    bench.load(saved)
    bench.watch.used.clear()
    faults = make_faults(kind, number)
    noticed = lose_power(bench, work, faults)
    written = bench.written()
    if kind == "lose" and not noticed and faults.lost_something:
        raise Broken("a lost write was not noticed: %s" % bench.said)
    check_plain(bench)
    dump(bench, "%s-%s-%d-cut" % (work.__name__, kind, number))
    again(bench, work, before, written)
    dump(bench, "%s-%s-%d-again" % (work.__name__, kind, number))


def dump(bench, name):
    """For a reader that is not ours, where DUMP= asks for it: the card, and the camera's point."""
    if DUMP:
        with open("%s/%s.img" % (DUMP, name), "wb") as file:
            file.write(bench.card.bytes)
        if bench.camera and bench.camera.identity:
            with open("%s/%s.point" % (DUMP, name), "wb") as file:
                file.write(bench.camera.identity.point)


def make_bench(work):
    if work in GATES:
        return Bench(64, MAY_REPLAY, Screen())
    return Bench(200 if work is shelf else 64, flags=17 if work is overwrite else 1)


def run(work, kind, first=0, every=1, only=0):
    bench = make_bench(work)
    every_write(bench, work, kind, rest(bench, work), (first, every, only))


def run_gates(kind, first, every):
    """All of them from one enrolment, which takes longer than each of them."""
    bench = make_bench(GATES[0])
    before = rest(bench, None)
    base = bench.save()
    for work in GATES:
        bench.load(base)
        prepare_gate(bench, work)
        every_write(bench, work, kind, before, (first, every, 0))
    print("gates %s: %d workflows, all rules hold" % (kind, len(GATES)))


def every_write(bench, work, kind, before, chosen):
    first, every, only = chosen
    saved = bench.save()
    secrets = dict(bench.watch.secrets)
    writes = count_writes(bench, work)
    numbers = [only] if only else range(1 + first, writes + 1, every)
    for number in numbers:
        bench.watch.secrets = dict(secrets)
        try:
            one(bench, work, kind, number, saved, before)
        except Exception as fault:
            print(
                "%s %s at write %d of %d: %s: %s"
                % (work.__name__, kind, number, writes, type(fault).__name__, fault)
            )
            print(bench.said)
            raise
    print("%s %s: %d of %d writes, all rules hold" % (work.__name__, kind, len(numbers), writes))


WORKFLOWS = {"enrol": enrol, "shift": shift, "morning": morning, "shelf": shelf, "renew": renew}
WORKFLOWS["dock"] = dock
WORKFLOWS["gates"] = "gates"
WORKFLOWS.update([(work.__name__, work) for work in WIPES + GATES])
KINDS = ("cut", "torn", "lose", "fail")


def begin(arguments):
    first, every, only, kind, work = 0, 1, 0, "cut", None
    for word in arguments:
        if word.startswith("SAMPLE="):
            offset, _, step = word[7:].partition("/")
            every = int(step)
            first = int(offset) % every
        elif word.startswith("ONLY="):
            only = int(word[5:])
        elif word.startswith("DUMP="):
            global DUMP
            DUMP = word[5:]
        elif word in KINDS:
            kind = word
        else:
            work = WORKFLOWS[word]
    main.JOURNAL_COUNT = 5 if work is shelf else 16
    logbook._MOST = 8 if work is shelf else 256
    lists.TRIAL_MS = 300
    if work == "gates":
        run_gates(kind, first, every)
    else:
        run(work, kind, first, every, only)


if __name__ == "__main__":
    begin(sys.argv[1:])
