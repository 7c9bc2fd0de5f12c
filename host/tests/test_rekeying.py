"""New keys for old duties: what is stored stays readable, every pack ends with the same list, and cameras on
the old one can still dock.
"""

import shutil
from pathlib import Path

import pytest
import recordings
from ledger import killed_at
from sampling import share
from sealhost import (
    certificates,
    config,
    enrolment,
    escrow,
    founding,
    keyring,
    keys,
    layout,
    rekeying,
    seal,
    statements,
    viewing,
)
from sealhost.cli import run, wiring
from sealhost.errors import KeyExposed, KeyMissing, Refused, SharesWrong
from sealhost.keyring import NUMBERS
from shift import CHUNK, Shift
from wired import Camera

pytestmark = pytest.mark.slow


def film(shift: Shift, sequence: int, version: int) -> seal.Writer:
    """A recording under a key list of this version."""
    slots = shift.desk.listed(version).recipients(layout.KIND_RECORDING)
    writer = seal.begin(shift.device, slots, sequence=sequence, chunk_size=CHUNK, keylist=version)
    recordings.describe(writer)
    recordings.fill(writer, 1)
    writer.end()
    shift.films[sequence] = writer
    return writer


def docked(shift: Shift, folder: Path, *writers: seal.Writer) -> None:
    folder.mkdir()
    code, told = shift.run("dock", shift.folder_card(folder, *writers))
    assert code == 0, told


def opens(shift: Shift, writer: seal.Writer) -> bool:
    """Whether the vault proves it and the office opens it."""
    home = shift.desk
    row = home.catalogue.get(writer.core.h_core)
    area = home.keytables.get(writer.core.h_core).slot_area
    proved = keys.open_area_by(home.openers("verify"), writer.core, area)
    opened = keys.open_area_by(home.openers("evidence"), writer.core, area)
    return row is not None and proved[0] == 2 and opened[0] == 1


def versions(shift: Shift) -> set[int]:
    root_point = shift.desk.root_point
    packs = [shift.home / kind / "keylist.seal" for kind in config.PACKS]
    return {statements.KeyList.parse(path.read_bytes(), root_point).version for path in packs}


def test_after_every_change_what_is_stored_still_opens_and_what_is_new_does(shift, tmp_path):
    """Proves BK-4: every key changes once, and what was sealed under any list opens."""
    writers = [film(shift, 1, 1)]
    docked(shift, tmp_path / "0", *writers)
    for version, role in enumerate(keyring.ROLES, 2):
        old = shift.desk.keylist.point(NUMBERS[role])
        code, told = shift.run("key", "change", role)
        assert (code, told.get("version")) == (0, version), told
        check_in_use(shift, role, old, version)
        if role in ("evidence", "verify", "receipt"):
            writers.append(film(shift, version, version))
    docked(shift, tmp_path / "1", *writers[1:])

    for writer in writers:
        assert opens(shift, writer)
        row = shift.desk.catalogue.get(writer.core.h_core)
        assert viewing.proved(row, shift.desk.room())[1].verdict.name == "INTACT"  # as `view` does
    assert shift.run("audit")[0] == 0 and shift.run("custody", "verify")[0] == 0
    assert shift.desk.register.get(shift.device.key_id) is not None
    shift.admit(keys.SoftKey.make())  # and cameras are still taken in


def check_in_use(shift: Shift, role: str, old: bytes, version: int) -> None:
    """A new key, listed in every pack, with a certificate of the root."""
    home = shift.desk
    point = home.keylist.point(NUMBERS[role])
    assert versions(shift) == {version} and point != old
    assert {known.version for known in keyring.lists(home.config.file("keylist"), home.root_point)} == set(
        range(1, version + 1)
    )
    held = home.config.certificate(role).read_bytes()
    assert certificates.point_of(held) == point
    certificates.check(held, home.config.certificate("root").read_bytes())
    assert role == "escrow" or home.key(role).point == point


