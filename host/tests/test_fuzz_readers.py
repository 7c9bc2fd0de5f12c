"""Broken and random bytes into every reader: a judgement, an answer or an error of ours, and never anything
else.

FUZZ_EXAMPLES says how many examples each; FUZZ_SEED=fresh takes other ones than the run before.
"""

import contextlib
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from fuzzing import fuzzed
from hypothesis import example, given
from hypothesis import strategies as st
from sealhost import carve, keys, layout, receipts, statements, usagelog, verify
from sealhost.errors import SealcamError
from sealhost.reader import open_place
from sealhost.records import Verdict
from sealhost.statements import KeyList, Policy
from sealhost.statements.signed import FIELDS

sys.path.insert(0, str(Path(__file__).resolve().parent))
from recordings import Office, as_parts, film
from second_reader import ours, theirs

OFFICE = Office()
FILM = film(OFFICE, "..s..e", replay=True)
PARTS = FILM.parts(3)
ROLES = [(1, OFFICE.evidence.point), (2, OFFICE.escrow.point), (3, OFFICE.vault.point)]
ROLES += [(role, OFFICE.replay.point) for role in (4, 5, 6, 7)]


@st.composite
def mutated(draw: st.DrawFn, content: bytes) -> bytes:
    """Good bytes with pieces changed, cut out, doubled or put in."""
    broken = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(broken) - 1)))
        length = draw(st.sampled_from([1, 2, 8, 32, 192, 512]))
        what = draw(st.sampled_from(["change", "zero", "cut", "double", "put in", "end"]))
        piece = bytes(broken[at : at + length])
        broken[at : at + length] = {
            "change": draw(st.binary(min_size=length, max_size=length)), "zero": bytes(length), "cut": b"",
            "double": piece * 2, "put in": draw(st.binary(max_size=8)) + piece, "end": piece,
        }[what]  # fmt: skip
        if what == "end":
            del broken[at:]
    return bytes(broken)


@fuzzed()
@given(mutated(PARTS[0]), st.sampled_from([PARTS[1], b"", PARTS[0]]))
def test_a_broken_recording_is_judged_alike_by_both_readers(part, other):
    taken = bytearray()
    found = OFFICE.judge([part, other], take=taken.extend)

    assert ours(found) == theirs([part, other], [OFFICE.device.point], scalar=OFFICE.vault.scalar)
    assert found.verdict is not Verdict.INTACT or bytes(taken) == FILM.body()
    with contextlib.suppress(SealcamError):
        list(verify.records(as_parts([part, other]), found, FILM.secret))
    verify.group(as_parts([part, other]), [OFFICE.vault])


@fuzzed()
@given(st.binary(max_size=9000))
def test_any_bytes_may_be_called_a_recording(content):
    found = OFFICE.judge([content])
    assert found.verdict is Verdict.NOT_JUDGED
    magic = b"SEALCAM\n" in content
    assert len(verify.group(as_parts([content]))) <= magic


@fuzzed()
@given(mutated(FILM.head))
def test_any_head_is_read_or_refused(head):
    found = OFFICE.judge([head * 2], openers=[OFFICE.evidence, OFFICE.vault])
    assert found.verdict in Verdict
    layout.slots_of(head[512:])


@fuzzed()
@given(st.lists(st.binary(max_size=700), max_size=4), st.booleans())
def test_any_stream_of_records_ends_or_is_refused(pieces, framed):
    writer = OFFICE.writer()
    for piece in pieces:
        if framed:
            writer.record(len(piece) % 9, piece)
        else:
            writer._plain += piece
            writer._first = 0
            while len(writer._plain) >= writer.room:
                writer._data(0)
    writer.end()
    with contextlib.suppress(SealcamError):
        for _track, _flags, _ms, payload in verify.records(
            as_parts(writer.parts()), OFFICE.judge(writer.parts()), writer.secret
        ):
            assert isinstance(payload, bytes)


@fuzzed()
@given(st.lists(st.binary(min_size=120, max_size=130), max_size=5))
def test_any_log_is_checked(entries):
    found = usagelog.check(OFFICE.device.key_id, [entries])
    assert found.broken_at is not None or not entries


KEYLIST = KeyList.build(OFFICE.device, 1, ROLES).raw
POLICY = Policy.build(OFFICE.device, 1).raw
JOURNAL = statements.journal_entry(type=4, number=1, sequence=1, recording_id=bytes(16))
RECEIPT = receipts.build(bytes(32), 1, bytes(32), 1, 1, [], OFFICE.vault).raw


@fuzzed()
@given(mutated(KEYLIST), mutated(POLICY), mutated(RECEIPT), st.binary(max_size=400))
def test_any_statement_is_refused_or_whole(keylist, policy, receipt, noise):
    point = OFFICE.device.point
    readers = [
        lambda: KeyList.parse(keylist, point), lambda: Policy.parse(policy, point), lambda:
        receipts.parse(receipt),
        lambda: receipts.check(receipt, OFFICE.vault.point), lambda: receipts.check_release(noise, point),
        lambda: statements.read_inventory(noise + JOURNAL, point), lambda: KeyList.parse(noise, point),
        lambda: Policy.parse(noise, point), lambda: receipts.parse(noise),
        *[lambda label=label: statements.read(label, noise, point) for label in FIELDS],
    ]  # fmt: skip
    for read in readers:
        with contextlib.suppress(SealcamError):
            assert read() is not None


@fuzzed()
@given(st.binary(max_size=100), st.binary(max_size=200))
def test_any_point_signature_or_slot_is_refused(point, noise):
    with contextlib.suppress(SealcamError):
        OFFICE.vault.agree(point)
    with contextlib.suppress(SealcamError):
        keys.hpke_open(OFFICE.vault, point, noise, noise)
    assert not keys.verifies(OFFICE.device.point, noise[:32].ljust(32, b"\0"), noise[32:])


@pytest.fixture(scope="module")
def image():
    """The first megabyte and a half of a small card, all that its files need."""
    if not shutil.which("mkfs.vfat") or not shutil.which("mcopy"):
        pytest.skip("dosfstools, mtools")
    with tempfile.TemporaryDirectory() as folder:
        card, part = Path(folder) / "card.img", Path(folder) / "part"
        part.write_bytes(PARTS[0])
        with open(card, "wb") as file:
            file.truncate(1 << 20)
        subprocess.run(["mkfs.vfat", "--invariant", card], check=True, capture_output=True)
        subprocess.run(["mmd", "-i", card, "::/sealcam"], check=True)
        subprocess.run(
            ["mcopy", "-i", card, part, "::/sealcam/0123456789abcdef-0000000001-0000.skr"], check=True
        )
        yield card.read_bytes()


@fuzzed(10)
@given(seed=st.integers(0, 1 << 32))
@example(seed=1195)  # a chain that began outside the file system
def test_any_file_system_is_read_or_refused(image, seed):
    chance = random.Random(seed)
    broken = bytearray(image)
    for _ in range(chance.randrange(1, 12)):
        at = chance.choice([chance.randrange(512), chance.randrange(20_000), chance.randrange(len(broken))])
        broken[at : at + chance.choice([1, 2, 11, 32])] = chance.randbytes(chance.choice([1, 2, 11, 32]))
    with tempfile.TemporaryDirectory() as folder:
        card = Path(folder) / "card.img"
        card.write_bytes(broken[: chance.choice([len(broken), chance.randrange(len(broken))])])
        with contextlib.suppress(SealcamError):
            place = open_place(card)
            place.receipts(), place.strangers()
            OFFICE.judge(place.parts() or [b""])
        carve.carve(card, [OFFICE.vault])
