"""What is stored is proved again, the catalogue is built anew, and quarantine keeps what was refused."""

import dataclasses
import sqlite3
import types

import pytest
from ledger import ACTOR, ORGANISATION, custody_at, places_in
from recordings import Office, as_parts, film
from sealhost import audit, keys, layout, receipts, usagelog
from sealhost.catalogue import Catalogue
from sealhost.desk import Desk
from sealhost.errors import Ambiguous, BadStatement, CopyDamaged, NotFound, ReleaseRefused
from sealhost.keytable import FILE_NAME, KeyTables
from sealhost.quarantine import open_quarantine
from sealhost.records import Device, KeyRow, Verdict
from sealhost.vault import Vault
from sealhost.vault.store import path_of
from shift import Shift, found

OFFICE = Office()
RELEASE = keys.SoftKey.of_scalar((77).to_bytes(32, "big"))


def desk_at(folder):
    """A vault host with one camera in its register."""
    places = places_in(folder)
    device = Device(OFFICE.device.key_id, OFFICE.device.point, 0, "enrolled")
    register = types.SimpleNamespace(get=lambda device_id: device if device_id == device.device_id else None)
    unused = keys.SoftKey.of_scalar((5).to_bytes(32, "big"))
    return Desk(
        organisation=ORGANISATION,
        actor=ACTOR,
        policy=None,
        keylist=1,
        verify_key=OFFICE.vault,
        receipt_key=unused,
        certificate_key=unused,
        release_point=RELEASE.point,
        vault=Vault.at(places),
        keytables=KeyTables(places, bytes(32)),
        catalogue=Catalogue(folder / "catalogue.sqlite"),
        custody=custody_at(folder),
        register=register,
        quarantine=open_quarantine(places),
        wipebook=None,
    )


def store(desk, writer):
    """What ingest leaves of one recording, without its catalogue row."""
    body = bytearray()
    judgement = OFFICE.judge(writer.parts(), take=body.extend)
    core = judgement.core
    with desk.vault.draft() as draft:
        draft.write(bytes(body))
        digest = draft.commit()
    row = KeyRow(core.h_core, core.device_id, core.sequence, core.recording_id, judgement.slot_area)
    desk.keytables.insert(row)
    desk.note(
        "recording.verified", core.name, verdict=judgement.verdict.name, last_index=judgement.last_index
    )
    desk.note("recording.stored", core.name, body=digest.hex())
    return core.h_core, digest


@pytest.fixture
def desk(tmp_path):
    return desk_at(tmp_path)


def two_stored(desk):
    return store(desk, film(OFFICE, "..s..e", sequence=1)), store(
        desk, film(OFFICE, "..s.", sequence=2, flavour=9)
    )


def test_a_dropped_catalogue_is_built_again_with_the_same_rows(desk, tmp_path):
    (whole, _), (cut, _) = two_stored(desk)
    assert audit.run(desk).exit_code == 0
    before = desk.catalogue.all()
    for path in tmp_path.glob("catalogue.sqlite*"):
        path.unlink()
    fresh = dataclasses.replace(desk, catalogue=Catalogue(tmp_path / "catalogue.sqlite"))
    assert fresh.catalogue.all() == []

    found = audit.run(fresh)

    assert fresh.catalogue.all() == before and found.rebuilt
    assert {row.h_core: row.verdict for row in before} == {whole: Verdict.INTACT, cut: Verdict.CUT_SHORT}
    assert [row.copies for row in before] == [row.slot_copies for row in before] == [2, 2]
    events = [entry.event for entry in desk.custody.entries()]
    assert events.count("audit.run") == events.count("catalogue.rebuilt") == 2


def test_what_was_indexed_stays_over_a_rebuild(desk):
    ((whole, _), _) = two_stored(desk)
    audit.run(desk)
    desk.catalogue.describe(whole, {"place": "a desk", "interpreter": "CPython", "width": 640})

    audit.run(desk)

    row = desk.catalogue.get(whole)
    assert (row.place, row.interpreter) == ("a desk", "CPython") and '"width": 640' in row.description


