"""What a camera refuses, whoever is on its line, and says in its log: receipts, key lists, hours."""

import hashlib
import os
from dataclasses import replace

import pytest
from bench import log
from bench.camera import State
from bench.log import LISTS_REFUSED, RECEIPT_REFUSED, TIME_REFUSED
from bench.papers import TEN_YEARS_MS, Papers
from sealhost import keyring, keys
from sealhost.errors import CameraRefused
from test_dock import film, verdicts

BAD_SIGNATURE, KEY_LIST, BAD_TIME = 0x05, 0x10, 0x23  # docs/dock-protocol.md, section 6
UNKNOWN, ANOTHER_LAST, LATER_KNOWN, TOO_FEW, NOT_NEWER = 0x50, 0x51, 0x52, 0x53, 0x55
NUMBER = 1 << 20  # above every number the vault will give
CHUNKS = 4


def refused(action, *arguments):
    """The status byte."""
    with pytest.raises(CameraRefused) as told:
        action(*arguments)
    return told.value.status


def statuses(dock, *wanted):
    return [entry.detail for entry in log.told(dock, *wanted)]


def test_a_receipt_that_does_not_fit_is_refused_and_logged_and_costs_nothing(camera, power, dock):
    """Proves DS-1, BW-7: another organisation's, a forged one, one for another camera's file, for a prefix,
    with too few copies of the slots.
    """
    film(camera, CHUNKS)
    line = camera.reach(State.DOCKED)
    papers = Papers(dock, line)
    before = line.list()
    entry, earlier_tag = papers.film()
    prefix = replace(entry, last_index=entry.last_index - 1, last_tag=earlier_tag)
    good, stranger = papers.receipt(NUMBER, entry), keys.SoftKey.of_scalar(os.urandom(32))
    forged = bytes(good[:60]) + bytes([good[60] ^ 0xFF]) + bytes(good[61:])
    papers_refused = [
        papers.receipt(NUMBER, entry, organisation=stranger.key_id),
        papers.receipt(NUMBER, entry, key=stranger),
        forged,
    ]
    entries_refused = {
        papers.receipt(NUMBER, entry, device_id=stranger.key_id): UNKNOWN,
        papers.receipt(NUMBER, prefix): LATER_KNOWN,
        papers.receipt(NUMBER, replace(prefix, last_tag=entry.last_tag)): ANOTHER_LAST,
        papers.receipt(NUMBER, replace(entry, slot_copies=1)): TOO_FEW,
    }

    assert [refused(papers.judged, raw) for raw in papers_refused] == 3 * [BAD_SIGNATURE]
    assert [papers.judged(raw) for raw in entries_refused] == list(entries_refused.values())
    assert line.list() == before
    camera.let_go()
    assert ("intact", "wiped") in verdicts(dock.run("dock", power.port))
    wanted = [*3 * [BAD_SIGNATURE], *entries_refused.values()]
    assert statuses(dock, RECEIPT_REFUSED) == wanted


def test_a_receipt_is_acted_on_once(camera, dock, power):
    """Proves DS-1."""
    film(camera, CHUNKS)
    line = camera.reach(State.DOCKED)
    papers = Papers(dock, line)
    entry, _ = papers.film()
    receipt = papers.receipt(1, entry)

    assert papers.judged(receipt) == 0
    line.wipe(hashlib.sha256(receipt).digest())
    again = papers.judged(receipt)
    camera.let_go()
    film(camera, CHUNKS)
    line = camera.reach(State.DOCKED)
    papers = Papers(dock, line)
    newer, _ = papers.film()

    assert (again, papers.judged(papers.receipt(1, newer))) == (NOT_NEWER, NOT_NEWER)
    assert newer.sequence > entry.sequence
    camera.let_go()


def test_an_older_key_list_and_a_clock_set_back_are_refused_and_logged(camera, power, dock):
    camera.reach(State.IDLE)
    dock.run("key", "change", "receipt")
    home = dock.at_home()
    older = keyring.list_of(home.config.file("keylist"), 1, home.root_point).raw
    line = camera.reach(State.DOCKED)
    papers = Papers(dock, line)

    assert line.put_keylist(home.keylist.raw) == 2
    assert refused(line.put_keylist, older) == KEY_LIST
    assert abs(line.set_clock(papers.hour(0))) < 60_000
    assert refused(line.set_clock, papers.hour(TEN_YEARS_MS)) == BAD_TIME
    camera.let_go()
    dock.run("dock", power.port)
    assert statuses(dock, LISTS_REFUSED, TIME_REFUSED) == [KEY_LIST, BAD_TIME]
