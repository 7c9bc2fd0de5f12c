"""The rules of a wipe, read twice: what the host lets go and what the camera lets go are the same recordings.

The camera's half is the firmware itself, on a card in memory; it holds no key, so what only a tag can show is
left out.
"""

import random
import struct
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from sealcam import receipts as camera
from sealcam import remains
from sealcam.errors import SealcamError
from sealhost import receipts
from sealhost.records import ReceiptEntry, Verdict, Word
from sealhost.statements import Policy
from sealhost.statements.root import WIPE_UNCONFIRMED

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "firmware" / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parent))
from memory_card import MemoryCard
from recordings import Office, film

pytestmark = pytest.mark.slow

OFFICE = Office()
POLICY = Policy.build(OFFICE.device, 1, flags=WIPE_UNCONFIRMED)
SCRIPTS = ("..s..e", "...e", "..s..", ".s.s...", "..")
ENDED, CUT = 1, 2


def word_of(chunks, chance):
    """What a journal may truly say of these chunks, None for one that says nothing."""
    if chance.random() < 0.3:
        return None
    if chunks[-1][4] == 3:
        return Word(ENDED, len(chunks), chunks[-1][-32:], "journal")
    covered = [struct.unpack(">Q", chunk[64:72])[0] for chunk in chunks if chunk[4] == 2]
    index = covered[-1] if covered else 0
    return Word(CUT, index, chunks[index - 1][-32:] if index else bytes(32), "journal")


def entry_of(writer, found, chance):
    """An entry over the recording, or over a part of it, or one that is wrong in a field."""
    core, chunks = found.core, writer.chunks
    last = chance.choice([len(chunks)] * 7 + [max(0, len(chunks) - 2), 1])
    verdict = Verdict.INTACT if last == len(chunks) and chunks[-1][4] == 3 else Verdict.CUT_SHORT
    tag = chunks[last - 1][-32:] if last else bytes(32)
    ended = verdict is Verdict.INTACT
    names = (core.sequence, core.recording_id, core.h_core)
    entry = ReceiptEntry(*names, last, tag, verdict, ended, 2, 2, bytes(32))
    changes = [
        *[{}] * 9,
        {"h_core": bytes(32)},
        {"recording_id": bytes(16)},
        {"sequence": core.sequence + 1},
        {"last_tag": b"?" * 32},
        {"verdict": Verdict.ALTERED},
        {"copies": 1},
        {"slot_copies": 0},
    ]
    return replace(entry, **chance.choice(changes))


def known_of(word, core):
    """The same word, as the camera's own journal would hand it over."""
    if word is None:
        return None
    known = type("Known", (), {})()
    known.state, known.index, known.tag = word.state, word.last_index, word.last_tag
    known.recording_id, known.receipt = core.recording_id, None
    return known


def on_card(part, entry):
    """What the firmware finds on a card that holds this part."""
    card = MemoryCard(1 << 20)
    card.mount()
    card.files["whatever.skr"] = bytearray(part)
    found = remains.find(card, {entry.h_core}).get(entry.h_core)
    if found is not None:
        remains.look_at_end(card, found, entry.last_index)
    return found


def statuses(entry, part, word, core):
    """(in the camera, in a reader): the camera's two readings."""
    read = camera.Entry(receipts.pack_entry(entry))
    receipt = camera.Receipt(camera.RECEIPT, b"d" * 32, 5, OFFICE.device.key_id, [read])
    known = known_of(word, core) if entry.sequence == core.sequence else None
    there = camera.judge_in_camera(receipt, read, on_card(part, entry), known, False, POLICY, 4)
    return there, camera.judge_by_journal(receipt, read, known, False, POLICY, 4)


@pytest.mark.promise4
@pytest.mark.parametrize("seed", range(6))
def test_host_and_camera_let_the_same_recordings_go(seed):
    """Proves M19, BK-1: over random entries, words and cards, by the card and by the journal."""
    chance = random.Random(seed)
    tally = {"gone": 0, "kept": 0}
    for _ in range(40):
        writer = film(OFFICE, chance.choice(SCRIPTS), sequence=chance.randrange(1, 9))
        word = word_of(writer.chunks, chance)
        torn_off = chance.choice([0, 0, 0, 0, 0, 1, 2])
        part = writer.part(writer.chunks[: len(writer.chunks) - torn_off])
        whole = OFFICE.judge(writer.parts())
        entry = entry_of(writer, whole, chance)
        judged = OFFICE.judge([part], word)

        host = receipts.may_wipe(entry, judged, POLICY) is None
        by_card, by_journal = statuses(entry, part, word, whole.core)

        if entry.last_index + 1 == judged.last_index and (word is None or word.state == CUT):
            continue  # to whoever holds no key it may be the chunk in flight
        told = (entry, word, torn_off, host, by_card, by_journal)
        assert (by_card == 0) == host, told
        if word is not None and not torn_off and entry.h_core == whole.core.h_core:
            assert (by_journal == 0) == host or is_a_later_cut(entry, word), told
        tally["gone" if host else "kept"] += 1
    assert min(tally.values()) >= 5


def is_a_later_cut(entry, word):
    """In a reader the camera has nothing but its last progress: behind it, the host's own reading decides."""
    return word.state == CUT and entry.last_index >= word.last_index


@pytest.mark.promise4
def test_both_refuse_what_the_other_could_not_read():
    """Bytes of another shape are no receipt on either side."""
    raw = receipts.build(bytes(32), 1, OFFICE.device.key_id, 5, 1, [], OFFICE.vault).raw
    keylist = type("List", (), {"point": lambda self, role: OFFICE.vault.point})()
    assert camera.read(camera.RECEIPT, raw, keylist, bytes(32)).entries == []
    for other in (raw[:-1], raw + b"\0", raw[:10], b"", bytes(len(raw))):
        with pytest.raises(SealcamError):
            camera.read(camera.RECEIPT, other, keylist, bytes(32))