def test_a_damaged_copy_is_found_and_the_other_still_proves(desk):
    ((whole, digest), _) = two_stored(desk)
    path = path_of(desk.vault.stores[1].path / "bodies", digest)
    body = bytearray(path.read_bytes())
    body[-1] ^= 0xFF
    path.chmod(0o640)
    path.write_bytes(body)

    found = audit.run(desk)

    (bad,) = [one for one in found.checked if one.troubles]
    assert bad.h_core == whole and bad.copies == 1 and bad.recording.verdict is Verdict.INTACT
    assert "store-2" in bad.troubles[0] and found.exit_code == 5


def test_a_missing_body_and_a_missing_row_are_found(desk):
    (_, (cut, digest)) = two_stored(desk)
    for store_ in desk.vault.stores:
        path_of(store_.path / "bodies", digest).unlink()
    (desk.vault.stores[0].path / FILE_NAME).unlink()

    found = {one.h_core: one for one in audit.run(desk_at(desk.vault.stores[0].path.parent)).checked}

    assert found[cut].copies == 0 and found[cut].recording is None
    assert all(one.slot_copies == 1 and one.troubles for one in found.values())


def test_a_broken_custody_log_rebuilds_nothing(desk, tmp_path):
    two_stored(desk)
    database = sqlite3.connect(tmp_path / "custody.sqlite")
    database.execute("DROP TRIGGER entries_no_update")
    database.execute("UPDATE entries SET leaf = replace(leaf, 'INTACT', 'INTAKT') WHERE n = 0")
    database.commit()
    database.close()

    found = audit.run(desk)

    assert found.exit_code == 9 and "entry 0" in found.custody_trouble and not found.rebuilt
    assert desk.catalogue.all() == []


def test_a_body_that_nothing_names_is_counted_and_harms_nothing(desk):
    two_stored(desk)
    with desk.vault.draft() as draft:
        draft.write(b"left by an interrupted run")
        draft.commit()

    found = audit.run(desk)
    assert found.unnamed == 1 and found.exit_code == 0


def test_recordings_are_found_by_beginning_camera_and_verdict(desk):
    ((whole, _), (cut, _)) = two_stored(desk)
    audit.run(desk)
    rows = desk.catalogue

    assert rows.find(whole.hex()[:20]).h_core == whole
    assert rows.of_sequence(OFFICE.device.key_id, 2).h_core == cut
    assert [row.h_core for row in rows.search(verdict=Verdict.CUT_SHORT)] == [cut]
    assert len(rows.search(device_id=OFFICE.device.key_id, kind=layout.KIND_RECORDING)) == 2
    assert rows.search(device_id=bytes(32)) == [] and rows.sequences(OFFICE.device.key_id) == [1, 2]
    with pytest.raises(NotFound):
        rows.find("zz")
    with pytest.raises(Ambiguous):
        store_many = [row for row in rows.all()]
        rows.put(dataclasses.replace(store_many[0], h_core=whole[:4] + bytes(28)))
        rows.find(whole.hex()[:8])


def altered_parts():
    part = bytearray(film(OFFICE, "..s..e", sequence=3).parts()[0])
    part[2 * 2048 + 512 + 100] ^= 0xFF
    return as_parts([bytes(part)])


def test_quarantine_keeps_raw_parts_and_finding_in_every_place(desk):
    parts = altered_parts()
    judgement = OFFICE.judge(parts)
    digest = desk.quarantine.keep(parts, judgement)

    assert judgement.verdict is Verdict.ALTERED and desk.quarantine.keep(parts, judgement) == digest
    (case,) = desk.quarantine.cases()
    assert (case.digest, case.place, case.strip) == (digest, 2, desk.quarantine.find(digest.hex()[:8]).strip)
    (kept,) = desk.quarantine.open(case)
    content = bytearray(kept.size)
    kept.read_into(0, memoryview(content))
    assert OFFICE.judge([bytes(content)]).place == 2
    assert desk.quarantine.has(digest) and not desk.quarantine.has(bytes(32)) and not case.released
    assert list(desk.vault.stores[0].digests()) == []


