"""Firmware by the wire: what a camera takes into its spare place, what it refuses, when it believes in it."""

import struct
from types import SimpleNamespace

import archives
import boot_choice
import pytest
import vfs
from archives import SMALL, pack, signed
from cryptography.hazmat.primitives.asymmetric import ec
from fuzzing import fuzzed
from hypothesis import given
from hypothesis import strategies as st
from office import point, sha256
from sealcam import archive, statements, update
from sealcam.errors import BadSignature, FirmwareRefused, FormatFault, NotEnrolled, OutOfOrder, SealcamError
from sealcam.flash import Files, FlashFault
from sealcam.update import Update

ROOT, STRANGER = (ec.derive_private_key(number, ec.SECP256R1()) for number in (7777, 8888))
BODY = pack(SMALL)
GOOD = signed(ROOT, BODY)


class Log:
    def __init__(self):
        self.told = []

    def note(self, event, detail, sequence, data):
        self.told.append((event, detail, data))


class Camera:
    """As much of a camera as an update looks at; `chosen` as the boot stage would say it."""

    def __init__(self, files=None, chosen=None):
        store = SimpleNamespace(ioctl=lambda op, argument: 235)
        self.files = files or Files(vfs.VfsLfs2(store))
        self.identity = SimpleNamespace(root_point=point(ROOT))
        self.recorder = self.fault = None
        self.logbook, self.facts = Log(), {"board": "unix"}
        self.restarts = 0
        self.board = SimpleNamespace(
            chosen=chosen or boot_choice.Chosen(), mpy=b"\x06\x0b", restart=self.restart
        )

    def restart(self):
        self.restarts += 1

    def again(self, chosen=None):
        """The next boot, on the same flash."""
        return Camera(self.files, chosen)

    def boot(self):
        """As the boot stage would choose; only the state is looked at, not the archive."""
        state = boot_choice.State.load(self.files._fs)
        if state is None:
            return self.again()
        on_trial = bool(state.candidate[0])
        entry = state.candidate if on_trial else state.kept
        if not entry[0]:
            return self.again()
        return self.again(boot_choice.Chosen(entry[0], entry[2], entry[3], entry[4], on_trial))


def put(camera, whole, piece=500, limit=None):
    at, taken, camera_update = 0, 0, Update(camera)
    while at < len(whole) and taken != limit:
        at = camera_update.put(len(whole), at, memoryview(whole)[at : at + piece])
        taken += 1
    return at


def stage(camera, whole):
    put(camera, whole)
    return Update(camera).stage()


def confirm(camera, whole):
    """Staged, tried, proved."""
    stage(camera, whole)
    tried = camera.boot()
    for proof in ("known answers", "chunk", "dock"):
        Update(tried).prove(proof)
    return tried


def state_of(camera):
    return update._State(camera.files)


def test_an_archive_is_put_staged_and_noted():
    camera = Camera()

    assert stage(camera, GOOD) == (2, sha256(BODY))
    assert camera.logbook.told == [(32, 0x100, sha256(BODY)[:16])]
    assert state_of(camera).candidate == (1, len(GOOD), 2, 1, sha256(BODY))
    assert state_of(camera).boots == boot_choice.BOOTS


def test_a_piece_at_another_offset_changes_nothing_and_says_where_to_go_on():
    camera = Camera()
    assert put(camera, GOOD, limit=2) == 1000

    for offset in (1, 500, 1500):
        assert Update(camera).put(len(GOOD), offset, memoryview(GOOD)[offset : offset + 500]) == 1000
    assert Update(camera).put(len(GOOD) - 1, 1000, memoryview(GOOD)[1000:1500]) == 0
    assert camera.files.size_of("firmware-a") == 1004


def test_after_a_restart_the_same_archive_goes_on_and_another_begins_anew():
    camera = Camera()
    put(camera, GOOD, limit=3)
    other = signed(ROOT, pack({**SMALL, "errors.mpy": b"M\x06\x00\x1f" + b"o" * 200}), 3)

    assert Update(camera.again()).put(len(GOOD), 0, memoryview(GOOD)[:500]) == 1500
    assert Update(camera.again()).put(len(other), 0, memoryview(other)[:500]) == 500
    assert stage(camera, other)[0] == 3


def test_what_is_not_all_there_is_not_staged():
    camera = Camera()
    with pytest.raises(OutOfOrder):
        Update(camera).stage()
    put(camera, GOOD, limit=3)

    with pytest.raises(OutOfOrder):
        Update(camera).stage()
    assert camera.logbook.told == [(32, 0x34, b"")] * 2


def test_a_camera_without_an_organisation_stages_nothing():
    camera = Camera()
    camera.identity = None
    put(camera, GOOD)

    with pytest.raises(NotEnrolled):
        Update(camera).stage()


def body_with(**changes):
    head = {"board": b"unix", "mpy": b"\x06\x0b", "counter": 1}
    return pack(changes.pop("files", SMALL), **{**head, **changes})


