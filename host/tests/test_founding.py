"""`init`:

three packs, the same when run twice, finished when killed half-way, and a vault that stays apart.
"""

import shutil
import stat
from pathlib import Path

import pytest
from cryptography import x509
from ledger import killed_at
from sampling import share
from sealhost import certificates, config, escrow, founding, keys, notes
from sealhost.errors import (
    BadSignature,
    BadStatement,
    ConfigBroken,
    ConfigMissing,
    KeyExposed,
    KeyMissing,
    Refused,
)
from sealhost.statements import KeyList, Policy

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    home = tmp_path_factory.mktemp("demo") / "home"
    founding.init(home, demo=True)
    return home


@pytest.fixture(scope="module")
def earnest(tmp_path_factory):
    home = tmp_path_factory.mktemp("earnest") / "home"
    shown = {}
    founding.init(home, show=shown.update)
    return home, shown


def everything(home):
    return {path.relative_to(home): path.read_bytes() for path in sorted(home.rglob("*")) if path.is_file()}


def test_run_twice_it_changes_nothing(demo):
    before = everything(demo)

    again = founding.init(demo, demo=True)

    assert everything(demo) == before
    assert not again.is_new and again.organisation == config.load(demo).organisation


@pytest.mark.power
@pytest.mark.promise6
def test_killed_at_any_step_the_next_run_finishes(tmp_path):
    first, every = share(5)  # each costs eight key files of 600,000 rounds
    step, killed = 1 + first, True
    while killed:
        home = tmp_path / str(step)
        killed = killed_at(step, lambda home=home: founding.init(home, demo=True))
        held = everything(home)
        founding.init(home, demo=True)
        kept = {
            name: body
            for name, body in held.items()
            if name.suffix != ".new" and name.name != "founding.json"
        }
        assert {name: everything(home)[name] for name in kept} == kept
        check_whole(home)
        step += every
    assert step > 100


def check_whole(home):
    """Every key fits its certificate and the key list, and nothing is left over."""
    loaded = config.load(home)
    root = loaded.file("root_point").read_bytes()
    listed = KeyList.parse(loaded.file("keylist").read_bytes(), root)
    Policy.parse(loaded.file("policy").read_bytes(), root)
    chain = loaded.certificate("root").read_bytes()
    names = ("evidence", "escrow", "verify", "receipt", "time", "certificate", "release", "link", "enrolment")
    for number, role in enumerate(names, 1):
        certificate = loaded.certificate(role).read_bytes()
        certificates.check(certificate, chain)
        assert certificates.point_of(certificate) == listed.point(number)
        if role != "escrow":
            held = keys.load(loaded.key(role), lambda role=role: loaded.passphrase(role) or "")
            assert held.point == listed.point(number)
    shares = [escrow.mnemonic_of(path.read_text()) for path in sorted(loaded.file("shares").glob("share-*"))]
    assert len(shares) == 5
    assert keys.SoftKey.of_scalar(escrow.recover(shares[2:])).point == listed.point(2)
    assert len(list(loaded.stores)) == 2 and all(
        (place / config.STORE_MARKER).is_file() for place in loaded.stores
    )
    notes.parse_vkey(loaded.file("checkpoint_vkey").read_text())
    assert not [name for name in everything(home) if name.suffix == ".new" or name.name == "founding.json"]


def test_folders_are_for_one_user_and_so_are_keys(demo):
    """Proves EE-3."""
    for path in demo.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_a_demo_is_marked_wherever_it_lies(demo):
    for kind in config.PACKS:
        assert "--demo" in (demo / kind / "DEMO").read_text()
        assert "demo = true" in (demo / kind / "sealcam.toml").read_text()
    assert "DEMONSTRATION" in (demo / "office" / "passphrase.txt").read_text()
    assert config.load(demo).demo


def test_passphrases_are_six_words_shown_once_and_kept_nowhere(earnest):
    home, shown = earnest
    written = b"\n".join(everything(home).values())

    assert {len(words.split()) for words in shown.values()} == {6} and set(shown) == {"root", "office"}
    assert not any(words.encode() in written for words in shown.values())
    loaded = config.load(home / "office")
    evidence = keys.load(loaded.key("evidence"), lambda: shown["office"])
    assert evidence.point == certificates.point_of(loaded.certificate("evidence").read_bytes())
    assert loaded.passphrase("evidence") is None
    assert founding.init(home).passphrases == {}


