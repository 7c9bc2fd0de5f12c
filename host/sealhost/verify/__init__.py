"""Sealed bytes in, `Judgement` out; no file, no port, no database. docs/format/recording.md, section 3."""

from sealhost.verify.groups import group, part_from, read_core
from sealhost.verify.judge import judge
from sealhost.verify.stream import open_secret, records
from sealhost.verify.weigh import with_word

__all__ = ["group", "judge", "open_secret", "part_from", "read_core", "records", "with_word"]