OTHER_MACHINE = {**SMALL, "errors.mpy": b"M\x06\x17\x1f" + bytes(9)}
REFUSED = {
    "by another root": (signed(STRANGER, BODY), BadSignature),
    "another statement": (GOOD.replace(b"root firmware", b"root keylists"), BadSignature),
    "another body": (GOOD[: archives.START] + pack({**SMALL, "xor.mpy": b"M\x06\x0b\x1f"}), FirmwareRefused),
    "version 0": (signed(ROOT, BODY, 0), FirmwareRefused),
    "another board": (signed(ROOT, body_with(board=b"qemu_mps2")), FirmwareRefused),
    "no board": (signed(ROOT, body_with(board=b"")), FirmwareRefused),
    "another interpreter": (signed(ROOT, body_with(mpy=b"\x06\x17")), FirmwareRefused),
    "a rolled-back counter": (signed(ROOT, body_with(counter=0), 9), FirmwareRefused),
    "code of another machine": (signed(ROOT, body_with(files=OTHER_MACHINE)), FirmwareRefused),
    "no module": (signed(ROOT, body_with(files={**SMALL, "z.mpy": b"text, not code"})), FirmwareRefused),
    "a path": (signed(ROOT, body_with(files={"../a.mpy": SMALL["main.mpy"], **SMALL})), FirmwareRefused),
    "from the top": (signed(ROOT, body_with(files={"/a.mpy": SMALL["main.mpy"], **SMALL})), FirmwareRefused),
    "another ending": (signed(ROOT, body_with(files={"a.py": SMALL["main.mpy"], **SMALL})), FirmwareRefused),
    "out of order": (signed(ROOT, body_with(files=dict(reversed(SMALL.items())))), FirmwareRefused),
    "twice": (signed(ROOT, pack(SMALL, count=3) + pack(SMALL)[44 + 219 :]), FirmwareRefused),
    "no program": (signed(ROOT, body_with(files={"errors.mpy": SMALL["errors.mpy"]})), FirmwareRefused),
    "fewer than it says": (signed(ROOT, body_with(count=3)), FirmwareRefused),
    "more than it says": (signed(ROOT, body_with(count=1)), FirmwareRefused),
    "too many": (
        signed(ROOT, body_with(files={f"m{n:03}.mpy": b"M\x06\x00\x1f" for n in range(97)})),
        FirmwareRefused,
    ),
    "cut off": (GOOD[:-1], FirmwareRefused),
    "a byte more": (GOOD + b"\0", FirmwareRefused),
    "less than a statement": (GOOD[:100], FirmwareRefused),
}


@pytest.mark.parametrize("what", REFUSED)
def test_it_is_refused_noted_and_the_old_one_goes_on(what):
    """Proves issue 3, item 4: a forged or rolled-back firmware image."""
    whole, fault = REFUSED[what]
    camera = Camera()

    with pytest.raises(fault):
        stage(camera, whole)
    assert camera.logbook.told == [(32, fault.status, b"")]
    assert not camera.boot().board.chosen.place


def test_a_counter_and_a_version_only_rise():
    tried = confirm(Camera(), signed(ROOT, body_with(counter=5), 7))

    for whole in (
        signed(ROOT, body_with(counter=4), 8),
        signed(ROOT, body_with(counter=6), 6),
        signed(ROOT, body_with(counter=6), 7),
    ):
        with pytest.raises(FirmwareRefused):
            stage(tried, whole)
    assert stage(tried, signed(ROOT, body_with(counter=5), 8))[0] == 8


def test_what_is_kept_already_needs_no_trial():
    tried = confirm(Camera(), GOOD)

    assert stage(tried, GOOD) == (2, sha256(BODY))
    assert state_of(tried).candidate[0] == 0


def test_one_bit_anywhere_is_refused():
    small = signed(ROOT, pack({"main.mpy": b"M\x06\x0b\x1f" + b"code"}))

    for at in range(len(small)):
        changed = bytearray(small)
        changed[at] ^= 0xFF if at % 2 else 1
        with pytest.raises((BadSignature, FirmwareRefused)):
            archive.check(reading(changed), len(changed), point(ROOT))


def reading(whole):
    def read(offset, view):
        view[:] = whole[offset : offset + len(view)]

    return read


@pytest.mark.parametrize("total, offset, size", [(0, 0, 0), ((1 << 20) + 1, 0, 9), (100, 90, 11)])
def test_a_total_that_cannot_be_is_refused_before_anything_is_written(total, offset, size):
    camera = Camera()

    with pytest.raises(FormatFault):
        Update(camera).put(total, offset, memoryview(bytes(size)))
    assert "firmware-a" not in camera.files.names()


def test_there_must_be_room_for_it_and_for_the_logs(monkeypatch):
    camera = Camera()
    monkeypatch.setattr(camera.files, "room", lambda: len(GOOD) + 131071)

    with pytest.raises(FirmwareRefused):
        put(camera, GOOD)
    assert "firmware-a" not in camera.files.names()


def test_nothing_is_put_while_it_films():
    camera = Camera()
    camera.recorder = SimpleNamespace(recording=True)

    with pytest.raises(OutOfOrder):
        put(camera, GOOD)


