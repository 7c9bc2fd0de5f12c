"""Commands and the bodies of requests and answers; dock-protocol.md, section 3. Bytes and fields only."""

from dataclasses import dataclass

import construct as c

from sealhost.errors import WireBroken

REQUEST = c.Struct("command" / c.Int8ub, "zero" / c.Const(0, c.Int8ub), "number" / c.Int16ub)
ANSWER = c.Struct("command" / c.Int8ub, "status" / c.Int8ub, "number" / c.Int16ub)

IDENTIFY, HEALTH, RESTART, LAMP = 0x01, 0x02, 0x03, 0x04
DOCK, INVENTORY, LIST, READ, LOG, JUDGE, WIPE, WIPED, RECORD, UNDOCK = range(0x10, 0x1A)
ASK_TIME, TIME = 0x1A, 0x1B
PUT, KEYLIST, POLICY, DRILL, FIRMWARE = range(0x20, 0x25)
ISSUE, RETURN = 0x28, 0x29
ENROL, FETCH, TRIAL = 0x30, 0x31, 0x32

NAMES = {
    IDENTIFY: "to say who it is",
    HEALTH: "to say how it is",
    RESTART: "to restart",
    LAMP: "to show the lamp",
    DOCK: "to be docked",
    INVENTORY: "its inventory",
    LIST: "the list of its files",
    READ: "a read",
    LOG: "its usage log",
    JUDGE: "a receipt or release",
    WIPE: "a wipe",
    WIPED: "the word that files were wiped",
    RECORD: "a wipe record",
    UNDOCK: "to be let go",
    ASK_TIME: "a question for the time",
    TIME: "the time",
    PUT: "what was sent",
    KEYLIST: "the key list",
    POLICY: "the policy",
    DRILL: "the drill",
    FIRMWARE: "the firmware",
    ISSUE: "the issue",
    RETURN: "the return",
    ENROL: "the enrolment",
    FETCH: "a file of the enrolment",
    TRIAL: "the trial recording",
}

# what is put
PUT_RECEIPT, PUT_RELEASE, PUT_KEYLIST, PUT_POLICY, PUT_DRILL, PUT_OFFER, PUT_TIMES, PUT_FIRMWARE = range(1, 9)
PUT_HEAD = c.Struct("what" / c.Int8ub, "total" / c.Int32ub, "offset" / c.Int32ub)
DOCKED = c.Struct(
    "boot" / c.Int32ub, "ms" / c.Int64ub, "receipt_no" / c.Int64ub, "alarms" / c.Int8ub, "issue" / c.Bytes(16)
)
READ_BODY = c.Struct("number" / c.Int16ub, "offset" / c.Int64ub, "length" / c.Int32ub)
JUDGED = c.Struct("digest" / c.Bytes(32), "count" / c.Int16ub)
ISSUED = c.Struct("issue" / c.Bytes(16), "until" / c.Int64ub, "kind" / c.Int8ub)
TRIAL_BODY = c.Struct("sequence" / c.Int64ub, "last_index" / c.Int64ub, "h_core" / c.Bytes(32))
STAGED = c.Struct("version" / c.Int32ub, "digest" / c.Bytes(32))
_MOST_FILES, _LONGEST_FILE = 1 << 16, 19 + 255  # of a list: numbers are 16 bits; bytes of one entry
_FILE = c.Struct(
    "number" / c.Int16ub, "size" / c.Int64ub, "used" / c.Int64ub, "name" / c.PascalString(c.Int8ub, "utf8")
)


@dataclass(frozen=True)
class Docked:
    """What a camera says when it is docked; `issue` is the one that ended, zeros for none."""

    boot: int
    ms: int
    receipt_no: int
    alarms: int
    issue: bytes


@dataclass(frozen=True)
class File:
    """One file of the camera's card; `used` is how far its chunks reach."""

    number: int
    size: int
    used: int
    name: str


@dataclass(frozen=True)
class Trial:
    """Which recording the camera made for the drill."""

    sequence: int
    last_index: int
    h_core: bytes


def parsed(kind: c.Struct, body: bytes) -> c.Container:
    """Fields of an answer; WireBroken for one of another length."""
    if len(body) != kind.sizeof():
        raise WireBroken("an answer has another length than the page gives it")
    return kind.parse(body)


def files_of(body: bytes) -> tuple[bytes, list[File]]:
    """(card serial, files) of *list*; WireBroken for what is no list, or lists a file twice."""
    serial, at = body[:16], 16
    found: list[File] = []
    try:
        while at < len(body) and len(found) < _MOST_FILES:
            fields = _FILE.parse(body[at : at + _LONGEST_FILE])
            found.append(File(int(fields.number), int(fields.size), int(fields.used), str(fields.name)))
            at += 19 + body[at + 18]
    except (c.ConstructError, UnicodeDecodeError, IndexError):
        raise WireBroken("the list of its files cannot be read") from None
    numbers = {file.number for file in found}
    if len(serial) != 16 or at != len(body) or len(numbers) != len(found):
        raise WireBroken("the list of its files cannot be read")
    if any(file.used > file.size for file in found):
        raise WireBroken("it lists a file that is used further than it reaches")
    return bytes(serial), found