def test_new_shares_open_what_is_new_and_the_old_ones_what_is_old(shift, tmp_path):
    """Proves BK-4: any m open, m-1 do not, after a change too."""
    before = film(shift, 1, 1)
    docked(shift, tmp_path / "one", before)
    old = shift.desk.escrow_key([])
    told = shift.run("key", "replace", "escrow")[1]
    after = film(shift, 2, 2)
    docked(shift, tmp_path / "two", after)
    new = shift.desk.escrow_key(told["shares"][2:])

    for key, writer in ((old, before), (new, after)):
        area = shift.desk.keytables.get(writer.core.h_core).slot_area
        assert keys.open_area(key, writer.core, area)[0] == 1
    assert old.point != new.point == shift.desk.keylist.point(NUMBERS["escrow"])
    with pytest.raises(SharesWrong):
        shift.desk.escrow_key(told["shares"][:2])
    other = escrow.split(keys.SoftKey.make().scalar, 3, 5)
    with pytest.raises(SharesWrong):
        shift.desk.escrow_key(other[:3])


def test_only_what_a_list_can_do_without_is_revoked(shift):
    assert shift.run("key", "revoke", "link")[0] == 0
    assert shift.desk.keylist.point(NUMBERS["link"]) is None
    assert shift.run("key", "revoke", "evidence")[0] == 2
    _, packs = ceremony(shift)
    with pytest.raises(Refused):
        rekeying.renew("evidence", rekeying.REVOKE, packs)
    with pytest.raises(Refused):
        rekeying.renew("nobody", rekeying.CHANGE, packs)


def ceremony(shift: Shift) -> tuple[wiring.Home, rekeying.Ceremony]:
    home = shift.desk

    def note(event, subject, **detail):
        return home.custody.note(event, home.actor("root"), subject, **detail)

    words = lambda path: home.passphrase(path.stem, path)()  # noqa: E731
    return home, rekeying.Ceremony(home.config.packs, home.key("root"), words, note)


def test_a_camera_on_the_old_list_is_met_with_the_old_link_key(shift):
    old = shift.desk.key("link")
    shift.run("key", "change", "link")
    home = shift.desk

    assert home.link_key(1).point == old.point != home.link_key(2).point == home.key("link").point
    (home.config.key("link")).unlink()
    with pytest.raises(KeyMissing):
        shift.desk.link_key(1)


def test_a_change_is_drilled_before_a_camera_seals_for_it(shift, tmp_path):
    """Proves BK-4: the drill that ends a new key list, from the change to the camera."""
    home = shift.desk
    home.register.enrol(shift.device.key_id)
    camera = Camera(shift.device, home.keylist, home.root_point)
    assert rekeying.deliver(camera, home.owed()) == []
    shift.run("key", "change", "evidence")
    told = rekeying.deliver(camera, shift.desk.owed())
    assert camera.keylist.version == 2 and camera.sealing == 1 and "key list 2" in told[0]

    real, trial = film(shift, 1, 1), film(shift, 2, 2)
    camera.trial = trial.core.h_core
    assert shift.run("key", "drill")[1]["waiting"] == 0
    docked(shift, tmp_path / "one", real, trial)
    assert shift.run("key", "drill", "--dry-run")[1]["waiting"] == 1
    code, told = shift.run("key", "drill")
    assert (code, told["opened"], told["failed"]) == (0, 1, 0)

    told = rekeying.deliver(camera, shift.desk.owed())
    assert camera.sealing == 2 and "in force" in told[0]
    assert shift.desk.register.get(shift.device.key_id).keylist == 2
    assert rekeying.deliver(camera, shift.desk.owed()) == []
    assert shift.run("key", "drill")[1]["waiting"] == 0
    drilled = [e for e in shift.desk.custody.entries() if e.event == "camera.drilled"]
    assert [(e.detail["trial"], e.detail["keylist"]) for e in drilled] == [(trial.core.name, 2)]


