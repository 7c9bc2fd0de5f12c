"""Shares out, secret back.

The escrow key is 32 bytes, split into n mnemonics of which any m give it back (SLIP-0039, one group, no
passphrase). Nothing here knows files, envelopes or people.
"""

from collections.abc import Sequence

from shamir_mnemonic import MnemonicError, Share, combine_mnemonics, generate_mnemonics

from sealhost.errors import SharesTooFew, SharesWrong


def split(secret: bytes, needed: int, shares: int) -> list[str]:
    """`shares` mnemonics, any `needed` of which give the 32 bytes back."""
    if not 2 <= needed <= shares <= 16:
        raise SharesWrong(f"{needed} of {shares} cannot be made; at least 2, at most 16")
    return list(generate_mnemonics(1, [(needed, shares)], secret, iteration_exponent=1)[0])


def needed_of(mnemonic: str) -> int:
    """How many shares of its set a mnemonic asks for; SharesWrong when it is none."""
    return int(_share(1, mnemonic).member_threshold)


def recover(mnemonics: Sequence[str]) -> bytes:
    """The 32 bytes; SharesTooFew or SharesWrong, which says which share does not fit."""
    given = [" ".join(mnemonic.split()).lower() for mnemonic in mnemonics]
    shares = [_share(number, mnemonic) for number, mnemonic in enumerate(given, 1)]
    if not shares:
        raise SharesTooFew(0, "some")
    for number, share in enumerate(shares, 1):
        if share.common_parameters() != shares[0].common_parameters():
            raise SharesWrong(f"share {number} is of another set than share 1")
    distinct = {share.index: mnemonic for share, mnemonic in zip(shares, given, strict=True)}
    needed = int(shares[0].member_threshold)
    if len(distinct) < needed:
        raise SharesTooFew(len(distinct), needed)
    try:
        return bytes(combine_mnemonics(list(distinct.values())[:needed]))
    except MnemonicError as wrong:
        raise SharesWrong(wrong) from None


def _share(number: int, mnemonic: str) -> Share:
    try:
        return Share.from_mnemonic(mnemonic)
    except MnemonicError as wrong:
        raise SharesWrong(f"share {number}: {str(wrong).rstrip('.').lower()}") from None


def mnemonic_of(text: str) -> str:
    """The words of a share file; lines that begin with # are for people."""
    return " ".join(" ".join(line for line in text.splitlines() if not line.startswith("#")).split())