@pytest.mark.parametrize("order", ["kcd", "dck", "cdk"])
def test_a_candidate_is_kept_after_known_answers_a_chunk_and_a_dock_and_not_before(order):
    camera = Camera()
    stage(camera, GOOD)
    words = {"k": "known answers", "c": "chunk", "d": "dock"}
    for letter in order:
        assert state_of(camera).kept[0] == 0
        camera = camera.boot()  # proved over several boots, each of which is counted
        assert camera.board.chosen.on_trial
        Update(camera).prove(words[letter])

    assert state_of(camera).kept == (1, len(GOOD), 2, 1, sha256(BODY))
    assert state_of(camera).candidate[0] == 0 and state_of(camera).counter == 1
    assert camera.logbook.told == [(32, 0x101, sha256(BODY)[:16])]
    assert not camera.boot().board.chosen.on_trial


def test_the_same_proof_twice_is_one():
    camera = Camera()
    stage(camera, GOOD)

    for _ in range(3):
        Update(camera.boot()).prove("dock")

    assert state_of(camera).proved == 4 and state_of(camera).kept[0] == 0


def test_what_runs_and_what_is_kept_is_never_written():
    """On trial beside a kept one there is no spare; confirmed, the old one's place is."""
    third = signed(ROOT, BODY, 4)
    kept = confirm(Camera(), GOOD)
    stage(kept, signed(ROOT, pack({**SMALL, "xor.mpy": b"M\x06\x0b\x1f"}), 3))
    before = kept.files.read("firmware-a"), kept.files.read("firmware-b")
    tried = kept.boot()
    assert tried.board.chosen.place == 2

    with pytest.raises(OutOfOrder):
        put(tried, third)
    assert (kept.files.read("firmware-a"), kept.files.read("firmware-b")) == before
    for proof in ("known answers", "chunk", "dock"):
        Update(tried).prove(proof)
    assert put(tried, third) == len(third) and tried.files.read("firmware-b") == before[1]


def test_a_new_archive_in_the_place_of_a_candidate_takes_its_candidacy_first():
    camera = Camera()
    stage(camera, GOOD)

    put(camera, signed(ROOT, BODY, 3), limit=1)

    assert state_of(camera).candidate[0] == 0 and not camera.boot().board.chosen.place


def test_a_candidate_that_refuses_at_boot_goes_and_the_camera_restarts():
    camera = Camera()
    stage(camera, GOOD)
    tried = camera.boot()

    Update(tried).failed()
    old = tried.boot()
    Update(old).tell()

    assert tried.restarts == 1 and not old.board.chosen.place
    assert old.logbook.told == [(32, 0x103, sha256(BODY)[:16])]
    Update(old).tell()
    assert len(old.logbook.told) == 1 and state_of(old).fell == bytes(16)


def test_a_kept_firmware_that_refuses_restarts_nothing():
    camera = confirm(Camera(), GOOD).boot()

    Update(camera).failed()

    assert camera.restarts == 0 and state_of(camera).kept[0] == 1


def test_health_says_version_counter_and_trial():
    camera = Camera()
    assert Update(camera).facts() == {"version": 1, "counter": 1, "on_trial": False}
    stage(camera, signed(ROOT, body_with(counter=3), 5))

    assert Update(camera.boot()).facts() == {"version": 5, "counter": 1, "on_trial": True}


def test_a_state_that_was_changed_is_no_empty_start():
    camera = confirm(Camera(), GOOD)
    raw = bytearray(camera.files.read("firmware.state"))
    raw[9] ^= 0xFF
    camera.files.replace("firmware.state", raw)

    with pytest.raises(FlashFault):
        put(camera.again(), signed(ROOT, BODY, 3))
    with pytest.raises(ValueError):
        boot_choice.State.load(camera.files._fs)


def test_the_boot_stage_and_the_firmware_mean_the_same_by_a_state():
    camera = Camera()
    stage(camera, GOOD)
    raw = camera.files.read("firmware.state")
    boot_choice.State.load(camera.files._fs).save(camera.files._fs)

    assert camera.files.read("firmware.state") == raw and len(raw) == 160
    assert boot_choice.BOOTS == update.BOOTS and boot_choice.PLACES == update._PLACES
    assert boot_choice._BODY_AT == 4 + statements.size_of(statements.FIRMWARE)
    assert struct.calcsize(boot_choice._STATE) == 128


def test_the_boot_stage_looks_for_littlefs_where_it_is():
    import main

    assert boot_choice.FILES_FIRST == main.FILES_FIRST


@fuzzed(share=4)
@given(st.binary(max_size=200), st.integers(0, len(BODY)), st.integers(0, 60))
def test_whatever_the_root_signs_is_an_archive_or_refused(noise, at, gone):
    """The reader itself, behind a signature that holds."""
    body = BODY[:at] + noise + BODY[at + gone :]
    whole = signed(ROOT, body)

    try:
        found = archive.check(reading(whole), len(whole), point(ROOT))
    except SealcamError:
        return
    assert found.digest == sha256(body) and pack(archives.unpack(body), counter=found.counter) == body