def test_a_trial_that_escrow_does_not_open_has_no_drill(shift, tmp_path):
    shift.run("key", "change", "escrow")
    wrong = keys.SoftKey.make().point
    slots = [
        (role, wrong if number == 1 else point)
        for number, (role, point) in enumerate(shift.desk.keylist.recipients(layout.KIND_RECORDING))
    ]
    writer = seal.begin(shift.device, slots, sequence=1, chunk_size=CHUNK, keylist=2)
    recordings.describe(writer)
    writer.end()
    docked(shift, tmp_path / "one", writer)

    code, told = shift.run("key", "drill")
    assert (code, told["opened"], told["failed"]) == (3, 0, 1)
    assert not list((shift.home / "vault").glob("drills/*"))


def test_office_and_vault_apart_drill_by_loan_and_by_file(shift, tmp_path):
    shift.run("key", "change", "release")
    trial = film(shift, 1, 2)
    docked(shift, tmp_path / "one", trial)
    (shift.home / "office" / "vault").mkdir()
    for name in ("store-1", "loans"):
        (shift.home / "office" / "vault" / name).symlink_to(shift.home / "vault" / name)
    shares = sorted((shift.home / "root" / "escrow").glob("share-*"))[:3]
    vault, office, drills = shift.home / "vault", shift.home / "office", tmp_path / "drills"

    assert run(["--home", str(vault), "key", "drill"]) == 0  # lends
    given = [word for path in shares for word in ("--share", str(path))]
    assert run(["--home", str(office), "key", "drill", *given]) == 3  # says where
    assert run(["--home", str(office), "key", "drill", *given, "-o", str(drills)]) == 0
    (made,) = drills.glob("*.drill")
    assert run(["--home", str(vault), "key", "take", str(made)]) == 0
    made.write_bytes(made.read_bytes()[:-1] + b"\0")
    assert run(["--home", str(vault), "key", "take", str(made)]) == 3

    waiting = shift.desk.drills.of(shift.device.key_id, 2)
    assert [h_core for h_core, _ in waiting] == [trial.core.h_core]


def test_a_pack_of_another_time_is_refused(shift, tmp_path):
    old = tmp_path / "old"
    shutil.copytree(shift.home / "root", old)
    shift.run("key", "change", "time")
    shutil.rmtree(shift.home / "root")
    shutil.copytree(old, shift.home / "root")

    assert shift.run("key", "change", "time")[0] == 3
    assert shift.desk.keylist.version == 2


def test_the_packs_of_an_organisation_in_earnest_need_to_stand_side_by_side(shift):
    for kind in config.PACKS:
        assert run(["--home", str(shift.home / kind), "key", "change", "time"]) == 3
        assert run(["--home", str(shift.home / kind), "policy", "change", "--no-sound"]) == 3


def test_a_policy_rises_in_every_pack_and_reaches_a_camera(shift):
    """Proves BW-9: switching replay on is a signed policy with a number of its own."""
    home = shift.desk
    camera = Camera(shift.device, home.keylist, home.root_point)
    asked = ("policy", "change", "--allow-replay", "--accept-unprotected-flash", "--no-sound")
    assert shift.run(*asked, "--dry-run")[0] == 0 and shift.desk.policy.version == 1
    code, told = shift.run(*asked)
    assert (code, told["version"]) == (0, 2)
    assert shift.run(*asked)[1]["version"] == 2  # the same again makes none

    for kind in config.PACKS:
        policy = statements.Policy.parse((shift.home / kind / "policy.seal").read_bytes(), home.root_point)
        assert (policy.version, policy.flags) == (2, 2 | 4)
    rekeying.deliver(camera, shift.desk.owed())
    assert camera.policy == 2
    assert shift.run("policy", "change", "--copies", "1")[0] == 3
    assert shift.desk.policy.version == 2


