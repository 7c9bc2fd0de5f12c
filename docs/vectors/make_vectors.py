"""Make the known answers in this folder, or check that they are what the pages say.

    python docs/vectors/make_vectors.py            write them
    python docs/vectors/make_vectors.py --check    exit 1 if one differs from what is committed

One case a file, `key: value`; long hex goes on in lines that begin with two spaces. It imports neither half. The verdicts are stated here by
hand, from section 3 of `docs/format/recording.md`, and computed by nobody.
"""

import struct
import sys
from pathlib import Path

from pages import pages
from wire import wire
from writer import (
    DATA,
    END,
    LIVE,
    LOG,
    LOG_ENTRY,
    OPEN,
    PICTURE,
    POSITION,
    PRE_EVENT,
    SOUND,
    VERIFY,
    Key,
    Writer,
    closing,
    description,
    event,
    mac,
    record,
    sha,
)

HERE = Path(__file__).parent
CAMERA, OTHER_CAMERA = Key("camera"), Key("other camera")
EVIDENCE, ESCROW, VAULT, REPLAY, STRANGER = (Key(n) for n in ("evidence", "escrow", "vault", "replay", "stranger"))
THREE = [(OPEN, EVIDENCE), (OPEN, ESCROW), (VERIFY, VAULT)]
FACTS = {"picture": "jpeg", "width": 640, "height": 480, "sound": "pcm_s16le", "sound_rate": 16000, "board": "vector"}


