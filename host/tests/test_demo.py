"""`make demo` on a short clip: the whole shift, with the real firmware in a real MicroPython."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from recordings import ROOT

CAMERA = Path(os.environ.get("MICROPYTHON") or ROOT / "build" / "micropython" / "ctr")


@pytest.mark.slow
@pytest.mark.skipif(not CAMERA.exists(), reason="the pinned MicroPython is not built: make setup")
def test_one_whole_shift_ends_with_an_emptied_card_and_two_films(tmp_path: Path) -> None:
    """Proves issue 3.8: docked by wire and card together, with a replay behind a PIN."""
    ran = subprocess.run(
        [sys.executable, ROOT / "host" / "demo.py", "--folder", tmp_path / "demo", "--camera", CAMERA],
        capture_output=True,
        text=True,
    )

    told = ran.stdout
    assert ran.returncode == 0, told[-3000:] + ran.stderr
    assert "240 of 240 pictures, 240 at their own millisecond" in told
    assert "CUT SHORT" in told and "ends at" in told
    assert "0 sealed files on the card now, and the receipt" in told
    assert "240 pictures shown, each one that was filmed" in told
    assert "9 TRIES LEFT" in told and "the word the PIN needs is gone" in told
    assert "camera.issued" in told and "camera.wiped" in told and "lamp green steady, silent: ready" in told
    assert "micropython" in told
    assert "the head of a later file says: cut; last signed for chunk" in told
    assert "by the old bridge" in told
    assert len(told.splitlines()) < 200, "the chunks of a recording are marks on one line"
    assert (tmp_path / "demo" / "whole.mp4").stat().st_size > 100_000
    assert (tmp_path / "demo" / "cut.mp4").stat().st_size > 50_000
