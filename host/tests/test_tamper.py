"""Everything done to a recording, and what both readers make of it. The strips read like a score."""

import hmac
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sampling import sampled
from sealhost import layout, seal, verify
from sealhost.records import Verdict, Word

sys.path.insert(0, str(Path(__file__).resolve().parent))
from recordings import Office, film, part_with
from second_reader import ours, theirs

OFFICE = Office()
FILM = film(
    OFFICE, "..s..e", replay=True
)  # a header with four slots, four chunks, an interim signature, an end
OTHER = film(OFFICE, "..s..e", replay=True, flavour=9, sequence=2)
STRANGE = film(Office(1), "..s..e", replay=True)
CUT = film(OFFICE, "..s..", replay=True)
B, SIZE = FILM.core.block_size, FILM.core.chunk_size
WHOLE = FILM.parts()[0]


def judged(parts: list[bytes], word: Word | None = None) -> dict[str, object]:
    """Our judgement with the verify key, which must be the second reader's too."""
    found = OFFICE.judge(parts, word)
    points = [OFFICE.device.point]
    assert ours(found) == theirs(parts, points, word, scalar=OFFICE.vault.scalar)
    return ours(found)


def with_chunks(*chunks: bytes, writer: seal.Writer = FILM) -> list[bytes]:
    """One part that holds these chunks."""
    return [writer.part(list(chunks))]


def flipped(content: bytes, bit: int) -> bytes:
    """One bit the other way."""
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << (bit % 8)
    return bytes(changed)


def broken(index: int, writer: seal.Writer = FILM) -> bytes:
    """A chunk with one byte changed in its payload."""
    chunk = bytearray(writer.chunks[index - 1])
    chunk[100] ^= 0xFF
    return bytes(chunk)


def resealed(chunk: bytes, k_mac: bytes, change: Callable[[bytearray], None]) -> bytes:
    """A chunk changed by somebody with the verify key in hand: its tag proves again."""
    body = bytearray(chunk[: -layout.TAG_SIZE])
    change(body)
    return bytes(body) + hmac.digest(k_mac, body, "sha256")


