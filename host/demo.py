"""One whole shift on a desk, on real input: filmed, cut off, docked, proved, wiped, played back.

It calls the commands a person would and the camera of `make sim`, and says what it does; it holds no rule.
Everything it makes is under build/demo, which it empties first.
"""

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from demo_camera import ROOT, DemoFault, DeskCamera, say, short

CUT_AT = 220  # chunks: in the middle of the clip, and past the first signature


class Shift(DeskCamera):
    """The folder, the camera and the dock of one run."""

    def __init__(self, folder: Path, camera: Path) -> None:
        self.folder, self.camera_program = folder, camera
        self.reel, self.card = folder / "street.reel", folder / "card.img"
        self.home, self.exchange = folder / "home", folder / "exchange"

    def dock(self, *words: str, codes: tuple[int, ...] = (0,), quiet: bool = False) -> dict:
        """Run `sealcam` as a person would, show what it says, and answer the same as an object."""
        command = [sys.executable, "-m", "sealhost", "--home", str(self.home), *words]
        shown = " ".join(short(word, self.folder) for word in words)
        say(f"$ sealcam {shown}")
        ran = subprocess.run([*command, "--json"], cwd=ROOT, capture_output=True, text=True)
        answer = json.loads(ran.stdout) if ran.stdout.strip() else {}
        if ran.returncode not in codes:
            raise DemoFault(
                f"sealcam {shown}: exit {ran.returncode}: {answer.get('error') or ran.stderr.strip()}"
            )
        for line in [] if quiet else ran.stderr.splitlines():
            say(f"  {line.strip()}")
        return answer

    def shown(self, path: str) -> str:
        """A file of the run, as a person would reach it from here."""
        return os.path.relpath(self.folder / path, Path.cwd())

    def typed(self, *words: str) -> None:
        """Run `sealcam` and show what a person sees."""
        say("$ sealcam " + " ".join(short(word, self.folder) for word in words))
        command = [sys.executable, "-m", "sealhost", "--home", str(self.home), *words]
        for line in subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.splitlines():
            say(f"  {line}")


def found(shift: Shift) -> None:
    """The organisation, the reel and the camera."""
    say("1. Found an organisation: root, evidence office, and a vault with two stores")
    command = [sys.executable, "-m", "sealhost", "init", str(shift.home), "--demo", "--json"]
    say("$ sealcam init home --demo")
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    say("\n2. Enrol a camera: our firmware in a real MicroPython, its card a FAT image")
    for _ in range(5):
        step = shift.dock("enrol", str(shift.exchange))
        if not step["waiting_for"]:
            break
        shift.camera("enrol; power off")
    say(f"  camera {step['camera'][:16]} is enrolled: {step['facts']['interpreter']}")


def film(shift: Shift) -> None:
    """Twice: once to the end, once until the power goes; then the camera is switched on again."""
    say("\n3. Film the clip to its end, with a bookmark (as fast as this machine can)")
    shift.camera("place by the old bridge; record; wait chunks 100; bookmark 1; wait end; stop; power off")
    say("\n4. Film again, at the pace of the clip, until the power goes")
    shift.camera_killed(CUT_AT)
    say("\n5. Switch it on again: it finds the cut, and says so in its next header and in its journal")
    nonce = os.urandom(16).hex()
    shift.camera(f"inventory {nonce} {shift.folder / 'camera.inventory'}; power off")


def empty(shift: Shift) -> tuple[dict, dict]:
    """What the card shows, then the docking."""
    say("\n6. Look at the card alone: is it sealed, is it whole, and what does the camera say of the cut?")
    proved = shift.dock("prove-encrypted", str(shift.card))["findings"]
    say(
        f"  {sum(one['answer'] == 'sealed and proved' for one in proved)} of {len(proved)}: sealed and proved"
    )
    shown = shift.dock("verify", str(shift.card), codes=(0, 21))
    for recording in shown["recordings"]:
        say(f"  {recording['line']}")
        if recording["verdict"] == "cut_short":
            say(f"{'':16}{recording['word']}")
    say("\n7. Dock it: verify, store twice, read both back, sign a receipt, and only then wipe")
    docked = shift.dock("dock", str(shift.card), "--inventory", str(shift.folder / "camera.inventory"))
    for line in docked["lines"]:
        say(f"  {line}")
    return shown, docked


