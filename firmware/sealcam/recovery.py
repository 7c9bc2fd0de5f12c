"""What a camera does about yesterday's power cut, before it allocates anything.

Removes what has a name and no recording, and closes in the journal what was left open. Never touches a
recording that holds a chunk.
"""

from sealcam import usagelog
from sealcam.errors import CardFault
from sealcam.layout import CHUNK_MAGIC, CORE_SIZE, MAGIC, STATE_CUT, part_name, unpack_core

_SECTOR = 512
_BLOCKS = (2048, 4096, 16384)
_ZEROS = bytes(CORE_SIZE)


def recover(camera) -> None:
    """Clear up and close; the card is mounted. A cut anywhere in here: the next boot does the rest."""
    _mend_starts(camera)
    clear(camera)
    _close(camera)


def _heads(camera, name):
    """The first sectors of both head copies; None for a copy that is not there. Where copy 1 lies, the slots
    say.
    """
    card = camera.card
    size = card.size_of(name)
    part = card.open(name)
    try:
        first = _sector(part, 0, size)
        slots = _sector(part, _SECTOR, size)
        for block in _BLOCKS:
            if slots and any(slots) and _sector(part, block + _SECTOR, size) == slots:
                return first, _sector(part, block, size), block
        block = camera.block_of(name)
        return first, _sector(part, block, size), block
    finally:
        part.close()


def _sector(part, at, size):
    if at + _SECTOR > size:
        return None
    buffer = bytearray(_SECTOR)
    if part.read_at(at, buffer) != _SECTOR:
        raise CardFault
    return bytes(buffer)


def _is_blank(copy):
    return copy is None or copy[:CORE_SIZE] == _ZEROS


def _has_magic(copy):
    return copy is not None and copy[: len(MAGIC)] == MAGIC


def clear(camera) -> None:
    """Remove every name without a recording, all of them before anything is allocated.

    FAT cannot rename in one step: a cut inside leaves two names on one chain of clusters. Removing both is
    right where the core is zero; using one while the other stands would not be. All are looked at before the
    first one goes, for then the other can no longer be read.
    """
    for name in _without_recording(camera):
        camera.card.remove(name)


def _without_recording(camera):
    names = []
    for name in camera.card.list():
        plain = name.lower()  # a torn removal leaves the short name, in capitals
        ready = plain.startswith("ready-")
        if not ready and not plain.startswith(camera.own_prefix) and not _is_short(plain, camera.own_prefix):
            continue  # another camera's, or a stranger's: not ours to judge
        first, second, block = _heads(camera, name)
        if ready and (_has_magic(first) or _has_magic(second)):
            camera.say("- %s holds a recording: this card goes to the evidence office as it is" % name)
            # a second name of a real recording: removing it would free the recording's clusters
            raise CardFault
        if ready or (_is_blank(first) and (_is_blank(second) or not _has_chunk(camera, name, block, second))):
            names.append(name)
    return names


def _has_chunk(camera, name, block, head):
    """Whether a chunk of its own stands behind its heads. None, and no first head: a part that was let go of,
    unused.
    """
    part, size = camera.card.open(name), camera.card.size_of(name)
    try:
        sector = _sector(part, 2 * block, size)
    finally:
        part.close()
    return sector is not None and sector[:4] == CHUNK_MAGIC and sector[16:24] == head[48:56]


def _is_short(name, prefix):
    """Whether it can be what is left of one of our names when its long form is gone: a few digits, `~`, a
    suffix.
    """
    return name[:2] == prefix[:2] and "~" in name[:8] and name[-4:] in (".skr", ".skl", ".skp")


def _mend_starts(camera):
    """Finish, or undo, a start that was cut between the two copies of the head: no chunk was written yet."""
    names = camera.card.list()
    for file in camera.journal.unclosed():
        name = part_name(camera.identity.device_id, file.seq, 0, file.kind)
        if file.index or file.card_serial != camera.card.serial or name not in names:
            continue
        first, second, block = _heads(camera, name)
        if _is_blank(first) or first == second or second is None:
            continue
        part = camera.card.open(name)
        if not _is_blank(second):  # copy 1 is only begun when copy 0 stands, read back
            part.write_at(block, first)
        elif not any(first[CORE_SIZE + 24 : CORE_SIZE + 32]):  # tag_0 ends in zeros: copy 0 itself was torn
            part.write_at(0, bytes(_SECTOR))
        part.close()


def _close(camera):
    """Give every file that was left open its closing entry, log segments first; wait where its card is not
    in.
    """
    cores = None
    for file in camera.journal.unclosed():
        if file.card_serial != camera.card.serial:
            continue  # its card is not in: nobody can say yet whether there is a core
        if cores is None:
            cores = _cores(camera)
        if file.index or (file.seq, file.recording_id) in cores:  # a signature stood on the card: it was one
            camera.journal.close_file(file.seq, file.recording_id, file.index, file.tag, STATE_CUT)
            camera.logbook.note(usagelog.FOUND_CUT, file.kind, file.seq, file.recording_id)
            camera.say("- recording %d was cut short, signed to chunk %d" % (file.seq, file.index))
        else:
            camera.journal.void(file.seq)
            camera.logbook.note(usagelog.VOID_NUMBER, 0, file.seq)
            camera.say("- number %d was spent on nothing" % file.seq)


def _cores(camera):
    """The numbers, and the recordings under them, of all our cores on the card, by either copy."""
    found = set()
    for name in camera.card.list():
        for copy in _heads(camera, name)[:2]:
            fields = unpack_core(copy[:CORE_SIZE]) if _has_magic(copy) else None
            if fields and fields["device_id"] == camera.identity.device_id:
                found.add((fields["sequence"], fields["recording_id"]))
    return found
