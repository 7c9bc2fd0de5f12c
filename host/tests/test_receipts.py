"""Receipts and releases: what they allow to be wiped, and everything they do not."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from sealhost import receipts
from sealhost.errors import BadStatement
from sealhost.records import ReceiptEntry, Verdict, Word
from sealhost.statements import Policy
from sealhost.statements.root import WIPE_UNCONFIRMED

sys.path.insert(0, str(Path(__file__).resolve().parent))
from recordings import VECTORS, Office, film, read_vector

OFFICE = Office()
WHOLE = film(OFFICE, "..s..e")
FOUND = OFFICE.judge(WHOLE.parts())
POLICY = Policy.build(OFFICE.device, 1)


def entry_for(found, **changes: object) -> ReceiptEntry:
    """The entry a vault would sign."""
    core = found.core
    made = ReceiptEntry(
        core.sequence,
        core.recording_id,
        core.h_core,
        found.last_index,
        found.last_tag,
        found.verdict,
        found.ended,
        2,
        2,
        bytes(32),
    )
    return replace(made, **changes)


ENTRY = entry_for(FOUND)


def test_the_vector_is_read_and_made_again():
    told = read_vector(VECTORS / "statement_receipt.txt")
    raw, point = bytes.fromhex(told["statement"]), bytes.fromhex(told["signer_point"])
    found = receipts.check(raw, point)

    made = receipts.build(
        found.organisation,
        found.receipt_no,
        found.device_id,
        found.utc_ms,
        found.keylist,
        found.entries,
        OFFICE.vault,
    )

    assert made.raw[:-64] == raw[:-64]
    assert receipts.check(made.raw, OFFICE.vault.point).entries == found.entries


@pytest.mark.promise4
def test_every_changed_byte_of_a_receipt_is_refused():
    """Proves DS-1."""
    raw = receipts.build(bytes(32), 1, OFFICE.device.key_id, 5, 1, [ENTRY], OFFICE.vault).raw
    for at in range(0, len(raw), 3):
        with pytest.raises(BadStatement):
            receipts.check(raw[:at] + bytes([raw[at] ^ 0xFF]) + raw[at + 1 :], OFFICE.vault.point)
    for other in (raw[:-1], raw + b"\0", b"", raw[:-139]):
        with pytest.raises(BadStatement):
            receipts.check(other, OFFICE.vault.point)


@pytest.mark.promise4
def test_what_is_intact_stored_twice_and_unchanged_may_go():
    assert receipts.may_wipe(ENTRY, FOUND, POLICY) is None


@pytest.mark.promise4
@pytest.mark.parametrize(
    "changes",
    [
        {"h_core": bytes(32)},
        {"last_index": 5},
        {"last_index": 7},
        {"last_tag": bytes(32)},
        {"verdict": Verdict.ALTERED},
        {"verdict": Verdict.NOT_JUDGED},
        {"copies": 1},
        {"slot_copies": 1},
        {"sequence": 9},
        {"recording_id": bytes(16)},
    ],
    ids=str,
)
def test_what_does_not_fit_in_any_field_stays(changes):
    assert receipts.may_wipe(replace(ENTRY, **changes), FOUND, POLICY)


@pytest.mark.promise4
def test_must_19_a_receipt_for_a_prefix_wipes_nothing():
    """Proves M19."""
    prefix = OFFICE.judge([WHOLE.part(WHOLE.chunks[:3])])
    assert "later chunk" in (receipts.may_wipe(entry_for(prefix), FOUND, POLICY) or "")


@pytest.mark.promise4
def test_must_19_what_is_altered_on_the_card_never_goes_against_a_receipt():
    """Proves M19."""
    broken = OFFICE.judge([WHOLE.part([bytes(512), *WHOLE.chunks[1:]])])
    assert receipts.may_wipe(ENTRY, broken, POLICY)
    assert receipts.may_release(entry_for(broken), broken) is None
    assert receipts.may_release(ENTRY, broken)


@pytest.mark.promise4
def test_what_is_unconfirmed_stays_unless_the_policy_says_otherwise():
    cut = film(OFFICE, "..s..")
    alone = OFFICE.judge(cut.parts())
    confirmed = OFFICE.judge(cut.parts(), Word(2, 2, cut.chunks[1][-32:], "header"))
    lenient = Policy.build(OFFICE.device, 1, flags=WIPE_UNCONFIRMED)

    assert "unconfirmed" in (receipts.may_wipe(entry_for(alone), alone, POLICY) or "")
    assert receipts.may_wipe(entry_for(alone), alone, lenient) is None
    assert receipts.may_wipe(entry_for(confirmed), confirmed, POLICY) is None


def test_a_release_is_signed_over_what_is_in_quarantine():
    raw = receipts.release(ENTRY, b"q" * 32, OFFICE.evidence)
    assert receipts.check_release(raw, OFFICE.evidence.point) == (ENTRY, b"q" * 32)
    with pytest.raises(BadStatement):
        receipts.check_release(raw, OFFICE.vault.point)


@pytest.mark.parametrize(("at", "value"), [(64 + 32, 0), (64 + 32, 5), (64 + 33, 2)])
def test_an_entry_with_a_verdict_nobody_knows_is_refused(at, value):
    raw = bytearray(receipts.pack_entry(ENTRY))
    raw[at] = value
    with pytest.raises(BadStatement):
        receipts.unpack_entry(bytes(raw))
