"""The end of the demonstration: what a person wants to know of the shift; the films held against the reel.

Reads what the commands answered; decides nothing.
"""

import json
import sys
from pathlib import Path
from typing import Any

from demo_camera import ROOT, DemoFault, say


def summary(
    shift: Any, shown: dict, docked: dict, views: dict, compared: list[str], seconds: float
) -> None:
    """What a person wants to know at the end of a shift."""
    films = [r for r in docked["recordings"] if r["kind"] == "recording"][-2:]
    receipt, wipe = docked["receipts"][-1], docked["wipes"][-1]
    described = json.loads(views["show"]["description"])
    say("\n" + "=" * 100)
    tell("filmed by", f"{described['interpreter']}, board {described['board']} (from the sealed description)")
    for name, recording in zip(("whole", "cut"), films, strict=True):
        tell(name, recording["line"])
    tell("the cut", next(r["word"] for r in shown["recordings"] if r["name"] == films[1]["name"]))
    rest = len(docked["recordings"]) - 2
    tell(
        "beside them",
        f"{rest} more sealed files (log segments, the trial of the enrolment), judged and stored",
    )
    copies = min((r["copies"], r["slot_copies"]) for r in docked["recordings"])
    tell("copies", f"body x {copies[0]}, slots x {copies[1]}, each read back past the page cache")
    digest = receipt["digest"][:32]
    tell("receipt", f"number {receipt['receipt_no']} over {receipt['count']} files, {digest}...")
    tell("wiped", f"{len(wipe['wiped'])} files, which the camera agreed to and signed for")
    tell("certificate", shift.shown(wipe["certificate"]))
    tell("custody", f"{views['custody']['size']} entries, every hash fits; export: {shift.shown('custody')}")
    tell("MP4", f"{shift.shown('whole.mp4')}   {shift.shown('cut.mp4')}")
    for line in compared:
        tell("", line)
    tell("took", f"{seconds:.0f} s")


def tell(what: str, text: str) -> None:
    """One line of the summary."""
    say(f"{what:<14} {text}")


def compare(reel: Path, folder: Path, end_ms: int) -> list[str]:
    """Hold both MP4s against the reel; DemoFault where they are not what was filmed."""
    sys.path[:0] = [str(ROOT / "host" / "tests"), str(ROOT / "boards" / "unix")]
    try:
        import compared
    except ImportError as missing:
        return [f"not compared with what was fed: {missing.name} is not installed (make setup)"]
    found = [compared.whole(reel, folder / "whole.mp4"), compared.cut(reel, folder / "cut.mp4", end_ms)]
    wrong = [line for good, line in found if not good]
    if wrong:
        raise DemoFault("; ".join(wrong))
    return [line for _, line in found]
