"""What gives media away: the marks that files of picture and sound carry in the clear.

Bytes in, a reason out. Every mark here is long enough that random bytes do not show it by chance in a
terabyte.
"""

import re
from collections.abc import Callable

_SEGMENT = rb"\xff[\xc0-\xc4\xdb\xdd\xe0-\xef\xfe]"
_MARKS: tuple[tuple[str, re.Pattern[bytes]], ...] = tuple(
    (what, re.compile(pattern, re.DOTALL))
    for what, pattern in (
        ("an MP4 file", rb"\0\0\0[\x10-\x60]ftyp[0-9A-Za-z ]{4}"),
        ("the index of an MP4 file", rb"moov\0\0\0[\x6c\x78]mvhd[\0\1]"),
        ("the tables of an MP4 file", rb"(stts|stsz|stco|ctts|stss)\0\0\0\0\0\0"),
        ("an AVI or WAVE file", rb"RIFF....(AVI LIST|WAVEfmt |WEBPVP8)"),
        ("a JPEG picture", rb"\xff\xd8\xff(\xe0..JFIF\0|\xe1..Exif\0)"),
        ("a JPEG picture", rb"\xff\xd8\xff\xdb\0[\x43\x84][\0\1]"),
        ("a JPEG picture", rb"\xff\xdb\0\x43[\0\1].{64}" + _SEGMENT),
        ("a JPEG picture", rb"\xff\xc4\0[\x1f\xb5][\0\1\x10\x11].{28}"),
        ("a JPEG picture", rb"\xff\xda\0\x0c\x03[\0-\x03].[\0-\x03].[\0-\x03].\0\x3f\0"),
        ("a Matroska file", rb"\x1a\x45\xdf\xa3.{1,40}(matroska|webm)"),
        ("an H.264 stream", rb"\0\0\0\x01\x67[\x42\x4d\x64\x7a].{4,60}?\0\0\0?\x01\x68"),
        ("a transport stream", rb"(?:\x47[\x40\x00\x01\x1f\x50].{186}){8}\x47"),
        ("a PNG picture", rb"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
        ("an Ogg file", rb"OggS\0[\0-\7].{20}"),
        ("a PDF", rb"%PDF-1\.\d"),
        ("a FLAC file", rb"fLaC[\0\x80]\0\0\x22"),
    )
)
_LONGEST = 1600  # of any mark above
_TEXT = re.compile(rb"[\t\n\r\x20-\x7e]{200}")

Find = Callable[[bytes], tuple[str, int] | None]


def find(window: bytes) -> tuple[str, int] | None:
    """The first thing recognised, and where in the window; None where nothing is."""
    hits = [(match.start(), what) for what, mark in _MARKS if (match := mark.search(window))]
    if not hits and (match := _TEXT.search(window)):
        hits = [(match.start(), "readable text")]
    return (min(hits)[1], min(hits)[0]) if hits else None


def overlap() -> int:
    """By how much windows must overlap so that no mark falls between two."""
    return _LONGEST
