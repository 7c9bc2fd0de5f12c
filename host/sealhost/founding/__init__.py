"""`init`: keys, stores, shares, in three packs."""

from sealhost.founding.packs import NEEDED, SHARES, Founded, init
from sealhost.founding.texts import share

__all__ = ["NEEDED", "SHARES", "Founded", "init", "share"]
