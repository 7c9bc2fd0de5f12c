"""The register: a camera is known by its certificate and by the custody log, not by a row."""

import hashlib
import sqlite3

import pytest
from cryptography.hazmat.primitives import serialization
from ledger import ACTOR, custody_at
from sealhost import certificates, keys, statements
from sealhost.errors import BadSignature, EnrolmentRefused, NotFound, Refused
from sealhost.register import Register

ROOT, ENROLMENT, DEVICE, OTHER = (keys.SoftKey.of_scalar((n + 11).to_bytes(32, "big")) for n in range(4))
ROOT_PEM = certificates.make_root(ROOT)
ENROLMENT_PEM = certificates.issue("enrolment", keys.decode_point(ENROLMENT.point), ROOT, ROOT_PEM)


def certificate_for(point, issuer=ENROLMENT, issuer_pem=ENROLMENT_PEM):
    made = certificates.load(certificates.issue("camera", keys.decode_point(point), issuer, issuer_pem))
    return made.public_bytes(serialization.Encoding.DER)


@pytest.fixture
def desk(tmp_path):
    custody = custody_at(tmp_path)
    return Register(tmp_path / "register.sqlite", ENROLMENT_PEM, ROOT_PEM, custody, clock=lambda: 5), custody


def test_a_camera_goes_from_certified_to_enrolled_and_only_forward(desk):
    register, custody = desk
    register.certify(DEVICE.point, certificate_for(DEVICE.point), 1)
    custody.note("camera.certified", ACTOR, DEVICE.key_id.hex())

    assert register.get(DEVICE.key_id).state == "certified"
    register.drill(DEVICE.key_id, b"\1" * 32, 2)
    register.enrol(DEVICE.key_id)
    register.drill(DEVICE.key_id, b"\1" * 32, 2)
    known = register.get(DEVICE.key_id)
    assert (known.state, known.since, known.point, known.keylist) == ("enrolled", 5, DEVICE.point, 1)
    assert register.accounted(DEVICE.key_id) == [1, 2]
    register.suspend(DEVICE.key_id)
    register.enrol(DEVICE.key_id)
    assert register.get(DEVICE.key_id).state == "suspended"
    assert [device.device_id for device in register.devices()] == [DEVICE.key_id]


def test_a_row_that_custody_never_saw_makes_no_camera_known(desk):
    register, custody = desk
    register.certify(DEVICE.point, certificate_for(DEVICE.point), 1)

    assert register.get(DEVICE.key_id) is None
    custody.note("camera.certified", ACTOR, DEVICE.key_id.hex())
    assert register.get(DEVICE.key_id) is not None


def test_certifying_again_changes_nothing(desk):
    register, _ = desk
    first = register.certify(DEVICE.point, certificate_for(DEVICE.point), 1)

    assert register.certify(DEVICE.point, certificate_for(DEVICE.point), 2) == first


def test_a_certificate_of_another_key_or_office_is_refused(desk):
    register, _ = desk
    root = certificates.make_root(OTHER)
    foreign = certificates.issue("enrolment", keys.decode_point(ENROLMENT.point), OTHER, root)

    with pytest.raises(EnrolmentRefused):
        register.certify(DEVICE.point, certificate_for(OTHER.point), 1)
    with pytest.raises(BadSignature):
        register.certify(DEVICE.point, certificate_for(DEVICE.point, OTHER, root), 1)
    with pytest.raises(BadSignature):
        Register("unused.sqlite", foreign, ROOT_PEM)
    assert list(register.devices()) == []


def test_a_point_exchanged_in_the_database_makes_the_camera_unknown(desk, tmp_path):
    register, custody = desk
    register.certify(DEVICE.point, certificate_for(DEVICE.point), 1)
    custody.note("camera.certified", ACTOR, DEVICE.key_id.hex())
    database = sqlite3.connect(tmp_path / "register.sqlite")
    database.execute("UPDATE cameras SET point = ?", (OTHER.point,))
    database.commit()
    database.close()

    assert register.get(DEVICE.key_id) is None


def test_a_camera_nobody_knows_cannot_be_enrolled(desk):
    register, _ = desk

    assert register.get(DEVICE.key_id) is None and register.accounted(DEVICE.key_id) == []
    with pytest.raises(NotFound):
        register.enrol(DEVICE.key_id)


ISSUE, OTHER_ISSUE = b"\1" * 16, b"\2" * 16


@pytest.fixture
def enrolled(desk):
    register, custody = desk
    register.certify(DEVICE.point, certificate_for(DEVICE.point), 1)
    custody.note("camera.certified", ACTOR, DEVICE.key_id.hex())
    register.enrol(DEVICE.key_id)
    return desk


