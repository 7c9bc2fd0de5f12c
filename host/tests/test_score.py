"""The strip of marks, for people."""

import sys
from pathlib import Path

import pytest
from sealhost import score
from sealhost.records import Judgement, Verdict

sys.path.insert(0, str(Path(__file__).resolve().parent))
from recordings import Office, film

ROWS = [
    (
        Judgement(Verdict.ALTERED, marks=b"..................!.........|", last_index=29, place=19),
        "0007.skr  ALTERED  ..................!.........|  chunk 19 of 29",
    ),
    (Judgement(Verdict.INTACT, marks=b"...|", last_index=4), "0007.skr  INTACT  ...|  4 chunks"),
    (
        Judgement(Verdict.CUT_SHORT, marks=b"..,,~", last_index=4, signed_to=2),
        "0007.skr  CUT SHORT  ..,,~  signed to 2 of 4, unconfirmed",
    ),
    (
        Judgement(Verdict.CUT_SHORT, True, marks=b"..,,", last_index=4, signed_to=2),
        "0007.skr  CUT SHORT  ..,,  signed to 2 of 4",
    ),
    (Judgement(Verdict.ALTERED, marks=b"...|", last_index=4, place=0), "0007.skr  ALTERED  ...|  the head"),
    (
        Judgement(Verdict.NOT_JUDGED, reason="sealed for other keys"),
        "0007.skr  NOT JUDGED  sealed for other keys",
    ),
    (
        Judgement(Verdict.ALTERED, marks=b"..,---", last_index=3, place=4),
        "0007.skr  ALTERED  ..,---  chunk 4 of 6",
    ),
]


@pytest.mark.parametrize(("judgement", "line"), ROWS, ids=[row[1][10:30] for row in ROWS])
def test_a_strip_reads_like_a_score(judgement, line):
    assert score.strip(judgement, "0007.skr") == line


def test_a_long_strip_is_folded_and_loses_no_bad_mark():
    marks = b"." * 5000 + b"!" + b"." * 4998 + b"|"
    folded, each = score.fold(marks, 64)

    assert len(folded) <= 64
    assert folded.count(b"!") == 1 and folded.endswith(b"|")
    assert folded.index(b"!") == 5000 // each
    assert f"(one mark for {each} chunks)" in score.strip(
        Judgement(Verdict.ALTERED, marks=marks, place=5001), width=64
    )


@pytest.mark.parametrize("length", [0, 1, 63, 64, 65, 128, 129])
def test_a_fold_covers_every_mark(length):
    folded, each = score.fold(b"," * length, 64)
    assert len(folded) == -(-length // each)
    assert set(folded) <= set(b",")


def test_the_same_is_there_for_a_machine():
    office = Office()
    found = score.as_json(office.judge(film(office, "..s..").parts()))
    assert found["verdict"] == "cut_short" and found["strip"] == "..,,," and found["place"] is None
