"""The cable pulled for good after frames of an enrolment by wire, the firmware itself in this process: the
next run takes it up, and no seed that was shown to anybody stays.
"""

import contextlib
import io
import os
import shutil
from pathlib import Path

import pytest
from real_camera import RealCamera, forked
from sampling import sampled
from sealhost import docked, founding
from sealhost.cli import wired, wiring
from sealhost.enrolment import courier
from sealhost.errors import CableGone
from test_cable_real import SMALL

pytestmark = [pytest.mark.power, pytest.mark.promise4]
SEED = slice(89, 137)  # of offer.seal, statements.md


class Morning:
    """An organisation, and a camera that belongs to nobody."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        founding.init(folder / "home", demo=True, policy=SMALL)
        self.camera = RealCamera()
        self.opened = docked.open_camera

    def enrol(self, home: Path) -> str:
        """As the command does it; what it waits for."""
        line = self.camera.line

        def open_camera(port, link_key, *rest, **named):
            return self.opened(port, link_key, *rest, line=line, clock=line.clock, sleep=line.sleep, **named)

        docked.open_camera, courier.time.sleep = open_camera, line.sleep
        return wired.enrol(wiring.Home(str(home)), "x", [], None, lambda line: None).waiting_for

    def whole(self, copy: Path) -> None:
        """In a fork: nobody disturbs it."""
        os.fsync = lambda handle: None
        shutil.copytree(self.folder / "home", copy / "home")
        assert self.enrol(copy / "home") == ""
        (copy / "line").write_text(" ".join(map(str, self.camera.line.frames)))

    def cut(self, copy: Path, cut_after: int) -> None:
        """In a fork: out for good after so many bytes; then in again, and one more run."""
        os.fsync = lambda handle: None
        home, line = Path(shutil.copytree(self.folder / "home", copy / "home")), self.camera.line
        line.begin(cut_after)
        line.stays_out = True
        with contextlib.redirect_stderr(io.StringIO()), pytest.raises(CableGone):
            self.enrol(home)
        no_seed_in(home)

        line.begin(None)
        assert self.enrol(home) == ""
        assert [d.state for d in wiring.Home(str(home)).register.devices()] == ["enrolled"]
        assert self.camera.camera.drilled == 1
        no_seed_in(home)


def no_seed_in(home: Path) -> None:
    """Of an offer that a camera was shown."""
    for mark in home.rglob(courier.BROUGHT):
        offer = mark.with_name("offer.seal")
        assert not offer.exists() or not any(offer.read_bytes()[SEED]), offer


def test_every_enrolment_that_was_cut_is_taken_up_and_leaves_no_seed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Proves issue 3.3: after every frame, and in the middle of each that is long."""
    morning = Morning(tmp_path)
    (tmp_path / "whole").mkdir()
    assert not (wrong := forked(lambda: morning.whole(tmp_path / "whole"))), wrong
    frames = [0, *map(int, (tmp_path / "whole" / "line").read_text().split())]
    middles = [(a + b) // 2 for a, b in zip(frames, frames[1:], strict=False) if b - a > 400]
    cuts = sampled(sorted({*frames[1:-1], *middles}))

    for cut_after in cuts:
        copy = tmp_path / f"cut-{cut_after}"
        copy.mkdir()
        wrong = forked(lambda: morning.cut(copy, cut_after))  # noqa: B023 - called at once
        assert not wrong, f"after byte {cut_after}: {wrong}"
        shutil.rmtree(copy)

    with capsys.disabled():
        print(f"\n{len(cuts)} enrolments whose cable was pulled for good: every one ended, and left no seed")
