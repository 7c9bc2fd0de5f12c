"""Newer key lists, policies and drills, on the whole device under CPython: what is believed, for whom is
sealed, what a cut leaves.
"""

import random

import gate_bench
import pytest
import vfs
from power_bench import Bench, Faults
from power_rules import read_parts
from sealcam import layout, lists, telling, usagelog
from sealcam.enrolment import Enrolment
from sealcam.errors import (
    BadSignature,
    FlashFault,
    FormatFault,
    KeyListFault,
    NoCard,
    OutOfOrder,
    PolicyFault,
)
from sealcam.layout import unpack_core


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.setattr(lists, "TRIAL_MS", 300)
    made = Bench()
    camera = made.start()
    steps = Enrolment(camera, made.folder)
    while steps.step() != "enrolled":
        made.office.attend(made.folder)
    yield made
    made.faults.dark = True
    try:
        vfs.umount("/card")
    except OSError:
        pass


def turn(camera, times=400):
    """Run the camera until it has nothing to do for a while."""
    for _ in range(times):
        if not camera.step():
            camera.board.idle(camera)


def film(camera):
    camera.recorder.start()
    turn(camera, 20)
    camera.recorder.stop()
    return camera.recorder.h_core


def lists_on_card(camera):
    """{h_core: key list version} of every recording there."""
    found = {}
    for core in read_parts(camera):
        fields = unpack_core(core)
        if fields and fields["kind"] == layout.KIND_RECORDING:
            found[layout_hash(core)] = fields["keylist"]
    return found


def layout_hash(core):
    from hashlib import sha256

    return sha256(core).digest()


def logged(camera):
    raw = camera.files.read("log")
    size = usagelog.ENTRY_SIZE
    return [int.from_bytes(raw[at + 4 : at + 6], "big") for at in range(0, len(raw), size)]


def switched(bench, camera, version=2):
    """Through a whole change: list, trial, drill."""
    camera.lists.take_keylist(bench.office.key_list(version))
    turn(camera)
    return camera.lists.take_drill(bench.office.drill_file(camera.lists._trial, version))


def test_an_enrolment_whose_card_is_gone_says_so_and_goes_on_when_it_is_back():
    made = Bench()
    camera = made.start()
    steps = Enrolment(camera, made.folder)
    while steps.step() != "waiting for drill.seal":
        made.office.attend(made.folder)
    camera.power_off()

    without = made.start(with_card=False)
    with pytest.raises(NoCard):
        Enrolment(without, made.folder).step()

    assert without.fault is None
    made.office.attend(made.folder)
    assert Enrolment(made.start(), made.folder).step() == "enrolled"


def test_a_newer_list_is_believed_at_once_and_sealed_for_after_its_drill(bench):
    camera = bench.camera
    assert camera.lists.take_keylist(bench.office.key_list(2)) == 2
    assert (camera.keylist.version, camera.sealing.version) == (2, 1)
    before = film(camera)
    turn(camera)
    trial = camera.lists._trial
    between = film(camera)

    assert camera.lists.take_drill(bench.office.drill_file(trial, 2)) == 2
    after = film(camera)

    found = lists_on_card(camera)
    assert [found[h] for h in (before, trial, between, after)] == [1, 2, 1, 2]
    assert (camera.drilled, camera.sealing.version) == (2, 2)
    told = logged(camera)
    assert told.count(usagelog.KEY_LIST_ACCEPTED) >= 1 and told.count(usagelog.DRILL_ACCEPTED) >= 2


def test_a_list_waits_through_a_restart_and_so_does_its_trial(bench):
    bench.camera.lists.take_keylist(bench.office.key_list(2))
    camera = bench.start()
    assert (camera.keylist.version, camera.sealing.version) == (2, 1)
    turn(camera)
    trial = camera.lists._trial
    camera = bench.start()
    assert camera.lists._trial == trial is not None
    turn(camera)
    assert list(lists_on_card(camera).values()).count(2) == 1  # one trial, not one a boot

    camera.lists.take_drill(bench.office.drill_file(trial, 2))
    camera = bench.start()
    assert (camera.drilled, camera.keylist.version, camera.sealing.version) == (2, 2, 2)


