"""A camera and its card in a stranger's hands: everything that lies on either, and nothing that opens."""

import pytest
import vm
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from desk_camera import MARK, Desk
from office import SUITE, point, sha256

pytestmark = pytest.mark.slow  # every test enrols a camera of its own


@pytest.fixture(params=vm.NAMES)
def lost(request, tmp_path):
    """A camera that was lost after a shift: its trial and two recordings."""
    desk = Desk(tmp_path, request.param).enrol()
    desk.run("place Market Square; record; wait end; stop; power off")
    desk.run("record; wait chunks 3")
    return desk


@pytest.mark.promise1
@pytest.mark.promise2
def test_no_key_of_any_recording_lies_on_card_or_flash(lost):
    """Proves BW-6, BW-11."""
    found = lost.recordings(1).values()

    for recording in found:
        for secret in (recording.secret, recording.k_enc, recording.k_mac):
            assert secret not in lost.flash.read_bytes() and secret not in lost.card.read_bytes()
    assert len(found) == 3


@pytest.mark.promise2
def test_the_cameras_own_key_opens_no_slot(lost):
    """Proves BW-6, BW-11."""
    key = key_in(lost.flash.read_bytes(), lost.office.device_point)

    for recording in lost.recordings(1).values():
        core = recording.core
        for at in range(512, 512 + 3 * 192, 192):
            slot = recording.parts[0][at : at + 192]
            info = b"sealcam/1 slot\x00\x00\x01" + slot[:1] + core[12:13] + core[16:64] + slot[8:40]
            with pytest.raises(InvalidTag):
                SUITE.decrypt(slot[40:153], key, info=info)
    assert sha256(point(key)) == lost.office.device_id


def key_in(flash, device_point):
    """What a stranger takes out of the flash: the scalar that stands in front of its point."""
    at = flash.index(device_point) - 32
    return ec.derive_private_key(int.from_bytes(flash[at : at + 32], "big"), ec.SECP256R1())


@pytest.mark.promise1
@pytest.mark.promise2
def test_nothing_that_was_filmed_said_or_named_lies_on_card_or_flash(lost):
    """Proves BW-6, BW-11."""
    for image in (lost.card, lost.flash):
        content = image.read_bytes()
        assert MARK not in content
        assert b"Market Square" not in content and b"picture" not in content
