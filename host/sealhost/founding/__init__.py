"""`init`: keys, stores, shares, in three packs."""

from sealhost.founding.packs import Founded, init

__all__ = ["Founded", "init"]
