"""What later headers and the journal say of a recording; tails, forks and roll-backs."""

import sys
from pathlib import Path

import pytest
from sealhost import keys, layout, statements, verify, words
from sealhost.records import Verdict, Word

sys.path.insert(0, str(Path(__file__).resolve().parent))
from recordings import VECTORS, Office, film, read_vector
from second_reader import ours, second

OFFICE = Office()


def settled(films: list[list[bytes]], **rest: object) -> list[dict[str, object]]:
    """Our judgements after everybody has spoken, which must be the second reader's."""
    found = [ours(judgement) for judgement in words.settle([OFFICE.judge(parts) for parts in films], **rest)]
    if not rest:
        judge = [
            second.judge(parts, scalar=OFFICE.vault.scalar, points=[OFFICE.device.point]) for parts in films
        ]
        theirs = [{name: one[name] for name in found[0]} for one in second.words(judge)]
        assert found == theirs
    return found


def log(sequence: int, prev: bytes, script: str = ".e"):
    """A log segment."""
    return film(OFFICE, script, kind=layout.KIND_LOG, sequence=sequence, prev=prev)


def test_the_next_header_gives_the_word_of_the_vector():
    told = read_vector(VECTORS / "chain_of_headers.txt")
    vault = keys.SoftKey.of_scalar(bytes.fromhex(told["vault_scalar"]))
    parts = [[verify.part_from(bytes.fromhex(told[f"recording_{n}"]))] for n in range(3)]
    found = [
        verify.judge(p, [vault], device_point=lambda _: bytes.fromhex(told["device_point"])) for p in parts
    ]

    said = words.words(found)

    for number in range(2):
        state, index, tag = told[f"word_{number}"].split()
        assert said[found[number].core.h_core] == Word(int(state), int(index), bytes.fromhex(tag), "header")
    assert len(said) == 2


@pytest.mark.promise5
def test_a_cut_recording_is_confirmed_by_the_head_of_the_next():
    cut = film(OFFICE, "..s..", sequence=5)
    after = log(6, cut.closing(2, 2, cut.chunks[1][-32:]))

    found = settled([cut.parts(), after.parts()])

    assert found[0]["verdict"] == "cut short"
    assert words.settle([OFFICE.judge(cut.parts()), OFFICE.judge(after.parts())])[0].confirmed


@pytest.mark.promise5
def test_a_tail_cut_below_what_the_next_head_names_is_altered():
    whole = film(OFFICE, "..s...s..", sequence=5)
    first = log(4, bytes(32))
    after = log(6, whole.closing(2, 6, whole.chunks[5][-32:]))
    short = [whole.part(whole.chunks[:4])]

    found = settled([first.parts(), short, after.parts()])

    assert (found[1]["verdict"], found[1]["place"], found[1]["strip"]) == ("altered", 5, "..,,-")


@pytest.mark.promise5
def test_an_ended_recording_rolled_back_is_altered_once_the_next_head_is_there():
    whole = film(OFFICE, "..s..e", sequence=5)
    rolled = [whole.part(whole.chunks[:5])]
    assert settled([rolled])[0]["verdict"] == "cut short"

    after = film(OFFICE, ".e", sequence=6, prev=whole.closing(1))
    assert settled([rolled, after.parts()])[0]["verdict"] == "altered"


def test_where_a_number_is_not_at_hand_nobody_says_the_tail_is_gone():
    whole = film(OFFICE, "..s..e", sequence=5)
    missing = film(OFFICE, ".e", sequence=6, prev=whole.closing(1))
    after = film(OFFICE, ".e", sequence=7, prev=missing.closing(1))
    assert settled([[whole.part(whole.chunks[:5])], after.parts()])[0]["verdict"] == "cut short"


@pytest.mark.promise5
def test_must_16_two_cores_under_one_number_are_a_fork():
    """Proves M16, as far as a reader can."""
    films = [
        film(OFFICE, "..e", sequence=8),
        film(OFFICE, "..e", sequence=8),
        film(OFFICE, "..e", sequence=9),
    ]
    found = settled([one.parts() for one in films])
    assert [one["verdict"] for one in found] == ["altered", "altered", "intact"]
    assert found[0]["place"] == 0


def inventory(entries: list[bytes]) -> statements.Inventory:
    """A signed journal, read again."""
    import hashlib

    body = b"".join(entries)
    fields = {"device_id": OFFICE.device.key_id, "nonce": bytes(16), "boot": 1, "ms": 2, "receipt_no": 0}
    digest = hashlib.sha256(body).digest()
    signed = statements.make("sealcam/1 device inventory", OFFICE.device, **fields, journal_digest=digest)
    return statements.read_inventory(signed + body, OFFICE.device.point, bytes(16))


def entry(writer, number: int, type_: int, state: int = 0, index: int = 0, tag: bytes = bytes(32)) -> bytes:
    """A journal entry on a recording."""
    core = writer.core
    found = {"number": number, "sequence": core.sequence, "recording_id": core.recording_id}
    return statements.journal_entry(type=type_, state=state, index=index, tag=tag, **found)


def test_the_journal_goes_before_the_next_header():
    cut = film(OFFICE, "..s..", sequence=5)
    after = log(6, cut.closing(2, 2, cut.chunks[1][-32:]))
    said = inventory(
        [entry(cut, 1, 1), entry(cut, 2, 2, 0, 2, cut.chunks[1][-32:]), entry(cut, 3, 3, 2, 8, b"x" * 32)]
    )

    found = settled([cut.parts(), after.parts()], inventory=said)

    assert (found[0]["verdict"], found[0]["place"], found[0]["strip"]) == ("altered", 6, "..,,,---")


def test_a_journal_that_only_made_progress_speaks_too():
    cut = film(OFFICE, "..s..", sequence=5)
    said = inventory([entry(cut, 1, 1), entry(cut, 2, 2, 0, 2, cut.chunks[1][-32:])])
    assert said.word_on(5, cut.core.recording_id) == Word(2, 2, cut.chunks[1][-32:], "journal")
    assert said.word_on(5, bytes(16)) is None
    assert settled([cut.parts()], inventory=said)[0]["verdict"] == "cut short"


def test_what_the_judgement_cannot_tell_is_judged_again():
    cut = film(OFFICE, "..s..", sequence=5)
    said = inventory([entry(cut, 1, 3, 2, 4, b"y" * 32)])
    parts = cut.parts()

    found = words.settle([OFFICE.judge(parts)], said, lambda _, word: OFFICE.judge(parts, word))

    assert (found[0].verdict, found[0].place) == (Verdict.ALTERED, 4)
