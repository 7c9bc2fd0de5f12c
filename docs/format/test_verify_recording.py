"""The second reader against every known answer that states a verdict, and against broken bytes."""

import ast
import io
import sys
from pathlib import Path

import pytest
import verify_recording
from verify_recording import judge, main, words

HERE = Path(__file__).parent
VECTORS = HERE.parent / "vectors"
JUDGED = ("verdict", "strip", "last_index", "signed_to", "place")
SIDES = ("evidence_scalar", "escrow_scalar", "vault_scalar", "verify_secret")


def read_vector(path: Path) -> dict[str, str]:
    """`key: value` a line; long hex goes on in lines that begin with two spaces."""
    found: dict[str, str] = {}
    key = ""
    for line in path.read_text().splitlines():
        if line.startswith("  "):
            found[key] += line.strip()
        else:
            key, _, value = line.partition(":")
            found[key] = value.strip()
    return found


def numbered(vector: dict[str, str], stem: str) -> list[bytes]:
    count = sum(key.startswith(stem + "_") for key in vector)
    return [bytes.fromhex(vector[f"{stem}_{number}"]) for number in range(count)]


def word_of(text: str | None) -> tuple[int, int, bytes] | None:
    if text is None:
        return None
    state, index, tag = text.split()
    return int(state), int(index), bytes.fromhex(tag)


def held_by(vector: dict[str, str], side: str) -> dict[str, bytes]:
    return {"verify_secret" if side == "verify_secret" else "scalar": bytes.fromhex(vector[side])}


def judged(vector: dict[str, str], side: str, **more: object) -> dict:
    given = {"points": [bytes.fromhex(vector["device_point"])], "word": word_of(vector.get("word"))}
    return judge(numbered(vector, "part"), **held_by(vector, side), **given | more)


def sides_of(vector: dict[str, str]) -> list[str]:
    """Who can judge this one: a log has no escrow slot, a body no slot at all."""
    if "body" in vector:
        return ["verify_secret"]
    return [side for side in SIDES if side != "escrow_scalar" or vector["name"] != "log_segment"]


VERDICTS = {path.stem: vector for path in sorted(VECTORS.glob("*.txt")) if "verdict" in (vector := read_vector(path))}
CASES = [(name, side) for name, vector in VERDICTS.items() for side in sides_of(vector)]
INTACT = VERDICTS["recording_intact"]


@pytest.mark.parametrize(("name", "side"), CASES)
def test_a_known_answer_is_judged_as_it_says(name: str, side: str) -> None:
    vector = VERDICTS[name]
    found = judged(vector, side)
    assert [str(found[key]).lower() for key in JUDGED] == [vector[key] for key in JUDGED], found["reason"]
    if found["h_core"]:
        assert found["h_core"].hex() == vector["h_core"]


def test_there_are_known_answers() -> None:
    assert len(VERDICTS) > 30


def test_an_escrow_key_does_not_judge_a_log() -> None:
    assert judged(VERDICTS["log_segment"], "escrow_scalar")["verdict"] == "not judged"


def test_a_private_key_does_not_judge_a_body() -> None:
    assert judged(VERDICTS["body"], "vault_scalar")["verdict"] == "not judged"


def test_only_a_word_confirms_what_has_no_end() -> None:
    assert judged(VERDICTS["cut_confirmed"], "verify_secret")["confirmed"]
    assert not judged(VERDICTS["cut_unconfirmed"], "verify_secret")["confirmed"]


def test_an_unknown_device_is_not_judged() -> None:
    assert judged(INTACT, "verify_secret", points=[b"\x04" * 65])["verdict"] == "not judged"


def test_a_flip_of_any_byte_is_found_and_never_a_crash() -> None:
    """Proves M6: every byte is under a tag or an equality, save 288..511 twice over, which no single flip is."""
    part = bytearray(numbered(INTACT, "part")[0])
    secret, points = bytes.fromhex(INTACT["verify_secret"]), [bytes.fromhex(INTACT["device_point"])]
    for offset in range(len(part)):
        part[offset] ^= 0xFF
        found = judge([bytes(part)], verify_secret=secret, points=points)
        part[offset] ^= 0xFF
        assert found["verdict"] in ("altered", "cut short"), offset
        assert found["verdict"] == "altered" or offset >= len(part) - 512, offset


