"""The vault: write once, whole or not at all, in every place, read back from the medium."""

import hashlib
import os
import stat
import subprocess

import pytest
from ledger import killed_at, places_in
from sealhost.errors import CopyDamaged, NotFound, StoreFull, StoreUnavailable
from sealhost.vault import Store, Vault
from sealhost.vault.store import path_of

BODY = bytes(range(256)) * 12_345  # not a multiple of a block, of a piece or of a page
DIGEST = hashlib.sha256(BODY).digest()


def stored(vault, body=BODY):
    with vault.draft() as draft:
        for start in range(0, len(body), 100_000):
            draft.write(memoryview(body)[start : start + 100_000])
        return draft.commit()


def files_in(place):
    return [path for path in place.rglob("*") if path.is_file() and path.name != "sealcam-store.toml"]


@pytest.fixture
def small_disk(tmp_path):
    """A file system of one mebibyte, mounted; skipped where one may not mount."""
    place = tmp_path / "small"
    place.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "none", place], capture_output=True
    ).returncode:
        pytest.skip("mounting a small tmpfs is not allowed here")
    yield place
    subprocess.run(["mount", "-o", "remount,rw", place], capture_output=True)
    subprocess.run(["umount", "-l", place], check=True)


@pytest.mark.promise4
def test_a_body_lies_under_its_digest_read_only_in_every_place(tmp_path):
    """Proves BK-1, BK-2."""
    places = places_in(tmp_path)
    vault = Vault.at(places)

    assert stored(vault) == DIGEST
    for place in places:
        (path,) = files_in(place)
        assert path == path_of(place / "bodies", DIGEST)
        assert path.read_bytes() == BODY
        assert stat.S_IMODE(path.stat().st_mode) == 0o440
    assert vault.has(DIGEST) and vault.held(DIGEST) == vault.copies == 2
    assert [list(store.digests()) for store in vault.stores] == [[DIGEST], [DIGEST]]


def test_storing_it_again_is_the_same_result(tmp_path):
    places = places_in(tmp_path)
    first = stored(Vault.at(places))
    inodes = [files_in(place)[0].stat().st_ino for place in places]

    assert stored(Vault.at(places)) == first
    assert [files_in(place)[0].stat().st_ino for place in places] == inodes


def test_an_empty_body_has_a_name_too(tmp_path):
    assert stored(Vault.at(places_in(tmp_path)), b"") == hashlib.sha256(b"").digest()


def test_reading_back_says_how_and_finds_one_flipped_byte(tmp_path):
    places = places_in(tmp_path)
    vault = Vault.at(places)
    stored(vault)

    assert {back.how for back in vault.read_back(DIGEST)} <= {"direct", "cache dropped"}
    assert [back.size for back in vault.read_back(DIGEST)] == [len(BODY)] * 2
    path = path_of(places[1] / "bodies", DIGEST)
    path.chmod(0o640)
    path.write_bytes(BODY[:-1] + bytes([BODY[-1] ^ 0xFF]))
    with pytest.raises(CopyDamaged, match="store-2"):
        vault.read_back(DIGEST)


def test_a_stored_part_reads_like_any_part(tmp_path):
    vault = Vault.at(places_in(tmp_path))
    stored(vault)
    view = memoryview(bytearray(1000))

    with vault.open(DIGEST) as part:
        assert part.size == len(BODY)
        assert part.read_into(300, view) == 1000 and bytes(view) == BODY[300:1300]
        assert part.read_into(len(BODY) - 10, view) == 10
        assert part.read_into(len(BODY) + 10, view) == 0
    with pytest.raises(NotFound):
        vault.open(bytes(32))


def test_a_draft_that_is_not_committed_leaves_nothing(tmp_path):
    places = places_in(tmp_path)
    with Vault.at(places).draft() as draft:
        draft.write(BODY)

    assert [files_in(place) for place in places] == [[], []]


def test_killed_at_every_step_no_half_body_is_seen_and_the_next_run_ends_the_same(tmp_path):
    step, killed = 0, True
    while killed:
        step += 1
        places = places_in(tmp_path / str(step))
        killed = killed_at(step, lambda places=places: stored(Vault.at(places)))
        for place in places:
            for digest in Store(place).digests():
                assert Store(place).read_back(digest).size == len(BODY)
        assert stored(Vault.at(places)) == DIGEST
        assert [len(files_in(place)) for place in places] == [1, 1]
    assert step > 6


def test_a_living_draft_is_not_swept_away(tmp_path):
    (place,) = places_in(tmp_path, 1)
    draft = Store(place).draft()
    draft.write(b"abc")

    Store(place)
    assert draft.commit() == hashlib.sha256(b"abc").digest()


def test_a_full_disk_is_named_and_nothing_half_is_seen(tmp_path, small_disk):
    (other,) = places_in(tmp_path, 1)
    (full,) = places_in(small_disk, 1)
    vault = Vault.at([other, full])

    with pytest.raises(StoreFull, match="small/store-1"):
        stored(vault)
    assert not vault.stores[1].has(DIGEST)
    assert files_in(full) == []
    assert stored(vault, b"small") == hashlib.sha256(b"small").digest()


def test_a_disk_that_goes_read_only_in_mid_store_is_named(tmp_path, small_disk):
    (other,) = places_in(tmp_path, 1)
    (place,) = places_in(small_disk, 1)
    vault = Vault.at([other, place])
    vault.draft().discard()
    assert subprocess.run(["mount", "-o", "remount,ro", small_disk]).returncode == 0

    with pytest.raises(StoreUnavailable, match="small/store-1.*[Rr]ead-only"):
        stored(vault, b"x" * 100)
    assert subprocess.run(["mount", "-o", "remount,rw", small_disk]).returncode == 0
    assert stored(Vault.at([other, place]), b"x" * 100) == hashlib.sha256(b"x" * 100).digest()
    assert len(files_in(other)) == 1


def test_a_place_that_went_away_is_named_and_nothing_is_written_under_it(tmp_path):
    places = places_in(tmp_path)
    vault = Vault.at(places)
    os.rename(places[1], tmp_path / "unplugged")
    places[1].mkdir()

    with pytest.raises(StoreUnavailable, match="store-2.*mounted"):
        stored(vault)
    assert list(places[1].iterdir()) == []
    with pytest.raises(StoreUnavailable):
        vault.held(DIGEST)
    with pytest.raises(StoreUnavailable):
        Vault.at(places)
