"""A card without room, docked: its log segment ends, everything is judged, and it films again."""

import pytest
import vfs
from power import enrol, film
from power_bench import Bench, Faults
from sealcam.errors import CardFault, CardFull
from sealcam.receipts import IN_CAMERA, RECEIPT
from vault_bench import entries_of, receipt


@pytest.fixture
def bench(monkeypatch):
    """A camera that has filmed until its card was full; its log segment is open."""
    made = Bench()
    enrol(made, Faults()).power_off()
    camera = made.start()
    film(camera)
    monkeypatch.setattr(vfs, "_FREE", sum(map(len, made.card.shim_files.values())) + 512)
    for _ in range(200):
        camera.step() or camera.board.idle(camera)
    assert camera.card_fault is CardFull and camera.logbook._carrier is not None
    yield made
    made.faults.dark = True
    try:
        vfs.umount("/card")
    except OSError:
        pass


def nobody(done, of):
    pass


@pytest.mark.promise4
def test_everything_on_a_full_card_may_go_and_the_camera_films_again(bench):
    """Proves PH-5: the segment is closed before the camera judges, or it would be in hand for ever."""
    camera = bench.camera
    camera.dock_down()
    entries = entries_of(bench, camera)
    raw = receipt(bench, camera, 1, list(entries.values()))

    digest, statuses = camera.wiper.judge(RECEIPT, IN_CAMERA, raw)
    assert statuses == bytes(len(entries)) and len(entries) >= 3
    camera.wiper.wipe(digest, nobody)
    camera.undock()

    assert camera.card_fault is None and camera.logbook._carrier is not None
    film(camera)
    assert camera.recorder.fault is None


def test_a_card_that_is_still_full_still_says_so(bench):
    camera = bench.camera
    camera.dock_down()
    assert camera.logbook._carrier is None and not camera.journal.unclosed()
    vfs._FREE = sum(map(len, bench.card.shim_files.values()))

    camera.undock()

    assert camera.card_fault is CardFull and not camera.docked


def test_a_card_that_fails_while_a_full_segment_ends_costs_the_segment_alone(bench, monkeypatch):
    camera, carrier = bench.camera, bench.camera.logbook._carrier

    def fails(reason):
        raise CardFault

    monkeypatch.setattr(carrier, "make_room", lambda size: False)
    monkeypatch.setattr(carrier, "end", fails)
    camera.logbook.note(1)
    for _ in range(3):
        camera.logbook.step()

    assert camera.logbook._carrier is None and not camera.journal.unclosed()