def test_killed_before_they_were_shown_they_are_shown_by_the_next_run(tmp_path):
    def never_shown(_passphrases):
        raise Refused("nobody looked")

    with pytest.raises(Refused):
        founding.init(tmp_path / "home", show=never_shown)
    shown = {}
    founding.init(tmp_path / "home", show=shown.update)

    key = tmp_path / "home" / "root" / "keys" / "root.p12"
    assert (
        keys.load(key, lambda: shown["root"]).key_id.hex()
        in (tmp_path / "home/root/sealcam.toml").read_text()
    )


@pytest.mark.promise3
def test_a_vault_does_not_start_beside_what_opens_recordings(earnest, tmp_path):
    home, _ = earnest
    with pytest.raises(KeyExposed):
        config.load(home / "vault")
    shutil.copytree(home / "vault", tmp_path / "elsewhere" / "vault")

    loaded = config.load(tmp_path / "elsewhere" / "vault")

    assert loaded.has_key("verify") and not loaded.has_key("evidence")
    with pytest.raises(KeyMissing):
        loaded.key("evidence")
    with pytest.raises(ConfigBroken, match="needs the office pack"):
        loaded.pack("office")
    shutil.copy(home / "office" / "keys" / "evidence.p12", tmp_path / "elsewhere" / "vault" / "keys")
    with pytest.raises(KeyExposed, match="evidence.p12"):
        config.load(tmp_path / "elsewhere" / "vault")


@pytest.mark.promise3
def test_no_file_of_the_vault_pack_holds_a_key_that_opens(demo):
    """Proves MD-3, MD-4."""
    listed = config.load(demo)
    for path in (demo / "vault" / "keys").glob("*.pem"):
        if path.stem != "checkpoint":
            point = keys.load(path).point
            assert point != certificates.point_of(listed.certificate("evidence").read_bytes())
            assert point != certificates.point_of(listed.certificate("escrow").read_bytes())


def test_part_of_an_organisation_or_another_sort_is_refused(demo, earnest, tmp_path):
    shutil.copytree(demo / "root", tmp_path / "part" / "root")
    with pytest.raises(Refused, match="part of an organisation"):
        founding.init(tmp_path / "part", demo=True)
    with pytest.raises(Refused, match="a demonstration"):
        founding.init(demo)
    with pytest.raises(Refused):
        founding.init(earnest[0], demo=True)


def test_certificates_say_who_may_certify_and_who_may_not(demo):
    loaded = config.load(demo)
    root, receipt = (loaded.certificate(role).read_bytes() for role in ("root", "receipt"))
    enrolment = certificates.load(loaded.certificate("enrolment").read_bytes())

    assert enrolment.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    with pytest.raises((BadStatement, BadSignature)):
        certificates.check(root, receipt)
    with pytest.raises(BadStatement):
        certificates.load(b"none")


BROKEN = {
    "pack": ('pack = "vault"', 'pack = "cellar"'),
    "organisation": ('organisation = "', 'organisation = "zz'),
    "unknown": ("[stores]", "[cellars]\n[stores]"),
    "one place twice": ('"store-2"', '"./store-1"'),
    "no text": ('verify = "keys/verify.pem"', "verify = 7"),
    "a key of another pack": ("[keys]", '[keys]\nevidence = "keys/evidence.p12"'),
    "not TOML": ("[keys]", "[keys"),
    "demo in words": ("demo = true", 'demo = "yes"'),
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN)
def test_a_wrong_line_refuses_the_whole_file(demo, tmp_path, change):
    text = (demo / "vault" / "sealcam.toml").read_text()
    assert change[0] in text
    (tmp_path / "sealcam.toml").write_text(text.replace(*change, 1))

    with pytest.raises(ConfigBroken, match=r"sealcam\.toml"):
        config.load(tmp_path)


def test_the_home_is_named_by_the_option_then_by_the_environment(monkeypatch, demo, tmp_path):
    monkeypatch.setenv("SEALCAM_HOME", str(demo))

    assert config.load().home == demo
    assert config.home_of(tmp_path) == Path(tmp_path)
    with pytest.raises(ConfigMissing):
        config.load(tmp_path)
