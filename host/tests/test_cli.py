"""The command as a person and a program meet it."""

import subprocess
import sys
from pathlib import Path

import click
import pytest
from sealhost import layout
from sealhost.cli import run, sealcam
from shift import Shift


def commands(group: click.Group, before: str = "") -> list[tuple[str, click.Command]]:
    found = []
    for name, command in group.commands.items():
        words = f"{before} {name}".strip()
        found += commands(command, words) if isinstance(command, click.Group) else [(words, command)]
    return found


COMMANDS = dict(commands(sealcam))
CHANGES = {
    "init",
    "enrol",
    "escrow recover",
    "dock",
    "view",
    "index",
    "quarantine release",
    "quarantine accept",
    "lend",
    "custody export",
    "audit",
    "firmware sign",
    "firmware send",
    "issue",
    "return",
    "lost camera",
    "lost card",
    "lost dock",
    "key change",
    "key replace",
    "key revoke",
    "key drill",
    "policy change",
}


def test_every_command_that_was_promised_is_there() -> None:
    """Proves issue 2, item 5, and issue 3, items 1, 3 and 4."""
    promised = CHANGES | {
        "verify",
        "ls",
        "show",
        "quarantine ls",
        "custody show",
        "custody verify",
        "prove-encrypted",
        "doctor",
        "firmware show",
        "key take",
        "lost ls",
        "lost close",
    }

    assert set(COMMANDS) == promised


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_help_text_teaches_with_an_example_and_every_command_speaks_json(name: str) -> None:
    command = COMMANDS[name]

    assert "Example:" in (command.help or ""), name
    assert "--json" in [option for parameter in command.params for option in parameter.opts], name


@pytest.mark.parametrize("name", sorted(CHANGES))
def test_whatever_changes_something_can_be_tried_dry(name: str) -> None:
    assert "--dry-run" in [option for parameter in COMMANDS[name].params for option in parameter.opts], name


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["ls"], 0),
        (["dcok"], 2),
        (["view"], 2),
        (["view", "00", "-o", "x.mp4", "--reason", "look"], 10),
        (["show", "ff"], 10),
        (["dock", "/nowhere"], 10),
        (["verify", "/nowhere"], 10),
        (["quarantine", "release", "ab"], 10),
        (["custody", "verify"], 0),
        (["doctor"], 0),
    ],
)
def test_exit_codes_are_those_of_the_table(shift: Shift, words: list[str], code: int) -> None:
    """Proves issue 2, item 5: one table of exit codes."""
    found, answer = shift.run(*words)

    assert found == code, answer
    assert code == 0 or (answer["exit_code"] == code and answer["error"])


def test_without_a_home_it_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["--home", str(tmp_path), "ls"])

    assert code == 6
    assert "sealcam init" in capsys.readouterr().err


def test_verify_answers_with_the_worst_of_several(shift: Shift, tmp_path: Path) -> None:
    """Proves recording.md 3.7: 20, 22, 21, 0."""
    whole, cut = shift.film(1), shift.film(2, "..s.")
    card = shift.folder_card(tmp_path)
    broken = tmp_path / "broken.skr"
    content = bytearray((card / "sealcam" / shift.name(whole)).read_bytes())
    content[2 * 2048 + 512 + 100] ^= 0xFF
    broken.write_bytes(content)

    alone, told = shift.run("verify", card / "sealcam" / shift.name(whole))
    both, _ = shift.run("verify", card)
    worst, judged = shift.run("verify", broken, card / "sealcam" / shift.name(cut))

    assert (alone, both, worst) == (0, 21, 20)
    assert "INTACT" in told["recordings"][0]["line"]
    assert "!" in next(r for r in judged["recordings"] if r["verdict"] == "altered")["strip"]


def test_verify_says_under_what_has_no_end_what_the_next_header_says_of_it(
    shift: Shift, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Proves issue 2: the head of the next log segment says where the cut was."""
    cut = shift.film(1, "..s.")
    card = shift.folder_card(tmp_path)
    run(["--home", str(shift.home), "verify", str(card)])
    before = capsys.readouterr().out
    signature = next(chunk for chunk in cut.chunks if chunk[4] == layout.TYPE_SIGNATURE)
    covered, tag = int.from_bytes(signature[64:72], "big"), bytes(signature[72:104])
    prev = cut.closing(layout.STATE_CUT, covered, tag)
    shift.put(card, shift.film(2, "e", kind=layout.KIND_LOG, prev=prev))

    code = run(["--home", str(shift.home), "verify", str(card)])

    after = capsys.readouterr().out.splitlines()
    assert code == 21 and "has not had its word on it yet" in before
    assert after[1].strip() == f"the head of a later file says: cut; last signed for chunk {covered}"
    assert len(after) == 3


def test_a_recording_is_named_by_any_prefix_or_by_camera_and_number(shift: Shift, tmp_path: Path) -> None:
    first = shift.film(1)
    shift.film(2)
    shift.run("dock", shift.folder_card(tmp_path))

    by_prefix = shift.run("show", first.core.name[:10])
    by_number = shift.run("show", f"{first.core.device_id.hex()[:6]}/1")
    ambiguous, _ = shift.run("show", "")

    assert by_prefix == by_number
    assert by_prefix[1]["h_core"] == first.core.name
    assert ambiguous == 10


def test_a_dry_run_of_dock_changes_neither_card_nor_vault(shift: Shift, tmp_path: Path) -> None:
    shift.film(1)
    card = shift.folder_card(tmp_path)
    before = {path: path.read_bytes() for path in card.rglob("*") if path.is_file()}
    entries = shift.desk.custody.size()

    code, answer = shift.run("dock", card, "--dry-run")

    assert (code, answer["lines"][-1]) == (0, "dry run: nothing was stored, signed or wiped")
    assert {path: path.read_bytes() for path in card.rglob("*") if path.is_file()} == before
    assert shift.desk.custody.size() == entries
    assert shift.run("ls")[1]["recordings"] == []


def test_a_log_segment_is_listed_only_when_asked_for(shift: Shift, tmp_path: Path) -> None:
    shift.film(1)
    shift.film(2, "e", kind=layout.KIND_LOG)
    shift.run("dock", shift.folder_card(tmp_path))

    assert len(shift.run("ls")[1]["recordings"]) == 1
    assert len(shift.run("ls", "--logs")[1]["recordings"]) == 2


def test_the_module_is_the_command(shift: Shift) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "sealhost", "--home", shift.home, "ls"], capture_output=True, text=True
    )

    assert (ran.returncode, ran.stdout.strip()) == (0, "nothing is stored yet; dock a card")
