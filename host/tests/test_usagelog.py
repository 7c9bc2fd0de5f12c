"""The log chain: every entry is checked, and the first that fails is named."""

import hashlib
import sys
from pathlib import Path

import pytest
from sealhost import layout, usagelog

sys.path.insert(0, str(Path(__file__).resolve().parent))
from recordings import VECTORS, Office, read_vector

DEVICE = Office().device.key_id


def entries(count: int, first: int = 1, previous: bytes | None = None, event: int = 7) -> list[bytes]:
    """A chain."""
    made, before = [], previous or usagelog.first_previous(DEVICE)
    for number in range(first, first + count):
        fields = {
            "magic": b"SKU1",
            "event": event,
            "detail": 0,
            "number": number,
            "boot": 1,
            "ms": number,
            "utc_ms": 0,
        }
        rest = {"reserved": 0, "sequence": 3, "data": bytes(16), "previous": before, "digest": bytes(32)}
        raw = bytes(layout.LOG_ENTRY.build({**fields, **rest}))[:96]
        before = hashlib.sha256(b"sealcam/1 log\0" + raw).digest()
        made.append(raw + before)
    return made


def test_the_vector_holds():
    told = read_vector(VECTORS / "usage_log.txt")
    found = usagelog.check(
        bytes.fromhex(told["device_id"]), [[bytes.fromhex(told[f"entry_{n}"]) for n in range(3)]]
    )
    assert [entry.name for entry in found.entries] == ["power on", "record start", "bookmark"]
    assert found.broken_at is None


@pytest.mark.promise7
@pytest.mark.parametrize("at", [0, 4, 8, 20, 40, 48, 64, 95, 96, 127])
def test_rule_l3_a_changed_entry_is_named(at):
    """Proves L3, BW-7."""
    chain = [bytearray(raw) for raw in entries(5)]
    chain[2][at] ^= 0xFF
    found = usagelog.check(DEVICE, [[bytes(raw) for raw in chain]])
    assert (found.broken_at, len(found.entries)) == (3, 2)


@pytest.mark.promise7
def test_rule_l3_an_entry_sealed_anew_breaks_the_link_of_the_next():
    """Proves L3, BW-7."""
    chain = entries(5)
    chain[2] = entries(1, 3, chain[1][96:], event=8)[0]
    assert usagelog.check(DEVICE, [chain]).broken_at == 4


@pytest.mark.promise7
def test_rule_l4_an_entry_taken_out_of_a_segment_is_named_and_between_segments_counted():
    """Proves L4."""
    chain = entries(9)
    assert usagelog.check(DEVICE, [chain[:3] + chain[4:]]).broken_at == 5

    found = usagelog.check(DEVICE, [chain[:3], chain[5:]])
    assert found.gaps == ((3, 2),)
    assert found.broken_at is None


@pytest.mark.promise7
def test_a_gap_that_is_known_breaks_no_chain_that_goes_on_behind_it():
    """Proves L4: what was missing at one docking is missing at the next, and nothing else is wrong."""
    chain = entries(9)
    known = usagelog.check(DEVICE, [chain[:3], chain[5:7]])
    kept = [raw for raw in chain if int.from_bytes(raw[8:16], "big") in {e.number for e in known.entries}]

    found = usagelog.check(DEVICE, [*usagelog.runs(kept), chain[7:]])

    assert (found.broken_at, found.gaps, len(found.entries)) == (None, known.gaps, 7)
    assert usagelog.check(DEVICE, [*usagelog.runs(kept), chain[3:7]]).broken_at is None


def test_rule_l4_entries_told_twice_are_identical():
    """Proves L4."""
    chain = entries(6)
    assert usagelog.check(DEVICE, [chain[:4], chain[2:]]).broken_at is None
    other = entries(2, 3, chain[1][96:], event=9)
    assert usagelog.check(DEVICE, [chain[:4], other]).broken_at == 3


def test_the_chain_of_another_camera_does_not_begin_here():
    assert usagelog.check(bytes(32), [entries(2)]).broken_at == 1


def test_rule_l6_an_event_nobody_knows_is_shown_by_its_number():
    """Proves L6."""
    assert usagelog.check(DEVICE, [entries(1, event=999)]).entries[0].name == "event 999"
