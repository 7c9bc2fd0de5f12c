"""What must hold on every byte of card and flash after a cut, for the power tests.

Runs on MicroPython; reads the card as docs/format/recording.md says, with the secrets a watch at the sealer
has kept.
"""

import struct

from sealcam import crypto, sealer
from sealcam.layout import MAGIC, block_size, unpack_core


class Broken(Exception):
    """A rule that does not hold."""


def heads(card):
    """Every core that stands anywhere on the card, and where."""
    found = []
    at = card.find(MAGIC)
    while at >= 0:
        if at % 512 == 0:
            found.append((at, bytes(card[at : at + 256])))
        at = card.find(MAGIC, at + 1)
    return found


def check_numbers(bench):
    """No number repeats: two cores under one number are a fork."""
    by_number = {}
    for at, core in heads(bench.card.bytes):
        fields = unpack_core(core)
        if fields is None or not any(bench.card.bytes[at + 280 : at + 288]):
            continue  # torn while it was written: nothing was sealed under it
        if by_number.setdefault(fields["sequence"], core) != core:
            raise Broken("a number stands in two cores: %d" % fields["sequence"])


def check_plain(bench):
    """No 16 bytes of what was fed lie on card or flash."""
    for store in (bench.card, bench.flash):
        if store.bytes.find(struct.pack(">I", 0x5EA1CA3)) >= 0 and store.bytes.find(b"FEED") >= 0:
            raise Broken("plaintext")


def read_parts(camera):
    """{core: [(name, bytes)]} of every file of ours on the card; a name without a recording must be gone."""
    found = {}
    for name in sorted(camera.card.list()):
        size = camera.card.size_of(name)
        content = bytearray(size)
        part = camera.card.open(name)
        part.read_at(0, content)
        part.close()
        core = bytes(content[:256])
        if name.lower().startswith("ready-"):
            continue
        found.setdefault(core, []).append((name, content))
    return found


def check_parts(bench, camera):
    """Every chunk proves up to one in flight; answers {sequence: (last index, last tag, ended, digest)}."""
    reach = {}
    for core, parts in read_parts(camera).items():
        fields = unpack_core(core)
        if fields is None:
            raise Broken("a file without a recording was left: %s" % parts[0][0])
        secret = bench.watch.secrets.get(core)
        if secret is None:
            raise Broken("a core nobody sealed")
        reach[fields["sequence"]] = prove(fields, core, secret, parts)
    return reach


def prove(fields, core, secret, parts):
    """(last index, last tag, ended, digest) of one recording; parts by their first chunk, whatever their
    names.
    """
    mac = crypto.Hmac(sealer.Keys(secret, core).k_mac)
    found = sorted(
        [
            (chunks[0][0], chunks)
            for chunks in [prove_part(fields, mac, core, part) for part in parts]
            if chunks
        ]
    )
    index, tag, ended = 0, mac.tag(core), False
    for _, chunks in found:
        for stated, chunk in chunks:
            if ended or stated != index + 1 or chunk[32:64] != tag:
                raise Broken("chunk %d of %s is out of order" % (stated, parts[0][0]))
            index, tag, ended = stated, chunk[-32:], chunk[4] == 3
    return index, tag, ended, crypto.sha256(*[content for _, content in parts])


def prove_part(fields, mac, core, part):
    """[(index, chunk)] of the chunks that prove, which must follow one another without a gap."""
    name, content = part
    size = fields["chunk_size"]
    block = block_size(size)
    if content[:512] != content[block : block + 512] and any(content[block : block + 256]):
        raise Broken("the heads of %s differ" % name)
    if content[256:288] != mac.tag(core) or crypto.sha256(content[512:block]) != fields["slot_digest"]:
        raise Broken("the head of %s does not prove" % name)
    chunks, bad = [], False
    for at in range(2 * block, len(content), size):
        chunk = bytes(content[at : at + size])
        if chunk[:4] != b"SKC1" or mac.tag(memoryview(chunk)[:-32]) != chunk[-32:]:
            bad = True
        elif bad:
            raise Broken("a chunk of %s does not prove, and one behind it does" % name)
        else:
            chunks.append((struct.unpack_from(">Q", chunk, 8)[0], chunk))
    return chunks


def check_journal(camera, reach):
    """The journal never knows more than the card, and every number has one opened and at most one end."""
    opened, closed = {}, {}
    for raw in camera.journal.entries():
        kind, state, seq, index = (
            raw[4],
            raw[5],
            struct.unpack_from(">Q", raw, 16)[0],
            struct.unpack_from(">Q", raw, 40)[0],
        )
        if camera.journal.is_settled(seq):
            opened[seq] = True
            continue  # a receipt let it go, from the card and from here
        if kind == 1:
            if seq in opened:
                raise Broken("number %d was opened twice" % seq)
            opened[seq] = True
        elif kind in (3, 4):
            if seq in closed:
                raise Broken("number %d was closed twice" % seq)
            closed[seq] = (state, index)
        if kind in (2, 3) and index > reach.get(seq, (0,))[0]:
            raise Broken("the journal knows chunk %d of %d, the card %s" % (index, seq, reach.get(seq)))
    for seq, (state, _) in closed.items():
        if state == 3 and seq in reach:
            raise Broken("number %d is void and on the card" % seq)
        if state == 1 and not (seq in reach and reach[seq][2]):
            raise Broken("number %d is ended in the journal alone" % seq)
    for seq in reach:
        if seq not in opened and not camera.journal.is_settled(seq):
            raise Broken("number %d was never opened" % seq)


def check_written(reach, written):
    """What the card had taken, read back, when the power went is there: every chunk but the one in flight."""
    for seq, chunks in written.items():
        if chunks > reach.get(seq, (0,))[0]:
            raise Broken("%d chunks of %d were on the card, now %s" % (chunks, seq, reach.get(seq)))


def check_all(bench, camera, before):
    if camera.fault is not None or camera.card_fault is not None:
        raise Broken("does not start again: %s %s %s" % (camera.fault, camera.card_fault, bench.said))
    bench.check_stranger()
    check_numbers(bench)
    check_plain(bench)
    reach = check_parts(bench, camera)
    check_journal(camera, reach)
    for seq, found in before.items():
        if reach.get(seq) != found and not (seq not in reach and camera.journal.is_settled(seq)):
            raise Broken("recording %d was whole before and is not now" % seq)
    return reach
