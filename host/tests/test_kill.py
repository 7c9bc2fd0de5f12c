"""A dock that is killed at every durable step, on a mounted folder and on a card image."""

import contextlib
import io
from pathlib import Path

import pytest
from ledger import killed_at
from sampling import share
from sealhost import layout
from sealhost.cli import run
from sealhost.reader import open_place
from shift import Shift


def prepared(founded: Path, folder: Path, as_image: bool) -> tuple[Shift, Path]:
    """Two recordings and a log, the second recording cut and named by the log's head."""
    folder.mkdir()
    shift = Shift.begin(founded, folder)
    first = shift.film(1, "..s..e")
    cut = shift.film(2, "..s.", prev=closing(first, layout.STATE_ENDED, first.index, first.tag))
    signature = next(chunk for chunk in cut.chunks if chunk[4] == layout.TYPE_SIGNATURE)
    covered = int.from_bytes(signature[64:72], "big")  # what the journal knew of it
    prev = closing(cut, layout.STATE_CUT, covered, signature[72:104])
    shift.film(3, "e", kind=layout.KIND_LOG, prev=prev)
    return shift, shift.image_card(folder) if as_image else shift.folder_card(folder)


def closing(writer, state: int, index: int, tag: bytes) -> bytes:
    """Digest of a closing entry, as the next header's prev holds it."""
    return layout.closing_digest(writer.core.sequence, writer.core.recording_id, index, bytes(tag), state)


def dock(shift: Shift, card: Path) -> None:
    """In a child: the command itself."""
    with contextlib.redirect_stdout(io.StringIO()) as told:
        code = run(["--home", str(shift.home), "dock", str(card), "--json"])
    assert code == 0, told.getvalue()


def on_card(card: Path) -> set[str]:
    return {Path(part.name).name for part in open_place(card).parts()}


def end_state(shift: Shift, card: Path) -> tuple:
    """What must be the same however often it was killed: vault, key tables, catalogue, card."""
    home = shift.desk
    rows = [
        (r.h_core, r.verdict, r.confirmed, r.body_sha256, r.copies, r.slot_copies)
        for r in home.catalogue.all()
    ]
    bodies = sorted(digest for store in home.vault.stores for digest in store.digests())
    left = sorted(Path(part.name).suffix for part in open_place(card).every_file())
    return rows, bodies, len(list(home.keytables.rows())), sorted(set(left))


@pytest.mark.power
@pytest.mark.promise4
@pytest.mark.promise6
@pytest.mark.parametrize("as_image", [False, True], ids=["folder", "image"])
def test_a_dock_killed_at_any_step_wipes_nothing_unstored_and_ends_the_same(
    founded: Path, tmp_path: Path, as_image: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """Proves promise 4 and promise 6: SIGKILL at the n-th durable call, n = 1, 2, ... until a run ends by
    itself.
    """
    clean = prepared(founded, tmp_path / "clean", as_image)
    dock(*clean)
    rows, bodies, key_rows, left = end_state(*clean)
    first, every = share()
    step, kills = 1 + first, 0

    while True:
        shift, card = prepared(founded, tmp_path / f"run-{step}", as_image)
        before = on_card(card)
        if not killed_at(step, lambda: dock(shift, card)):  # noqa: B023 - called at once
            break
        kills += 1
        gone = before - on_card(card)
        unsafe = [
            w.core.sequence for w in shift.films.values() if shift.name(w) in gone and not shift.stored(w)
        ]
        assert not unsafe, f"killed at {step}: wiped and not stored: {unsafe}"
        dock(shift, card)
        again = end_state(shift, card)
        assert not on_card(card), f"killed at {step}: something stays on the card"
        assert [row[1:3] + row[4:] for row in again[0]] == [row[1:3] + row[4:] for row in rows], step
        assert (len(again[1]), again[2], again[3]) == (len(bodies), key_rows, left), step
        assert shift.desk.custody.verify().size > 0
        step += every

    with capsys.disabled():
        where = "card image" if as_image else "folder"
        print(f"\n{kills} kills of dock on a {where} (one step in {every}): every one mended")
    assert kills * every > 40
