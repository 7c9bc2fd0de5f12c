"""The stand-ins for MicroPython's built-ins take and refuse what the real ones take and refuse."""

import io
from contextlib import redirect_stdout

import cryptolib
import pytest

PROBE = """
import cryptolib
from binascii import hexlify

KEY, IV, TEXT = bytes(range(32)), bytes(range(16)), bytes(range(64))

def said(name, call):
    try:
        answer = call()
        print(name, "made" if isinstance(answer, cryptolib.aes) else hexlify(answer).decode())
    except ValueError:
        print(name, "ValueError")

def into(cipher, text, size):
    out = bytearray(size)
    cipher.encrypt(text, out)
    return out

def in_place(cipher, text):
    view = memoryview(bytearray(text))
    cipher.encrypt(view, view)
    return bytes(view)

def both_ways(mode, *iv):
    cipher = cryptolib.aes(KEY, mode, *iv)
    cipher.encrypt(TEXT)
    return cipher.decrypt(TEXT)

for mode, iv in ((1, ()), (2, (IV,)), (6, (IV,)), (6, (b"\\xff" * 16,))):
    said((mode, "encrypt"), lambda: cryptolib.aes(KEY, mode, *iv).encrypt(TEXT))
    said((mode, "decrypt"), lambda: cryptolib.aes(KEY, mode, *iv).decrypt(TEXT))
    said((mode, "key of 16"), lambda: cryptolib.aes(KEY[:16], mode, *iv).encrypt(TEXT))
    said((mode, "key of 24"), lambda: cryptolib.aes(KEY[:24], mode, *iv))
    said((mode, "empty"), lambda: cryptolib.aes(KEY, mode, *iv).encrypt(b""))
    said((mode, "odd size"), lambda: cryptolib.aes(KEY, mode, *iv).encrypt(TEXT[:33]))
    said((mode, "into"), lambda: into(cryptolib.aes(KEY, mode, *iv), TEXT, 64))
    said((mode, "into more"), lambda: into(cryptolib.aes(KEY, mode, *iv), TEXT, 80))
    said((mode, "into less"), lambda: into(cryptolib.aes(KEY, mode, *iv), TEXT, 48))
    said((mode, "in place"), lambda: in_place(cryptolib.aes(KEY, mode, *iv), TEXT))
    said((mode, "both ways"), lambda: both_ways(mode, *iv))
said("goes on", lambda: (lambda c: c.encrypt(TEXT) + c.encrypt(TEXT))(cryptolib.aes(KEY, 2, IV)))
said("no mode", lambda: cryptolib.aes(KEY, 3, IV))
said("no iv", lambda: cryptolib.aes(KEY, 2))
said("short iv", lambda: cryptolib.aes(KEY, 2, IV[:15]))
"""


def test_the_cipher_behaves_as_the_real_one(machine, monkeypatch):
    monkeypatch.setattr(cryptolib, "CTR_BUILT_IN", machine.name == "ctr")
    here = io.StringIO()
    with redirect_stdout(here):
        exec(PROBE, {})

    assert here.getvalue().splitlines() == machine(PROBE).splitlines()


@pytest.mark.parametrize("name", ["const", "native", "viper"])
def test_decorators_and_const_give_back_what_they_get(name):
    import micropython

    given = object()

    assert getattr(micropython, name)(given) is given
