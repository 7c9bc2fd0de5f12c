"""What the vault's commands open: never a key that opens a recording."""

import sys
from pathlib import Path

import pytest
from shift import Shift, found

pytestmark = pytest.mark.slow  # whole docks, one after another

opened: list[str] = []
sys.addaudithook(lambda event, given: opened.append(str(given[0])) if event == "open" else None)


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return found(tmp_path_factory.mktemp("founded") / "home")


@pytest.mark.parametrize("pack", ["", "vault"], ids=["a demonstration", "the vault pack alone"])
@pytest.mark.promise3
def test_docking_and_verifying_open_no_key_that_opens_a_recording(
    founded: Path, tmp_path: Path, pack: str
) -> None:
    """Proves promise 3."""
    shift = Shift.begin(founded, tmp_path)
    shift.film(1)
    shift.film(2, "..s.")
    card = shift.folder_card(tmp_path)
    vault = Shift(shift.home / pack, shift.device)
    opened.clear()

    codes = [vault.run(*words)[0] for words in (["verify", card], ["dock", card], ["audit"], ["ls"])]

    keys = {Path(path).relative_to(shift.home).as_posix() for path in opened if "/keys/" in path}
    assert codes == [21, 8, 0, 0]
    assert "vault/keys/verify.pem" in keys
    assert {key.split("/")[0] for key in keys} == {"vault"}
    assert not [path for path in opened if "/escrow/" in path]


@pytest.mark.parametrize("role", ["root", "evidence"])
@pytest.mark.parametrize("where", ["vault", "office"])
@pytest.mark.promise3
def test_a_vault_in_earnest_does_not_start_where_a_key_that_opens_can_be_read(
    tmp_path: Path, role: str, where: str
) -> None:
    """Proves promise 3."""
    from sealhost import founding

    founding.init(tmp_path / "home", demo=False)
    for pack in ("root", "office"):
        (tmp_path / "home" / pack).rename(tmp_path / f"{pack}-elsewhere-{pack}")
    vault = Shift(tmp_path / "home" / "vault")
    assert vault.run("ls")[0] == 0
    folder = tmp_path / "home" / where / "keys"
    folder.mkdir(parents=True, exist_ok=True)
    (folder.parent / "sealcam.toml").touch()
    (folder / f"{role}.p12").write_bytes(b"\x30")

    code, answer = vault.run("ls")

    assert (code, answer["kind"]) == (6, "KeyExposed")