def test_quarantine_that_lost_a_part_does_not_hold_the_case(desk):
    parts = altered_parts()
    digest = desk.quarantine.keep(parts, OFFICE.judge(parts))
    part = desk.quarantine.get(digest).parts[0][0]
    path_of(desk.vault.stores[1].path / "quarantine", part).unlink()

    assert not desk.quarantine.has(digest)


def test_only_the_evidence_offices_signature_over_this_case_releases(desk):
    parts = altered_parts()
    case = desk.quarantine.get(desk.quarantine.keep(parts, OFFICE.judge(parts)))
    good = receipts.release(case.entry(2), case.digest, RELEASE)
    stranger = keys.SoftKey.of_scalar((78).to_bytes(32, "big"))

    with pytest.raises(BadStatement):
        desk.quarantine.release(case, receipts.release(case.entry(2), case.digest, stranger), RELEASE.point)
    with pytest.raises(ReleaseRefused):
        desk.quarantine.release(case, receipts.release(case.entry(2), bytes(32), RELEASE), RELEASE.point)
    assert desk.quarantine.statement(case) is None
    desk.quarantine.release(case, good, RELEASE.point)
    assert desk.quarantine.statement(case) == good and desk.quarantine.get(case.digest).released


def test_a_case_whose_file_was_edited_is_not_believed(desk):
    parts = altered_parts()
    digest = desk.quarantine.keep(parts, OFFICE.judge(parts))
    for store_ in desk.vault.stores:
        path = path_of(store_.path / "quarantine", digest)
        path.chmod(0o640)
        path.write_bytes(path.read_bytes().replace(b"ALTERED", b"INTACT "))

    with pytest.raises(CopyDamaged):
        desk.quarantine.get(digest)


def test_a_log_goes_into_the_catalogue_and_tells_what_the_camera_did(desk):
    device, entries, previous = OFFICE.device.key_id, [], usagelog.first_previous(OFFICE.device.key_id)
    for number, event in enumerate((1, 4, 7, 7, 8, 5), 1):
        fields = {
            "magic": usagelog.MAGIC,
            "event": event,
            "detail": 0,
            "number": number,
            "boot": 1,
            "ms": number,
        }
        fields |= {"utc_ms": 0, "reserved": 0, "sequence": 1, "data": bytes(16), "previous": previous}
        raw = bytes(layout.LOG_ENTRY.build({**fields, "digest": bytes(32)}))
        previous = usagelog.digest_of(raw)
        entries.append(raw[:96] + previous)
    checked = usagelog.check(device, [entries])
    assert checked.broken_at is None

    desk.catalogue.put_log(device, checked.entries)
    desk.catalogue.put_log(device, checked.entries)

    assert desk.catalogue.log_tail(device) == entries
    store(desk, film(OFFICE, ".e", sequence=1))
    audit.run(desk, rebuild=False)
    row = types.SimpleNamespace(device_id=device, sequence=1)
    assert desk.catalogue.told(row) == {"bookmarks": 2, "mutes": 1, "categories": 0}


@pytest.mark.slow
def test_a_docked_recording_is_listed_the_same_by_a_catalogue_that_was_built_anew(tmp_path):
    """Proves design, "The catalogue can be dropped and rebuilt"."""
    shift = Shift.begin(found(tmp_path / "founded"), tmp_path)
    shift.film(1)
    shift.film(2, "..s.")
    shift.run("dock", shift.folder_card(tmp_path))
    before = shift.run("ls", "--logs")[1]["recordings"]
    for path in (shift.home / "vault").glob("catalogue.sqlite*"):
        path.unlink()

    code, _ = shift.run("audit")

    assert (code, shift.run("ls", "--logs")[1]["recordings"]) == (0, before)
    assert len(before) == 2 and all(row["stored_at"] for row in before)
