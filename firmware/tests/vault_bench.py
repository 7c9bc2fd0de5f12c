"""The vault for the device's tests: receipts and releases over what stands on a camera's card.

Runs on MicroPython, with the firmware's own signatures: what is checked is the camera, not the vault.
"""

import struct

from power_rules import prove, read_parts
from sealcam import crypto, policy, statements
from sealcam.layout import unpack_core

INTACT, CUT_SHORT, ALTERED = 1, 2, 3
ENTRY = ">Q16s32sQ32sBBBB32s"
NAMES = "seq recording_id h_core last_index last_tag verdict ended copies slot_copies body".split()


def entries_of(bench, camera):
    """{sequence: entry as a dict} of every recording on the card, as a vault that proved it would sign."""
    found = {}
    for core, parts in read_parts(camera).items():
        if unpack_core(core) is None or core not in bench.watch.secrets:
            continue
        fields = unpack_core(core)
        index, tag, ended, digest = prove(fields, core, bench.watch.secrets[core], parts)
        verdict = INTACT if ended else CUT_SHORT
        values = (fields["sequence"], fields["recording_id"], crypto.sha256(core), index, tag)
        found[fields["sequence"]] = dict(zip(NAMES, values + (verdict, int(ended), 2, 2, digest)))
    return found


def pack(entry):
    return struct.pack(ENTRY, *[entry[name] for name in NAMES])


def receipt(bench, camera, number, entries, key=policy.RECEIPT, organisation=None, device_id=None):
    """A signed receipt over `entries`; the office's keys are 1000 and the role."""
    head = (organisation or bench.office.organisation, number, device_id or camera.identity.device_id)
    fields = struct.pack(">32sQ32sQIH", *(head + (1750000000000, 1, len(entries))))
    fields += b"".join([pack(entry) for entry in entries])
    return statements.sign(statements.RECEIPT, fields, 1000 + key)


def release(entry, key=policy.RELEASE):
    return statements.sign(statements.RELEASE, pack(entry) + bytes(32), 1000 + key)


def read_record(camera, raw):
    """(digest, count, samples) of a wipe record that proves."""
    device_id, digest, _, _, count, samples = statements.read(statements.WIPED, raw, camera.identity.point)
    assert device_id == camera.identity.device_id
    return digest, count, samples
