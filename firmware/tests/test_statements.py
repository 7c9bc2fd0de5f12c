"""Signed statements: the vectors, and the refusal of any other length, label, key or bit."""

import struct
from hashlib import sha256

import pytest
import stream_parts as parts
from fuzzing import fuzzed
from hypothesis import given
from hypothesis import strategies as st
from sealcam import p256, statements
from sealcam.errors import BadSignature

POINT = p256.public(parts.ROOT)
VALUES = (bytes(32), b"n" * 16, 3, 5, b"j" * 32, 9)
INVENTORY = statements.make(statements.INVENTORY, parts.ROOT, None, *VALUES)


def vector(root, name):
    fields, key = {}, ""
    for line in (root / "docs/vectors" / f"statement_{name}.txt").read_text().splitlines():
        if line.startswith("  "):
            fields[key] += line.strip()
        else:
            key, fields[key] = line.split(": ", 1)
    return bytes.fromhex(fields["statement"]), bytes.fromhex(fields["signer_point"])


@pytest.mark.parametrize("name", ["INVENTORY", "WIPED", "ENROL", "TIME", "DRILL"])
def test_the_vectors_are_read(root, name):
    statement, point = vector(root, name.lower())
    label = getattr(statements, name)
    statement = statement[: statements.size_of(label)]  # an inventory file goes on with the journal

    values = statements.read(label, statement, point)

    assert struct.pack(statements.FIELDS[label], *values) == statement[len(label) + 1 : -64]


@pytest.mark.parametrize("name", ["KEY_LIST", "POLICY"])
def test_the_vectors_of_signed_files_are_read(root, name):
    file, point = vector(root, name.replace("_", "").lower())

    version, body = statements.check_file(getattr(statements, name), file, point)

    assert file.endswith(body) and int.from_bytes(body[32:36], "big") == version


def test_what_is_made_is_read_again():
    assert statements.read(statements.INVENTORY, INVENTORY, POINT) == VALUES
    assert INVENTORY.startswith(b"sealcam/1 device inventory\0" + bytes(32))


@pytest.mark.parametrize("off", [-1, 1])
def test_another_length_is_refused(off):
    blob = INVENTORY[:-1] if off < 0 else INVENTORY + b"\0"

    with pytest.raises(BadSignature):
        statements.read(statements.INVENTORY, blob, POINT)


def test_one_key_never_signs_two_meanings():
    wiped = statements.sign(statements.WIPED, bytes(110), parts.ROOT)

    for label in statements.FIELDS:
        if label != statements.INVENTORY:
            with pytest.raises(BadSignature):
                statements.read(label, INVENTORY, POINT)
        with pytest.raises(BadSignature):
            statements.check(label, len(wiped) - len(label) - 65, wiped, p256.public(7))


def test_another_key_and_a_point_that_is_none_are_refused():
    for point in (p256.public(99), bytes(65), b"\x04" + b"\xff" * 64, POINT[:-1]):
        with pytest.raises(BadSignature):
            statements.read(statements.INVENTORY, INVENTORY, point)


@fuzzed(4)
@given(st.integers(0, len(INVENTORY) * 8 - 1))
def test_any_flipped_bit_is_refused(bit):
    blob = bytearray(INVENTORY)
    blob[bit // 8] ^= 1 << bit % 8

    with pytest.raises(BadSignature):
        statements.read(statements.INVENTORY, blob, POINT)


@pytest.mark.parametrize(
    "half", [bytes(32), p256.N.to_bytes(32, "big") if hasattr(p256, "N") else b"\xff" * 32]
)
def test_must_10_r_and_s_lie_in_range(half):
    """Proves M10."""
    for signature in (half + INVENTORY[-32:], INVENTORY[-64:-32] + half):
        with pytest.raises(BadSignature):
            statements.read(statements.INVENTORY, INVENTORY[:-64] + signature, POINT)


def test_the_digest_of_a_statement_is_that_of_its_signed_bytes():
    assert statements.digest(INVENTORY) == sha256(INVENTORY[:-64]).digest()


def test_a_file_whose_body_is_another_is_refused():
    body = parts.policy_body()
    file = parts.signed_file(statements.POLICY, 1, body)

    for broken in (file[:-1], file + b"\0", file[:-1] + bytes([file[-1] ^ 0xFF]), b"", file[:40]):
        with pytest.raises(BadSignature):
            statements.check_file(statements.POLICY, broken, POINT)
    assert statements.check_file(statements.POLICY, file, POINT) == (1, body)


@fuzzed()
@given(st.binary(max_size=400))
def test_random_bytes_are_refused(noise):
    with pytest.raises(BadSignature):
        statements.check_file(statements.KEY_LIST, noise, POINT)
    with pytest.raises(BadSignature):
        statements.check_file(statements.KEY_LIST, statements.KEY_LIST + b"\0" + noise, POINT)
