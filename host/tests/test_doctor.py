"""`doctor` and `init` at the door: what is missing, the command that mends it, and what is shown once."""

import json
import os
import shutil
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from sealhost import doctor, founding
from sealhost.cli import sealcam
from shift import Shift, found

pytestmark = pytest.mark.slow  # whole docks, one after another


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return found(tmp_path_factory.mktemp("founded") / "home")


@pytest.fixture
def shift(founded: Path, tmp_path: Path) -> Shift:
    return Shift.begin(founded, tmp_path)


def missing(home: Path, newest_ms: int = 0) -> dict[str, str]:
    """What is not good, and what mends it."""
    return {check.what: check.mend for check in doctor.examine(str(home), newest_ms) if not check.good}


def test_a_whole_home_has_nothing_to_mend(shift: Shift) -> None:
    code, told = shift.run("doctor")

    assert (code, [check for check in told["checks"] if not check["good"]]) == (0, [])
    looked_at = "\n".join(check["what"] for check in told["checks"])
    for what in ("mkfs.vfat", "mcopy", "MicroPython", "clock", "store-1", "GiB left", "policy version 1"):
        assert what in looked_at, what


def test_every_trouble_names_the_command_that_mends_it(shift: Shift, monkeypatch: pytest.MonkeyPatch) -> None:
    vault = shift.home / "vault"
    (vault / "keys" / "receipt.pem").unlink()
    (vault / "keys" / "time.pem").chmod(0o644)
    (vault / "store-2" / "sealcam-store.toml").unlink()
    (vault / "policy.seal").write_bytes(b"none")
    monkeypatch.setattr(doctor, "_PATH", "/nowhere")
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9 << 20, 0, 9 << 20))

    mend = missing(shift.home)

    told = "\n".join(f"{what} -> {command}" for what, command in mend.items())
    assert "receipt key is not at" in told and "chmod 600" in told
    assert "store-2 is not there -> sudo mount" in told and "store-1 has 9 MiB left" in told
    assert "install --no-install-recommends dosfstools" in told and "mtools" in told
    assert "cp ROOT_PACK/policy.seal" in told
    assert len(mend) == 7 and all(mend.values())


def test_a_store_that_cannot_be_written_is_named(shift: Shift, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = os.access
    monkeypatch.setattr(
        doctor.os, "access", lambda path, mode: "store-1" not in str(path) and asked(path, mode)
    )

    mend = missing(shift.home)

    assert [what for what in mend if "store-1 cannot be written" in what]
    assert "chown" in next(iter(mend.values()))


def test_a_clock_before_the_newest_entry_of_custody_is_wrong(shift: Shift) -> None:
    tomorrow = (time.time_ns() // 1_000_000) + 86_400_000

    mend = missing(shift.home, tomorrow)

    assert list(mend.values()) == ["sudo timedatectl set-ntp true, or sudo date -u -s 'YYYY-MM-DD HH:MM'"]


def test_init_notes_the_founding_once_and_shows_passphrases_before_they_go(tmp_path: Path) -> None:
    """Proves docs/format/custody.md: `founded` is the first entry."""
    first = CliRunner().invoke(sealcam, ["init", str(tmp_path / "home"), "--demo", "--json"])
    again = CliRunner().invoke(sealcam, ["init", str(tmp_path / "home"), "--demo", "--json"])
    shift = Shift(tmp_path / "home")

    entries = shift.run("custody", "show")[1]["entries"]

    assert (json.loads(first.stdout)["new"], json.loads(again.stdout)["new"]) == (True, False)
    assert [(entry["event"], entry["subject"]) for entry in entries] == [
        ("founded", json.loads(first.stdout)["organisation"])
    ]


def test_the_passphrases_are_on_the_screen_while_they_are_still_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Proves promise 6: a run that is killed before they were shown shows them again."""
    forget, seen = founding.packs.durable, []

    def stopping(step: str) -> None:
        if step == "forget what was staged" and not seen:
            seen.append(step)
            raise founding.packs.Refused("the power went")
        forget(step)

    monkeypatch.setattr(founding.packs, "durable", stopping)
    cut = CliRunner().invoke(sealcam, ["init", str(tmp_path / "home")])
    again = CliRunner().invoke(sealcam, ["init", str(tmp_path / "home")])

    shown = [line for line in cut.stdout.splitlines() if line.startswith("passphrase of")]
    assert len(shown) == 2 and all(line in again.stdout for line in shown)
    assert "does not start while it can read a key" in again.stdout
