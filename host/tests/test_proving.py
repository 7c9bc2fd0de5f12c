"""`prove-encrypted` calls sealed only what our keys prove, and finds what only looks encrypted."""

import random
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from recordings import ROOT
from sealhost import proving
from sealhost.proving import Answer
from sealhost.verify import part_from
from shift import Shift, content

pytestmark = pytest.mark.slow  # looks through megabytes

STREET = (ROOT / "hil_tests" / "footage" / "street.mp4").read_bytes()
KEYS = (1, 7, 16, 64, 4096)


def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


def xored(plain: bytes, size: int) -> bytes:
    key = (noise(size, size) * (len(plain) // size + 1))[: len(plain)]
    return bytes(a ^ b for a, b in zip(plain, key, strict=True))


def aes(plain: bytes, mode: modes.Mode) -> bytes:
    return Cipher(algorithms.AES(noise(32)), mode).encryptor().update(plain[: len(plain) & ~15])


def jpegs() -> bytes:
    """Packed pictures one after another, as some cameras write them."""
    import films

    return b"".join(films.jpeg(320, 240, number) for number in range(60))


def answer_to(body: bytes) -> proving.Finding:
    return proving.examine(part_from(body, "file"))


@pytest.mark.parametrize("size", KEYS)
def test_an_mp4_under_a_repeating_key_is_not_encrypted(size: int) -> None:
    """Proves LE-6: a non-standard format is not encryption."""
    finding = answer_to(xored(STREET, size))

    assert finding.answer is Answer.PLAIN
    assert "XOR" in finding.reason or "in the clear" in finding.reason


@pytest.mark.parametrize("size", [1, 16, 64])
def test_pictures_under_a_repeating_key_are_not_encrypted(size: int) -> None:
    assert answer_to(xored(jpegs(), size)).answer is Answer.PLAIN


@pytest.mark.parametrize("size", [7, 16, 64, 4096])
def test_the_length_of_the_key_is_named(size: int) -> None:
    assert f"{size} bytes" in answer_to(xored(STREET, size)).reason


def test_media_in_the_clear_is_named_with_its_place() -> None:
    assert answer_to(STREET).reason == "an MP4 file stands in the clear at byte 0"
    hidden = answer_to(noise(300_000) + jpegs())
    assert hidden.answer is Answer.PLAIN
    assert "JPEG" in hidden.reason and "byte 3000" in hidden.reason


@pytest.mark.slow
@pytest.mark.parametrize(
    "mode", [modes.CTR(bytes(16)), modes.CBC(bytes(16)), modes.ECB()], ids=["CTR", "CBC", "ECB"]
)
def test_somebody_elses_aes_cannot_be_told(mode: modes.Mode) -> None:
    finding = answer_to(aes(STREET, mode))

    assert finding.answer is Answer.UNKNOWN
    assert "encrypted" not in finding.answer.value


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_random_bytes_cannot_be_told(seed: int) -> None:
    assert answer_to(noise(600_000, seed)).answer is Answer.UNKNOWN


@pytest.mark.parametrize("body", [b"", bytes(100_000)], ids=["empty", "zeros"])
def test_nothing_proves_nothing(body: bytes) -> None:
    assert answer_to(body).answer is Answer.UNKNOWN


def test_only_what_our_keys_prove_is_sealed(founded: Path, tmp_path: Path) -> None:
    """Proves LE-6."""
    shift = Shift.begin(founded, tmp_path)
    film = shift.film(1)
    card = shift.folder_card(tmp_path)
    sealed = shift.run("prove-encrypted", card)
    changed = bytearray(content(film))
    changed[2 * 2048 + 100] ^= 0xFF
    (card / "sealcam" / shift.name(film)).write_bytes(changed)
    altered = shift.run("prove-encrypted", card)
    (card / "clip.mp4").write_bytes(STREET)
    mixed = shift.run("prove-encrypted", card)

    assert (sealed[0], sealed[1]["findings"][0]["answer"]) == (0, "sealed and proved")
    assert (altered[0], altered[1]["findings"][0]["answer"]) == (12, "cannot tell")
    assert mixed[0] == 11


def test_an_empty_card_is_not_called_sealed(founded: Path, tmp_path: Path) -> None:
    shift = Shift.begin(founded, tmp_path)
    (tmp_path / "card").mkdir()

    assert shift.run("prove-encrypted", tmp_path / "card")[0] == 12
