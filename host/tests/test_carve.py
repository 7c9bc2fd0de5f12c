"""What is left of a card whose file system is gone."""

import os
import random
import sys
from pathlib import Path

import pytest
from sealhost.carve import carve
from sealhost.records import Verdict

sys.path.insert(0, str(Path(__file__).resolve().parent))
from recordings import Office, film

OFFICE = Office()


def card(path: Path, pieces: list[bytes], seed: int = 1) -> Path:
    """Pieces at whole sectors of a card, noise between them."""
    noise = random.Random(seed)
    content = bytearray(noise.randbytes(4096))
    for piece in pieces:
        content += piece + bytes(-len(piece) % 512) + noise.randbytes(512 * noise.randrange(1, 9))
    path.write_bytes(content)
    return path


@pytest.mark.promise5
def test_the_first_block_and_the_table_destroyed_and_still_all_is_there(tmp_path):
    first, second = film(OFFICE, "..s..e"), film(OFFICE, "...s", sequence=2, chunk_size=4096)
    image = card(tmp_path / "card.img", [bytes(512), *second.parts(), *first.parts(2)])

    found = {part.name: OFFICE.judge([part]) for part in carve(image, [OFFICE.vault])}

    assert found[f"carved {first.core.name[:16]}"].verdict is Verdict.INTACT
    assert found[f"carved {second.core.name[:16]}"].marks == b"...,"


@pytest.mark.promise5
@pytest.mark.parametrize("size", [512, 4096, 16384])
def test_the_first_head_gone_and_chunks_scattered_in_any_order(size, tmp_path):
    writer = film(OFFICE, "..s..e", chunk_size=size)
    pieces = [os.urandom(writer.core.block_size) + writer.head, *writer.chunks]
    random.Random(2).shuffle(pieces)

    (part,) = carve(card(tmp_path / "card.img", pieces), [OFFICE.vault])

    found = OFFICE.judge([part])
    assert (found.verdict, found.marks) == (Verdict.INTACT, b".....|")


@pytest.mark.promise5
def test_what_does_not_prove_is_not_carved_and_the_hole_shows(tmp_path):
    writer = film(OFFICE, "..s..e")
    writer.chunks[3] = bytes(writer.chunks[3][:200]) + os.urandom(312)
    (part,) = carve(card(tmp_path / "card.img", writer.parts()), [OFFICE.vault])
    assert OFFICE.judge([part]).marks == b"..,-.|"


def test_a_recording_of_somebody_else_is_not_carved(tmp_path):
    image = card(tmp_path / "card.img", film(Office(1), "..e").parts())
    assert carve(image, [OFFICE.vault]) == []


def test_a_sparse_giant_is_not_read_through(tmp_path):
    writer = film(OFFICE, "..e")
    image = tmp_path / "card.img"
    with open(image, "wb") as file:
        file.truncate(40 << 30)
        file.seek(20 << 30)
        file.write(writer.parts()[0])
    (part,) = carve(image, [OFFICE.vault])
    assert OFFICE.judge([part]).verdict is Verdict.INTACT
