"""A raw scan of all that a docking leaves: card, stores, databases, books. Nothing that was fed is in it."""

import json
import struct
from pathlib import Path

import films
import numpy as np
import pytest
from sealhost import layout, seal
from shift import Shift, found

PLACE = "Market Square, north side, by the fountain"
POSITION = struct.pack(">iiiI", 488566123, 23522987, 3512, 420)


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return found(tmp_path_factory.mktemp("founded") / "home")


class Fed:
    """Every 16 bytes of what was fed, at every offset; runs of one byte say nothing."""

    def __init__(self, payloads: list[bytes]) -> None:
        self.all = b"".join(payloads)
        raw = np.frombuffer(self.all, np.uint8)
        every = np.lib.stride_tricks.sliding_window_view(raw, 8)
        self.beginnings = np.unique(np.ascontiguousarray(every).view(np.uint64))

    def in_file(self, path: Path) -> int:
        """How many aligned runs of 16 bytes of a file are among them."""
        raw = np.fromfile(path, np.uint8)
        pairs = raw[: len(raw) // 16 * 16].reshape(-1, 16)
        pairs = pairs[pairs.any(axis=1)]
        near = pairs[np.isin(np.ascontiguousarray(pairs[:, :8]).view(np.uint64)[:, 0], self.beginnings)]
        return sum(len(set(pair)) > 3 and bytes(pair) in self.all for pair in near)


def filmed(shift: Shift, records: tuple) -> seal.Writer:
    slots = shift.desk.keylist.recipients(layout.KIND_RECORDING)
    writer = seal.begin(
        shift.device, slots, kind=layout.KIND_RECORDING, sequence=1, chunk_size=16384, keylist=1
    )
    writer.record(layout.TRACK_DESCRIPTION, json.dumps({**films.TOLD, "place": PLACE}).encode())
    writer.record(layout.TRACK_POSITION, POSITION, ms=1)
    for track, flags, ms, payload in records:
        if track != films.DESCRIPTION:
            writer.record(track, payload, ms=ms, flags=flags)
    writer.pad()
    writer.sign()
    writer.end()
    shift.films[1] = writer
    return writer


@pytest.mark.slow
@pytest.mark.promise1
@pytest.mark.parametrize("as_image", [False, True], ids=["folder", "image"])
def test_nothing_that_was_fed_is_anywhere_after_a_docking(
    founded: Path, tmp_path: Path, as_image: bool
) -> None:
    """Proves promise 1: frames, samples, place and position; on the card before, and everywhere after."""
    records = films.street(0.5)
    shift = Shift.begin(founded, tmp_path)
    filmed(shift, records)
    fed = [payload for _, _, _, payload in records if len(payload) >= 16] + [POSITION, PLACE.encode()]
    wanted = Fed(fed)
    card = shift.image_card(tmp_path) if as_image else shift.folder_card(tmp_path)

    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    told = {path: wanted.in_file(path) for path in before}
    assert shift.run("dock", card)[0] == 0
    told |= {path: wanted.in_file(path) for path in tmp_path.rglob("*") if path.is_file()}

    assert {path.name: count for path, count in told.items() if count} == {}
    assert any(path.parent.parent.name == "bodies" for path in told)
    assert PLACE.encode() not in b"".join(path.read_bytes() for path in told if path.suffix == ".sqlite")
    (tmp_path / "plain.bin").write_bytes(b"\0" * 32 + fed[0][:4096])
    assert wanted.in_file(tmp_path / "plain.bin") > 100  # the scan itself can see