C = FILM.chunks
SCORE = [
    ("untouched", [WHOLE], ".....|", "intact", None),
    ("chunk 1 changed", with_chunks(broken(1), *C[1:]), "!....|", "altered", 1),
    (
        "chunk 2 changed: what stands before the hole is signed for no more",
        with_chunks(C[0], broken(2), *C[2:]),
        ",!...|",
        "altered",
        2,
    ),
    ("the interim signature changed", with_chunks(*C[:2], broken(3), *C[3:]), ",,!..|", "altered", 3),
    ("chunk 5 changed", with_chunks(*C[:4], broken(5), C[5]), "..,,!|", "altered", 5),
    ("the end changed", with_chunks(*C[:5], broken(6)), "..,,,~", "cut short", None),
    ("chunk 4 dropped", with_chunks(*C[:3], *C[4:]), "..,-.|", "altered", 4),
    ("chunk 1 dropped", with_chunks(*C[1:]), "-....|", "altered", 1),
    ("chunk 2 repeated", with_chunks(*C[:2], *C[1:]), ".!...|", "altered", 2),
    ("chunks 4 and 5 swapped", with_chunks(*C[:3], C[4], C[3], C[5]), "...!.|", "altered", 4),
    ("two chunks overwritten", with_chunks(C[0], bytes(SIZE), bytes(SIZE), *C[3:]), ",!!..|", "altered", 2),
    ("something put in", with_chunks(*C[:3], bytes(SIZE), *C[3:]), "...!.|", "altered", 4),
    (
        "a chunk of another recording put in the place of 4",
        with_chunks(*C[:3], OTHER.chunks[3], *C[4:]),
        "..,!.|",
        "altered",
        4,
    ),
    (
        "a chunk of another camera put in the place of 4",
        with_chunks(*C[:3], STRANGE.chunks[3], *C[4:]),
        "..,!.|",
        "altered",
        4,
    ),
    ("the end of another recording", with_chunks(*C[:5], OTHER.chunks[5]), "..,,,", "cut short", None),
    ("the tail cut", with_chunks(*C[:5]), "..,,,", "cut short", None),
    ("the tail cut down to the signature", with_chunks(*C[:3]), "..,", "cut short", None),
    ("everything cut", with_chunks(), "", "cut short", None),
    ("the last chunk torn", [WHOLE[: -SIZE + 300] + bytes(SIZE - 300)], "..,,,~", "cut short", None),
    ("the last chunk half there", [WHOLE[: -SIZE // 2]], "..,,,", "cut short", None),
    ("stale space after the end", [WHOLE + os.urandom(4 * SIZE)], ".....|", "intact", None),
    ("chunks of another recording after the end", with_chunks(*C, *OTHER.chunks), ".....|", "intact", None),
    ("a chunk of its own after the end", with_chunks(*C, C[0]), "!....|", "altered", 1),
    ("the first head destroyed", [bytes(B) + WHOLE[B:]], ".....|", "altered", 0),
    ("the second head destroyed", [WHOLE[:B] + bytes(B) + WHOLE[2 * B :]], ".....|", "altered", 0),
    ("both heads destroyed", [bytes(2 * B) + WHOLE[2 * B :]], "", "not judged", None),
    ("both heads of another recording", [OTHER.head * 2 + WHOLE[2 * B :]], "", "cut short", None),
    ("one head of another recording", [WHOLE[:B] + OTHER.head + WHOLE[2 * B :]], ".....|", "altered", 0),
    ("both heads of another camera", [STRANGE.head * 2 + WHOLE[2 * B :]], "", "not judged", None),
    ("the slots of another recording", [part_with(FILM, area=OTHER.area)], "", "altered", 0),
    (
        "slots swapped",
        [part_with(FILM, area=FILM.area[192:384] + FILM.area[:192] + FILM.area[384:])],
        ".....|",
        "altered",
        0,
    ),
    (
        "a slot of another recording in both heads",
        [part_with(FILM, area=OTHER.area[:192] + FILM.area[192:])],
        ".....|",
        "altered",
        0,
    ),
    ("the slots zeroed", [part_with(FILM, area=bytes(B - 512))], "", "not judged", None),
    ("parts the wrong way round", FILM.parts(2)[::-1], ".....|", "intact", None),
    ("the middle part missing", [FILM.parts(2)[0], FILM.parts(2)[2]], ",,--.|", "altered", 3),
    ("a part given twice", [*FILM.parts(2), FILM.parts(2)[1]], "..!!.|", "altered", 3),
    ("a part of another recording among them", [*FILM.parts(3), OTHER.parts(3)[1]], ".....|", "intact", None),
    (
        "a part of another recording under our heads",
        [FILM.parts(3)[0], FILM.part(OTHER.chunks[3:])],
        "..,",
        "cut short",
        None,
    ),
    (
        "the heads of the second part destroyed",
        [FILM.parts(3)[0], bytes(2 * B) + FILM.parts(3)[1][2 * B :]],
        ".....|",
        "altered",
        0,
    ),
]


@pytest.mark.promise5
@pytest.mark.parametrize(("done", "parts", "strip", "verdict", "place"), SCORE, ids=[row[0] for row in SCORE])
def test_what_is_done_to_it_is_what_the_strip_says(done, parts, strip, verdict, place):
    found = judged(parts)

    assert (found["strip"], found["verdict"], found["place"]) == (strip, verdict, place), done


ENDED = Word(1, 6, FILM.tag, "journal")
SIGNED = Word(2, 2, C[1][-32:], "journal")
WORDS = [
    ("intact, and the journal agrees", [WHOLE], ENDED, ".....|", "intact", None),
    ("the tail cut, and the journal knows the end", with_chunks(*C[:5]), ENDED, "..,,,-", "altered", 6),
    ("torn, and the journal knows the end", [WHOLE[:-1] + b"x"], ENDED, "..,,,-", "altered", 6),
    ("cut, and the journal says the same", with_chunks(*C[:5]), SIGNED, "..,,,", "cut short", None),
    ("cut below what the journal signed", with_chunks(*C[:1]), SIGNED, ",-", "altered", 2),
    (
        "the journal names another tag",
        with_chunks(*C[:5]),
        Word(2, 2, bytes(32), "journal"),
        ".!,,,",
        "altered",
        2,
    ),
    ("the journal ended it earlier", [WHOLE], Word(1, 5, C[4][-32:], "journal"), ".....!", "altered", 6),
    (
        "the journal ended it with another tag",
        [WHOLE],
        Word(1, 6, bytes(32), "journal"),
        ".....!",
        "altered",
        6,
    ),
    ("the number was void", [WHOLE], Word(3, 0, bytes(32), "journal"), ".....|", "altered", 0),
    (
        "a cut that names nothing",
        with_chunks(*C[:2]),
        Word(2, 0, bytes(32), "journal"),
        ",,",
        "cut short",
        None,
    ),
    (
        "thousands are missing",
        with_chunks(*C[:5]),
        Word(2, 90_000, bytes(32), "journal"),
        "..,,," + "-" * 4096,
        "altered",
        6,
    ),
]


@pytest.mark.promise5
@pytest.mark.parametrize(
    ("done", "parts", "word", "strip", "verdict", "place"), WORDS, ids=[row[0] for row in WORDS]
)
def test_the_cameras_word_shows_a_tail_that_was_cut(done, parts, word, strip, verdict, place):
    found = judged(parts, word)

    assert (found["strip"], found["verdict"], found["place"]) == (strip, verdict, place), done


def forged_end(writer: seal.Writer, signature: bytes) -> bytes:
    """An end that proves by its tag, for somebody with V in hand, under a signature of another chunk."""
    said = bytearray(
        seal.statement(writer.core, layout.TYPE_END, writer.index, writer.tag, writer.totals, OFFICE.vault)
    )
    said[layout.STATEMENT_SIZE :] = signature
    header = layout.HEADER_STRUCT.pack(
        b"SKC1", 3, 0, 0xFFFF, writer.index + 1, writer.core.recording_id[:8], 0, 0, writer.tag
    )
    body = header + bytes(said).ljust(writer.room, b"\0")
    return body + hmac.digest(writer.keys.k_mac, body, "sha256")


@pytest.mark.promise5
@pytest.mark.parametrize("keep", range(3, 6))
def test_an_end_forged_with_the_verify_key_after_an_interim_signature_is_altered(keep):
    interim = CUT.chunks[2]
    writer = film(OFFICE, "..s..", secret=CUT.secret)
    writer.chunks, writer.index, writer.tag = CUT.chunks[:keep], keep, CUT.chunks[keep - 1][-32:]
    writer.core, writer.area = CUT.core, CUT.area
    writer.__post_init__()
    end = forged_end(writer, interim[64 + 128 : 64 + 192])

    found = judged([CUT.part([*CUT.chunks[:keep], end])])

    assert found["verdict"] == "altered"
    assert found["place"] == keep + 1
    assert "|" not in str(found["strip"])


@pytest.mark.promise5
@pytest.mark.parametrize("index", [4, 5])
def test_the_unsigned_tail_edited_with_the_verify_key_is_never_signed_for_and_never_intact(index):
    edited = list(CUT.chunks)
    for at in range(index - 1, 5):
        before = edited[at - 1][-32:]

        def change(body: bytearray, before: bytes = before) -> None:
            body[32:64] = before
            body[200] ^= 0xFF

        edited[at] = resealed(edited[at], CUT.keys.k_mac, change)

    found = judged([CUT.part(edited)])

    assert found["verdict"] == "cut short"
    assert found["strip"] == "..,,,"
    assert found["signed_to"] == 2


@pytest.mark.promise5
@pytest.mark.parametrize("index", [1, 2, 4, 5])
def test_a_signed_chunk_edited_with_the_verify_key_breaks_the_chain_at_the_next(index):
    edited = list(C)

    def change(body: bytearray) -> None:
        body[200] ^= 0xFF

    edited[index - 1] = resealed(C[index - 1], FILM.keys.k_mac, change)

    found = judged([FILM.part(edited)])

    assert found["verdict"] == "altered"
    assert found["place"] == index + 1
    assert str(found["strip"])[index - 1] != "."


@pytest.mark.promise5
@pytest.mark.parametrize("index", [4, 5])
def test_the_unsigned_tail_edited_without_a_key_is_torn_or_altered(index):
    edited = list(CUT.chunks)
    edited[index - 1] = broken(index, CUT)

    found = judged([CUT.part(edited)])

    assert found["strip"] == {4: "..,!,", 5: "..,,~"}[index]
    assert found["verdict"] == {4: "altered", 5: "cut short"}[index]


def expect(bit: int) -> tuple[str, object]:
    """Verdict and place of one flipped bit, by where it lies."""
    at = bit // 8
    if at < 2 * B:
        return "altered", 0
    index = (at - 2 * B) // SIZE + 1
    return ("altered", index) if index < 6 else ("cut short", None)


def check_bit(bit: int) -> None:
    """A flipped bit is found where it lies, by both readers."""
    found = judged([flipped(WHOLE, bit)])
    assert (found["verdict"], found["place"]) == expect(bit), f"bit {bit}"
    assert found["verdict"] != "intact"


@pytest.mark.promise5
@pytest.mark.parametrize(
    "place", ["core", "tag_0", "slot", "zeros", "second head", "chunk 2", "signature", "end"]
)
def test_a_flipped_bit_is_found_where_it_lies(place):
    starts = {
        "core": 0,
        "tag_0": 256,
        "slot": 512,
        "zeros": 512 + 4 * 192,
        "second head": B + 100,
        "chunk 2": 2 * B + SIZE,
        "signature": 2 * B + 2 * SIZE,
        "end": 2 * B + 5 * SIZE,
    }

    for bit in range(starts[place] * 8, (starts[place] + 32) * 8, 5):
        check_bit(bit)


@pytest.mark.power
@pytest.mark.promise5
def test_every_single_flipped_bit_is_found_where_it_lies():
    for bit in sampled(range(len(WHOLE) * 8)):
        check_bit(bit)


@pytest.mark.promise5
def test_what_is_intact_is_recovered_around_a_hole():
    parts = with_chunks(C[0], broken(2), *C[2:])
    found = OFFICE.judge(parts)

    told = list(verify.records([verify.part_from(parts[0])], found, FILM.secret))

    assert [ms for _, _, ms, _ in told] == [0, 80, 120]
    assert found.verdict is Verdict.ALTERED
