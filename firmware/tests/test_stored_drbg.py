"""The generator's state in flash: used once, and cut, torn, lost and failed at every write."""

import hashlib

import pytest
from memory_flash import MemoryFlash, PowerLost
from sampling import sampled
from sealcam.drbg import NOISE_SAMPLES, StoredDrbg, check_noise
from sealcam.errors import EntropyFault, FlashFault

SEED = bytes(range(32))
NOISE = hashlib.shake_256(b"noise of a healthy source").digest(NOISE_SAMPLES)
STATE = slice(12, 44)  # the seed in a stored record
TEARS = [0.0, 0.002, 0.011, 0.3, 0.999]  # of a sector of 4096 bytes and of a record of 76


def enrolled():
    flash = MemoryFlash(4)
    StoredDrbg(flash, 1, 3).provision(SEED, NOISE)
    return flash


def booted(flash, noise=NOISE):
    generator = StoredDrbg(flash, 1, 3)
    generator.boot(noise)
    return generator


@pytest.mark.parametrize(
    "noise",
    [b"", NOISE[:-1], bytes(NOISE_SAMPLES), NOISE[:500] + b"\xff" * 21 + NOISE[521:], b"\x07\x07\x08" * 400],
    ids=["none", "one sample short", "stuck", "stuck for a while", "two thirds one value"],
)
def test_sick_noise_is_refused_at_boot_and_at_enrolment_and_flash_is_left_alone(noise):
    flash = enrolled()
    before = [bytes(sector) for sector in flash.sectors]

    with pytest.raises(EntropyFault):
        check_noise(noise)
    with pytest.raises(EntropyFault):
        booted(flash, noise)
    with pytest.raises(EntropyFault):
        StoredDrbg(flash, 1, 3).provision(SEED, noise)

    assert [bytes(sector) for sector in flash.sectors] == before


def test_each_boot_gives_other_bytes_even_from_a_source_that_repeats_itself():
    flash = enrolled()
    outputs = {booted(flash).generate(32) for _ in range(20)}

    assert len(outputs) == 20


def test_noise_counts_and_so_does_the_stored_state():
    one, other = enrolled(), enrolled()
    fresh = hashlib.shake_256(b"other noise").digest(NOISE_SAMPLES)

    assert booted(one).generate(32) != booted(other, fresh).generate(32)
    assert booted(one).generate(32) != booted(one).generate(32)


def test_what_is_stored_is_never_given_out_and_is_not_the_running_state():
    flash = enrolled()
    generator = booted(flash)
    stored = next(bytes(sector[STATE]) for sector in flash.sectors if sector[:4] == b"SDB1")

    assert stored not in generator.generate(1 << 12)
    assert stored not in (generator._drbg._key, generator._drbg._value)


def test_a_boot_leaves_one_state_and_erases_the_one_before():
    flash = enrolled()

    for counter in range(2, 6):
        booted(flash)
        sectors = [bytes(flash.sectors[1]), bytes(flash.sectors[3])]
        assert sorted(sector[:4] for sector in sectors) == [b"SDB1", b"\xff" * 4]
        assert [int.from_bytes(sector[4:12], "big") for sector in sectors if sector[0] != 0xFF] == [counter]
        assert b"\xff" * flash.sector_size in sectors
    assert flash.sectors[0] == flash.sectors[2] == b"\xff" * flash.sector_size


def test_no_byte_is_given_before_boot_or_after_a_failed_one():
    flash = enrolled()
    generator = StoredDrbg(flash, 1, 3)
    with pytest.raises(EntropyFault):
        generator.generate(1)
    with pytest.raises(EntropyFault):
        generator.reseed(SEED)

    generator.boot(NOISE)
    with pytest.raises(EntropyFault):
        generator.boot(bytes(NOISE_SAMPLES))
    flash.power_on(lose_at=1)
    with pytest.raises(EntropyFault):
        generator.boot(NOISE)

    with pytest.raises(EntropyFault):
        generator.generate(1)


@pytest.mark.parametrize("spoil", ["both", "erased"])
def test_an_enrolled_device_without_a_valid_state_refuses(spoil):
    flash = enrolled()
    for sector in (1, 3):
        flash.sectors[sector][20] ^= 0xFF
        if spoil == "erased":
            flash.erase(sector)

    with pytest.raises(EntropyFault):
        booted(flash)


