"""A loss report: exactly what was on it, by the last that was heard; and the clock that runs from then on."""

import hashlib

import pytest
from ledger import killed_at
from paper_line import PaperCamera, PtyCamera
from sampling import share
from sealhost import layout, losing, statements
from sealhost.errors import NotFound, Refused
from sealhost.keys import SoftKey
from sealhost.statements import journal_entry
from sealhost.statements.journal import CLOSED, OPENED, PROGRESS, RECEIPTED, VOID
from shift import Shift, content

pytestmark = pytest.mark.slow

CARD, OTHER_CARD = b"\xca" * 16, b"\xcb" * 16


def inventory(device: SoftKey, *files: tuple, boot: int = 1) -> bytes:
    """The signed journal of a camera: (sequence, card serial, fate, kind) of each file."""
    entries = []
    for sequence, card, fate, kind in files:
        common = {"sequence": sequence, "recording_id": bytes([sequence]) * 16}
        if fate == "void":
            entries.append({"type": VOID, "sequence": sequence, "recording_id": bytes(16)})
            continue
        entries.append({"type": OPENED, "state": kind, "tag": card + bytes(16), **common})
        if fate == "open":
            entries.append({"type": PROGRESS, "index": 4, **common})
        else:
            entries.append({"type": CLOSED, "state": 1, "index": 9, **common})
        if fate == "receipted":
            entries.append({"type": RECEIPTED, "index": 1, "tag": bytes(32), **common})
    raw = b"".join(journal_entry(number=number, **entry) for number, entry in enumerate(entries, 1))
    about = {"device_id": device.key_id, "nonce": bytes(16), "boot": boot, "ms": 1, "receipt_no": 0}
    return (
        statements.make(statements.INVENTORY, device, journal_digest=hashlib.sha256(raw).digest(), **about)
        + raw
    )


RECORDING, LOG = layout.KIND_RECORDING, layout.KIND_LOG


def known_shift(shift: Shift) -> Shift:
    """One camera whose newest journal tells of six numbers on two cards."""
    files = [
        (1, CARD, "receipted", RECORDING),
        (2, CARD, "closed", RECORDING),
        (3, CARD, "closed", LOG),
        (4, OTHER_CARD, "closed", RECORDING),
        (5, CARD, "void", RECORDING),
        (6, OTHER_CARD, "open", RECORDING),
    ]
    home = shift.desk
    home.register.enrol(shift.device.key_id)
    home.register.keep_inventory(shift.device.key_id, inventory(shift.device, *files))
    return shift


def test_a_lost_camera_is_reported_with_exactly_what_no_receipt_settled(shift):
    """Proves BW-3: the loss report from the last inventory, the issue register and the catalogue."""
    known_shift(shift)
    home = shift.desk
    home.register.issue(shift.device.key_id, b"\1" * 16, "4711", 10, 1)

    loss = losing.lose_camera(shift.device.key_id, home.desk())

    assert [(one.sequence, one.card, one.stored) for one in loss.files] == [
        (2, CARD, False),
        (3, CARD, False),
        (4, OTHER_CARD, False),
        (6, OTHER_CARD, False),
    ]
    assert loss.officer == "4711" and loss.known_to[0][:2] == (shift.device.key_id, 6)
    assert home.register.get(shift.device.key_id).state == "lost"
    assert home.register.issues_of(shift.device.key_id)[0].how == "lost"
    opened = [e for e in shift.desk.custody.entries() if e.event == "breach.opened"]
    assert [(e.n, e.detail["count"], e.detail["known"]) for e in opened] == [(loss.case, 3, 0)]
    assert 0 <= loss.deadline - opened[0].at - 72 * 3_600_000 + 1000 < 2000


def test_the_same_loss_again_says_the_same_under_the_same_clock(shift):
    known_shift(shift)
    first = losing.lose_camera(shift.device.key_id, shift.desk.desk())
    size = shift.desk.custody.size()

    assert losing.lose_camera(shift.device.key_id, shift.desk.desk()) == first
    assert shift.desk.custody.size() == size


@pytest.mark.power
@pytest.mark.promise6
def test_a_loss_report_killed_at_any_step_ends_the_same(founded, tmp_path):
    """Proves promise 6: one clock, trust withdrawn."""
    first, every = share()
    step = 1 + first
    while True:
        folder = tmp_path / str(step)
        folder.mkdir()
        shift = known_shift(Shift.begin(founded, folder))
        if not killed_at(step, lambda: losing.lose_camera(shift.device.key_id, shift.desk.desk())):  # noqa: B023
            break
        losing.lose_camera(shift.device.key_id, shift.desk.desk())
        assert len(losing.clocks(shift.desk.custody)) == 1, step
        assert shift.desk.register.get(shift.device.key_id).state == "lost"
        step += every
    assert step > 4


