"""MicroPython's `cryptolib` for CPython, on `cryptography`: the same calls, the same refusals.

`CTR_BUILT_IN` is what a test turns off to stand on an image without counter mode. Never part of an image.
"""

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

CTR_BUILT_IN = True
_ECB, _CBC, _CTR = 1, 2, 6


class aes:
    def __init__(self, key, mode, iv=None):
        if len(key) not in (16, 32):
            raise ValueError("key")
        self._mode = mode
        self._cipher = Cipher(algorithms.AES(bytes(key)), _mode_of(mode, iv))
        self._encrypting = None  # one object serves one direction, as on the device
        self._context = None

    def encrypt(self, source, out=None):
        return self._run(True, source, out)

    def decrypt(self, source, out=None):
        return self._run(False, source, out)

    def _run(self, encrypting, source, out):
        if self._mode != _CTR and len(source) % 16:
            raise ValueError("blksize % 16")
        if out is not None and len(out) < len(source):
            raise ValueError("output too small")
        result = self._context_for(encrypting).update(source)
        if out is None:
            return result
        memoryview(out).cast("B")[: len(result)] = result
        return out

    def _context_for(self, encrypting):
        if self._context is None:
            self._encrypting = encrypting
            self._context = self._cipher.encryptor() if encrypting else self._cipher.decryptor()
        if self._encrypting is not encrypting:
            raise ValueError("can't encrypt & decrypt")
        return self._context


def _mode_of(mode, iv):
    if mode == _ECB:
        return modes.ECB()
    if mode not in (_CBC, _CTR) or (mode == _CTR and not CTR_BUILT_IN):
        raise ValueError("mode")
    if iv is None or len(iv) != 16:
        raise ValueError("IV")
    return modes.CBC(bytes(iv)) if mode == _CBC else modes.CTR(bytes(iv))
