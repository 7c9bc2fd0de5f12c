"""A handful of shifts of `make soak`, each of its twelve faults among them."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "hil_tests"))
from soak import __main__ as soak
from soak import season
from soak.model import Book, End, Fate, SoakFault

SHIFTS = len(season.FAULTS)


@pytest.mark.slow
@pytest.mark.promise4
def test_twelve_shifts_with_each_fault_once_account_for_every_number(tmp_path: Path) -> None:
    """Proves UA-5, BW-7."""
    reel = season.make_reel(tmp_path / "street.reel")

    tally = soak.play(tmp_path / "season", "ci", 0, SHIFTS, reel, cameras=1)

    assert set(tally.faults) == set(season.FAULTS)
    assert tally.fates["stored intact"] > SHIFTS
    assert not tally.fates["nowhere"]


def test_a_thousand_shifts_draw_every_fault_often_enough() -> None:
    drawn = [fault for shift in range(1000) for fault in season.faults_of("1", shift)]

    assert min(drawn.count(fault) for fault in season.FAULTS) >= soak.LEAST
    assert set(drawn) == set(season.FAULTS)


def filmed(end: End, heard: int) -> Book:
    """A camera that made recording 3, and nothing was wrong with it."""
    book = Book()
    film = book.begin(3)
    film.end, film.heard = end, heard
    return book


@pytest.mark.parametrize(
    ("end", "fate"),
    [
        (End.STOPPED, Fate("nowhere")),
        (End.STOPPED, Fate("void")),
        (End.STOPPED, Fate("lost")),
        (End.STOPPED, Fate("quarantined")),
        (End.STOPPED, Fate("stored", "INTACT", 9, copies=1)),
        (End.STOPPED, Fate("stored", "CUT_SHORT", 9, copies=2)),
        (End.CUT, Fate("stored", "CUT_SHORT", 7, copies=2)),
        (End.CUT, Fate("void")),
    ],
)
def test_the_model_refuses_what_may_not_become_of_a_recording(end: End, fate: Fate) -> None:
    with pytest.raises(SoakFault):
        filmed(end, 9).judge(3, fate)


@pytest.mark.parametrize(
    ("end", "heard", "fate"),
    [
        (End.STOPPED, 9, Fate("stored", "INTACT", 11, copies=2)),
        (End.CUT, 9, Fate("stored", "CUT_SHORT", 8, copies=2)),
        (End.CUT, 1, Fate("void")),
    ],
)
def test_the_model_takes_what_may_become_of_one(end: End, heard: int, fate: Fate) -> None:
    book = filmed(end, heard)

    book.judge(3, fate)

    with pytest.raises(SoakFault):
        book.begin(3)
