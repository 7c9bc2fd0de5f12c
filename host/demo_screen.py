"""What the wearer of the demonstration presses and sees: the PIN by buttons, the camera's screen; its flash.

Reads the PNG files of the screen, dot by dot; DemoFault where it does not show what it must.
"""

import struct
import sys
from pathlib import Path

from demo_camera import ROOT, DemoFault, DeskCamera, say

PIN, WRONG = "314021", "314022"
_WORD_AT, _WORD = 18 * 4096, struct.Struct(">4s4s16s32s32s32s")  # docs/format/replay.md, section 1
_MAGIC = b"SKW1"


def presses(pin: str) -> str:
    """A PIN on five buttons: up turns a digit, right goes to the next."""
    turns = [["up"] * int(digit) for digit in pin]
    return " ".join(["press", *turns[0], *(word for turn in turns[1:] for word in ["right", *turn]), "ok"])


def type_pin(camera: DeskCamera, pin: str) -> str:
    """Press it, wait until it is judged; what the screen says then."""
    before = len(frames(camera))
    camera.press(presses(pin), "wait idle", shown=f"press up, right and ok: the PIN {' '.join(pin)}")
    if len(frames(camera)) == before:
        raise DemoFault("the screen shows nothing of it")
    return seen(camera)


def frames(camera: DeskCamera) -> list[Path]:
    """Everything the screen showed so far, in order."""
    return sorted(camera.screen.glob("frame-*.png"))


def seen(camera: DeskCamera) -> str:
    """Read the screen as it is now, and tell it as far as its first gap; all of it is the answer."""
    shown = _reader()
    lines = shown.words(shown.pixels(frames(camera)[-1]))
    first = [line for line in "\n".join(lines).strip("\n").partition("\n\n")[0].split("\n")]
    say(f"  screen: {' | '.join(first)}")
    return " ".join(line for line in lines if line)


def see(camera: DeskCamera, *wanted: str) -> None:
    """DemoFault where the screen does not say it."""
    text = seen(camera)
    if missing := [word for word in wanted if word not in text]:
        raise DemoFault(f"the screen says {text!r}, not {missing}")


def check_pictures(camera: DeskCamera, since: int, number: str) -> tuple[int, Path]:
    """How many pictures were shown from frame `since` on, all of them filmed by this camera and under the
    number of its wearer; and one out of their middle.
    """
    shown = _reader()
    filmed = set(shown.fed(camera.reel))
    found = [(path, shown.pixels(path)) for path in frames(camera)[since:]]
    pictures = [(path, frame) for path, frame in found if shown.bare(frame) in filmed]
    if not pictures:
        raise DemoFault("no picture was shown")
    if bad := [path.name for path, frame in pictures if not shown.has_number(frame, number)]:
        raise DemoFault(f"shown without the number of the wearer: {bad}")
    return len(pictures), pictures[len(pictures) // 2][0]


def replay_word(camera: DeskCamera) -> bytes:
    """The word without which no PIN opens anything, as a thief with a copy of the flash has it."""
    magic, _, _, _, word, _ = _WORD.unpack_from(camera.flash.read_bytes(), _WORD_AT)
    if magic != _MAGIC:
        raise DemoFault("there is no replay word in the flash")
    return bytes(word)


def check_gone(camera: DeskCamera, word: bytes) -> None:
    """DemoFault where the flash image still holds it, or anything in its place."""
    flash = camera.flash.read_bytes()
    if word in flash or flash[_WORD_AT : _WORD_AT + 4096].strip(b"\xff"):
        raise DemoFault("the replay word is still in the flash")
    say(f"  flash: the word the PIN needs is gone from its sector, and in none of {len(flash) >> 12} sectors")


def _reader():  # type: ignore[no-untyped-def]
    """host/tests/shown.py, which knows the device's letters."""
    if str(ROOT / "host" / "tests") not in sys.path:
        sys.path[:0] = [str(ROOT / "host" / "tests"), str(ROOT / "boards" / "unix")]
    import shown

    return shown
