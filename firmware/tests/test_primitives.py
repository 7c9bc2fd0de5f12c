"""The published vectors on CPython, both MicroPython images and the emulated board; and what is refused."""

import hashlib
import hmac
import json
import os
import random
import struct
import sys

import known_answers
import pytest
import vm
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import aes_key_wrap
from sealcam import crypto
from sealcam.errors import NotProved, SealcamError, SelfTestFailed

VECTORS = sorted((vm.ROOT / "docs" / "vectors" / "primitives").glob("*.json"))
KEY = bytes(range(32))
RUN_ALL = """
import sys, known_answers
for path in sys.argv[1:]:
    with open(path) as file:
        print(path.split("/")[-1], known_answers.run(file.read()))
"""


@pytest.fixture
def fallback(monkeypatch):
    """An image without counter mode, as far as `crypto` can see."""
    monkeypatch.setattr(crypto, "NATIVE_CTR", False)


def counted():
    return [f"{path.name} {len(json.loads(path.read_text())['cases'])}" for path in VECTORS]


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_every_published_vector_holds_on_cpython(path):
    assert known_answers.run(path.read_text()) == len(json.loads(path.read_text())["cases"])


@pytest.mark.slow
def test_every_published_vector_holds_in_a_real_micropython(machine):
    printed = machine(RUN_ALL, *map(str, VECTORS))

    assert printed.splitlines() == counted()


def test_every_published_vector_holds_on_the_image_with_ctr_when_it_may_not_use_it():
    script = "from sealcam import crypto; assert crypto.NATIVE_CTR; crypto.NATIVE_CTR = False\n" + RUN_ALL
    chunks = [path for path in VECTORS if path.stem == "chunk-counter"]

    assert vm.run(script, "ctr", [str(chunks[0])]).split()[1] == "7"


def test_the_two_images_differ_in_counter_mode_and_in_nothing_else(machine):
    printed = machine("from sealcam import crypto; crypto.self_test(); print(crypto.NATIVE_CTR)")

    assert printed.strip() == str(machine.name == "ctr")


@pytest.mark.m3
@pytest.mark.parametrize("image", ["qemu_mps2", "qemu_mps2_stock"])
def test_every_published_vector_holds_on_the_emulated_cortex_m3(image):
    sys.path.insert(0, str(vm.ROOT / "boards" / "qemu_mps2"))
    import run as emulator

    script = vm.FIRMWARE / "tests" / "m3_known_answers.py"
    printed = emulator.run_script(
        script,
        [str(path) for path in VECTORS],
        image=vm.ROOT / "build" / image / "firmware.elf",
        path=[vm.FIRMWARE, vm.FIRMWARE / "tests"],
    )

    assert printed.splitlines() == counted()


def test_a_wrong_expectation_is_noticed_by_the_runner():
    vectors = json.loads(VECTORS[0].read_text())
    field = "secret"
    wrong = bytearray.fromhex(vectors["cases"][0][field])
    wrong[0] ^= 0xFF
    vectors["cases"][0][field] = wrong.hex()

    with pytest.raises(known_answers.WrongAnswer):
        known_answers.run(json.dumps(vectors))


@pytest.mark.parametrize("native", [True, False])
def test_counter_mode_agrees_with_another_implementation_for_any_size_and_place(native, monkeypatch):
    monkeypatch.setattr(crypto, "NATIVE_CTR", native)
    chance = random.Random(5)

    for _ in range(200):
        size, offset = 16 * chance.randrange(0, 80), chance.randrange(8)
        index, scratch = chance.randrange(1 << 64), 16 * chance.randrange(1, 40)
        buffer = bytearray(chance.randbytes(size + 16))
        before = bytes(buffer)
        crypto.Ctr(KEY, scratch).crypt(memoryview(buffer)[offset : offset + size], index)

        other = Cipher(algorithms.AES(KEY), modes.CTR(struct.pack(">QQ", index, 0))).encryptor()
        middle = other.update(before[offset : offset + size])
        assert buffer == before[:offset] + middle + before[offset + size :]


@pytest.mark.parametrize("native", [True, False])
def test_counter_mode_touches_only_the_first_size_bytes(native, monkeypatch):
    monkeypatch.setattr(crypto, "NATIVE_CTR", native)
    buffer = bytearray(64)

    crypto.Ctr(KEY).crypt(buffer, 1, 32)

    assert any(buffer[:32]) and not any(buffer[32:])


@pytest.mark.parametrize(
    ("length", "index", "size"),
    [
        (15, 0, None),
        (32, 0, 33),
        (32, 0, 48),
        (32, 0, -16),
        (32, -1, None),
        (32, 1 << 64, None),
        (2 << 20, 0, None),
    ],
)
def test_a_size_or_an_index_that_does_not_fit_is_refused_before_a_byte_changes(length, index, size, fallback):
    buffer = bytearray(length)

    with pytest.raises(ValueError):
        crypto.Ctr(KEY).crypt(buffer, index, size)

    assert not any(buffer)


