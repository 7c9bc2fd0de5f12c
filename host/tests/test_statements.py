"""Signed statements, key lists, policies and inventories: refused whole, or read."""

import hashlib
import sys
from pathlib import Path

import pytest
from sealhost import statements
from sealhost.errors import BadStatement, SealcamError, VersionFell
from sealhost.statements import KeyList, Policy
from sealhost.statements.signed import FIELDS

sys.path.insert(0, str(Path(__file__).resolve().parent))
from recordings import VECTORS, Office, read_vector

OFFICE = Office()
ROOT_KEY = OFFICE.device
ROLES = [(1, OFFICE.evidence.point), (2, OFFICE.escrow.point), (3, OFFICE.vault.point)]
ROLES += [(role, OFFICE.replay.point) for role in (4, 5, 6, 7)]
STATED = sorted(VECTORS.glob("statement_*.txt"))
ONE_SIZE = [path for path in STATED if path.stem[10:] in ("drill", "enrol", "release", "time", "wiped")]


def label_of(path: Path) -> str:
    """The label of a vector."""
    return next(label for label in FIELDS if label.endswith(" " + path.stem[10:]))


@pytest.mark.promise5
@pytest.mark.parametrize("path", ONE_SIZE, ids=[path.stem for path in ONE_SIZE])
def test_known_statements_are_read_and_every_changed_byte_is_refused(path):
    """Proves DS-1."""
    told = read_vector(path)
    blob, point = bytes.fromhex(told["statement"]), bytes.fromhex(told["signer_point"])

    assert statements.read(label_of(path), blob, point) is not None
    assert len(blob) == statements.size_of(label_of(path))
    for at in range(0, len(blob), 3):
        with pytest.raises(BadStatement):
            statements.read(label_of(path), blob[:at] + bytes([blob[at] ^ 0xFF]) + blob[at + 1 :], point)
    for other in (blob[:-1], blob + b"\0", b""):
        with pytest.raises(BadStatement):
            statements.read(label_of(path), other, point)


def test_a_statement_under_another_label_or_key_is_refused():
    blob = statements.make("sealcam/1 office erase", OFFICE.vault, h_core=bytes(32), reason=1, order_no=2)
    assert statements.read("sealcam/1 office erase", blob, OFFICE.vault.point).order_no == 2
    for label, point in (
        ("sealcam/1 office drill", OFFICE.vault.point),
        ("sealcam/1 office erase", OFFICE.device.point),
    ):
        with pytest.raises(BadStatement):
            statements.read(label, blob, point)
    with pytest.raises(BadStatement):
        statements.check("sealcam/1 office erase", blob, bytes(65))


def test_known_key_list_and_policy_are_read():
    for name, kind in (("keylist", KeyList), ("policy", Policy)):
        told = read_vector(VECTORS / f"statement_{name}.txt")
        found = kind.parse(bytes.fromhex(told["statement"]), bytes.fromhex(told["root_point"]))
        assert found.organisation.hex() == told["organisation"]


def test_a_key_list_names_readers_by_kind():
    found = KeyList.build(ROOT_KEY, 3, ROLES)
    assert found.recipients(1) == OFFICE.recipients(1)
    assert found.recipients(2) == OFFICE.recipients(2)
    assert KeyList.parse(found.raw, ROOT_KEY.point, at_least=3) == found


@pytest.mark.parametrize(
    "roles",
    [
        ROLES[1:],
        ROLES + ROLES[:1],
        [*ROLES, (10, OFFICE.vault.point)],
        [*ROLES, (0, OFFICE.vault.point)],
        [*ROLES[:-1], (7, b"\x04" + bytes(64))],
        ROLES + [(9, OFFICE.vault.point)] * 10,
    ],
)
def test_a_key_list_that_nobody_should_use_is_refused(roles):
    with pytest.raises(BadStatement):
        KeyList.build(ROOT_KEY, 1, roles)


def test_a_version_only_rises_and_another_root_signs_nothing():
    old = KeyList.build(ROOT_KEY, 2, ROLES)
    with pytest.raises(VersionFell):
        KeyList.parse(old.raw, ROOT_KEY.point, at_least=3)
    with pytest.raises(BadStatement):
        KeyList.parse(old.raw, OFFICE.vault.point)
    with pytest.raises(BadStatement):
        statements.refuse_older("the key list", 2, b"one", 2, b"another")
    with pytest.raises(BadStatement):
        Policy.parse(old.raw, ROOT_KEY.point)


@pytest.mark.parametrize(
    "fields",
    [
        {"flags": 64},
        {"copies": 1},
        {"slot_copies": 1},
        {"signature_interval_ms": 999},
        {"signature_interval_ms": 10_001},
        {"chunk_size": 1024},
        {"part_bytes": 16384 * 15},
        {"part_bytes": (1 << 30) + 16384},
        {"part_bytes": 16384 * 16 + 1},
    ],
    ids=str,
)
def test_a_policy_that_asks_for_less_than_the_page_allows_is_refused(fields):
    assert Policy.build(ROOT_KEY, 1).sound
    with pytest.raises(BadStatement):
        Policy.build(ROOT_KEY, 1, **fields)


def inventory(entries: list[bytes], nonce: bytes = bytes(16)) -> bytes:
    """An inventory file."""
    fields = {"device_id": OFFICE.device.key_id, "nonce": nonce, "boot": 1, "ms": 2, "receipt_no": 0}
    digest = hashlib.sha256(b"".join(entries)).digest()
    return statements.make(
        "sealcam/1 device inventory", OFFICE.device, **fields, journal_digest=digest
    ) + b"".join(entries)


def entry(number: int) -> bytes:
    """A journal entry."""
    return statements.journal_entry(type=4, number=number, sequence=number, recording_id=bytes(16))


def test_an_inventory_is_read_whole_or_not_at_all():
    good = inventory([entry(1), entry(2)])
    found = statements.read_inventory(good, OFFICE.device.point, bytes(16))
    assert found.sequences == {1: "void", 2: "void"}
    assert found.word_on(1, b"") is not None

    bad = [
        good[:-1],
        good + b"\0",
        good[:-128],
        inventory([entry(2), entry(1)]),
        inventory([entry(1)[:-1] + b"x"]),
    ]
    for file in bad:
        with pytest.raises(SealcamError):
            statements.read_inventory(file, OFFICE.device.point)
    with pytest.raises(BadStatement):
        statements.read_inventory(good, OFFICE.device.point, b"x" * 16)
