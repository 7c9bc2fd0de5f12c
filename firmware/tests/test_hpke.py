"""One payload sealed to one point, opened by another implementation, and the other way round."""

import os

import pytest
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric import ec
from sealcam import curve, p256
from sealcam.errors import NotProved

SUITE = hpke.Suite(hpke.KEM.P256, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
N = curve.N


def other_key(d):
    return ec.derive_private_key(d, ec.SECP256R1())


def other_point(d):
    numbers = other_key(d).public_key().public_numbers()
    return curve.encode_point(numbers.x, numbers.y)


@pytest.mark.parametrize("with_table", [False, True])
def test_another_implementation_opens_what_is_sealed_in_one_call(with_table):
    d = 0xABCDEF << 200
    table = p256.comb_table(*p256.decode_point(other_point(d))) if with_table else None

    for size in (0, 15, 100, 300):
        info, payload = os.urandom(size), os.urandom(32)
        enc, sealed = p256.seal_hpke(other_point(d), info, payload, os.urandom, table)
        assert SUITE.decrypt(enc + sealed, other_key(d), info=info) == payload


@pytest.mark.parametrize("rand", [None, os.urandom], ids=["plain", "blinded"])
def test_what_another_implementation_seals_is_opened(rand):
    d, payload = N - 99, os.urandom(32)
    sealed = SUITE.encrypt(payload, other_key(d).public_key(), info=b"slot")

    assert p256.open_hpke(d, sealed[:65], b"slot", sealed[65:], rand) == payload


def test_a_payload_of_another_size_is_not_a_slot_even_when_it_proves():
    sealed = SUITE.encrypt(bytes(31), other_key(5).public_key(), info=b"slot")

    with pytest.raises(NotProved):
        p256.open_hpke(5, sealed[:65], b"slot", sealed[65:])
    with pytest.raises(ValueError):
        p256.seal_hpke(other_point(5), b"slot", bytes(31), os.urandom)


def test_two_seals_of_one_payload_share_no_ephemeral_key():
    one, other = (p256.seal_hpke(other_point(5), b"", bytes(32), os.urandom) for _ in range(2))

    assert one[0] != other[0] and one[1] != other[1]


def test_a_seal_for_one_recipient_is_not_opened_by_another():
    enc, sealed = p256.seal_hpke(other_point(5), b"", bytes(32), os.urandom)

    with pytest.raises(NotProved):
        p256.open_hpke(6, enc, b"", sealed)


def test_what_a_real_micropython_seals_another_implementation_opens(machine):
    script = f"""
import os
from binascii import hexlify, unhexlify
from sealcam import p256
enc, sealed = p256.seal_hpke(unhexlify({other_point(5).hex()!r}), b"slot", bytes(range(32)), os.urandom)
print(hexlify(enc + sealed).decode())
"""
    assert SUITE.decrypt(bytes.fromhex(machine(script)), other_key(5), info=b"slot") == bytes(range(32))