def test_the_kernels_stay_inside_their_buffers_in_a_real_micropython():
    """Viper checks no bounds: a canary stands on both sides of every view, at every alignment."""
    script = """
from sealcam import crypto
crypto.NATIVE_CTR = False
for scratch in (16, 64, 4096):
    cipher = crypto.Ctr(bytes(32), scratch)
    for size in (0, 16, 32, 48, 64, 80, 4096, 4112, 16288):
        for offset in range(8):
            buffer = bytearray(b"\\xa5" * (size + 64))
            view = memoryview(buffer)[32 + offset:32 + offset + size]
            cipher.crypt(view, 3)
            assert bytes(buffer[:32 + offset]) == b"\\xa5" * (32 + offset), (size, offset)
            assert bytes(buffer[32 + offset + size:]) == b"\\xa5" * (32 - offset), (size, offset)
            assert not size or bytes(view) != b"\\xa5" * size
print("kept")
"""
    assert vm.run(script, "stock").strip() == "kept"


def test_the_fallback_leaves_no_garbage_and_native_one_object(machine):
    script = """
import gc
from sealcam import crypto
view = memoryview(bytearray(16384))[64:16352]
cipher = crypto.Ctr(bytes(32))
mac, out = crypto.Hmac(bytes(32)), memoryview(bytearray(32))
cipher.crypt(view, 1)
mac.tag(view, out)
gc.collect()
gc.disable()
start = gc.mem_alloc()
cipher.crypt(view, 2)
middle = gc.mem_alloc()
mac.tag(view, out)
end = gc.mem_alloc()
print(middle - start, end - middle)
"""
    in_cipher, in_mac = map(int, machine(script).split())

    assert in_cipher <= (32 if machine.name == "stock" else 384)  # 64-bit sizes; 336 on 32 bits
    assert in_mac <= 480


@pytest.mark.parametrize("size", [0, 1, 15, 16, 31, 32, 33, 100])
def test_gcm_agrees_with_another_implementation(size):
    text, aad = os.urandom(size), os.urandom(size)
    key, nonce = os.urandom(32), os.urandom(12)

    sealed = crypto.gcm_seal(key, nonce, text, aad)

    assert sealed == AESGCM(key).encrypt(nonce, text, aad)
    assert crypto.gcm_open(key, nonce, sealed, aad) == text


@pytest.mark.parametrize("size", [16, 24, 32, 64])
def test_key_wrap_agrees_with_another_implementation(size):
    key, kek = os.urandom(size), os.urandom(32)

    assert crypto.key_wrap(kek, key) == aes_key_wrap(kek, key)


def test_a_wrapped_key_with_any_bit_changed_is_not_unwrapped():
    wrapped = crypto.key_wrap(KEY, bytes(32))

    for bit in range(8 * len(wrapped)):
        changed = bytearray(wrapped)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(NotProved):
            crypto.key_unwrap(KEY, changed)


@pytest.mark.parametrize("size", [0, 1, 32, 63, 64, 65, 200])
def test_hmac_agrees_with_another_implementation_for_any_key_length(size):
    key, text = os.urandom(size), os.urandom(100)
    out = bytearray(40)

    tag = crypto.Hmac(key).tag(text, memoryview(out)[4:36])

    assert tag == hmac.digest(key, text, hashlib.sha256)
    assert out == bytes(4) + tag + bytes(4)
    assert crypto.hmac_sha256(key, text[:1], text[1:]) == tag


def test_same_looks_at_every_byte():
    one = bytes(range(32))

    assert crypto.same(one, bytearray(one))
    assert not crypto.same(one, one[:31])
    for i in range(32):
        other = bytearray(one)
        other[i] ^= 0xFF
        assert not crypto.same(one, other)


BROKEN_CIPHERS = """
class Broken:
    '''A cipher of the image that does what its name says.'''
    def __init__(self, *arguments):
        self._real = REAL(*arguments)
    def encrypt(self, source, out=None):
        answer = bytearray(self._real.encrypt(bytes(source)))
        SPOIL(answer, source)
        if out is None:
            return bytes(answer)
        memoryview(out)[:len(answer)] = answer
    def decrypt(self, source, out=None):
        return self._real.decrypt(source) if out is None else self._real.decrypt(source, out)
"""
SPOILS = {
    "one bit of the last block": "def SPOIL(answer, source): answer[-1] ^= 1",
    "does nothing": "def SPOIL(answer, source): answer[:] = source",
    "gives zeros": "def SPOIL(answer, source): answer[:] = bytes(len(answer))",
}


@pytest.mark.parametrize("spoil", SPOILS.values(), ids=SPOILS)
def test_a_cipher_that_computes_something_else_fails_the_self_test(machine, spoil):
    script = f"""
from sealcam import crypto
from sealcam.errors import SelfTestFailed
REAL = crypto.aes
{spoil}
{BROKEN_CIPHERS}
crypto.self_test()
crypto.aes = Broken
try:
    crypto.self_test()
except SelfTestFailed:
    print("refused")
"""
    assert machine(script).strip() == "refused"


@pytest.mark.parametrize("name", ["hkdf_expand", "hkdf_extract", "pbkdf2", "key_wrap", "gcm_seal", "ghash"])
def test_any_function_that_gives_another_answer_fails_the_self_test(name, monkeypatch):
    real = getattr(crypto, name)

    def wrong(*arguments):
        answer = real(*arguments)
        return answer ^ 1 if isinstance(answer, int) else bytes([answer[0] ^ 0xFF]) + answer[1:]

    monkeypatch.setattr(crypto, name, wrong)

    with pytest.raises(SelfTestFailed):
        crypto.self_test()


def test_every_error_has_a_status_byte_of_its_own():
    from sealcam import errors

    family = [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, SealcamError)
    ]

    assert len({kind.status for kind in family}) == len(family) >= 15
    assert all(0 < kind.status < 256 for kind in family)
