"""Keys: slots open by agreement alone, points are checked, files give nothing away."""

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from sealhost import keys, layout, seal
from sealhost.errors import KeyMissing, KeyTrouble, OutputExists, PassphraseWrong, PointBad, SlotClosed

sys.path.insert(0, str(Path(__file__).resolve().parent))
from recordings import VECTORS, Office, film, read_vector

SUITE = Suite(KEM.P256, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
OFFICE = Office()


@pytest.mark.parametrize("length", [0, 1, 100])
def test_decapsulation_by_hand_opens_what_the_library_sealed(length):
    key, info, payload = keys.SoftKey.make(), os.urandom(length), os.urandom(32)
    sealed = SUITE.encrypt(payload, keys.decode_point(key.point), info)

    assert keys.hpke_open(key, sealed[:65], info, sealed[65:]) == payload


def test_a_slot_under_another_info_does_not_open():
    key = keys.SoftKey.make()
    sealed = SUITE.encrypt(bytes(32), keys.decode_point(key.point), b"one")

    with pytest.raises(SlotClosed):
        keys.hpke_open(key, sealed[:65], b"another", sealed[65:])


@pytest.mark.promise5
@pytest.mark.parametrize("field", ["kind", "device_id", "recording_id"])
def test_must_12_a_slot_opens_under_its_own_core_only(field):
    """Proves M12."""
    core = film(OFFICE, "e").core
    slot = layout.SLOT.parse(seal.make_slot(core, layout.ROLE_OPEN, OFFICE.evidence.point, bytes(32)))
    changed = {"kind": layout.KIND_LIVE, "device_id": bytes(32), "recording_id": bytes(16)}

    assert keys.open_slot(OFFICE.evidence, core, slot) == bytes(32)
    with pytest.raises(SlotClosed):
        keys.open_slot(OFFICE.evidence, replace(core, **{field: changed[field]}), slot)


def test_must_12_a_role_byte_from_outside_decides_nothing():
    """Proves M12: what the vault's slot holds is V, whatever its role byte says."""
    core = film(OFFICE, "e").core
    slot = layout.SLOT.parse(seal.make_slot(core, layout.ROLE_VERIFY, OFFICE.vault.point, bytes(32)))
    slot.role = layout.ROLE_OPEN

    assert keys.open_slot_as(OFFICE.vault, core, slot) == (layout.ROLE_VERIFY, bytes(32))


BAD_POINTS = {
    "of another form": b"\x02" + bytes(32),
    "infinity": b"\x00",
    "not on the curve": b"\x04" + (1).to_bytes(32, "big") * 2,
    "zero": b"\x04" + bytes(64),
    "beyond the prime": b"\x04" + b"\xff" * 64,
    "short": Office().device.point[:64],
    "long": Office().device.point + b"\0",
}


@pytest.mark.parametrize("point", BAD_POINTS.values(), ids=BAD_POINTS.keys())
def test_must_12_points_are_checked_by_the_opener_and_the_maker(point):
    """Proves M12."""
    with pytest.raises(PointBad):
        OFFICE.vault.agree(point)
    with pytest.raises(PointBad):
        seal.make_slot(film(OFFICE, "e").core, 1, point, bytes(32))


def test_derived_keys_are_those_of_the_vector():
    vector = read_vector(VECTORS / "recording_intact.txt")
    told = {
        name: bytes.fromhex(vector[name]) for name in ("secret", "verify_secret", "k_enc", "k_mac", "part_0")
    }
    core = layout.core_of(told["part_0"][:256])

    derived = keys.derive(core, secret=told["secret"])

    assert (derived.v, derived.k_enc, derived.k_mac) == (told["verify_secret"], told["k_enc"], told["k_mac"])
    assert keys.derive(core, verify_secret=derived.v).k_mac == derived.k_mac


@pytest.mark.promise3
def test_must_01_from_v_follows_no_key_that_decrypts():
    """Proves M1: with V in hand there is no K_enc, and none is taken from outside."""
    writer = film(OFFICE, "e")
    assert keys.derive(writer.core, verify_secret=writer.keys.v).k_enc is None
    with pytest.raises(SlotClosed):
        keys.derive(writer.core)


def test_a_key_file_opens_with_its_passphrase_and_no_other(tmp_path):
    """Proves EE-3."""
    key = keys.SoftKey.make()
    keys.save(tmp_path / "evidence.p12", key, "six words of the office")

    assert keys.load(tmp_path / "evidence.p12", lambda: "six words of the office").scalar == key.scalar
    assert (tmp_path / "evidence.p12").stat().st_mode & 0o777 == 0o600
    with pytest.raises(PassphraseWrong):
        keys.load(tmp_path / "evidence.p12", lambda: "another")
    with pytest.raises(KeyTrouble):
        keys.load(tmp_path / "evidence.p12")


def test_a_key_file_is_stretched_six_hundred_thousand_times():
    sealed = keys.SoftKey.make().pkcs12("x")
    assert (600_000).to_bytes(3, "big") in sealed
    assert (2048).to_bytes(2, "big") not in sealed[:300]


def test_a_plain_key_loads_without_asking_and_nothing_is_written_over(tmp_path):
    key = keys.SoftKey.make()
    keys.save(tmp_path / "vault.pem", key, None)

    assert keys.load(tmp_path / "vault.pem").key_id == key.key_id
    with pytest.raises(OutputExists):
        keys.save(tmp_path / "vault.pem", key, None)


@pytest.mark.parametrize(
    "content", [b"", b"\x30", b"\x30\x82\xff\xff", b"-----BEGIN nothing", b"hello", os.urandom(400)]
)
def test_what_is_no_key_is_refused_by_name(tmp_path, content):
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(KeyTrouble):
        keys.load(tmp_path / "key", lambda: "x")
    with pytest.raises(KeyMissing):
        keys.load(tmp_path / "none")


def test_signatures_are_two_numbers_in_range():
    key, digest = keys.SoftKey.make(), os.urandom(32)
    signature = key.sign_digest(digest)
    order = keys.N.to_bytes(32, "big")

    assert keys.verifies(key.point, digest, signature)
    for broken in (
        bytes(32) + signature[32:],
        signature[:32] + bytes(32),
        order + signature[32:],
        signature[:32] + order,
    ):
        assert not keys.verifies(key.point, digest, broken)
    assert not keys.verifies(key.point, digest, signature[:-1])
    assert not keys.verifies(OFFICE.device.point, digest, signature)


def test_no_key_shows_in_what_is_printed():
    writer = film(OFFICE, "e")
    shown = (
        repr(writer)
        + repr(keys.derive(writer.core, secret=writer.secret))
        + repr(OFFICE.judge(writer.parts()))
    )
    for hidden in (writer.secret, writer.keys.v, writer.keys.k_mac):
        assert repr(hidden)[2:-1] not in shown