@pytest.mark.parametrize("step", [61])
def test_a_cut_at_any_length_is_never_intact_and_never_a_crash(step: int) -> None:
    part = numbered(INTACT, "part")[0]
    for length in range(0, len(part), step):
        points = [bytes.fromhex(INTACT["device_point"])]
        found = judge([part[:length]], scalar=bytes.fromhex(INTACT["evidence_scalar"]), points=points)
        assert found["verdict"] != "intact", length


def test_a_part_may_be_bytes_a_view_or_a_file() -> None:
    part = numbered(INTACT, "part")[0]
    more = {"verify_secret": bytes.fromhex(INTACT["verify_secret"]), "points": [bytes.fromhex(INTACT["device_point"])]}
    for source in (part, bytearray(part), memoryview(part), io.BytesIO(part)):
        assert judge([source], **more)["verdict"] == "intact"


def chain(*numbers: int) -> list[dict]:
    """The files of the chain with these numbers, judged on their own."""
    vector = read_vector(VECTORS / "chain_of_headers.txt")
    more = {"scalar": bytes.fromhex(vector["vault_scalar"]), "points": [bytes.fromhex(vector["device_point"])]}
    recordings = numbered(vector, "recording")
    return [judge([recordings[number]], **more) for number in numbers]


def test_the_next_header_gives_the_words() -> None:
    vector = read_vector(VECTORS / "chain_of_headers.txt")
    found = words(chain(0, 1, 2))
    assert [one["word"] for one in found] == [word_of(vector["word_0"]), word_of(vector["word_1"]), None]
    assert [one["verdict"] for one in found] == ["intact", "cut short", "intact"]
    assert found[1]["confirmed"] and not chain(1)[0]["confirmed"]


def test_the_order_of_the_files_does_not_matter_to_the_words() -> None:
    assert [one["word"] for one in words(chain(2, 1, 0))] == [one["word"] for one in words(chain(0, 1, 2))][::-1]


def test_a_file_cut_below_what_the_next_header_names_has_lost_its_tail() -> None:
    """Proves M15: with every number at hand, a header that names no file at hand knew more of the open one."""
    vector = read_vector(VECTORS / "chain_of_headers.txt")
    recordings = numbered(vector, "recording")
    more = {"scalar": bytes.fromhex(vector["vault_scalar"]), "points": [bytes.fromhex(vector["device_point"])]}
    short = recordings[1][: 2 * 2048 + 512]
    found = words([judge([part], **more) for part in (recordings[0], short, recordings[2])])[1]
    assert (found["verdict"], found["strip"], found["place"]) == ("altered", ",-", 2)
    alone = words([judge([part], **more) for part in (recordings[0], short)])[1]
    assert (alone["verdict"], alone["confirmed"]) == ("cut short", False)


def test_two_cores_under_one_number_are_a_fork() -> None:
    """Proves M16."""
    found = [judged(VERDICTS[name], "vault_scalar") for name in ("recording_intact", "altered_chunk")]
    assert found[0]["facts"].sequence == found[1]["facts"].sequence
    assert [one["place"] for one in words(found)] == [0, 0]
    assert "fork" in words(found)[0]["reason"]


def run(tmp_path: Path, *names: str) -> int:
    paths = []
    for name in names:
        for number, part in enumerate(numbered(VERDICTS[name], "part")):
            paths.append(tmp_path / f"{name}-{number}")
            paths[-1].write_bytes(part)
    key = ["--device", INTACT["device_point"], "--key", INTACT["evidence_scalar"]]
    return main([*key, *map(str, paths)])


def test_parts_are_grouped_and_the_worst_verdict_is_the_status(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert run(tmp_path, "recording_parts_any_order") == 0
    assert capsys.readouterr().out.startswith("INTACT .....| k=6 n=5 place=none")
    assert run(tmp_path, "recording_parts", "cut_unconfirmed") == 21
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert run(tmp_path, "recording_parts", "cut_unconfirmed", "not_judged_suite") == 22
    assert run(tmp_path, "recording_parts", "altered_link", "not_judged_suite") == 20


def test_one_file_under_three_hundred_lines_imports_only_the_library_and_cryptography() -> None:
    text = Path(verify_recording.__file__).read_text()
    assert len(text.splitlines()) < 300
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {node.module if isinstance(node, ast.ImportFrom) else alias.name for node in nodes for alias in node.names}
    assert {name.split(".")[0] for name in names} <= set(sys.stdlib_module_names) | {"cryptography"}