@pytest.mark.power
@pytest.mark.promise6
@pytest.mark.parametrize("role", ["evidence", "enrolment", "escrow"])
def test_a_change_killed_at_any_step_leaves_the_old_list_or_the_new_one(founded, tmp_path, role):
    """Proves promise 6: run again it ends with every pack on one newer list."""
    first, every = share()
    step, kills = 1 + first, 0
    while True:
        folder = tmp_path / str(step)
        folder.mkdir()
        shift = Shift.begin(founded, folder)
        words = ["--home", str(shift.home), "key", "change", role, "--json"]
        if not killed_at(step, lambda: run(words)):  # noqa: B023 - called at once
            break
        kills += 1
        home = shift.desk
        was = versions(shift)
        assert was <= {1, 2} and home.keylist.version in (1, 2)
        assert role == "escrow" or home.key(role).point == home.keylist.point(NUMBERS[role])
        assert home.register.get(shift.device.key_id) is not None
        assert shift.run("key", "change", role)[0] == 0
        (newest,) = versions(shift)
        assert newest == (3 if was == {2} else 2) and shift.desk.custody.verify().size
        if role == "enrolment":
            authority = shift.desk.authority([])
            made = enrolment.certify(keys.SoftKey.make().point, authority)
            certificates.check(made, (shift.home / "vault/certificates/enrolment.crt").read_bytes())
        step += every
    assert kills * every > 15


@pytest.mark.parametrize("role", ["certificate", "enrolment"])
def test_the_office_looks_at_what_was_lent_before_once_it_is_lent_again(shift, tmp_path, role):
    before = film(shift, 1, 1)
    docked(shift, tmp_path / "one", before)
    (shift.home / "office" / "vault").mkdir()
    for name in ("store-1", "loans"):
        (shift.home / "office" / "vault" / name).symlink_to(shift.home / "vault" / name)
    assert shift.run("lend", "--all")[0] == 0
    shift.run("key", "change", role)
    office = wiring_of(shift.home / "office")

    if role == "certificate":
        assert list(office.counter.all()) == []
        with pytest.raises(Refused):
            office.counter.get(before.core.h_core)
        assert shift.run("lend", "--all")[0] == 0
    (loan,) = wiring_of(shift.home / "office").counter.all()
    assert loan.recording.h_core == before.core.h_core
    assert office.counter.device_point(shift.device.key_id) == shift.device.point


def wiring_of(folder: Path):
    from sealhost.cli.office import OfficeHome

    return OfficeHome(str(folder))


def test_a_lost_camera_is_given_nothing(shift):
    home = shift.desk
    camera = Camera(shift.device, home.keylist, home.root_point)
    home.register.lose(shift.device.key_id)
    shift.run("key", "change", "link")

    owed = shift.desk.owed()
    assert rekeying.deliver_keylist(camera, owed) == []
    assert "reported lost" in rekeying.deliver(camera, owed)[0] and camera.keylist.version == 1


@pytest.mark.slow
def test_three_packs_in_earnest_are_brought_together_for_a_change(tmp_path, monkeypatch):
    """Each pack under a passphrase of its own; a slip at the keyboard makes no key that nobody can open."""
    home, words = tmp_path / "home", {}
    founding.init(home, show=words.update)
    for kind in ("root", "office"):
        (tmp_path / kind).write_text(words[kind])
        monkeypatch.setenv(f"SEALCAM_PASSPHRASE_FILE_{kind.upper()}", str(tmp_path / kind))
    assert run(["--home", str(home), "key", "change", "evidence"]) == 0

    (tmp_path / "office").write_text(words["office"] + " slip")
    assert run(["--home", str(home), "key", "change", "release"]) == 7
    (tmp_path / "office").write_text(words["office"])
    office = wiring_of(home / "office")
    assert office.keylist.version == 2 and len(office.openers("evidence")) == 2
    assert office.key("evidence").point == office.keylist.point(NUMBERS["evidence"])
    with pytest.raises(KeyExposed):
        config.load(home / "vault")
    (home / "office" / "keys" / "evidence.p12").unlink()
    (home / "root" / "keys" / "root.p12").unlink()
    with pytest.raises(KeyExposed):
        config.load(home / "vault")  # the newer evidence key must not be there either