@pytest.mark.parametrize("damaged", ["policy", "log"])
def test_a_camera_with_a_fault_believes_the_newest_list_as_well(bench, damaged):
    """Proves DS-1: whose link key was withdrawn is not spoken to, whatever else the camera cannot read."""
    camera = bench.camera
    camera.lists.take_keylist(bench.office.key_list(2))
    camera.power_off()
    raw = bytearray(camera.files.read(damaged))
    raw[100] ^= 0xFF
    camera.files.replace(damaged, raw)

    camera = bench.start()

    assert camera.fault is not None
    assert telling.version(camera) == telling.believed(camera).version == 2


def test_a_newer_list_that_cannot_be_read_leaves_nobody_to_believe(bench):
    camera = bench.camera
    camera.lists.take_keylist(bench.office.key_list(2))
    camera.files.replace("nextlist", bytes(200))
    camera.power_off()

    camera = bench.start()

    assert camera.fault is FlashFault and telling.version(camera) == 0
    with pytest.raises(FlashFault):
        telling.believed(camera)


def test_lists_of_lower_version_another_body_or_another_root_are_refused_and_logged(bench):
    camera, office = bench.camera, bench.office
    switched(bench, camera)
    newest = office.key_list(2)
    other = bytearray(office.key_list(3))
    other[60] ^= 0xFF
    for raw in (office.key_list(1), bytes(other), newest[:-1], b"", newest[:-10] + bytes(10)):
        with pytest.raises(KeyListFault):
            camera.lists.take_keylist(raw)
    for raw in (bytes(200), office.policy_file(0), office.policy_file(2, flags=64)):
        with pytest.raises(PolicyFault):
            camera.lists.take_policy(raw)

    assert logged(camera).count(usagelog.LISTS_REFUSED) == 8
    assert camera.lists.take_keylist(newest) == 2  # the same again changes nothing
    assert (camera.keylist.version, camera.policy.version) == (2, 1)


def test_a_drill_for_another_trial_list_camera_or_by_one_key_alone_is_refused(bench):
    camera, office = bench.camera, bench.office
    camera.lists.take_keylist(office.key_list(2))
    with pytest.raises(OutOfOrder):
        camera.lists.take_drill(office.drill_file(bytes(32), 2))  # there is no trial yet
    turn(camera)
    trial, device = camera.lists._trial, office.device_id
    bad = [
        office.drill_file(bytes(32), 2),
        office.drill_file(trial, 1),
        office.drill_file(trial, 2, (1, 1)),
        office.drill_file(trial, 2)[:-1] + b"\0",
    ]
    office.device_id = bytes(32)
    bad.append(office.drill_file(trial, 2))
    office.device_id = device
    for raw in bad:
        with pytest.raises(BadSignature):
            camera.lists.take_drill(raw)
    with pytest.raises(FormatFault):
        camera.lists.take_drill(office.drill_file(trial, 2, (1,)))
    assert camera.sealing.version == 1 and camera.drilled == 1

    assert camera.lists.take_drill(office.drill_file(trial, 2)) == 2
    assert camera.lists.take_drill(office.drill_file(trial, 2)) == 2  # again


def test_the_button_comes_before_a_trial_which_is_made_again(bench):
    camera = bench.camera
    camera.lists.take_keylist(bench.office.key_list(2))
    while not camera.recorder.recording:
        camera.step() or camera.board.idle(camera)
    real = film(camera)
    assert camera.lists._trial is None and lists_on_card(camera)[real] == 1
    turn(camera)
    assert lists_on_card(camera)[camera.lists._trial] == 2


def test_nothing_is_taken_while_filming_and_no_trial_while_docked(bench):
    camera = bench.camera
    camera.recorder.start()
    for take, raw in (
        (camera.lists.take_keylist, bench.office.key_list(2)),
        (camera.lists.take_policy, bench.office.policy_file(2)),
    ):
        with pytest.raises(OutOfOrder):
            take(raw)
    camera.recorder.stop()

    camera.lists.take_keylist(bench.office.key_list(2))
    camera.dock_down()
    for _ in range(50):
        assert not camera.lists.step()
    assert camera.lists._trial is None


