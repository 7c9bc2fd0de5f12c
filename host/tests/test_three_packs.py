"""Three packs in three places: each does what it holds keys for, and what passes between them is signed."""

import contextlib
import io
import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import av
import films
import pytest
from paper_camera import Camera
from sealhost import founding, layout, seal, statements
from sealhost.cli import run, wiring
from sealhost.custody import verify_export
from sealhost.keys import SoftKey
from shift import content

pytestmark = pytest.mark.slow  # whole docks, one after another

REASON = ("--reason", "request 17")


@dataclass
class Three:
    """Root, office and vault in folders that have nothing in common, and what each says."""

    folder: Path
    camera: Camera = field(init=False)

    def __post_init__(self) -> None:
        self.camera = Camera(self.folder / "exchange")

    def place(self, kind: str) -> Path:
        return self.folder / f"room of the {kind}" / "pack"

    def run(self, kind: str, *words: object) -> tuple[int, dict]:
        """One command from one pack; the passphrase lies where only the office reads it."""
        os.environ["SEALCAM_PASSPHRASE_FILE"] = str(self.folder / f"{kind}.words")
        told = io.StringIO()
        try:
            with contextlib.redirect_stdout(told), contextlib.redirect_stderr(io.StringIO()):
                code = run(["--home", str(self.place(kind)), *map(str, words), "--json"])
        finally:
            del os.environ["SEALCAM_PASSPHRASE_FILE"]
        return code, json.loads(told.getvalue())

    def shares(self) -> list[str]:
        """Three envelopes, opened."""
        files = sorted((self.place("root") / "escrow").glob("share-*"))[:3]
        return [word for file in files for word in ("--share", str(file))]

    def enrol(self, kind: str) -> dict:
        code, told = self.run(kind, "enrol", self.camera.folder, *(self.shares() if kind == "office" else []))
        assert code == 0, told
        return told

    def enrolled(self) -> None:
        """The whole way round."""
        self.enrol("office")
        self.camera.answer()
        for kind in ("office", "vault"):
            self.enrol(kind)
        self.camera.film_trial()
        self.enrol("office")
        self.camera.enrolled()
        self.enrol("vault")

    def events(self, kind: str) -> list[str]:
        return [entry["event"] for entry in self.run(kind, "custody", "show")[1]["entries"]]

    def film(self, sequence: int, pictures: int = 4) -> seal.Writer:
        """A recording of the enrolled camera, for the key list of this organisation."""
        keylist = wiring.Home(str(self.place("vault"))).keylist
        film = seal.begin(
            self.camera.key, keylist.recipients(layout.KIND_RECORDING), sequence=sequence, chunk_size=512
        )
        told = {"picture": "jpeg", "width": 64, "height": 48, "place": "a quiet street"}
        film.record(layout.TRACK_DESCRIPTION, json.dumps(told).encode())
        for number in range(pictures):
            film.record(layout.TRACK_PICTURE, films.jpeg(64, 48, number), ms=100 * number, flags=1)
        film.end()
        return film

    def dock(self, *writers: seal.Writer, change: int = 0) -> tuple[int, dict]:
        """Lay them on a card, and dock it; `change` flips a byte there."""
        card = self.folder / "card" / "sealcam"
        card.mkdir(parents=True, exist_ok=True)
        for film in writers:
            raw = bytearray(content(film))
            raw[change] ^= 0xFF if change else 0
            name = f"{self.camera.key.key_id.hex()[:16]}-{film.core.sequence:010d}-0000.skr"
            (card / name).write_bytes(raw)
        return self.run("vault", "dock", card.parent)

    def show_the_office(self) -> None:
        """One store and the loans, read-only, where the office's TOML says."""
        mount = self.place("office") / "vault"
        mount.mkdir(exist_ok=True)
        for name in ("store-1", "loans"):
            (mount / name).symlink_to(self.place("vault") / name)


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, shown = tmp_path_factory.mktemp("three"), {}
    founding.init(folder / "home", show=shown.update)
    for kind in ("root", "office", "vault"):
        (folder / f"room of the {kind}").mkdir()
        shutil.move(folder / "home" / kind, folder / f"room of the {kind}" / "pack")
        (folder / f"{kind}.words").write_text(shown.get(kind, ""))
    return folder


