"""What the dock does while the vault is away: a copy of each card, bounded, whole or not there, taken in when
the vault is back; and nothing is wiped meanwhile.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from bays import eventually, row_of
from ledger import killed_at
from sealhost import layout
from sealhost.bays import GIB, State
from sealhost.config import STORE_MARKER
from sealhost.errors import PlaceBusy, PlaceUnreadable, StoreFull
from sealhost.reader import open_place
from sealhost.spool import Spool, SpoolPlace
from sealhost.watch import row
from shift import Shift, content
from test_kill import on_card


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row, "POLL_S", 0.05)
    monkeypatch.setattr(row, "RETRY_S", 0.2)
    monkeypatch.setattr("sealhost.watch.spot.VAULT_RETRY_S", 0.2)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    made = Spool(tmp_path / "spool", GIB)
    yield made
    made.close()


def take_away(shift: Shift) -> Path:
    """One store is not mounted."""
    marker = shift.desk.config.stores[1] / STORE_MARKER
    marker.rename(marker.with_suffix(".away"))
    return marker


def bring_back(marker: Path) -> None:
    marker.with_suffix(".away").rename(marker)


def test_a_copy_has_all_that_proves_under_the_names_of_the_card(
    shift: Shift, tmp_path: Path, spool: Spool
) -> None:
    """A part is made at its full size; what lies behind its last chunk was there before."""
    film, cut = shift.film(1), shift.film(2, "..s.")
    card = shift.folder_card(tmp_path)
    stale = b"\xa5" * (3 << 20)
    (card / "sealcam" / shift.name(cut)).write_bytes(content(cut) + stale)

    copied = spool.take(open_place(card), 7)

    place = SpoolPlace(copied)
    names = sorted(Path(part.name).name for part in place.parts())
    assert names == sorted([shift.name(film), shift.name(cut)])
    for part in place.parts():
        original = (card / part.name).read_bytes()
        kept = bytearray(len(original))
        assert part.size == len(original) == part.read_into(0, memoryview(kept))
        end = len(original) - len(stale) if part.name.endswith(shift.name(cut)) else len(original)
        assert kept[:end] == original[:end] and not any(kept[end:])
    assert copied.devices == (shift.device.key_id,)
    assert copied.folder.name.startswith(open_place(card).serial.hex())
    assert spool.take(open_place(card), 8) == copied
    assert spool.entries() == [copied]


def test_a_head_that_does_not_read_is_copied_with_all_behind_it(
    shift: Shift, tmp_path: Path, spool: Spool
) -> None:
    film = shift.film(1)
    card = shift.folder_card(tmp_path)
    raw = bytearray(content(film))
    raw[0] ^= 0xFF
    raw[layout.BLOCK_SIZES[0]] ^= 0xFF
    (card / "sealcam" / shift.name(film)).write_bytes(raw)

    (part,) = SpoolPlace(spool.take(open_place(card), 0)).parts()

    kept = bytearray(part.size)
    part.read_into(0, memoryview(kept))
    assert kept == raw


def test_a_card_that_was_recorded_on_is_another_copy(shift: Shift, tmp_path: Path, spool: Spool) -> None:
    card = shift.folder_card(tmp_path, shift.film(1))
    first = spool.take(open_place(card), 1)
    shift.put(card, shift.film(2))

    second = spool.take(open_place(card), 2)

    assert spool.entries() == [first, second]
    assert [len(copy.files) for copy in spool.entries()] == [1, 2]


def test_a_copy_is_never_wiped_and_its_serial_is_not_the_cards(
    shift: Shift, tmp_path: Path, spool: Spool
) -> None:
    card = open_place(shift.folder_card(tmp_path, shift.film(1)))
    place = SpoolPlace(spool.take(card, 0))

    assert place.serial != card.serial and place.is_read_only
    with pytest.raises(PlaceUnreadable):
        place.wipe(place.parts()[0])
    with pytest.raises(PlaceUnreadable):
        place.leave("receipt.rcp", b"")


def test_a_spool_that_is_full_takes_nothing_by_halves(shift: Shift, tmp_path: Path) -> None:
    first, second = shift.film(1), shift.film(2)
    size = len(content(first))
    spool = Spool(tmp_path / "spool", size + size // 2)
    one = shift.folder_card(tmp_path / "one", first)
    spool.take(open_place(one), 0)

    with pytest.raises(StoreFull):
        spool.take(open_place(shift.folder_card(tmp_path / "two", second)), 0)

    assert len(spool.entries()) == 1
    assert not list((tmp_path / "spool").glob("*.new"))
    spool.free(spool.entries()[0])
    assert len(spool.take(open_place(tmp_path / "two" / "card"), 0).files) == 1


def test_one_dock_works_in_a_spool_at_a_time(tmp_path: Path, spool: Spool) -> None:
    with pytest.raises(PlaceBusy):
        Spool(tmp_path / "spool", GIB)


@pytest.mark.power
def test_a_copy_killed_at_any_step_is_whole_or_not_there(shift: Shift, tmp_path: Path) -> None:
    """Proves promise 6: taking and freeing, SIGKILL at every durable step."""
    films = [shift.film(1), shift.film(2)]
    card = shift.folder_card(tmp_path)
    step = 1

    def take_and_free() -> None:
        spool = Spool(tmp_path / str(step), GIB)
        spool.free(spool.take(open_place(card), 0))

    while killed_at(step, take_and_free):
        spool = Spool(tmp_path / str(step), GIB)
        assert not [*spool.folder.glob("*.new"), *spool.folder.glob("*.gone")]
        for copy in spool.entries():
            found = {Path(part.name).name: part.size for part in SpoolPlace(copy).parts()}
            assert found == {shift.name(film): len(content(film)) for film in films}
        assert len(spool.take(open_place(card), 0).files) == 2
        assert len(spool.entries()) == 1
        spool.close()
        step += 1
    assert step > 6


@pytest.mark.slow
@pytest.mark.promise4
def test_a_card_left_while_the_vault_is_away_is_copied_and_docked_when_it_is_back(
    shift: Shift, tmp_path: Path, spool: Spool
) -> None:
    """Proves promise 4."""
    film = shift.film(1)
    card, marker = shift.folder_card(tmp_path), take_away(shift)
    before = sorted(card.rglob("*"))

    with row_of(shift, [card], spool=spool) as heard:
        heard.until(lambda: (last := heard.last("card")) and "copied to the spool" in last.detail)
        assert heard.states("card")[-1] is State.LEAVE
        assert sorted(card.rglob("*")) == before and len(spool.entries()) == 1
        bring_back(marker)
        heard.comes_to("card", State.SAFE)
        eventually(lambda: not spool.entries())

    assert shift.stored(film) and not on_card(card)


@pytest.mark.slow
@pytest.mark.promise4
def test_a_card_that_was_taken_away_meanwhile_is_taken_in_from_its_copy(
    shift: Shift, tmp_path: Path, spool: Spool
) -> None:
    """Proves promise 4: the camera goes out again un-wiped, and its card is wiped when it is docked."""
    film = shift.film(1)
    card, marker = shift.folder_card(tmp_path), take_away(shift)

    with row_of(shift, [card], spool=spool) as heard:
        heard.until(lambda: (last := heard.last("card")) and "copied to the spool" in last.detail)
        card.rename(tmp_path / "out")
        heard.comes_to("card", State.WAITING)
        bring_back(marker)
        eventually(lambda: not spool.entries())
        assert shift.stored(film) and on_card(tmp_path / "out")
        shift.put(tmp_path / "out", second := shift.film(2))
        (tmp_path / "out").rename(card)
        heard.comes_to("card", State.SAFE)

    assert shift.stored(second) and not on_card(card)
    assert len({e.subject for e in shift.desk.custody.entries() if e.event == "recording.stored"}) == 2


@pytest.mark.slow
def test_without_room_in_the_spool_the_card_is_left_and_nothing_is_wiped(
    shift: Shift, tmp_path: Path
) -> None:
    film = shift.film(1)
    card, marker, spool = shift.folder_card(tmp_path), take_away(shift), Spool(tmp_path / "spool", 100)

    with row_of(shift, [card], spool=spool) as heard:
        heard.until(lambda: (last := heard.last("card")) and "not copied" in last.detail)
        assert heard.states("card")[-1] is State.LEAVE and on_card(card)
        bring_back(marker)
        heard.comes_to("card", State.SAFE)

    assert shift.stored(film)
