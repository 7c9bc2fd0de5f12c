"""The second reader against single sentences of section 3, where no known answer stands."""

import sys
from importlib import import_module
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
cases = import_module("test_verify_recording")
reader = import_module("verify_recording")
VERDICTS, BLOCK = cases.VERDICTS, 2048
FULL = ("altered", ".....|", 6, 5, 0)
NOTHING = ("altered", "", 0, 0, 0)


def first_part(name: str = "recording_intact") -> bytes:
    return cases.numbered(VERDICTS[name], "part")[0]


def answer(part: bytes, side: str = "vault_scalar", name: str = "recording_intact", **more: object) -> tuple:
    """Verdict, strip, k, n and place of one part."""
    vector = VERDICTS[name]
    given = {"points": [bytes.fromhex(vector["device_point"])]} | more
    found = reader.judge([part], **cases.held_by(vector, side), **given)
    return tuple(found[key] for key in cases.JUDGED)


def flipped(part: bytes, *places: int) -> bytes:
    found = bytearray(part)
    for at in places:
        found[at] ^= 0xFF
    return bytes(found)


def word(state: int, index: int, tag_of: int = 0, name: str = "recording_intact") -> tuple[int, int, bytes]:
    """A word with the tag of a chunk of this recording, or zeros."""
    start = 2 * BLOCK + 512 * tag_of
    return state, index, first_part(name)[start - 32 : start] if tag_of else bytes(32)


def test_copy_1_is_found_whatever_copy_0_says() -> None:
    """Proves M13: a copy 0 that reads as another size hides nothing."""
    foreign = flipped(first_part()[:BLOCK], 256)
    part = foreign + first_part("recording_4096")[BLOCK:]
    assert answer(part, name="recording_4096") == FULL


@pytest.mark.parametrize("places", [(288,), (511,), (BLOCK + 288,), (288, BLOCK + 288), (511, BLOCK + 511)])
def test_bytes_288_to_511_are_zero_or_the_head_is_altered(places: tuple[int, ...]) -> None:
    assert answer(flipped(first_part(), *places)) == FULL


def test_a_reserved_byte_in_both_heads_is_altered_without_any_chunk() -> None:
    head = first_part()[: 2 * BLOCK]
    assert answer(flipped(head, 400, BLOCK + 400)) == NOTHING
    assert answer(head) == ("cut short", "", 0, 0, None)


def test_no_slot_for_us_is_not_judged_unless_the_slot_area_was_changed() -> None:
    stranger = {"scalar": (7).to_bytes(32, "big"), "points": [bytes.fromhex(cases.INTACT["device_point"])]}
    verdicts = []
    for places in [(), (512,), (512, BLOCK + 512)]:
        verdicts.append(reader.judge([flipped(first_part(), *places)], **stranger)["verdict"])
    assert verdicts == ["not judged", "not judged", "altered"]


@pytest.mark.parametrize("side", ["verify_secret", "secret"])
def test_with_a_secret_in_hand_a_zeroed_slot_still_lets_the_chunks_be_judged(side: str) -> None:
    assert answer(first_part("altered_slot_role"), side, "altered_slot_role") == FULL


def test_a_slot_of_another_algorithm_is_addressed_and_opens_nothing() -> None:
    at = 512 + 2 * 192 + 1
    assert answer(flipped(first_part(), at, BLOCK + at)) == NOTHING
    assert answer(flipped(first_part(), at, BLOCK + at), "evidence_scalar") == FULL


def test_a_head_that_is_not_whole_is_not_judged_and_no_magic_is_no_recording() -> None:
    assert answer(first_part()[: BLOCK - 1])[0] == "not judged"
    assert answer(bytes(5000))[0] == "no recording"
    assert answer(flipped(first_part(), 15, BLOCK + 15))[0] == "not judged"


@pytest.mark.parametrize("said", [None, (1, 9, bytes(32)), (3, 0, bytes(32))])
def test_an_unknown_device_has_an_empty_strip_whatever_the_word(said: tuple | None) -> None:
    assert answer(first_part(), points=[], word=said) == ("not judged", "", 0, 0, None)


def test_without_any_chunk_the_heads_count_only_where_both_have_a_core() -> None:
    head = first_part()[: 2 * BLOCK]
    assert answer(flipped(head, BLOCK + 600)) == NOTHING
    assert answer(head[:BLOCK] + bytes(BLOCK))[0] == "cut short"
    assert answer(bytes(BLOCK) + head[BLOCK:])[0] == "cut short"
    assert answer(head[:BLOCK])[0] == "cut short"


def test_a_torn_first_chunk_is_looked_for_at_position_0() -> None:
    torn = flipped(first_part()[: 2 * BLOCK + 512], 2 * BLOCK + 300)
    assert answer(torn) == ("cut short", "~", 0, 0, None)
    assert answer(torn[:-1]) == ("cut short", "", 0, 0, None)


def test_a_chunk_of_index_0_is_not_counted() -> None:
    found = cases.sealed_again({5: {8: bytes(8)}})
    assert [found[key] for key in cases.JUDGED] == ["not judged", "..,,,", 5, 2, None]


def test_absent_marks_are_bounded_together_and_place_and_k_are_exact() -> None:
    """Proves M17."""
    found = cases.sealed_again({3: {8: (1 << 30).to_bytes(8, "big")}, 5: {8: (1 << 40).to_bytes(8, "big")}})
    assert (found["last_index"], found["place"]) == (1 << 40, 4)
    assert len(found["strip"]) == reader.ABSENT + 5
    assert found["strip"].count("-") == reader.ABSENT - 1  # index 5 turns up later


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (word(1, 5, 5), ("altered", ".....!", 6, 5, 6)),
        (word(1, 0), ("altered", "!....|", 6, 5, 1)),
        (word(2, 8), ("altered", ".....|--", 6, 5, 7)),
        (word(1, 1 << 60), ("altered", ".....|" + 4096 * "-", 6, 5, 7)),
        (word(1, 6, 5), ("altered", ".....!", 6, 5, 6)),
        (word(3, 0), ("altered", ".....|", 6, 5, 0)),
        (word(2, 5, 5), ("intact", ".....|", 6, 5, None)),
    ],
)  # fmt: skip
def test_a_word_beside_an_end(said: tuple, expected: tuple) -> None:
    assert answer(first_part(), word=said) == expected


def test_a_word_of_an_end_is_marked_whatever_else_is_damaged() -> None:
    """An end below k is no end: the tail is removed as well."""
    name = "altered_after_end"
    assert answer(first_part(name), name=name, word=word(1, 6, 6, name)) == ("altered", ".....|!-", 7, 5, 7)
    head = flipped(first_part()[: 2 * BLOCK + 5 * 512], 30)
    assert answer(head, word=word(1, 7)) == ("altered", "..,,,--", 5, 2, 0)


def test_an_absent_chunk_right_after_the_end_that_was_named_stays_absent() -> None:
    part = first_part()
    gap = part[: 2 * BLOCK + 3 * 512] + part[2 * BLOCK + 4 * 512 :]
    assert answer(gap, word=word(1, 3, 3)) == ("altered", "..,-.|", 6, 5, 4)


def test_a_head_that_is_covered_gives_no_closing_entry() -> None:
    """Ended (1, its tag) and cut (0, zeros): no cut (0, tag_0)."""
    closings = cases.judged(VERDICTS["recording_empty"], "vault_scalar")["facts"].closings
    assert sorted(entry[:2] for entry in closings.values()) == [(1, 1), (2, 0)]
