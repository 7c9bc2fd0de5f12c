"""The workflows of a receipt for the power tests, and what must hold after each of them.

The receipt names everything that stood on the card but the newest recording, which nothing may take away.
"""

import struct

import vfs
from power_bench import Faults, desk
from power_rules import Broken
from sealcam.enrolment import inventory
from sealcam.fat import Fat
from sealcam.layout import FOLDER, MAGIC
from sealcam.receipts import IN_CAMERA, IN_READER, RECEIPT
from vault_bench import crypto, entries_of, read_record, receipt


def wipe(bench, faults):
    """Docked with its card inside: inventory, judge, wipe, undock."""
    camera = bench.start(faults)
    act(bench, camera, IN_CAMERA)
    camera.undock()
    camera.power_off()
    return camera


def act(bench, camera, where):
    """What a host does with a receipt; one that was acted on is asked for its record."""
    camera.dock_down()
    camera.check_sound()
    for _ in inventory(camera, bytes(16)):
        pass
    digest, statuses = camera.wiper.judge(RECEIPT, where, bench.receipt)
    if camera.wiper.last_number():
        return camera.wiper.record(digest)
    if any(statuses):
        raise Broken("refused: %s" % list(statuses))
    if where == IN_CAMERA:
        return camera.wiper.wipe(digest, lambda done, of: None)
    return camera.wiper.wiped(digest, bytes([1] * len(statuses)))


def wiped(bench, faults):
    """The card was wiped in a reader; the camera beside it has none, and marks what the host says."""
    camera = bench.start(faults, with_card=False)
    act(bench, camera, IN_READER)
    camera.undock()
    return camera


def look(bench, faults):
    """The card comes back emptied, with a receipt on it."""
    camera = bench.start(faults)
    camera.power_off()
    return camera


def overwrite(bench, faults):
    """A wipe, and then idle time until the free space is overwritten."""
    camera = bench.start(faults)
    act(bench, camera, IN_CAMERA)
    camera.undock()
    while camera.wiper.overwrite_step():
        pass
    camera.power_off()
    return camera


WIPES = (wipe, wiped, look, overwrite)


def prepare(bench, work):
    """Sign the receipt, and where a reader has wiped already, take the files away as it would."""
    camera = bench.start()
    entries = entries_of(bench, camera)
    kept = max([seq for seq, entry in entries.items() if entry["ended"] and seq % 2 == 0])
    whole = [entries[seq] for seq in sorted(entries) if seq != kept and entries[seq]["ended"]]
    bench.named, bench.kept = whole, kept
    bench.receipt = receipt(bench, camera, 1, whole)
    names = [name for entry in whole for name in names_of(camera, entry["seq"])]
    camera.power_off()
    if work in (wiped, look):
        bench.faults.dark = True
        empty(bench, names, work is look and camera.identity.device_id)


def names_of(camera, seq):
    part = "-%010d-" % seq
    return [name for name in camera.card.list() if part in name]


def empty(bench, names, device_id):
    """As a reader does it: names removed, and the receipt left for the camera it names."""
    fs = vfs.VfsFat(desk.Blocks(bench.card, 512, Faults(), True))
    for name in names:
        fs.remove("/%s/%s" % (FOLDER, name))
    if device_id:
        prefix = "".join(["%02x" % byte for byte in device_id[:8]])
        with fs.open("/%s/receipt-%s-%010d.rcp" % (FOLDER, prefix, 1), "wb") as file:
            file.write(bench.receipt)


def check_wipe(bench, work):
    """Run again it ends the same: what was named is settled and gone, the record is true, nothing is missed.
    """
    camera = work(bench, Faults())
    if camera.wiper is None or camera.fault is not None:
        raise Broken("it cannot be asked again: %s" % bench.said)
    for entry in bench.named:
        if not camera.journal.is_settled(entry["seq"]):
            raise Broken("number %d is not settled" % entry["seq"])
    if camera.journal.is_settled(bench.kept):
        raise Broken("what no receipt named is settled")
    if work is not look:
        record = camera.wiper.record(crypto.sha256(bench.receipt))
        if read_record(camera, record)[1] != len(bench.named):
            raise Broken("the record counts %d" % read_record(camera, record)[1])
    check_card(bench, work in (wipe, overwrite))
    if work is overwrite:
        check_free(bench)


def check_card(bench, by_camera):
    """With the card in: nothing of what was named stands there, nothing is missed, no receipt and no plan is
    left.
    """
    camera = bench.start()
    if camera.alarms:
        raise Broken("an alarm for what a receipt let go: %s" % bench.said)
    left = [name for entry in bench.named for name in names_of(camera, entry["seq"])]
    left += [name for name in camera.card.list() if name.endswith(".rcp")]
    left += [name for name in camera.files.names() if name.startswith("wiping")]
    camera.power_off()
    if left:
        raise Broken("left: %s" % left)
    for entry in bench.named if by_camera else ():
        if bench.card.bytes.find(entry["recording_id"] + struct.pack(">Q", entry["seq"])) >= 0:
            raise Broken("the head of %d is still on the card" % entry["seq"])


def check_free(bench):
    """What the table calls free is zeros, all of it."""
    card = bench.card.bytes
    fat = Fat(lambda sector: card[sector * 512 : sector * 512 + 512])
    camera = bench.start()
    while camera.wiper.overwrite_step():
        pass
    names = camera.files.names()
    bench.faults.dark = True
    if "overwrite" in names:
        raise Broken("the overwrite has left its note")
    bench.free = 0
    for cluster in range(2, fat.last + 1):
        at = fat.sector_of(cluster) * 512
        if fat.next(cluster) == 0:
            bench.free += 1
            if MAGIC in card[at : at + 512] or b"SKC1" in card[at : at + 512]:
                raise Broken("cluster %d still holds something" % cluster)
    if not bench.free:
        raise Broken("nothing is free")
