"""A firmware archive: compiled modules for one board, under the root's signature; statements.md.

Bytes in, fields out. It runs nothing and compiles nothing.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import construct as c

from sealhost import keys
from sealhost.errors import BadStatement
from sealhost.statements.root import read_file, sign_file
from sealhost.statements.signed import FIELDS, FIRMWARE, size_of, split

MOST = 1 << 20
MOST_FILES = 96
PROGRAM = "main.mpy"
_HEAD = c.Struct(
    "board" / c.Bytes(32),
    "mpy" / c.Bytes(2),
    "zero" / c.Int16ub,
    "counter" / c.Int32ub,
    "count" / c.Int16ub,
    "zero_end" / c.Int16ub,
)
_FILE = c.Struct("name" / c.PascalString(c.Int8ub, "ascii"), "content" / c.Prefixed(c.Int32ub, c.GreedyBytes))
_NAME = re.compile(r"[a-z0-9_]{1,28}\.mpy")
_BOARD = re.compile(rb"[a-z0-9_]{1,32}\0*")


@dataclass(frozen=True)
class Firmware:
    """What one body holds; `version` is the statement's, 0 where there is none yet."""

    board: str
    mpy: bytes
    counter: int
    files: Mapping[str, bytes] = field(repr=False)
    version: int = 0
    body: bytes = field(default=b"", repr=False)

    @property
    def digest(self) -> bytes:
        """SHA-256 of the body: what a header's firmware field names."""
        return hashlib.sha256(self.body).digest()

    @classmethod
    def build(cls, board: str, counter: int, files: Mapping[str, bytes]) -> "Firmware":
        """A body of these modules; the same ones give the same bytes. BadStatement for what none may hold."""
        native = {content[1:3] for content in files.values() if len(content) > 3 and content[2]}
        if len(native) != 1:
            raise BadStatement("these modules name no architecture, or more than one")
        head = {"board": board.encode().ljust(32, b"\0"), "mpy": native.pop(), "counter": counter}
        body = _HEAD.build({**head, "zero": 0, "zero_end": 0, "count": len(files)})
        body += b"".join(_FILE.build({"name": name, "content": files[name]}) for name in sorted(files))
        return cls.parse_body(body)

    @classmethod
    def parse_body(cls, body: bytes, version: int = 0) -> "Firmware":
        """Read a body; BadStatement for anything a camera would refuse in it."""
        if len(body) + size_of(FIRMWARE) > MOST:
            raise BadStatement("the firmware archive is longer than a camera takes")
        try:
            head = _HEAD.parse(body)
            rest = c.Struct("files" / _FILE[head.count], c.Terminated).parse(body[_HEAD.sizeof() :])
        except (c.ConstructError, UnicodeDecodeError):
            raise BadStatement("the firmware archive does not hold what its head says") from None
        if head.zero or head.zero_end or not _BOARD.fullmatch(head.board):
            raise BadStatement("the firmware archive's head is none")
        files = {one.name: bytes(one.content) for one in rest.files}
        _check_files(files, [one.name for one in rest.files], head.mpy)
        return cls(head.board.rstrip(b"\0").decode(), head.mpy, head.counter, files, version, bytes(body))

    @classmethod
    def parse(cls, file: bytes, root_point: bytes) -> "Firmware":
        """A signed archive; BadSignature or BadStatement unless this root signed this body."""
        version, body = read_file(FIRMWARE, file, root_point)
        return cls.parse_body(body, version)

    @classmethod
    def unproved(cls, file: bytes) -> "Firmware":
        """As `parse`, of a file nobody has checked: an archive, or a body that is still to be signed."""
        if not file.startswith(FIRMWARE.encode() + b"\0"):
            return cls.parse_body(file)
        statement, body = split(FIRMWARE, file)
        fields = FIELDS[FIRMWARE].parse(statement[len(FIRMWARE) + 1 :])
        return cls.parse_body(body, int(fields.version))

    def sign(self, version: int, root: keys.SoftKey) -> bytes:
        """The archive, as a camera takes it."""
        if version < 1:
            raise BadStatement("a firmware version is a number from 1")
        return sign_file(FIRMWARE, self.body, version, root)


def _check_files(files: Mapping[str, bytes], names: list[str], mpy: bytes) -> None:
    if not 1 <= len(names) <= MOST_FILES or names != sorted(set(names)) or PROGRAM not in files:
        raise BadStatement(f"the firmware archive must hold {PROGRAM}, and every name once, in order")
    for name, content in files.items():
        if not _NAME.fullmatch(name):
            raise BadStatement(f"{name!r} is no name of a module")
        if len(content) < 4 or content[:2] != b"M" + mpy[:1] or content[2] not in (0, mpy[1]):
            raise BadStatement(f"{name} is no module for this interpreter")
