"""A camera's two cards: what the vault holds already speaks for what is docked later."""

from pathlib import Path

import pytest
from sealhost import layout
from shift import Shift, content
from test_kill import closing

pytestmark = pytest.mark.slow  # whole docks, one after another

CHUNK = 512


def covered_by(writer, number: int = -1) -> tuple[int, bytes]:
    """Index and tag that a signature chunk of this film states."""
    signature = [chunk for chunk in writer.chunks if chunk[4] == layout.TYPE_SIGNATURE][number]
    return int.from_bytes(signature[64:72], "big"), bytes(signature[72:104])


@pytest.mark.promise5
def test_a_later_header_docked_before_on_another_card_is_the_cameras_word(
    shift: Shift, tmp_path: Path
) -> None:
    cut = shift.film(1, "..s.")
    prev = closing(cut, layout.STATE_CUT, *covered_by(cut))
    later = shift.film(2, "e", kind=layout.KIND_LOG, prev=prev)
    first, second = tmp_path / "one", tmp_path / "two"
    shift.put(first / "card", later)
    shift.put(second / "card", cut)
    assert shift.run("dock", first / "card")[0] == 0

    code, answer = shift.run("dock", second / "card")

    assert code == 0
    assert answer["recordings"][0]["fate"] == "wiped"
    assert shift.desk.catalogue.get(cut.core.h_core).confirmed


@pytest.mark.promise5
def test_a_tail_cut_off_shows_when_the_next_header_is_in_the_vault(shift: Shift, tmp_path: Path) -> None:
    """The journal said ended, the card shows no end; log, recording and next header came on two cards."""
    log = shift.film(1, "..e", kind=layout.KIND_LOG)
    whole = shift.film(2, "..s..e", prev=closing(log, layout.STATE_ENDED, 3, bytes(log.chunks[-1][-32:])))
    ended = closing(whole, layout.STATE_ENDED, 6, bytes(whole.chunks[-1][-32:]))
    later = shift.film(3, "e", kind=layout.KIND_LOG, prev=ended)
    first, second = tmp_path / "one", tmp_path / "two"
    shift.put(first / "card", log, later)
    shift.put(second / "card", whole)
    path = second / "card" / "sealcam" / shift.name(whole)
    path.write_bytes(content(whole)[:-CHUNK])
    shift.run("dock", first / "card")

    code, answer = shift.run("dock", second / "card")

    assert (code, answer["recordings"][0]["verdict"]) == (20, "altered")
    assert path.exists()


def test_a_stored_body_that_is_gone_keeps_no_docking_and_confirms_nothing(
    shift: Shift, tmp_path: Path
) -> None:
    cut = shift.film(1, "..s.")
    prev = closing(cut, layout.STATE_CUT, *covered_by(cut))
    later = shift.film(2, "e", kind=layout.KIND_LOG, prev=prev)
    first, second = tmp_path / "one", tmp_path / "two"
    shift.put(first / "card", later)
    shift.put(second / "card", cut)
    shift.run("dock", first / "card")
    body = shift.desk.catalogue.get(later.core.h_core).body_sha256.hex()
    for copy in [path for path in (shift.home / "vault").rglob("*") if path.is_file() and body in path.name]:
        copy.unlink()

    code, answer = shift.run("dock", second / "card")

    assert (code, answer["recordings"][0]["fate"]) == (8, "stored")
    assert "unconfirmed" in answer["recordings"][0]["stays"]
