"""Hours a vault tells: none runs back by more than a day, however often it is told; a new time key begins
anew.
"""

import struct

import pytest
import vfs
from power import enrol
from power_bench import Bench, Faults
from sealcam import policy, statements
from sealcam.errors import BadSignature, ClockFault
from sealcam.trusts import Trusts

HOUR, DAY = 3_600_000, 86_400_000


@pytest.fixture
def bench():
    made = Bench()
    enrol(made, Faults())
    yield made
    made.faults.dark = True
    try:
        vfs.umount("/card")
    except OSError:
        pass


def tell(bench, utc_ms, version=1):
    """One answer over the camera's own question; the change of its clock."""
    camera = bench.camera
    trusts = Trusts(camera, None)
    about = (camera.identity.device_id, trusts.do_ask_time(b""), utc_ms, 1, bytes(32))
    raw = statements.make(statements.TIME, bench.office.key_of(policy.TIME, version), None, *about)
    return struct.unpack(">q", trusts.do_time(raw))[0]


def test_no_row_of_statements_walks_a_clock_back(bench):
    now = bench.camera.clock.utc_ms()
    tell(bench, now + 400 * DAY)
    tell(bench, now + 400 * DAY - 20 * HOUR)

    for hours in (25, 40, 24 * 365):
        with pytest.raises(ClockFault):
            tell(bench, now + 400 * DAY - hours * HOUR)
    bench.camera.power_off()
    bench.start()
    with pytest.raises(ClockFault):
        tell(bench, now)


def test_a_vault_that_ran_ahead_is_put_right_by_a_new_time_key(bench, monkeypatch):
    """docs/decisions/0013: the root's signature, and no other, lets the hour go back."""
    camera, now, plain = bench.camera, bench.camera.clock.utc_ms(), bench.office.key_of

    def key_of(role, version=1):
        return plain(role, version) + (50 * (version - 1) if role == policy.TIME else 0)

    monkeypatch.setattr(bench.office, "key_of", key_of)
    tell(bench, now + 400 * DAY)
    camera.lists.take_keylist(bench.office.key_list(2))
    with pytest.raises(BadSignature):
        tell(bench, now + 400 * DAY)  # by the old key

    tell(bench, now, version=2)

    assert abs(camera.clock.utc_ms() - now) < HOUR
    with pytest.raises(ClockFault):
        tell(bench, now - 2 * DAY, version=2)
    tell(bench, now + 2 * DAY, version=2)


def test_a_list_with_the_same_time_key_changes_nothing(bench):
    camera, now = bench.camera, bench.camera.clock.utc_ms()
    tell(bench, now + 400 * DAY)
    camera.lists.take_keylist(bench.office.key_list(2))

    with pytest.raises(ClockFault):
        tell(bench, now)


def test_a_camera_that_kept_no_latest_hour_goes_by_the_newest(bench):
    now = bench.camera.clock.utc_ms()
    tell(bench, now + 400 * DAY)
    bench.camera.files.remove("hours")
    bench.camera.power_off()
    bench.start()

    with pytest.raises(ClockFault):
        tell(bench, now)
