"""Errors and exit codes: one family, one table."""

import re
from pathlib import Path

import pytest
from sealhost import errors, records
from sealhost.errors import SealBroken, SealcamError
from sealhost.records import Verdict, worst

TABLE = Path(__file__).resolve().parents[2] / "docs" / "exit-codes.md"
ROW = re.compile(r"^\| (\d+) \|[^|]*\|([^|]*)\|$", re.M)


def family(root: type[SealcamError] = SealcamError) -> list[type[SealcamError]]:
    return [root, *(kind for own in root.__subclasses__() for kind in family(own))]


def test_the_table_names_every_error_under_its_exit_code():
    table = {int(code): set(re.findall(r"`(\w+)`", names)) for code, names in ROW.findall(TABLE.read_text())}
    found: dict[int, set[str]] = {}
    for kind in family():
        found.setdefault(kind.exit_code, set()).add(kind.__name__)

    assert {code: names for code, names in table.items() if names} == found
    assert set(table) == set(range(13)) | {20, 21, 22, 130}


@pytest.mark.parametrize("kind", family(), ids=lambda kind: kind.__name__)
def test_every_message_starts_small_and_ends_without_a_stop(kind):
    message = (kind.__doc__ or "").splitlines()[0]

    assert message and not message.endswith(".") and not message[0].isupper()
    assert kind.hint or kind in (SealcamError,)


def test_a_name_with_line_breaks_cannot_write_a_message_of_its_own():
    text = str(SealBroken("a\nall is well\x1b[2J", 19))

    assert "\n" not in text and "\x1b" not in text
    assert text.endswith("chunk 19 was changed after it was sealed")


def test_verdicts_have_the_codes_of_the_documents():
    codes = {verdict.name: (verdict.code, verdict.exit_code) for verdict in Verdict}

    assert codes == {"INTACT": (1, 0), "CUT_SHORT": (2, 21), "ALTERED": (3, 20), "NOT_JUDGED": (4, 22)}
    assert all(Verdict.of_code(verdict.code) is verdict for verdict in Verdict)


def test_of_several_the_worst_speaks():
    assert worst([Verdict.INTACT, Verdict.CUT_SHORT]) is Verdict.CUT_SHORT
    assert worst([Verdict.CUT_SHORT, Verdict.NOT_JUDGED]) is Verdict.NOT_JUDGED
    assert worst(list(Verdict)) is Verdict.ALTERED
    assert worst([]) is Verdict.INTACT


def test_secrets_stay_out_of_what_is_printed():
    row = records.KeyRow(bytes(32), bytes(32), 1, bytes(16), b"\xaa" * 8)
    judgement = records.Judgement(Verdict.INTACT, verify_secret=b"\xbb" * 32)

    assert "\\xaa" not in repr(row) and "\\xbb" not in repr(judgement)
    assert errors.KeyMissing("x").exit_code == 7
