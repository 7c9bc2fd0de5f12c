"""One whole shift on a desk, on real input: enrolled, issued, filmed, looked at, cut off, docked, wiped.

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

import demo_screen
from demo_camera import ROOT, DemoFault, DeskCamera, say, short
from demo_summary import compare, summary

CUT_AT = 220  # chunks: in the middle of the clip, and past the first signature
BOOKMARK_AT = 100


class Shift:
    """The folder, the camera and the dock of one run."""

    def __init__(self, folder: Path, program: Path) -> None:
        self.folder, self.home = folder, folder / "home"
        self.reel, self.card = folder / "street.reel", folder / "card.img"
        self.camera = DeskCamera(folder, program, self.reel)
        self.port = str(self.camera.port)
        self.device = self.number = ""
        self.word = b""

    def dock(self, *words: str, codes: tuple[int, ...] = (0,), quiet: bool = False) -> dict:
        """Run `sealcam` as a person would, show what it says, and answer the same as an object."""
        shown = " ".join(short(word, self.folder) for word in words)
        say(f"$ sealcam {shown}")
        home = [] if words[0] == "init" else ["--home", str(self.home)]
        command = [sys.executable, "-m", "sealhost", *home, *words, "--json"]
        ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        answer = json.loads(ran.stdout) if ran.stdout.strip() else {}
        if ran.returncode not in codes:
            raise DemoFault(
                f"sealcam {shown}: exit {ran.returncode}: {answer.get('error') or ran.stderr.strip()}"
            )
        for line in [] if quiet else ran.stderr.splitlines():
            say(f"  {line.strip()}")
        return answer

    def shown(self, path: str | Path) -> str:
        """A file of the run, as a person would reach it from here."""
        return os.path.relpath(self.folder / path, Path.cwd())

    def typed(self, *words: str) -> None:
        """Run `sealcam` and show what a person sees."""
        say("$ sealcam " + " ".join(short(word, self.folder) for word in words))
        command = [sys.executable, "-m", "sealhost", "--home", str(self.home), *words]
        for line in subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.splitlines():
            say(f"  {line}")


def found(shift: Shift) -> None:
    """The organisation, its rule on replay, and a camera of its own."""
    say("1. Found an organisation: root, evidence office, and a vault with two stores")
    shift.dock("init", str(shift.home), "--demo")
    say("\n2. The root allows in writing that wearers look at their own footage, though flash can be copied")
    shift.typed("policy", "change", "--allow-replay", "--accept-unprotected-flash")
    say("\n3. Enrol a camera over its serial line: our firmware in a real MicroPython, its card a FAT image")
    shift.camera.switch_on("--real-time")
    enrolled = shift.dock("enrol", shift.port)
    if enrolled["waiting_for"]:
        raise DemoFault(f"the enrolment waits for {enrolled['waiting_for']}")
    shift.device = enrolled["camera"]
    say(f"  camera {shift.device[:16]} is enrolled: {enrolled['facts']['interpreter']}")
    shift.camera.ask("status")


def hand_out(shift: Shift) -> None:
    """Into an officer's hands, who chooses a PIN."""
    camera = shift.camera
    say("\n4. Issue it to an officer for this shift; its wearer chooses a PIN, by its buttons, twice")
    issued = shift.dock("issue", shift.device[:4], "--to", "4711", "--until", "+12h", "--port", shift.port)
    if not issued["asks_for_pin"]:
        raise DemoFault("the camera does not ask for a PIN")
    say(f"  it is with officer {issued['officer']}, under issue {issued['issue']}")
    shift.number = issued["issue"][:8].upper()
    demo_screen.see(camera, f"ISSUE {shift.number}", "CHOOSE A PIN")
    demo_screen.type_pin(camera, demo_screen.PIN)
    if "10 TRIES LEFT" not in demo_screen.type_pin(camera, demo_screen.PIN):
        raise DemoFault("the camera did not take the PIN")
    shift.word = demo_screen.replay_word(camera)
    camera.power_off()


def film(shift: Shift) -> None:
    """To the end of the clip."""
    say("\n5. Film the clip to its end, with a bookmark (as fast as this machine can)")
    shift.camera.switch_on("--fast")
    marked = ["place by the old bridge", "record", f"wait chunks {BOOKMARK_AT}", "bookmark 1"]
    shift.camera.press(*marked, "wait end", "stop", "wait idle")


def look_back(shift: Shift) -> str:
    """The wearer's own footage, behind the PIN; what is said of it at the end."""
    camera, since = shift.camera, len(demo_screen.frames(shift.camera))
    say("\n6. The officer looks at it on the camera, behind the PIN: one wrong try, then the right one")
    demo_screen.see(camera, f"ISSUE {shift.number}", "PIN", "10 TRIES LEFT", "PIN FORGOTTEN")
    if "9 TRIES LEFT" not in demo_screen.type_pin(camera, demo_screen.WRONG):
        raise DemoFault("a wrong PIN did not cost a try")
    demo_screen.type_pin(camera, demo_screen.PIN)
    camera.press("press ok", "wait replayed", "wait idle")
    demo_screen.see(camera, "THE END")
    count, picture = demo_screen.check_pictures(camera, since, shift.number)
    say(f"  {count} pictures shown, each one that was filmed, each with {shift.number} in two of its corners")
    say(f"  look: {shift.shown(picture)}")
    camera.power_off()
    return f"{count} pictures on the camera's own screen, e.g. {shift.shown(picture)}"