@pytest.fixture
def three(founded: Path, tmp_path: Path) -> Three:
    shutil.copytree(founded, tmp_path / "three")
    return Three(tmp_path / "three")


def test_each_desk_does_its_own_steps_and_says_whose_turn_it_is(three: Three) -> None:
    """Proves design, "Three packs": nobody needs a key of somebody else."""
    turns = [three.enrol("vault"), three.enrol("office")]
    three.camera.answer()
    turns += [three.enrol("vault"), three.enrol("office"), three.enrol("vault")]
    three.camera.film_trial()
    turns += [three.enrol("vault"), three.enrol("office"), three.enrol("vault")]
    three.camera.enrolled()
    turns += [three.enrol("office"), three.enrol("vault")]

    assert [(told["whose_turn"], told["waiting_for"]) for told in turns] == [
        ("the evidence office", "offer.seal"),
        ("the camera", "answer.seal"),
        ("the evidence office", "certificate.seal"),
        ("the vault", "time.seal"),
        ("the camera", "trial-0000.skr"),
        ("the evidence office", "drill.seal"),
        ("the camera", "enrolled.seal"),
        ("the camera", "enrolled.seal"),
        ("", ""),
        ("", ""),
    ]
    assert three.events("vault") == ["camera.certified", "camera.drilled", "camera.enrolled"]
    assert three.events("office") == ["camera.offered", "camera.certified", "camera.drilled"]


def test_the_vault_takes_no_certificate_that_the_root_does_not_stand_behind(
    three: Three, founded: Path, tmp_path: Path
) -> None:
    three.enrol("office")
    three.camera.answer()
    three.enrol("office")
    file = three.camera.folder / "certificate.seal"
    good = file.read_bytes()
    for at in (0, 9, len(good) - 5, 12 + 40):
        changed = bytearray(good)
        changed[at] ^= 0xFF
        file.write_bytes(changed)

        code, _ = three.run("vault", "enrol", three.camera.folder)

        assert code in (3, 7), at
    assert three.events("vault") == []
    assert not (three.camera.folder / "time.seal").exists()


def test_the_vault_believes_a_drill_by_the_release_key_only(three: Three) -> None:
    """Proves 0008: a fact enters custody as a signed statement, never as a word in a folder."""
    three.enrol("office")
    three.camera.answer()
    for kind in ("office", "vault"):
        three.enrol(kind)
    three.camera.film_trial()
    stranger = SoftKey.make()
    about = {"device_id": three.camera.key.key_id, "keylist": 1, "h_core": three.camera.trial.core.h_core}
    forged = [statements.make(statements.DRILL, stranger, opened_by=by, **about) for by in (1, 2)]
    (three.camera.folder / "drill.seal").write_bytes(b"SKDRILL1" + b"".join(forged))
    three.camera.enrolled()

    code, told = three.run("vault", "enrol", three.camera.folder)

    assert (code, told["kind"]) == (3, "BadSignature")
    assert three.events("vault") == ["camera.certified"]


def test_the_vault_refuses_while_what_opens_recordings_lies_beside_it(three: Three) -> None:
    """Proves promise 3."""
    beside = three.place("vault").parent / "forgotten"
    shutil.copytree(three.place("office"), beside)

    code, told = three.run("vault", "ls")
    shutil.rmtree(beside)

    assert (code, told["kind"]) == (6, "KeyExposed")
    assert three.run("vault", "ls")[0] == 0


def test_the_office_views_what_was_lent_and_its_diary_knows_before_the_first_picture(three: Three) -> None:
    """Proves C1, and promise 3: the vault lends slots it cannot open."""
    three.enrolled()
    film, other = three.film(4), three.film(5)
    assert three.dock(film, other)[0] == 0
    three.show_the_office()
    before = three.run("office", "ls")[1]["recordings"]

    lent = three.run("vault", "lend", film.core.name[:10])
    code, viewed = three.run("office", "view", film.core.name[:10], "-o", three.folder / "a.mp4", *REASON)
    unlent = three.run("office", "view", other.core.name[:10], "-o", three.folder / "b.mp4", *REASON)

    assert (before, lent[0], code, unlent[0]) == ([], 0, 0, 10)
    with av.open(str(three.folder / "a.mp4")) as clip:
        assert len(list(clip.decode(video=0))) == 4
    assert viewed["rendered"]["pictures"] == 4
    assert three.events("vault")[-1] == "recording.lent"
    assert three.events("office")[-1] == "recording.viewed"
    assert three.run("office", "custody", "verify")[0] == 0