def look(shift: Shift, docked: dict) -> dict[str, dict]:
    """The evidence office looks at both recordings; custody tells of it."""
    say("\n8. In the evidence office: learn place and description, and make working copies, with a reason")
    shift.dock("index")
    shift.typed("ls")
    films = [r for r in docked["recordings"] if r["kind"] == "recording"][-2:]
    views = {}
    for recording, name in zip(films, ("whole", "cut"), strict=True):
        target = shift.folder / f"{name}.mp4"
        views[name] = shift.dock(
            "view", recording["name"][:12], "-o", str(target), "--reason", "demonstration"
        )
        say(f"  {views[name]['note']}")
    views["show"] = shift.dock("show", films[0]["name"][:12])
    say("\n9. Check the record, and prove everything that is stored again")
    views["custody"] = shift.dock("custody", "verify")
    say(f"  {views['custody']['size']} entries, every hash fits")
    views["audit"] = shift.dock("audit")
    say(f"  {len(views['audit']['recordings'])} recordings proved again in both places, none with troubles")
    shift.dock("custody", "export", "-o", str(shift.folder / "custody"))
    views["emptied"] = shift.dock("dock", str(shift.card), "--dry-run")
    return views


def summary(
    shift: Shift, shown: dict, docked: dict, views: dict, compared: list[str], seconds: float
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
    left = len(views["emptied"]["recordings"])
    tell("wiped", f"{len(wipe['wiped'])} files; on the card now: {left} sealed files, and the receipt")
    tell("certificate", shift.shown(wipe["certificate"]))
    tell("custody", f"{views['custody']['size']} entries, every hash fits; export: {shift.shown('custody')}")
    tell("MP4", f"{shift.shown('whole.mp4')}   {shift.shown('cut.mp4')}")
    for line in compared:
        tell("", line)
    tell("took", f"{seconds:.0f} s")


def tell(what: str, text: str) -> None:
    """One line of the summary."""
    say(f"{what:<14} {text}")


def main() -> int:
    """The whole shift; exit status 1 where a promise was not kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--footage", type=Path, default=ROOT / "hil_tests" / "footage" / "street.mp4")
    parser.add_argument(
        "--camera", type=Path, default=Path(os.environ.get("MICROPYTHON") or ROOT / "build/micropython/ctr")
    )
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "demo")
    parser.add_argument("--no-compare", action="store_true", help="do not hold the MP4 against what was fed")
    chosen = parser.parse_args()
    began = time.monotonic()
    shift = Shift(chosen.folder.resolve(), chosen.camera)
    shutil.rmtree(shift.folder, ignore_errors=True)
    shift.folder.mkdir(parents=True)
    try:
        make_reel(chosen.footage, shift.reel)
        found(shift)
        film(shift)
        shown, docked = empty(shift)
        views = look(shift, docked)
        compared = [] if chosen.no_compare else compare(shift, views)
    except DemoFault as fault:
        say(f"\nthe demonstration stopped: {fault}")
        return 1
    summary(shift, shown, docked, views, compared, time.monotonic() - began)
    return 0


def make_reel(footage: Path, reel: Path) -> None:
    """Footage to what the desk camera sees and hears; made once, as it does not change."""
    kept = ROOT / "build" / f"{footage.stem}.reel"
    if not kept.exists() or kept.stat().st_mtime < footage.stat().st_mtime:
        subprocess.run(
            [sys.executable, str(ROOT / "boards/unix/footage.py"), str(footage), str(kept)], check=True
        )
    with contextlib.suppress(OSError):
        os.link(kept, reel)
    if not reel.exists():
        shutil.copyfile(kept, reel)


def compare(shift: Shift, views: dict) -> list[str]:
    """Hold both MP4s against the reel; DemoFault where they are not what was filmed."""
    sys.path[:0] = [str(ROOT / "host" / "tests"), str(ROOT / "boards" / "unix")]
    try:
        import compared
    except ImportError as missing:
        return [f"not compared with what was fed: {missing.name} is not installed (make setup)"]
    found = [compared.whole(shift.reel, shift.folder / "whole.mp4")]
    found.append(compared.cut(shift.reel, shift.folder / "cut.mp4", views["cut"]["end_ms"]))
    wrong = [line for good, line in found if not good]
    if wrong:
        raise DemoFault("; ".join(wrong))
    return [line for _, line in found]


if __name__ == "__main__":
    sys.exit(main())