def test_a_lost_card_is_reported_by_every_camera_that_wrote_on_it(shift):
    """Proves BW-3: a removable card without its camera."""
    known_shift(shift)
    other = SoftKey.make()
    shift.admit(other)
    shift.desk.register.keep_inventory(other.key_id, inventory(other, (7, OTHER_CARD, "closed", RECORDING)))

    loss = losing.lose_card(OTHER_CARD, shift.desk.desk())

    assert {(one.device_id, one.sequence) for one in loss.files} == {
        (shift.device.key_id, 4),
        (shift.device.key_id, 6),
        (other.key_id, 7),
    }
    assert shift.desk.register.get(shift.device.key_id).state == "enrolled"
    nothing = losing.lose_card(b"\1" * 16, shift.desk.desk())
    assert nothing.files == () and nothing.known_to == () and len(losing.clocks(shift.desk.custody)) == 2


def test_what_is_stored_is_exposed_and_not_gone_and_what_was_wiped_is_neither(shift, tmp_path):
    """Proves BW-3: what the vault holds is told apart from what nobody has."""
    wiped, kept = shift.film(1), shift.film(2, "..")
    card = shift.folder_card(tmp_path, wiped, kept)
    assert shift.run("dock", card)[0] in (0, 8)  # the second is cut short and unconfirmed: it stays
    assert shift.run("ls")[0] == 0
    home = shift.desk
    files = [(number, CARD, "closed", RECORDING) for number in (1, 2, 3)]
    home.register.keep_inventory(shift.device.key_id, inventory(shift.device, *files))

    loss = losing.lose_camera(shift.device.key_id, home.desk())

    assert [(one.sequence, one.stored) for one in loss.files] == [(2, True), (3, False)]


def test_what_a_camera_wiped_itself_is_not_on_it_any_more(shift):
    """Proves BW-3: the journal the vault keeps was taken before that wipe."""
    films = [shift.film(1), shift.film(2)]
    home = shift.desk
    files = [(number, CARD, "closed", RECORDING) for number in (1, 2)]
    given = {"organisation": home.config.organisation, "link_point": home.key("link").point}
    card = {shift.name(w): (content(w), len(content(w))) for w in films}
    camera = PaperCamera(key=shift.device, card=card, **given)
    with PtyCamera(camera) as line:
        assert shift.run("dock", line.path)[0] == 0
    home.register.keep_inventory(shift.device.key_id, inventory(shift.device, *files, boot=9))

    loss = losing.lose_camera(shift.device.key_id, shift.desk.desk())

    assert loss.files == () and loss.known_to[0][1] == 2


def test_a_camera_no_journal_was_kept_of_is_told_as_unknown(shift):
    code, told = shift.run("lost", "camera", shift.device.key_id.hex()[:8])

    assert code == 0 and told["files"] == [] and told["known_to"][0]["journal_at"] == 0


def test_a_found_camera_may_be_docked_and_its_clock_runs_until_it_is_closed(shift, tmp_path):
    """Proves BW-3: the way back."""
    shift.desk.register.enrol(shift.device.key_id)
    prefix = shift.device.key_id.hex()[:8]
    with pytest.raises(Refused):
        losing.found_camera(shift.device.key_id, shift.desk.desk())
    case = shift.run("lost", "camera", prefix)[1]["case"]
    assert shift.run("lost", "camera", prefix, "--found")[0] == 0
    assert shift.desk.register.get(shift.device.key_id).state == "suspended"
    (clock,) = shift.run("lost", "ls")[1]["clocks"]
    assert clock["case"] == case and 71.9 < clock["hours_left"] <= 72

    assert shift.run("dock", shift.folder_card(tmp_path, shift.film(1)))[0] == 0
    assert shift.run("lost", "close", case, "--reason", "found")[0] == 0
    assert shift.run("lost", "ls")[1]["clocks"] == []
    assert shift.run("lost", "close", case, "--reason", "found")[0] == 10
    assert shift.run("lost", "close", case, "--reason", "Smith says so")[0] == 2


def test_a_lost_dock_names_the_duties_that_need_a_new_key_until_each_has_one(shift):
    code, told = shift.run("lost", "dock", "vault")
    assert code == 0 and sorted(told["replace"]) == ["certificate", "link", "receipt", "time", "verify"]
    assert shift.desk.register.dock("vault").state == "withdrawn"
    shift.run("key", "replace", "receipt")

    desk = shift.desk.desk()
    again = losing.lose_dock("vault", desk, shift.desk.keylist)
    assert "receipt" not in again.replace and len(again.replace) == 4
    with pytest.raises(NotFound):
        losing.lose_dock("gate-9", desk, shift.desk.keylist)


def test_an_overdue_clock_is_said_in_words(shift):
    from sealhost.cli import losses

    clock = losing.Clock(7, "card", "ab" * 16, 1000, 1000 + 72 * 3_600_000)
    assert "OVERDUE" in losses._clock_line(clock, 80 * 3_600_000)
    assert "72.0 hours left" in losses._clock_line(clock, 1000)


@pytest.mark.parametrize("words", [("card", "ab"), ("card", "x" * 32), ("camera", "zz"), ("dock", "gate-9")])
def test_what_nobody_knows_is_not_lost(shift, words):
    assert shift.run("lost", *words)[0] in (2, 10)
    assert losing.clocks(shift.desk.custody) == []
