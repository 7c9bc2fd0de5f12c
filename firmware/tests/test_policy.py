"""Key list and policy: everything statements.md refuses is refused, and the version only rises."""

import struct

import pytest
import stream_parts as parts
from fuzzing import fuzzed
from hypothesis import given
from hypothesis import strategies as st
from sealcam import p256, policy, statements
from sealcam.errors import KeyListFault, PolicyFault
from sealcam.policy import KeyList, Policy

ROOT_POINT, ORGANISATION = p256.public(parts.ROOT), parts.organisation()
POINTS = [(role, p256.public(d)) for role, d in sorted(parts.KEYS.items())]


def read_list(body, version=1, at_least=0, held=None, **signing):
    file = parts.signed_file(statements.KEY_LIST, version, body, **signing)
    return KeyList.parse(file, ROOT_POINT, ORGANISATION, at_least, held)


def read_policy(body, version=1, at_least=0, held=None):
    file = parts.signed_file(statements.POLICY, version, body)
    return Policy.parse(file, ROOT_POINT, ORGANISATION, at_least, held)


def test_a_key_list_gives_the_points_of_its_roles():
    keylist = read_list(parts.key_list_body(5), 5)

    assert keylist.version == 5
    assert [keylist.point(role) for role in sorted(parts.KEYS)] == [point for _, point in POINTS]
    with pytest.raises(KeyListFault):
        keylist.point(policy.LINK)


def test_the_recipients_are_those_of_the_kind():
    keylist = parts.key_list()
    evidence, escrow, vault = (keylist.point(role) for role in (1, 2, 3))

    assert keylist.recipients(1) == [(1, evidence), (1, escrow), (2, vault)]
    assert keylist.recipients(2) == [(1, evidence), (1, vault)]
    assert keylist.recipients(3) == keylist.recipients(4) == keylist.recipients(1)
    with pytest.raises(ValueError):
        keylist.recipients(5)


@pytest.mark.parametrize("role", [1, 2, 3, 4, 5, 7])
def test_a_list_without_a_needed_role_or_with_one_twice_is_refused(role):
    missing = [entry for entry in POINTS if entry[0] != role]
    twice = [*POINTS, (role, p256.public(77))]

    for points in (missing, twice):
        with pytest.raises(KeyListFault):
            read_list(parts.key_list_of(points))


@pytest.mark.parametrize("role", [0, 10, 255])
def test_an_unknown_role_is_refused(role):
    with pytest.raises(KeyListFault):
        read_list(parts.key_list_of([*POINTS, (role, p256.public(77))]))


BAD_POINTS = [
    bytes(65),
    b"\x04" + bytes(64),
    b"\x02" + POINTS[0][1][1:],
    POINTS[0][1][:-1] + bytes([POINTS[0][1][-1] ^ 0xFF]),
    b"\x04" + b"\xff" * 64,
]


@pytest.mark.parametrize("bad", BAD_POINTS)
def test_must_12_a_point_off_the_curve_never_gets_into_a_list(bad):
    """Proves M12."""
    with pytest.raises(KeyListFault):
        read_list(parts.key_list_of([*POINTS[:-1], (7, bad)]))


def test_a_list_of_another_organisation_or_root_is_refused():
    body = parts.key_list_body()
    file = parts.signed_file(statements.KEY_LIST, 1, body)

    with pytest.raises(KeyListFault):
        read_list(parts.key_list_body(named=b"x" * 32))
    with pytest.raises(KeyListFault):
        read_list(body, key=99)
    with pytest.raises(KeyListFault):
        KeyList.parse(file, ROOT_POINT, b"x" * 32)
    with pytest.raises(KeyListFault):
        KeyList.parse(parts.signed_file(statements.POLICY, 1, body), ROOT_POINT, ORGANISATION)


def test_the_version_in_statement_and_body_is_one_and_it_only_rises():
    held = read_list(parts.key_list_body(5), 5)
    others = [(4, parts.key_list_body(4)), (5, parts.key_list_body(5, {**parts.KEYS, 7: 4711}))]

    for version, body in others:
        with pytest.raises(KeyListFault):
            read_list(body, version, held=held)
    with pytest.raises(KeyListFault):
        read_list(parts.key_list_body(6), 5)
    with pytest.raises(KeyListFault):
        read_list(parts.key_list_body(6), 6, at_least=7)
    with pytest.raises(KeyListFault):
        read_list(parts.key_list_body(0), 0)
    assert read_list(parts.key_list_body(5), 5, held=held).digest == held.digest
    assert read_list(parts.key_list_body(6), 6, at_least=6, held=held).version == 6