def cut(shift: Shift) -> None:
    """Until the power goes; then the camera is switched on again."""
    say("\n7. Film again, at the pace of the clip, until the power goes")
    shift.camera.switch_on("--real-time")
    shift.camera.flat_battery(CUT_AT)
    say("\n8. Switch it on again: it finds the cut, and says so in its next header and in its journal")
    shift.camera.switch_on("--real-time")
    shift.camera.power_off()


def empty(shift: Shift) -> tuple[dict, dict]:
    """What the card shows, then the docking."""
    say("\n9. Take the card out, look at it alone: is it sealed, is it whole, what does its camera say?")
    proved = shift.dock("prove-encrypted", str(shift.card))["findings"]
    say(
        f"  {sum(one['answer'] == 'sealed and proved' for one in proved)} of {len(proved)}: sealed and proved"
    )
    shown = shift.dock("verify", str(shift.card), codes=(0, 21))
    for recording in shown["recordings"]:
        say(f"  {recording['line']}")
        if recording["verdict"] == "cut_short":
            say(f"{'':16}{recording['word']}")
    say("\n10. Dock it, the card in a reader, the camera on its line: verify, store twice, read both back,")
    say("    sign a receipt; the camera judges by its own journal, and signs for what is wiped")
    shift.camera.switch_on("--real-time", has_card=False)
    docked = shift.dock("dock", shift.port, str(shift.card))
    for line in docked["lines"]:
        say(f"  {line}".replace(f"{shift.folder}/", ""))
    shift.camera.ask("lamp")
    left = shift.dock("dock", str(shift.card), "--dry-run")["recordings"]
    if left:
        raise DemoFault(f"{len(left)} sealed files are still on the card")
    say("  0 sealed files on the card now, and the receipt")
    return shown, docked


def after(shift: Shift) -> None:
    """Docking ended the issue: nothing is left to try a PIN on; and the card goes back."""
    camera = shift.camera
    say("\n11. Docking ended the issue: the PIN opens nothing any more")
    demo_screen.type_pin(camera, demo_screen.PIN)
    demo_screen.check_gone(camera, shift.word)
    say("\n12. The emptied card goes back into the camera")
    camera.press(f"card in {shift.card}", "wait idle", shown="card in; wait idle")
    state = [camera.ask("status"), camera.ask("lamp")]
    if state[0] != "ok idle, sound, drilled 1" or not state[1].endswith(": ready"):
        raise DemoFault("the camera is not ready for its next shift")
    if demo_screen.type_pin(camera, demo_screen.PIN) != "READY":
        raise DemoFault("a PIN is still worth something")
    camera.power_off()


def look(shift: Shift, docked: dict) -> dict[str, dict]:
    """The evidence office looks at both recordings; custody tells of it."""
    say("\n13. In the evidence office: learn place and description, and make working copies, with a reason")
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
    return views


def prove(shift: Shift, views: dict) -> None:
    """The record, and everything stored, once more."""
    say("\n14. Check the record, and prove everything that is stored again")
    views["custody"] = shift.dock("custody", "verify")
    say(f"  {views['custody']['size']} entries, every hash fits")
    entries = shift.dock("custody", "show", "--subject", shift.device)["entries"]
    events = [entry["event"] for entry in entries]
    say(f"  of this camera: {', '.join(events)}")
    if "camera.wiped" not in events:
        raise DemoFault("the camera's signed record of the wipe is not in custody")
    views["audit"] = shift.dock("audit")
    say(f"  {len(views['audit']['recordings'])} recordings proved again in both places, none with troubles")
    shift.dock("custody", "export", "-o", str(shift.folder / "custody"))


def play(shift: Shift, compares: bool) -> None:
    """The whole story; DemoFault where a promise was not kept."""
    began = time.monotonic()
    shift.camera.plug()
    found(shift)
    hand_out(shift)
    film(shift)
    seen = look_back(shift)
    cut(shift)
    shown, docked = empty(shift)
    after(shift)
    views = look(shift, docked)
    prove(shift, views)
    compared = compare(shift.reel, shift.folder, views["cut"]["end_ms"]) if compares else []
    summary(shift, shown, docked, views, [seen, *compared], time.monotonic() - began)


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
    shift = Shift(chosen.folder.resolve(), chosen.camera)
    shutil.rmtree(shift.folder, ignore_errors=True)
    shift.folder.mkdir(parents=True)
    try:
        make_reel(chosen.footage, shift.reel)
        play(shift, not chosen.no_compare)
    except DemoFault as fault:
        say(f"\nthe demonstration stopped: {fault}")
        return 1
    finally:
        shift.camera.unplug()
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


if __name__ == "__main__":
    sys.exit(main())