def test_an_issue_is_known_until_it_ends_and_custody_witnesses_both(enrolled):
    """Proves BW-10."""
    register, custody = enrolled
    register.issue(DEVICE.key_id, ISSUE, "4711", 100, 1, ACTOR)
    register.issue(DEVICE.key_id, ISSUE, "4711", 100, 1, ACTOR)  # the same again

    now = register.current_issue(DEVICE.key_id)
    assert (now.issue, now.officer, now.until, now.since, now.told) == (ISSUE, "4711", 100, 5, 0)
    assert [one.issue for one in register.overdue(101)] == [ISSUE] and register.overdue(100) == []
    assert register.end_issue(DEVICE.key_id, ISSUE, 102)
    assert not register.end_issue(DEVICE.key_id, ISSUE, 103)
    assert register.current_issue(DEVICE.key_id) is None and register.overdue(999) == []
    assert [(one.ended, one.how) for one in register.issues_of(DEVICE.key_id)] == [(102, "docked")]
    events = [(entry.event, entry.detail.get("issue")) for entry in custody.entries()][1:]
    assert events == [("camera.issued", ISSUE.hex()), ("camera.returned", ISSUE.hex())]


def test_a_camera_in_somebodys_hands_is_not_issued_to_another(enrolled):
    register, _ = enrolled
    register.issue(DEVICE.key_id, ISSUE, "4711", 100, 1)

    with pytest.raises(Refused):
        register.issue(DEVICE.key_id, OTHER_ISSUE, "4712", 100, 1)
    with pytest.raises(Refused):
        register.issue(DEVICE.key_id, ISSUE, "4712", 100, 1)
    assert [one.officer for one in register.open_issues()] == ["4711"]


def test_an_issue_that_custody_never_saw_is_believed_by_nobody(enrolled, tmp_path):
    register, _ = enrolled
    database = sqlite3.connect(tmp_path / "register.sqlite")
    row = (OTHER_ISSUE, DEVICE.key_id, "4799", 1, 5, 100)
    database.execute(
        "INSERT INTO issues (issue, device_id, officer, kind, since, until) VALUES (?,?,?,?,?,?)", row
    )
    database.commit()
    database.close()

    assert register.open_issues() == [] and not register.end_issue(DEVICE.key_id, OTHER_ISSUE, 9)
    register.issue(DEVICE.key_id, ISSUE, "4711", 100, 1)
    assert register.current_issue(DEVICE.key_id).officer == "4711"


@pytest.mark.parametrize("ended", [bytes(16), OTHER_ISSUE])
def test_an_issue_nobody_knows_ends_nothing(enrolled, ended):
    register, custody = enrolled
    register.issue(DEVICE.key_id, ISSUE, "4711", 100, 1)
    before = custody.size()

    assert not register.end_issue(DEVICE.key_id, ended, 9)
    assert not register.end_issue(OTHER.key_id, ISSUE, 9)
    assert custody.size() == before and register.current_issue(DEVICE.key_id).issue == ISSUE


def inventory(boot, ms):
    about = {"device_id": DEVICE.key_id, "nonce": bytes(16), "boot": boot, "ms": ms}
    rest = {"journal_digest": hashlib.sha256(b"").digest(), "receipt_no": 0}
    return statements.make(statements.INVENTORY, DEVICE, **about, **rest)


def test_the_newest_inventory_and_docks_are_kept(enrolled):
    register, _ = enrolled
    assert register.newest_inventory(DEVICE.key_id) is None
    first, newest, old = (inventory(boot, ms) for boot, ms in ((1, 9), (2, 4), (2, 3)))
    for raw in (first, newest, old):
        register.keep_inventory(DEVICE.key_id, raw)
    register.put_dock("gate-1", [b"\1" * 32, b"\2" * 32])
    register.withdraw_dock("gate-1")

    assert register.newest_inventory(DEVICE.key_id) == (newest, 5)
    assert register.put_dock("gate-1", [b"\3" * 32]).state == "withdrawn"
    assert register.dock("gate-1").key_ids == (b"\1" * 32, b"\2" * 32)
    with pytest.raises(NotFound):
        register.dock("gate-2")


def test_a_camera_certified_under_a_changed_enrolment_key_stays_known_and_no_new_one_does(tmp_path):
    custody, new_pem = (
        custody_at(tmp_path),
        certificates.issue("enrolment", keys.decode_point(OTHER.point), ROOT, ROOT_PEM),
    )
    register = Register(tmp_path / "register.sqlite", ENROLMENT_PEM, ROOT_PEM, custody)
    register.certify(DEVICE.point, certificate_for(DEVICE.point), 1)
    custody.note("camera.certified", ACTOR, DEVICE.key_id.hex())
    later = Register(
        tmp_path / "register.sqlite", new_pem, ROOT_PEM, custody, enrolment_before=[ENROLMENT_PEM]
    )

    assert later.get(DEVICE.key_id).point == DEVICE.point
    with pytest.raises(BadSignature):
        later.certify(ROOT.point, certificate_for(ROOT.point), 1)


def test_a_lost_camera_that_is_found_may_be_docked_and_is_not_in_use(enrolled):
    register, _ = enrolled
    register.lose(DEVICE.key_id)
    assert register.get(DEVICE.key_id).state == "lost"
    register.found(DEVICE.key_id)
    assert register.get(DEVICE.key_id).state == "suspended"
