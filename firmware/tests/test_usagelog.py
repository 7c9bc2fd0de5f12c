"""The log's chain: the vector, every changed bit, every missing or strange entry."""

import pytest
from fuzzing import fuzzed
from hypothesis import given
from hypothesis import strategies as st
from sealcam import usagelog
from sealcam.errors import LogFault
from sealcam.usagelog import UsageLog

DEVICE = b"d" * 32


def made(count=5, device=DEVICE):
    log = UsageLog(device)
    return [
        bytes(log.entry(usagelog.BOOKMARK, i, i, bytes([i]) * i, 1, i * 1000, 1 << 40)) for i in range(count)
    ]


def vector(root):
    fields, key = {}, ""
    for line in (root / "docs/vectors/usage_log.txt").read_text().splitlines():
        if line.startswith("  "):
            fields[key] += line.strip()
        else:
            key, fields[key] = line.split(": ", 1)
    return fields


def test_the_vectors_entries_come_out_byte_for_byte(root):
    case = vector(root)
    log = UsageLog(bytes.fromhex(case["device_id"]))

    for name in ("entry_0", "entry_1", "entry_2"):
        theirs = bytes.fromhex(case[name])
        whole = lambda at, size, entry=theirs: int.from_bytes(entry[at : at + size], "big")  # noqa: E731
        ours = log.entry(
            whole(4, 2), whole(6, 2), whole(40, 8), theirs[48:64], whole(16, 4), whole(20, 8), whole(28, 8)
        )
        assert ours == theirs


def test_a_log_goes_on_after_the_entry_it_is_given():
    entries = made(3)
    log = UsageLog(DEVICE)
    log.restore(entries[-1])

    entries.append(bytes(log.entry(usagelog.MUTE, 1, 7, b"", 2, 5, 0)))

    assert usagelog.check(entries, DEVICE) == 4 and log.number == 4


@pytest.mark.parametrize("broken", [b"", bytes(128), made(1)[0][:-1], made(1)[0] + b"\0"])
def test_a_log_never_goes_on_after_what_is_no_entry(broken):
    with pytest.raises(LogFault):
        UsageLog(DEVICE).restore(broken)


@fuzzed()
@given(st.integers(0, 5 * 1024 - 1))
def test_any_flipped_bit_is_found(bit):
    entries = made()
    entry = bytearray(entries[bit // 1024])
    entry[bit % 1024 // 8] ^= 1 << bit % 8
    entries[bit // 1024] = entry

    with pytest.raises(LogFault):
        usagelog.check(entries, DEVICE)


@pytest.mark.promise7
def test_rule_l2_a_missing_repeated_or_swapped_entry_is_found():
    """Proves L2, BW-7."""
    a, b, c, d, e = made()

    for entries in (
        [a, b, d, e],
        [a, b, b, c],
        [b, a, c, d, e],
        [b, c, d, e],
        [a, b, c, made(4, b"x" * 32)[3], e],
    ):
        with pytest.raises(LogFault):
            usagelog.check(entries, DEVICE)
    assert usagelog.check([b, c, d, e]) == 4  # a segment begins where the one before ended


def test_data_longer_than_its_field_is_refused():
    with pytest.raises(ValueError):
        UsageLog(DEVICE).entry(1, 0, 0, bytes(17), 0, 0, 0)


ON_THE_VM = """
from sealcam import usagelog
log = usagelog.UsageLog(b"d" * 32)
entries = [log.entry(7, i, i, bytes([i]) * i, 1, i * 1000, 1 << 40) for i in range(5)]
print(usagelog.check(entries, b"d" * 32), "".join(["%02x" % byte for byte in log.digest]))
"""


def test_both_machines_chain_the_very_entries_that_cpython_chains(machine):
    assert machine(ON_THE_VM) == "5 " + made()[-1][96:].hex() + "\n"
