"""The generator against a plain model, and the health tests of what feeds it."""

import hashlib
import hmac
import os
from fractions import Fraction
from math import comb

import pytest
from sealcam import drbg
from sealcam.drbg import NOISE_SAMPLES, AdaptiveProportion, Drbg, RepetitionCount, check_noise
from sealcam.errors import EntropyFault

SEED = bytes(range(32))
NOISE = hashlib.shake_256(b"noise of a healthy source").digest(NOISE_SAMPLES)


class PlainModel:
    """HMAC_DRBG written again from SP 800-90A section 10.1.2, on the standard library."""

    def __init__(self, seed):
        self.key, self.value = bytes(32), b"\x01" * 32
        self.update(seed)

    def mac(self, text):
        return hmac.digest(self.key, text, "sha256")

    def update(self, provided):
        for separator in b"\x00\x01"[: 2 if provided else 1]:
            self.key = self.mac(self.value + bytes([separator]) + provided)
            self.value = self.mac(self.value)

    def generate(self, size, additional):
        if additional:
            self.update(additional)
        output = b""
        while len(output) < size:
            self.value = self.mac(self.value)
            output += self.value
        self.update(additional)
        return output[:size]


def test_the_generator_agrees_with_a_plain_model_over_many_requests():
    ours, model = Drbg(SEED, bytes(16), b"person"), PlainModel(SEED + bytes(16) + b"person")

    for size in [0, 1, 31, 32, 33, 64, 100, 1000]:
        additional = os.urandom(size % 3 * 8)
        assert ours.generate(size, additional) == model.generate(size, additional)
    ours.reseed(NOISE, b"more")
    model.update(NOISE + b"more")
    assert ours.generate(50) == model.generate(50, b"")


def test_a_generator_with_too_little_entropy_is_never_made():
    with pytest.raises(EntropyFault):
        Drbg(bytes(31), bytes(16))
    with pytest.raises(EntropyFault):
        Drbg(SEED, bytes(16)).reseed(bytes(31))


def test_a_reseed_is_due_after_the_interval(monkeypatch):
    monkeypatch.setattr(drbg, "RESEED_INTERVAL", 3)
    generator = Drbg(SEED, bytes(16))
    for _ in range(3):
        generator.generate(1)

    with pytest.raises(EntropyFault):
        generator.generate(1)
    generator.reseed(SEED)
    assert len(generator.generate(1)) == 1


def test_more_than_one_request_may_carry_is_refused():
    with pytest.raises(ValueError):
        Drbg(SEED, bytes(16)).generate(drbg.MAX_REQUEST + 1)


def test_the_cutoffs_are_those_of_the_standard():
    """SP 800-90B sections 4.4.1 and 4.4.2, H = 1, alpha = 2^-20."""
    alpha, below = Fraction(1, 2**20), Fraction(0)
    for critical in range(AdaptiveProportion.WINDOW + 1):
        below += Fraction(comb(AdaptiveProportion.WINDOW, critical), 2**AdaptiveProportion.WINDOW)
        if below >= 1 - alpha:
            break

    assert AdaptiveProportion.CUTOFF == 1 + critical
    assert RepetitionCount.CUTOFF == 1 + 20


def test_a_source_stuck_for_twenty_one_samples_is_sick_and_for_twenty_is_not():
    for run, healthy in ((20, True), (21, False)):
        test = RepetitionCount()
        assert all([test.feed(sample) for sample in b"a" + b"b" * run]) is healthy


def test_a_value_seen_at_the_cutoff_of_a_window_is_sick_and_one_below_is_not():
    for often, healthy in ((AdaptiveProportion.CUTOFF - 1, True), (AdaptiveProportion.CUTOFF, False)):
        test = AdaptiveProportion()
        window = [7] * often + [i % 5 for i in range(AdaptiveProportion.WINDOW - often)]
        assert all([test.feed(sample) for sample in window * 2]) is healthy


def test_random_bytes_pass_the_health_tests():
    for i in range(50):
        check_noise(hashlib.shake_256(bytes([i])).digest(4 * NOISE_SAMPLES))