def test_a_state_with_any_bit_changed_is_not_a_state():
    for bit in range(0, 76 * 8, 5):
        flash = enrolled()
        kept = next(sector for sector in flash.sectors if sector[:4] == b"SDB1")
        kept[bit // 8] ^= 1 << bit % 8
        with pytest.raises(EntropyFault):
            booted(flash)


def test_enrolling_again_goes_on_from_the_state_that_is_there():
    flash = enrolled()
    first = booted(flash).generate(32)
    StoredDrbg(flash, 1, 3).provision(SEED, NOISE)

    again = enrolled()
    assert booted(flash).generate(32) not in (first, booted(again).generate(32))


def writes_of(action):
    """How many writes and erases a clean run of `action` makes."""
    flash = enrolled()
    flash.power_on()
    action(flash)
    return flash.writes


def boot_once(flash):
    return booted(flash).generate(32)


def provision_once(flash):
    generator = StoredDrbg(flash, 1, 3)
    generator.provision(SEED, NOISE)
    return generator.generate(32)


ACTIONS = [boot_once, provision_once]
CUTS = [(action, n, tear) for action in ACTIONS for n in range(writes_of(action)) for tear in TEARS]


def name_of(value):
    return getattr(value, "__name__", str(value))


def test_a_turn_is_three_writes():
    assert [writes_of(action) for action in ACTIONS] == [3, 3]


@pytest.mark.promise6
@pytest.mark.power
@pytest.mark.parametrize(("action", "cut_at", "tear"), sampled(CUTS), ids=name_of)
def test_cut_at_every_write_boots_again_and_repeats_nothing(action, cut_at, tear):
    flash = enrolled()
    seen = {boot_once(flash), boot_once(flash)}
    flash.power_on(cut_after=cut_at, tear=tear)
    with pytest.raises(PowerLost):
        action(flash)

    for _ in range(4):
        flash.power_on()
        output = boot_once(flash)
        assert output not in seen
        seen.add(output)

    valid = [sector for sector in (flash.sectors[1], flash.sectors[3]) if sector[:4] == b"SDB1"]
    assert len(valid) == 1


@pytest.mark.power
@pytest.mark.parametrize(("cut_at", "tear"), sampled([(n, tear) for n in range(3) for tear in TEARS]))
def test_cut_at_every_write_of_the_first_enrolment_leaves_it_undone_or_done(cut_at, tear):
    flash = MemoryFlash(4, cut_after=cut_at, tear=tear)
    with pytest.raises(PowerLost):
        provision_once(flash)

    flash.power_on()
    if not any(sector[:4] == b"SDB1" and sector[44:76] != b"\xff" * 32 for sector in flash.sectors):
        with pytest.raises(EntropyFault):
            boot_once(flash)
    flash.power_on()
    outputs = [provision_once(flash), boot_once(flash), boot_once(flash)]
    assert len(set(outputs)) == 3


@pytest.mark.power
@pytest.mark.parametrize(("first", "second"), sampled([(a, b) for a in range(3) for b in range(3)]))
def test_cut_twice_in_a_row_boots_again_and_repeats_nothing(first, second):
    flash = enrolled()
    seen = {boot_once(flash)}
    for cut_at in (first, second):
        flash.power_on(cut_after=cut_at, tear=0.3)
        with pytest.raises(PowerLost):
            boot_once(flash)

    flash.power_on()
    assert boot_once(flash) not in seen


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("fault", ["lose_at", "fail_at"])
@pytest.mark.parametrize("number", range(3))
def test_a_lost_or_failed_write_refuses_and_the_next_boot_repeats_nothing(action, fault, number):
    flash = enrolled()
    seen = {boot_once(flash), boot_once(flash)}
    if number == 0 and fault == "lose_at":  # losing the erase of a clean sector changes nothing: soil it
        next(sector for sector in (flash.sectors[1], flash.sectors[3]) if sector[0] == 0xFF)[100] = 0
    flash.power_on(**{fault: number})

    with pytest.raises(EntropyFault):
        action(flash)

    flash.power_on()
    assert boot_once(flash) not in seen


@pytest.mark.parametrize("error", [OSError, FlashFault])
def test_a_read_that_fails_never_becomes_an_empty_start(error, monkeypatch):
    flash = enrolled()

    def broken(*arguments):
        raise error

    monkeypatch.setattr(flash, "read", broken)

    with pytest.raises(EntropyFault):
        booted(flash)
    with pytest.raises(EntropyFault):
        StoredDrbg(flash, 1, 3).provision(SEED, NOISE)


CUT_EVERYWHERE = """
from memory_flash import MemoryFlash, PowerLost
from sealcam.drbg import StoredDrbg
from sealcam.crypto import sha256
noise = b"".join([sha256(bytes([i])) for i in range(32)])
def boot(flash):
    generator = StoredDrbg(flash, 0, 1)
    generator.boot(noise)
    return generator.generate(32)
points = 0
for tear in (0.0, 0.01, 0.5):
    for cut_at in range(3):
        flash = MemoryFlash(2)
        StoredDrbg(flash, 0, 1).provision(bytes(32), noise)
        seen = [boot(flash)]
        flash.power_on(cut_after=cut_at, tear=tear)
        try:
            boot(flash)
            raise AssertionError("not cut")
        except PowerLost:
            points += 1
        for _ in range(3):
            flash.power_on()
            seen.append(boot(flash))
        assert len(set(seen)) == 4
print(points)
"""


def test_cut_at_every_write_in_a_real_micropython(machine):
    assert machine(CUT_EVERYWHERE).strip() == "9"


def test_the_same_state_and_noise_give_the_same_bytes_in_a_real_micropython(machine):
    script = """
from binascii import hexlify, unhexlify
from memory_flash import MemoryFlash
from sealcam.drbg import StoredDrbg
flash, noise = MemoryFlash(4), unhexlify(NOISE)
StoredDrbg(flash, 1, 3).provision(bytes(range(32)), noise)
generator = StoredDrbg(flash, 1, 3)
generator.boot(noise)
print(hexlify(generator.generate(100)).decode())
"""
    assert machine(f"NOISE = {NOISE.hex()!r}" + script).strip() == booted(enrolled()).generate(100).hex()
