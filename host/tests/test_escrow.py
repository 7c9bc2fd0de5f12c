"""Escrow: any m open, m - 1 do not, and what does not fit is said."""

from itertools import combinations

import pytest
from sealhost import escrow
from sealhost.errors import SharesTooFew, SharesWrong

SECRET = bytes(range(32))
SHARES = escrow.split(SECRET, 3, 5)


@pytest.mark.parametrize("chosen", list(combinations(range(5), 3)))
def test_any_three_of_five_give_it_back(chosen):
    """Proves BK-4."""
    assert escrow.recover([SHARES[number] for number in chosen]) == SECRET


def test_more_than_are_needed_do_too_and_case_and_spaces_do_not_matter():
    assert escrow.recover(SHARES) == SECRET
    assert escrow.recover([f"  {share.upper()}\n" for share in SHARES[:3]]) == SECRET


@pytest.mark.parametrize("chosen", list(combinations(range(5), 2)))
def test_two_do_not(chosen):
    """Proves BK-4."""
    with pytest.raises(SharesTooFew, match="2 shares given, 3 are needed"):
        escrow.recover([SHARES[number] for number in chosen])


def test_the_same_share_twice_counts_once():
    with pytest.raises(SharesTooFew):
        escrow.recover([SHARES[0], SHARES[0], SHARES[1]])
    with pytest.raises(SharesTooFew):
        escrow.recover([])


def test_a_share_of_another_set_is_named():
    other = escrow.split(bytes(32), 3, 5)

    with pytest.raises(SharesWrong, match="share 3 is of another set"):
        escrow.recover([SHARES[0], SHARES[1], other[2]])


def test_a_mistyped_word_is_found_and_its_share_named():
    words = SHARES[1].split()
    words[7] = "academic" if words[7] != "academic" else "acid"

    with pytest.raises(SharesWrong, match="share 2"):
        escrow.recover([SHARES[0], " ".join(words), SHARES[2]])
    with pytest.raises(SharesWrong, match="share 1"):
        escrow.recover(["not words of the list", SHARES[1], SHARES[2]])


def test_the_words_of_a_file_are_those_that_are_no_remark():
    text = f"# Escrow share 1 of 5\n# keep it\n{SHARES[0][:40]}\n{SHARES[0][40:]}\n"

    assert escrow.needed_of(SHARES[0]) == 3
    assert escrow.mnemonic_of(f"# remark\n{SHARES[0]}\n") == SHARES[0]
    assert "#" not in escrow.mnemonic_of(text)


@pytest.mark.parametrize(("needed", "shares"), [(1, 5), (6, 5), (3, 17), (0, 0)])
def test_a_split_that_protects_nothing_is_refused(needed, shares):
    with pytest.raises(SharesWrong):
        escrow.split(SECRET, needed, shares)