def test_a_list_of_another_length_or_with_reserved_bytes_is_refused():
    body = parts.key_list_body()
    broken = [body[:-1], body + b"\0", body[:20], b"", body + bytes(72), parts.key_list_of(POINTS * 3)]
    for at in (36, 38, 39, 41, 40 + 69, 40 + 71):
        changed = bytearray(body)
        changed[at] ^= 0xFF
        broken.append(bytes(changed))

    for body in broken:
        with pytest.raises(KeyListFault):
            read_list(body)


@fuzzed(4)
@given(st.binary(max_size=700))
def test_a_signed_list_of_random_bytes_is_refused(noise):
    with pytest.raises(KeyListFault):
        read_list(noise)
    with pytest.raises(KeyListFault):
        read_list(ORGANISATION + b"\0\0\0\1" + noise)


def test_a_policy_is_read_as_written():
    flags = {"sound": 1, "replay": 2, "replay_unprotected": 4, "wipe_unconfirmed": 8}
    flags.update(full_overwrite=16, pre_event_sound=32)

    for name, bit in flags.items():
        found = read_policy(parts.policy_body(flags=bit, interval=2000, part=16 * 512, chunk=512, copies=3))
        assert {flag: getattr(found, flag) for flag in flags} == {flag: flag == name for flag in flags}
    assert (found.signature_interval_ms, found.part_bytes, found.chunk_size) == (2000, 8192, 512)
    assert (found.copies, found.slot_copies, found.version) == (3, 2, 1)


REFUSED = [
    {"flags": 64},
    {"flags": 1 << 31},
    {"interval": 999},
    {"interval": 10001},
    {"copies": 1},
    {"slot_copies": 1},
    {"chunk": 1024},
    {"chunk": 0},
    {"part": 16384 * 15},
    {"part": 16384 * 16 + 1},
    {"part": (1 << 30) + 16384},
    {"named": b"x" * 32},
    {"version": 2},
]


@pytest.mark.parametrize("wrong", REFUSED)
def test_a_policy_that_breaks_a_rule_is_refused(wrong):
    with pytest.raises(PolicyFault):
        read_policy(parts.policy_body(**wrong))


def test_a_policy_of_another_length_or_with_a_byte_after_its_fields_is_refused():
    body = parts.policy_body()

    for broken in (body[:-1], body + b"\0", b"", body[:54] + b"\1" + body[55:], body[:-1] + b"\1"):
        with pytest.raises(PolicyFault):
            read_policy(broken)


def test_the_version_of_a_policy_only_rises():
    held = read_policy(parts.policy_body(4), 4)

    for version, flags in ((3, 1), (4, 3)):
        with pytest.raises(PolicyFault):
            read_policy(parts.policy_body(version, flags), version, held=held)
    assert read_policy(parts.policy_body(5), 5, at_least=4, held=held).version == 5


@pytest.mark.promise2
def test_no_policy_at_all_is_the_strictest():
    """Proves BW-8, BW-9."""
    strictest = Policy()

    allowed = (strictest.sound, strictest.replay, strictest.replay_unprotected, strictest.wipe_unconfirmed)
    assert allowed == (False,) * 4 and not strictest.pre_event_sound and strictest.full_overwrite
    assert strictest.signature_interval_ms == 1000 and strictest.copies >= 2


@fuzzed(4)
@given(st.binary(min_size=60, max_size=60))
def test_a_signed_policy_of_random_fields_is_refused_or_keeps_every_rule(noise):
    body = ORGANISATION + struct.pack(">I", 1) + noise[:18] + bytes(42)
    try:
        found = read_policy(body)
    except PolicyFault:
        return

    assert found.copies >= 2 and found.slot_copies >= 2 and 1000 <= found.signature_interval_ms <= 10000
    assert found.part_bytes % found.chunk_size == 0 and found.part_bytes >= 16 * found.chunk_size


ON_THE_VM = """
import stream_parts as parts
from sealcam import p256, policy, statements
from sealcam.errors import KeyListFault
keylist = parts.key_list(3)
try:
    file = parts.signed_file(statements.KEY_LIST, 2, parts.key_list_body(2))
    policy.KeyList.parse(file, p256.public(parts.ROOT), parts.organisation(), held=keylist)
except KeyListFault:
    print(keylist.version, len(keylist.recipients(1)), len(keylist.recipients(2)))
"""


def test_both_machines_read_and_refuse_the_same(machine):
    assert machine(ON_THE_VM) == "3 3 2\n"