def test_a_trial_that_a_docking_ends_is_made_after_it(bench):
    camera = bench.camera
    camera.lists.take_keylist(bench.office.key_list(2))
    while not camera.recorder.recording:
        camera.step() or camera.board.idle(camera)
    camera.dock_down()
    turn(camera, 20)
    assert camera.lists._trial is None
    camera.undock()
    turn(camera)
    assert lists_on_card(camera)[camera.lists._trial] == 2


def test_the_record_button_begins_a_recording_while_a_trial_is_filmed(bench):
    camera = bench.camera
    camera.lists.take_keylist(bench.office.key_list(2))
    while not camera.recorder.recording:
        camera.step() or camera.board.idle(camera)
    camera.wearer.press("record")
    assert camera.recorder.recording and not camera.lists.filming
    camera.wearer.press("record")
    assert not camera.recorder.recording


def test_a_policy_is_in_force_at_once_and_its_sizes_with_the_next_recording(bench):
    camera = bench.camera
    assert camera.lists.take_policy(bench.office.policy_file(2, flags=0, chunk=4096)) == 2
    assert camera.policy.sound is False
    turn(camera, 5)
    film(camera)

    assert camera.recorder.geometry()[0] == 4096
    assert bench.start().policy.version == 2


def test_a_policy_that_forbids_replay_erases_what_it_needs_at_once():
    """Proves BW-9."""
    may = gate_bench.enrolled()
    camera = gate_bench.issued(may)
    gate_bench.settle(camera)
    assert camera.gate.recipients(layout.KIND_RECORDING) and camera.pool.has(layout.KIND_RECORDING)

    camera.lists.take_policy(may.office.policy_file(2, flags=1))

    assert camera.gate.recipients(layout.KIND_RECORDING) == []
    assert not camera.pool.has(layout.KIND_RECORDING)
    assert usagelog.REPLAY_KEY_ERASED in logged(camera)
    camera = may.start()
    assert camera.gate.recipients(layout.KIND_RECORDING) == []
    may.faults.dark = True
    vfs.umount("/card")


def test_a_card_that_is_full_gives_no_trial_and_the_list_before_stays(bench):
    camera = bench.camera
    camera.lists.take_keylist(bench.office.key_list(2))
    room = camera.card.has_room
    camera.card.has_room = lambda size: False
    turn(camera, 50)
    assert camera.lists._trial is None and camera.sealing.version == 1
    camera.card.has_room = room
    camera.card.unmount()
    camera.insert_card()
    turn(camera)
    assert camera.lists._trial is not None


@pytest.mark.parametrize("seed", range(3))
def test_lists_agree_with_a_dict_and_a_counter(bench, seed):
    """A model plays along: what is believed, what is sealed for, whether a trial waits."""
    draw, camera, office = random.Random(seed), bench.camera, bench.office
    believed, sealed, trial, rules = 1, 1, False, 1
    for _ in range(25):
        act = draw.choice(("list", "older", "turn", "drill", "policy", "boot", "film"))
        if act == "list" and believed < 6:
            believed, trial = camera.lists.take_keylist(office.key_list(believed + 1)), False
        elif act == "older" and believed > 1:
            with pytest.raises(KeyListFault):
                camera.lists.take_keylist(office.key_list(believed - 1))
        elif act == "turn":
            turn(camera, 120)
            trial = trial or believed > sealed
        elif act == "drill" and trial:
            camera.lists.take_drill(office.drill_file(camera.lists._trial, believed))
            sealed, trial = believed, False
        elif act == "policy":
            rules = camera.lists.take_policy(office.policy_file(rules + 1))
        elif act == "boot":
            camera = bench.start(Faults())
        elif act == "film":
            filmed = film(camera)
            assert lists_on_card(camera)[filmed] == sealed
        assert (camera.keylist.version, camera.sealing.version, camera.drilled) == (believed, sealed, sealed)
        assert (camera.lists._trial is not None, camera.policy.version) == (trial, rules)
