"""A pack with a file gone or spoilt: a message that names it, an exit code, and a card left as it was."""

import subprocess
import sys
from pathlib import Path

import pytest
from shift import Shift, found

pytestmark = pytest.mark.slow  # whole docks, one after another

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return found(tmp_path_factory.mktemp("founded") / "home")


@pytest.fixture
def shift(founded: Path, tmp_path: Path) -> Shift:
    made = Shift.begin(founded, tmp_path)
    made.film(1)
    return made


@pytest.mark.parametrize("spoilt", ["gone", "garbage"])
@pytest.mark.parametrize(
    "name, code",
    [
        ("root.point", {3, 6, 7}),
        ("keylist.seal", {3, 6}),
        ("policy.seal", {3, 6}),
        ("certificates/enrolment.crt", {3, 6}),
        ("keys/verify.pem", {7}),
        ("keys/receipt.pem", {7}),
        ("keys/certificate.pem", {7}),
        ("keys/checkpoint.pem", {7}),
        ("keys/erasure.key", {7}),
        ("checkpoint.vkey", {3, 6}),
    ],
)
def test_a_dock_with_a_spoilt_pack_names_the_file_and_leaves_the_card(
    shift: Shift, tmp_path: Path, name: str, code: set[int], spoilt: str
) -> None:
    card = shift.folder_card(tmp_path)
    victim = shift.home / "vault" / name
    victim.unlink()
    if spoilt != "gone":
        victim.write_bytes(b"\0\xff garbage")
    before = sorted(path.name for path in card.rglob("*"))

    found_code, answer = Shift(shift.home / "vault", shift.device).run("dock", card)

    assert found_code == answer["exit_code"] and found_code in code, answer
    assert answer["kind"] != "InternalFault" and answer["error"] and answer["hint"]
    assert sorted(path.name for path in card.rglob("*")) == before


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"six wrong words in this file\n", b""])
def test_a_passphrase_that_is_wrong_or_not_there_is_exit_7(
    shift: Shift, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    shift.run("dock", shift.folder_card(tmp_path))
    words = tmp_path / "words.txt"
    if content is not None:
        words.write_bytes(content)

    monkeypatch.setenv("SEALCAM_PASSPHRASE_FILE", str(words))

    code, answer = shift.run("index")

    assert (code, answer["exit_code"]) == (7, 7)


def test_the_bare_command_shows_its_help_in_lines() -> None:
    command = [sys.executable, "-W", "ignore", "-m", "sealhost"]
    ran = subprocess.run(command, cwd=ROOT / "host", capture_output=True, text=True)

    assert ran.returncode == 2
    assert "\\n" not in ran.stderr and "Commands:" in ran.stderr.splitlines()


def test_a_copy_to_where_nothing_can_be_written_is_refused_in_words(shift: Shift, tmp_path: Path) -> None:
    shift.run("dock", shift.folder_card(tmp_path))
    name = shift.films[1].core.name[:12]

    code, answer = shift.run("view", name, "-o", tmp_path / "no" / "x.mp4", "--reason", "request 17")

    assert (code, answer["kind"]) == (3, "OutputRefused")
