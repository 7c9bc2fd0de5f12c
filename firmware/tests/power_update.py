"""Cut the power at every block write of an update, on a real MicroPython with card and flash in memory.

    build/micropython/ctr firmware/tests/power_update.py WORKFLOW [cut|torn|lose|fail] [SAMPLE=i/k] [ONLY=n]

Workflows: put, confirm, spend, refuse. After each fault the boot stage chooses, the camera starts on what the
memories hold, the rules are checked, and the update is done once more, whole. What runs here is always this
checkout; what is chosen, and what is written, is what the rules look at.
"""

import struct
import sys

_HERE = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
sys.path[:0] = [_HERE, _HERE + "/.."]

import boot_choice  # noqa: E402 - only reachable from here on
import power  # noqa: E402
from power_bench import Bench, Faults, desk, vfs  # noqa: E402
from power_rules import Broken, check_all  # noqa: E402
from sealcam import crypto, statements, update  # noqa: E402

_MPY = bytes((sys.implementation._mpy & 0xFF, sys.implementation._mpy >> 8))
_PIECE = 700


class Restarts(Exception):
    """The camera would restart now."""


class UpdateBench(Bench):
    """A bench with the boot stage before its camera."""

    def choose(self, flash):
        try:
            vfs.umount(boot_choice.MOUNT_POINT)
        except OSError:
            pass
        while boot_choice.MOUNT_POINT in sys.path:
            sys.path.remove(boot_choice.MOUNT_POINT)
        self.chosen = boot_choice.choose(flash)
        self.trouble = self.trouble or self.chosen.trouble
        return self.chosen

    def switch_on(self, faults):
        """The next boot of a workflow: its faults go on counting."""
        self.faults = Faults()
        last = self.camera
        if last and (last.fault or last.card_fault or (last.card and last.card.dead)):
            self.trouble = True  # noticed in a boot before
        try:
            return self.start(faults)
        except Restarts:
            self.trouble = True
            return self.switch_on(faults)


def restart(board):
    raise Restarts


desk.Board.restart = restart


def archive(bench, version, counter):
    """A signed one, of two modules that nobody runs."""
    files = (
        (b"errors.mpy", b"M" + _MPY[:1] + b"\x00\x1f" + bytes(300)),
        (b"main.mpy", b"M" + _MPY + b"\x1f" + bytes([version]) * 900),
    )
    body = struct.pack(">32s2sHIHH", b"unix", _MPY, 0, counter, len(files), 0)
    for name, content in files:
        body += bytes([len(name)]) + name + struct.pack(">I", len(content)) + content
    root = bench.office.root
    return statements.make(statements.FIRMWARE, root, None, version, crypto.sha256(body)) + body


def digest_of(whole):
    return crypto.sha256(memoryview(whole)[statements.size_of(statements.FIRMWARE) :])


def put(bench, faults):
    """Put and stage, in one day."""
    camera = bench.switch_on(faults)
    stage(camera, bench.new)
    camera.power_off()
    return camera


def stage(camera, whole):
    at = 0
    while at < len(whole):
        at = camera.update.put(len(whole), at, memoryview(whole)[at : at + _PIECE])
    camera.update.stage()


def confirm(bench, faults):
    """Tried over two boots, and kept."""
    camera = bench.switch_on(faults)
    camera.update.prove("chunk")
    camera.power_off()
    camera = bench.switch_on(faults)
    camera.update.prove("dock")
    camera.power_off()
    return camera


def spend(bench, faults):
    """Booted until nothing is left of its boots, and once more."""
    for _ in range(boot_choice.BOOTS + 3):
        camera = bench.switch_on(faults)
        camera.power_off()
    return camera


def refuse(bench, faults):
    """It refuses to work at its first boot; the kept one starts and tells of it."""
    try:
        bench.switch_on(faults).update.failed()
    except Restarts:
        pass
    camera = bench.switch_on(faults)
    camera.power_off()
    return camera


def rest(bench, work):
    """Enrolled, with one update kept; but for *put*, the next one is staged."""
    power.enrol(bench, Faults()).power_off()
    bench.old = bench.new = archive(bench, 2, 2)
    put(bench, Faults())
    confirm(bench, Faults())
    bench.new = archive(bench, 3, 3)
    if work is not put:
        put(bench, Faults())


def check(bench, camera):
    """Old or new, never neither; what was kept is whole; the counter has not fallen."""
    check_all(bench, camera, {})
    if bench.chosen.digest not in (digest_of(bench.old), digest_of(bench.new)):
        raise Broken("runs %s %s" % (bench.chosen.place, bench.said))
    if bench.chosen.on_trial and bench.chosen.digest != digest_of(bench.new):
        raise Broken("the old one is on trial")
    if camera.update.facts()["counter"] < 2:
        raise Broken("the counter fell")


def one(bench, work, kind, number, saved):
    bench.load(saved)
    bench.watch.used.clear()
    bench.camera, bench.trouble = None, False
    faults = power.make_faults(kind, number)
    noticed = power.lose_power(bench, work, faults) or bench.trouble
    if kind == "lose" and not noticed and faults.lost_something:
        raise Broken("a lost write was not noticed: %s" % bench.said)
    camera = bench.start()
    check(bench, camera)
    for _ in range(3):
        again(bench, camera)
        camera.power_off()
        camera = bench.start()
        check(bench, camera)
    if bench.chosen.on_trial or bench.chosen.digest != digest_of(bench.new):
        raise Broken("the update could not be made again")
    camera.power_off()


def again(bench, camera):
    """What is next of the whole update, without a fault."""
    if bench.chosen.on_trial:
        camera.update.prove("chunk")
        camera.update.prove("dock")
    elif bench.chosen.digest != digest_of(bench.new):
        stage(camera, bench.new)


def run(work, kind, first=0, every=1, only=0):
    bench = UpdateBench()
    bench.trouble = False
    rest(bench, work)
    saved, secrets = bench.save(), dict(bench.watch.secrets)
    writes = power.count_writes(bench, work)
    numbers = [only] if only else range(1 + first % min(every, writes), writes + 1, every)
    for number in numbers:
        bench.watch.secrets = dict(secrets)
        try:
            one(bench, work, kind, number, saved)
        except Exception as fault:
            where = (work.__name__, kind, number, writes, type(fault).__name__, fault)
            print("%s %s at write %d of %d: %s: %s" % where)
            print(bench.said)
            raise
    print("%s %s: %d of %d writes, all rules hold" % (work.__name__, kind, len(numbers), writes))


WORKFLOWS = {"put": put, "confirm": confirm, "spend": spend, "refuse": refuse}


def begin(arguments):
    work, kind, first, every, only = put, "cut", 0, 1, 0
    for word in arguments:
        if word.startswith("SAMPLE="):
            first, every = [int(number) for number in word[7:].split("/")]
        elif word.startswith("ONLY="):
            only = int(word[5:])
        elif word in power.KINDS:
            kind = word
        else:
            work = WORKFLOWS[word]
    update._RESERVE = 8192  # the flash of the bench is a small one
    run(work, kind, first, every, only)


if __name__ == "__main__":
    begin(sys.argv[1:])