def test_index_tells_the_office_and_the_vault_never_learns_the_place(three: Three) -> None:
    """Proves design, "What a host knows without the evidence key"."""
    three.enrolled()
    three.dock(three.film(4))
    three.show_the_office()
    three.run("vault", "lend", "--all")

    code, told = three.run("office", "index")

    assert code == 0, told
    assert three.run("office", "ls")[1]["recordings"][0]["place"] == "a quiet street"
    written = b"".join(p.read_bytes() for p in three.place("vault").rglob("*") if p.is_file())
    assert b"a quiet street" not in written


def test_a_loan_that_was_changed_opens_nothing(three: Three) -> None:
    three.enrolled()
    film = three.film(4)
    three.dock(film)
    three.show_the_office()
    three.run("vault", "lend", "--all")
    loan = three.place("vault") / "loans" / f"{film.core.name}.loan"
    good = loan.read_bytes()
    for at in (3, 40, len(good) // 2, len(good) - 3):
        changed = bytearray(good)
        changed[at] ^= 0xFF
        loan.chmod(0o600)
        loan.write_bytes(changed)

        assert three.run("office", "ls")[0] == 3, at
    assert not (three.folder / "a.mp4").exists()


def test_a_release_signed_in_the_office_frees_the_card_at_the_vault(three: Three) -> None:
    """Proves promise 4: quarantined material leaves its card by the evidence office's signature alone."""
    three.enrolled()
    film = three.film(4)
    code, docked = three.dock(film, change=2 * 2048 + 512 + 99)
    case = docked["recordings"][0]["quarantine"]
    three.show_the_office()
    order = three.folder / "order.release"

    told = [three.run("office", "quarantine", "release", case[:12])[0]]
    told.append(three.run("office", "quarantine", "release", case[:12], "-o", order)[0])
    forged = three.folder / "forged.release"
    raw = bytearray(order.read_bytes())
    raw[60] ^= 0xFF
    forged.write_bytes(raw)
    told.append(three.run("vault", "quarantine", "accept", forged)[0])
    told.append(three.run("vault", "quarantine", "accept", order)[0])
    again, _ = three.run("vault", "dock", three.folder / "card")

    assert (code, told) == (20, [2, 0, 3, 0])
    assert again == 0 and not list((three.folder / "card" / "sealcam").glob("*.skr"))
    assert "quarantine.released" in three.events("vault")
    assert "quarantine.released" in three.events("office")


def test_the_office_docks_nothing_and_the_vault_views_nothing(three: Three) -> None:
    three.enrolled()
    film = three.film(4)
    three.dock(film)
    three.show_the_office()

    docking = three.run("office", "dock", three.folder / "card")
    viewing = three.run("vault", "view", film.core.name[:10], "-o", three.folder / "a.mp4", *REASON)

    assert (docking[0], viewing[0]) == (3, 7)
    assert viewing[1]["kind"] == "KeyMissing"


def test_the_diary_is_a_log_of_its_own_that_a_stranger_can_check(three: Three) -> None:
    """Proves custody.md, Export."""
    three.enrol("office")

    code, _ = three.run("office", "custody", "export", "-o", three.folder / "diary")

    assert code == 0
    assert verify_export(three.folder / "diary")
    assert (three.folder / "diary" / "checkpoint").read_text().splitlines()[0].endswith("/office")


def test_the_doctor_knows_each_pack_and_what_the_office_sees(three: Three) -> None:
    """Proves issue 2, item 5."""
    three.show_the_office()
    told = {kind: three.run(kind, "doctor") for kind in ("root", "office", "vault")}
    (three.place("office") / "vault" / "store-1").unlink()
    (three.place("office") / "vault" / "keys").symlink_to(three.place("vault") / "keys")
    blind, seen = three.run("office", "doctor")

    assert [code for code, _ in told.values()] == [0, 0, 0], told
    mend = {check["what"].split(":")[0]: check["mend"] for check in seen["checks"] if not check["good"]}
    assert blind == 6 and len(mend) == 2
    assert all(word.startswith("sudo ") for word in mend.values())
