"""Slots: made in slices, opened by those they name and nobody else; a ready secret serves once."""

from hashlib import sha256

import pytest
import stream_parts as parts
from sealcam import hpke, layout, slots
from sealcam.errors import FormatFault, NotProved, OutOfOrder
from sealcam.sealer import verify_secret

DEVICE = b"d" * 32


def make(kind=1, block=2048, rand=None):
    job = slots.SlotMaker(parts.key_list(3), DEVICE, rand or parts.Counted()).job(kind, block)
    while not job.step():
        pass
    return job.ready


READY = {kind: make(kind) for kind in (1, 2, 3)}


def open_slot(ready, number, role, **changes):
    """What the slot's own key opens, under the info a reader builds for itself."""
    keys = {1: (1, 2, 3), 2: (1, 3), 3: (1, 2, 3)}[ready.kind]
    _, _, key_id, enc, sealed = slots.parse_slots(ready.slot_area)[number]
    bound = {"role": role, "kind": ready.kind, "device_id": DEVICE, "recording_id": ready.recording_id}
    bound.update({"key_id": key_id}, **changes)
    return hpke.open_hpke(parts.KEYS[keys[number]], enc, slots.slot_info(**bound), sealed)


@pytest.mark.promise3
@pytest.mark.parametrize("kind", [1, 3])
def test_evidence_and_escrow_open_the_secret_and_the_vault_only_verifies(kind):
    ready = READY[kind]

    assert open_slot(ready, 0, 1) == open_slot(ready, 1, 1) == bytes(ready.secret)
    assert open_slot(ready, 2, 2) == verify_secret(ready.secret) != bytes(ready.secret)


def test_a_log_is_opened_by_evidence_and_vault():
    ready = READY[2]

    assert open_slot(ready, 0, 1) == open_slot(ready, 1, 1) == bytes(ready.secret)
    assert len(slots.parse_slots(ready.slot_area)) == 2


OTHER = {"role": 2, "kind": 2, "device_id": bytes(32), "recording_id": bytes(16), "key_id": bytes(32)}


@pytest.mark.parametrize("name", OTHER)
def test_must_12_a_slot_is_bound_to_role_kind_device_recording_and_recipient(name):
    """Proves M12."""
    with pytest.raises(NotProved):
        open_slot(READY[1], 0, **{"role": 1, name: OTHER[name]})


@pytest.mark.parametrize("block", [2048, 4096, 16384])
def test_must_11_the_digest_is_that_of_the_whole_slot_area(block):
    """Proves M11."""
    ready = make(2, block)

    assert sha256(ready.slot_area + bytes(block - 512 - 768)).digest() == ready.slot_digest


def test_the_area_has_version_key_ids_and_zeros_after_the_last_slot():
    ready = READY[1]

    found = slots.parse_slots(ready.slot_area)

    points = [parts.key_list(3).point(role) for role in (1, 2, 3)]
    assert [slot[:3] for slot in found] == [
        (role, 3, sha256(point).digest()) for role, point in zip((1, 1, 2), points, strict=True)
    ]
    assert ready.keylist_version == 3 and len(ready.slot_area) == 768 and not any(ready.slot_area[576:])


@pytest.mark.parametrize("at", [0, 1, 2, 3, 153, 191, 192, 576, 767])
def test_an_area_that_breaks_the_page_does_not_parse(at):
    area = bytearray(READY[1].slot_area)
    area[at] ^= 0xFF

    with pytest.raises(FormatFault):
        slots.parse_slots(area)


def test_must_03_every_job_draws_its_own_secret_and_recording_id():
    """Proves M3."""
    rand = parts.Counted()
    first, second = make(2, rand=rand), make(2, rand=rand)

    assert first.secret != second.secret and first.recording_id != second.recording_id
    assert first.slot_area != second.slot_area


def test_must_03_a_ready_secret_is_taken_once():
    """Proves M3."""
    pool, ready = slots.Pool(), make(2)
    pool.offer(ready)

    assert pool.has(2) and not pool.has(1)
    assert pool.take(1) is None
    assert pool.take(2) is ready
    assert pool.take(2) is None and not pool.has(2)


def test_must_03_a_dropped_pool_is_empty_and_its_secrets_are_overwritten():
    """Proves M3."""
    pool, ready = slots.Pool(), make(2)
    pool.offer(ready)
    with pytest.raises(OutOfOrder):
        pool.offer(ready)

    pool.drop()

    assert pool.take(2) is None and not any(ready.secret)
    pool.offer(make(2))


def test_a_generator_that_gives_too_little_makes_no_slot():
    with pytest.raises(ValueError):
        slots.SlotMaker(parts.key_list(), DEVICE, lambda size: bytes(size - 1)).job(1, 2048)


def test_a_job_is_finished_once_and_runs_in_many_slices():
    job = slots.SlotMaker(parts.key_list(), DEVICE, parts.Counted()).job(2, layout.block_size(512))
    slices = 1
    while not job.step():
        slices += 1

    assert slices > 20
    with pytest.raises(OutOfOrder):
        job.step()


ON_THE_VM = """
import stream_parts as parts
from sealcam import slots
job = slots.SlotMaker(parts.key_list(3), b"d" * 32, parts.Counted()).job(2, 2048)
while not job.step():
    pass
print("".join(["%02x" % byte for byte in job.ready.slot_digest]))
"""


def test_both_machines_make_the_very_slots_that_cpython_makes(machine):
    assert machine(ON_THE_VM).strip() == READY[2].slot_digest.hex()
