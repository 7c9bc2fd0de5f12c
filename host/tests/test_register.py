"""The register: a camera is known by its certificate and by the custody log, not by a row."""

import sqlite3

import pytest
from cryptography.hazmat.primitives import serialization
from ledger import ACTOR, custody_at
from sealhost import certificates, keys
from sealhost.errors import BadSignature, EnrolmentRefused, NotFound
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
