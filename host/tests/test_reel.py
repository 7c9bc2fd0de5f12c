"""A reel is read on CPython and on MicroPython, and a damaged one is refused in words."""

import struct
import subprocess
import sys
from pathlib import Path

import pytest
from fuzzing import fuzzed
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parent))
from films import ROOT, clip, entries, footage, reel


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A short reel's bytes: 5 pictures, 13 sound blocks."""
    folder = tmp_path_factory.mktemp("small")
    source = clip(folder / "in.mkv", 16, 16, stamps=range(0, 400, 80), sound=(16000, 0.4))
    footage.make_reel(source, folder / "small.reel")
    return (folder / "small.reel").read_bytes()


def test_rewind_begins_again(small, tmp_path):
    path = tmp_path / "small.reel"
    path.write_bytes(small)
    film = reel.Reel(str(path))
    buffer = bytearray(film.longest)
    first = film.next_into(buffer), bytes(buffer)
    while film.next_into(buffer):
        pass
    assert film.next_into(buffer) is None

    film.rewind()

    assert (film.next_into(buffer)[0:2], bytes(buffer)[: first[0][2]]) == (
        first[0][0:2],
        first[1][: first[0][2]],
    )


def test_what_a_buffer_cannot_take_is_told_by_its_length_and_passed_over(small, tmp_path):
    path = tmp_path / "small.reel"
    path.write_bytes(small)
    buffer, film = bytearray(10), reel.Reel(str(path))

    told = []
    while entry := film.next_into(buffer):
        told.append(entry)

    assert told == [(track, ms, len(payload)) for track, ms, payload in entries(path)]
    assert buffer == bytes(10)


FIRST = reel.HEADER_SIZE


@pytest.mark.parametrize(
    ("at", "form", "value", "said"),
    [
        (0, "8s", b"SEALCAM\n", "no reel"),
        (8, ">H", 2, "version 2"),
        (14, ">H", 1, "header is damaged"),
        (36, ">I", reel.MAX_PAYLOAD + 1, "header is damaged"),
        (40, ">Q", 2**63, "not as long"),
        (40, ">Q", 5, "not as long"),
        (63, "B", 1, "header is damaged"),
        (FIRST, ">H", 0x5244, "no entry begins at byte 64"),
        (FIRST + 2, "B", 3, "no entry begins at byte 64"),
        (FIRST + 3, "B", 1, "no entry begins at byte 64"),
        (FIRST + 8, ">I", 0, "wrong length"),
        (FIRST + 8, ">I", 0xFFFFFFFF, "wrong length"),
        (FIRST + 4, ">I", 0xFFFFFFFF, "goes back in time"),
    ],
)
def test_each_field_that_lies_is_refused_in_words(at, form, value, said, small, tmp_path):
    path = tmp_path / "lies.reel"
    raw = bytearray(small)
    struct.pack_into(form, raw, at, value)
    path.write_bytes(raw)

    with pytest.raises(reel.ReelFault, match=said):
        list(entries(path))


@fuzzed()
@given(broken=st.data())
def test_a_broken_reel_is_read_or_refused_and_never_read_past_its_buffer(broken, small, tmp_path):
    raw = bytearray(small)
    for _ in range(broken.draw(st.integers(1, 4))):
        at = broken.draw(st.one_of(st.integers(0, 100), st.integers(0, len(raw) - 1)))
        raw[at] ^= broken.draw(st.integers(1, 255))
    raw = raw[: broken.draw(st.one_of(st.just(len(raw)), st.integers(0, len(raw))))]
    path = tmp_path / "broken.reel"
    path.write_bytes(raw)

    try:
        read = list(entries(path))
    except reel.ReelFault as fault:
        assert str(fault)
    else:
        assert sum(reel.ENTRY_SIZE + len(payload) for _, _, payload in read) + FIRST == len(raw)


@pytest.mark.parametrize("image", ["stock", "ctr"])
def test_micropython_reads_the_same_reel(image, small, tmp_path):
    micropython = ROOT / "build" / "micropython" / image
    if not micropython.exists():
        pytest.skip(f"build/micropython/{image} is not built yet")
    path = tmp_path / "small.reel"
    path.write_bytes(small)
    (tmp_path / "read.py").write_text(
        "import sys\nsys.path.insert(0, sys.argv[1])\nimport reel\nfilm = reel.Reel(sys.argv[2])\n"
        "buffer = bytearray(film.longest)\n"
        "while True:\n    entry = film.next_into(buffer)\n    if entry is None:\n        break\n"
        "    print(entry[0], entry[1], entry[2], sum(memoryview(buffer)[: entry[2]]))\n"
        "film.rewind()\n"
        "print(film.next_into(bytearray(3))[2])\n"
    )

    command = [str(micropython), str(tmp_path / "read.py"), str(ROOT / "boards" / "unix"), str(path)]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()

    expected = [f"{track} {ms} {len(payload)} {sum(payload)}" for track, ms, payload in entries(path)]
    assert lines[:-1] == expected
    assert int(lines[-1]) == len(next(entries(path))[2])
