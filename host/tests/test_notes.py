"""C2SP notes and checkpoints: the published example, and what must be refused."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sealhost import notes
from sealhost.errors import BadSignature, BadStatement

VECTOR = json.loads(
    (Path(__file__).resolve().parents[2] / "docs/vectors/custody/c2sp-signed-note.json").read_text()
)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
POINT = notes.Checkpoint("sealcam/00", 7, bytes(range(32)))


def test_the_published_note_verifies_under_the_published_vkey():
    name, public = notes.parse_vkey(VECTOR["vkey"])

    text = notes.check(VECTOR["note"], name, public)

    assert text == VECTOR["note"].split("\n\n")[0] + "\n"
    assert notes.vkey(name, public) == VECTOR["vkey"]


def test_a_checkpoint_comes_back_as_it_was_signed():
    note = notes.sign(notes.checkpoint_text(POINT), POINT.origin, KEY)

    assert notes.parse_checkpoint(notes.check(note, POINT.origin, PUBLIC)) == POINT


def test_signatures_of_others_are_passed_over():
    other = Ed25519PrivateKey.generate()
    text = notes.checkpoint_text(POINT)
    theirs = notes.sign(text, "witness", other).rpartition("\n\n")[2]
    both = notes.sign(text, POINT.origin, KEY) + theirs

    assert notes.check(both, POINT.origin, PUBLIC) == text


def test_a_note_with_any_byte_of_its_text_changed_is_refused():
    note = notes.sign(notes.checkpoint_text(POINT), POINT.origin, KEY)

    for place in range(note.index("\n\n")):
        changed = note[:place] + chr(ord(note[place]) ^ 1) + note[place + 1 :]
        with pytest.raises((BadSignature, BadStatement)):
            notes.check(changed, POINT.origin, PUBLIC)


@pytest.mark.parametrize("line", ["", "a+b", "a+00000000+AAAA", VECTOR["vkey"].replace("+c", "+d")])
def test_a_vkey_whose_parts_do_not_fit_is_refused(line):
    with pytest.raises(BadStatement):
        notes.parse_vkey(line)


@pytest.mark.parametrize(
    "text", ["", "o\n1\n", "o\n01\nAAAA\n", "o\nx\nAAAA\n", "\n1\nAAAA\n", "o\n1\nAAAA\n"]
)
def test_a_checkpoint_that_says_less_is_refused(text):
    with pytest.raises(BadStatement):
        notes.parse_checkpoint(text)