def jpeg(n: int, size: int = 300) -> bytes:
    return b"\xff\xd8" + b"".join(sha(b"picture %d %d" % (n, i)) for i in range(size // 32)) + b"\xff\xd9"


def sound(n: int) -> bytes:
    return record(SOUND, 32 * n, sha(b"sound %d" % n) * 2)


def filmed(name: str, size: int = 512, seq: int = 1, recipients: list | None = None, kind: int = 1, end: bool = True, prev: bytes = bytes(32)) -> Writer:
    """Four data chunks, an interim signature in the middle, an end: `D D S D D |`."""
    w = Writer(CAMERA, recipients or THREE, seq=seq, kind=kind, size=size, name=name, prev=prev)
    room = size - 96
    w.records([description(**FACTS), event(1, 0, 1), record(PICTURE, 10, jpeg(0, room), 1)], 40)
    w.sign(60)
    w.records([sound(0), record(PICTURE, 110, jpeg(1, room), 1), event(2, 140, 1)], 140)
    if end:
        w.end(150)
    return w


def case(name: str, says: str, w: Writer, parts: list[bytes], verdict: str, strip: str, k: int, n: int, place: int | None = None, **more: object) -> dict:
    return {
        "name": name, "says": says, "device_point": w.device.point, "device_scalar": w.device.scalar.to_bytes(32, "big"),
        "evidence_scalar": EVIDENCE.scalar.to_bytes(32, "big"), "escrow_scalar": ESCROW.scalar.to_bytes(32, "big"),
        "vault_scalar": VAULT.scalar.to_bytes(32, "big"), "secret": w.secret, "verify_secret": w.v, "h_core": w.h_core,
        "k_enc": w.k_enc, "k_mac": w.k_mac, "tag_0": w.tag_0, "plaintext": w.plaintext,
        **more, **{f"part_{i}": part for i, part in enumerate(parts)},
        "verdict": verdict, "strip": strip, "last_index": k, "signed_to": n, "place": "none" if place is None else place,
    }  # fmt: skip


def word(state: int, index: int, tag: bytes) -> str:
    return f"{state} {index} {tag.hex()}"


def flip(data: bytes, at: int, bit: int = 1) -> bytes:
    return data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]


def forms() -> list[dict]:
    """One of everything a writer may write."""
    intact, four = filmed("intact"), filmed("four", recipients=[*THREE, (OPEN, REPLAY)])
    parts, big, huge = filmed("parts"), filmed("4096", 4096), filmed("16384", 16384)
    pre, live = filmed("pre-event", kind=PRE_EVENT), filmed("live", kind=LIVE)
    empty = Writer(CAMERA, THREE, name="empty")
    empty.end(5)
    body = filmed("body")
    full = "..." + "..|"
    return [
        case("recording_intact", "the worked example", intact, [intact.part()], "intact", full, 6, 5),
        case("recording_four_slots", "with a replay slot", four, [four.part()], "intact", full, 6, 5),
        case("recording_4096", "chunks of 4096 bytes", big, [big.part(stale=1)], "intact", full, 6, 5),
        case("recording_16384", "chunks of 16384 bytes", huge, [huge.part()], "intact", full, 6, 5),
        case("recording_parts", "two parts, the second with stale space", parts, [parts.part(parts.chunks[:4]), parts.part(parts.chunks[4:], 2)], "intact", full, 6, 5),
        case("recording_parts_any_order", "parts given the other way round", parts, [parts.part(parts.chunks[4:], 2), parts.part(parts.chunks[:4])], "intact", full, 6, 5),
        case("recording_empty", "an end and nothing else", empty, [empty.part(stale=3)], "intact", "|", 1, 0),
        case("pre_event", "kind 3", pre, [pre.part()], "intact", full, 6, 5),
        case("live", "kind 4, kept in a file", live, [live.part()], "intact", full, 6, 5),
        case("body", "the body form, judged with V", body, [body.body()], "intact", full, 6, 5, body="1"),
        mute_gap(), flight(), log_segment(),
    ]  # fmt: skip


def mute_gap() -> dict:
    w = Writer(CAMERA, THREE, name="mute")
    w.records([description(**FACTS), event(1, 0, 1), sound(0), sound(1), event(4, 64, 1)], 70)
    w.records([record(PICTURE, 100, jpeg(2), 1), event(5, 164, 1), record(SOUND, 164, sha(b"after")), event(2, 200, 1)], 200)
    w.end(210)
    return case("recording_mute_gap", "no sound record between mute at 64 and unmute at 164", w, [w.part()], "intact", "." * (len(w.chunks) - 1) + "|", len(w.chunks), len(w.chunks) - 1)


def flight() -> dict:
    w = Writer(CAMERA, THREE, name="flight")
    where = struct.pack(">iiiI", 555_000_000, 125_000_000, 12_000, 250)
    w.records([description(**FACTS, profile="uas", issue="00112233445566778899aabbccddeeff", flight="0042", pilot="ffeeddccbbaa99887766554433221100"), event(13, 5, 0)], 10)
    w.records([record(POSITION, 20, where), record(PICTURE, 30, jpeg(3), 1), event(14, 90, 0), event(2, 95, 1)], 95)
    w.end(100)
    k = len(w.chunks)
    return case("recording_issue_flight", "issue, flight and pilot in the description; position, take-off, landing", w, [w.part()], "intact", "." * (k - 1) + "|", k, k - 1)


def log_segment() -> dict:
    w = Writer(CAMERA, [(OPEN, EVIDENCE), (OPEN, VAULT)], seq=2, kind=LOG, name="log")
    for n, entry in enumerate(log_entries()):
        w.records([record(LOG_ENTRY, 10 * n, entry)], 10 * n)
    w.end(60, 6)
    return case("log_segment", "kind 2: three entries, one a chunk; evidence and vault open it", w, [w.part(stale=2)], "intact", "...|", 4, 3)


def log_entries() -> list[bytes]:
    """`usage-log.md`: power on, record start, bookmark."""
    previous, entries = sha(b"sealcam/1 log first\0", CAMERA.id), []
    for number, (code, detail, seq, data) in enumerate([(1, 1, 0, b""), (4, 1, 1, sha(b"id")[:16]), (7, 0, 1, b"")], 1):
        head = struct.pack(">4sHHQIQQ4xQ16s32s", b"SKU1", code, detail, number, 7, 1000 * number, 1_790_000_000_000 + 1000 * number, seq, data, previous)
        previous = sha(b"sealcam/1 log\0", head)
        entries.append(head + previous)
    return entries


def cut_short() -> list[dict]:
    w = filmed("cut", end=False)
    torn = w.part(w.chunks[:4]) + w.chunks[4][:200] + bytes(312)
    tag_2, tag_5 = w.chunks[1][-32:], w.chunks[4][-32:]
    done = filmed("done")
    return [
        case("cut_unconfirmed", "no end, no word", w, [w.part(stale=2)], "cut short", "..,,,", 5, 2),
        case("cut_torn", "the last chunk in flight was torn", w, [torn], "cut short", "..,,~", 4, 2),
        case("cut_confirmed", "the journal's last progress is on the card", w, [w.part(stale=2)], "cut short", "..,,,", 5, 2, word=word(2, 2, tag_2)),
        case("cut_before_first_signature", "the journal knows no signature", w, [w.part(w.chunks[:2], 3)], "cut short", ",,", 2, 0, word=word(2, 0, bytes(32))),
        case("cut_no_chunk", "a head and no chunk", w, [w.part([], 4)], "cut short", "", 0, 0),
        case("tail_removed_ended", "the journal says ended at 6", done, [done.part(done.chunks[:5], 2)], "altered", "..,,,-", 5, 2, 6, word=word(1, 6, done.tag)),
        case("tail_removed_progress", "the journal's progress is beyond the card", w, [w.part(w.chunks[:1], 2)], "altered", ",-", 1, 0, 2, word=word(2, 2, tag_2)),
        case("word_other_tag", "the journal names another tag at 5", w, [w.part(stale=2)], "altered", "..,,!", 5, 2, 5, word=word(2, 5, flip(tag_5, 0))),
        case("cut_before_closed", "an end the journal had no time to note", done, [done.part()], "intact", ".....|", 6, 5, word=word(2, 2, done.chunks[1][-32:])),
    ]  # fmt: skip


def altered() -> list[dict]:
    w, other = filmed("altered"), filmed("other", seq=2)
    c, block = w.chunks, w.block
    b = w.part()
    forged = filmed("altered")
    forged.chunks = c[:5] + [w.chunk(END, w.statement(END, 5, 150, 1, STRANGER), 150, index=6, prev=c[4][-32:])]
    again = w.chunk(DATA, bytes(416), 140, 0, 5, c[3][-32:])
    after = w.chunk(DATA, bytes(416), 160, 0, 7, c[5][-32:])
    unknown = w.chunk(9, bytes(416), 140, 0xFFFF, 6, c[4][-32:])
    reserved = w.chunk(DATA, bytes(416), 140, 0, 5, c[3][-32:])[:-32]
    reserved = flip(reserved, 5)
    reserved += mac(w.k_mac, reserved)
    broken_link = w.chunk(DATA, bytes(416), 140, 0, 5, sha(b"another tag"))
    return [
        case("altered_chunk", "one bit of chunk 4", w, [flip(b, 2 * block + 3 * 512 + 100)], "altered", "..,!.|", 6, 5, 4),
        case("altered_missing", "chunk 4 is gone", w, [w.part(c[:3] + c[4:])], "altered", "..,-.|", 6, 5, 4),
        case("altered_swapped", "chunks 4 and 5 change places", w, [w.part(c[:3] + [c[4], c[3], c[5]])], "altered", "...!.|", 6, 5, 4),
        case("altered_repeated", "chunk 2 again before 3", w, [w.part(c[:2] + [c[1]] + c[2:])], "altered", ".!...|", 6, 5, 2),
        case("altered_put_in", "a chunk of another recording between 2 and 3", w, [w.part(c[:2] + [other.chunks[0]] + c[2:])], "altered", "..!..|", 6, 5, 3),
        case("altered_transplanted", "chunk 5 of another recording", w, [w.part(c[:4] + [other.chunks[4]] + c[5:])], "altered", "..,,!|", 6, 2, 5),
        case("altered_end_forged", "an end without the device key", w, [forged.part()], "altered", "..,,,!", 6, 2, 6),
        case("altered_covered_tail", "chunk 5 sealed again with the verify key", w, [w.part(c[:4] + [again, c[5]])], "altered", "..,,,!", 6, 2, 6),
        case("altered_link", "chunk 5 names another chunk 4", w, [w.part(c[:4] + [broken_link])], "altered", "..,,!", 5, 2, 5),
        case("altered_after_end", "a proved chunk after the end", w, [w.part([*c, after])], "altered", ".....|!", 7, 5, 7),
        case("altered_head_copy", "one bit of the second head", w, [flip(b, block + 20)], "altered", ".....|", 6, 5, 0),
        case("altered_slot", "one bit of the escrow slot in the first head", w, [flip(b, 512 + 192 + 110)], "altered", ".....|", 6, 5, 0),
        case("altered_first_block", "the first head destroyed", w, [bytes(block) + b[block:]], "altered", ".....|", 6, 5, 0),
        case("tail_edited_with_v", "the unsigned tail sealed again with the verify key", w, [w.part(c[:4] + [again])], "cut short", "..,,,", 5, 2),
        case("not_judged_type", "type 9 under a tag that proves", w, [w.part(c[:5] + [unknown])], "not judged", "..,,,,", 6, 2),
        case("not_judged_reserved", "a reserved byte under a tag that proves", w, [w.part(c[:4] + [reserved])], "not judged", "..,,,", 5, 2),
        case("not_judged_suite", "suite 2 in both heads", w, [flip(flip(b, 11, 3), block + 11, 3)], "not judged", "", 0, 0),
    ]  # fmt: skip


def heads() -> list[dict]:
    """What section 3.1 says of heads that are not as they were sealed."""
    w = filmed("heads")
    b, block, c = w.part(), w.block, w.chunks
    reserved = flip(flip(b, 300), block + 300)
    role = flip(flip(b, 512, OPEN), block + 512, OPEN)
    second = w.part(c[3:])
    second = flip(flip(second, 70), block + 70)
    gone = bytes(2 * block) + second[2 * block :]
    return [
        case("altered_head_reserved", "one bit of bytes 288..511 in both heads", w, [reserved], "altered", ".....|", 6, 5, 0),
        case("altered_slot_role", "the role of slot 0 zeroed in both heads: no slot is left for any key", w, [role], "altered", "", 0, 0, 0, key="private"),
        case("altered_second_heads", "one bit of both cores of part 1", w, [w.part(c[:3]), second], "altered", ".....|", 6, 5, 0),
        case("altered_second_heads_gone", "both heads of part 1 zeroed", w, [w.part(c[:3]), gone], "altered", ".....|", 6, 5, 0),
    ]  # fmt: skip


def gaps() -> list[dict]:
    """Absent, half there and removed chunks: sections 3.2 and 3.4."""
    w, done = filmed("gaps", end=False), filmed("gaps done")
    c, d = w.chunks, done.chunks
    far = w.chunk(DATA, bytes(416), 150, 0, 46)
    half = done.part(d[:3]) + d[3][:200]
    damaged = done.part(d[:3] + [flip(d[3], 100), d[4]], 2)
    torn = w.part(c[:4]) + c[4][:200] + bytes(312)
    ended_4, ended_6 = word(1, 4, c[3][-32:]), word(1, 6, done.tag)
    return [
        case("altered_gap", "the chunk of index 46 right behind that of index 5", w, [w.part([*c, far])], "altered", "..,,," + 40 * "-" + ",", 46, 2, 6),
        case("altered_part_block_extra", "200 bytes put in at the end of part 0", done, [half, done.part(d[3:])], "altered", "...!.|", 6, 5, 4),
        case("altered_part_block", "chunk 4 cut to 200 bytes at the end of part 0", done, [half, done.part(d[4:])], "altered", "..,!.|", 6, 5, 4),
        case("tail_removed_damaged", "the journal says ended at 6; chunk 4 is damaged as well", done, [damaged], "altered", "..,!,-", 5, 2, 4, word=ended_6),
        case("tail_removed_named_below", "the journal says ended at 4, where no end is", w, [w.part(stale=1)], "altered", "..,,,-", 5, 2, 6, word=ended_4),
        case("tail_removed_torn", "the journal says ended at 4; there is no end, and chunk 5 is torn", w, [torn], "altered", "..,,-", 4, 2, 5, word=ended_4),
    ]  # fmt: skip


def chains() -> list[dict]:
    """`prev`: the next header says what became of the recording before."""
    first = filmed("first", seq=3)
    entry = closing(3, first.recording_id, 6, first.tag, 1)
    cut = filmed("cut by power", seq=4, end=False, prev=sha(entry))
    cut_entry = closing(4, cut.recording_id, 2, cut.chunks[1][-32:], 2)
    after = filmed("after", seq=5, prev=sha(cut_entry))
    void = closing(9, bytes(16), 0, bytes(32), 3)
    return [{
        "name": "chain_of_headers", "says": "ended, cut, ended; the words of the first two come from the next header",
        "device_point": CAMERA.point, "vault_scalar": VAULT.scalar.to_bytes(32, "big"), "closing_0": entry, "closing_1": cut_entry, "closing_void": void,
        "digest_void": sha(void), "recording_0": first.part(), "recording_1": cut.part(stale=1), "recording_2": after.part(),
        "word_0": word(1, 6, first.tag), "word_1": word(2, 2, cut.chunks[1][-32:]),
    }]  # fmt: skip


def text(fields: dict) -> str:
    lines = []
    for key, value in fields.items():
        if isinstance(value, bytes):
            h = value.hex()
            lines.append(f"{key}: {h[:128]}")
            lines += ["  " + h[i : i + 128] for i in range(128, len(h), 128)]
        else:
            lines.append(f"{key}: {value}".rstrip())
    return "\n".join(lines) + "\n"


def main() -> int:
    keys = {"camera": CAMERA, "evidence": EVIDENCE, "escrow": ESCROW, "vault": VAULT}
    cases = forms() + cut_short() + altered() + heads() + gaps() + chains() + pages(keys, log_entries()) + wire(CAMERA)
    stale = []
    for fields in cases:
        path, made = HERE / f"{fields['name']}.txt", text(fields)
        if "--check" not in sys.argv:
            path.write_text(made)
        elif not path.exists() or path.read_text() != made:
            stale.append(path.name)
    kept = {f"{fields['name']}.txt" for fields in cases}
    stale += [p.name for p in HERE.glob("*.txt") if p.name not in kept]
    print(f"{len(cases)} vectors" + (f"; stale: {' '.join(stale)}" if stale else ""))
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
