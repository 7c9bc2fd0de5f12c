"""The second reader against every known answer that states a verdict, and against broken bytes."""

import ast
import hmac
import io
import random
import sys
from importlib import import_module
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
reader = import_module("verify_recording")
judge, main, words = reader.judge, reader.main, reader.words
VECTORS = HERE.parent / "vectors"
JUDGED = ("verdict", "strip", "last_index", "signed_to", "place")
SIDES = ("evidence_scalar", "escrow_scalar", "vault_scalar", "verify_secret", "secret")


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
    return {side if side.endswith("secret") else "scalar": bytes.fromhex(vector[side])}


def judged(vector: dict[str, str], side: str, **more: object) -> dict:
    given = {"points": [bytes.fromhex(vector["device_point"])], "word": word_of(vector.get("word"))}
    return judge(numbered(vector, "part"), **held_by(vector, side), **given | more)


def sides_of(vector: dict[str, str]) -> list[str]:
    """Who can judge this one: a log has no escrow slot, a body no slot at all."""
    if "body" in vector:
        return ["verify_secret", "secret"]
    no_slot = {"escrow_scalar"} if vector["name"] == "log_segment" else set()
    no_slot |= {"verify_secret", "secret"} if vector.get("key") == "private" else set()
    return [side for side in SIDES if side not in no_slot]


ALL = {path.stem: read_vector(path) for path in sorted(VECTORS.glob("*.txt"))}
VERDICTS = {name: vector for name, vector in ALL.items() if "verdict" in vector}
CASES = [(name, side) for name, vector in VERDICTS.items() for side in sides_of(vector)]
INTACT = VERDICTS["recording_intact"]


@pytest.mark.parametrize(("name", "side"), CASES)
def test_a_known_answer_is_judged_as_it_says(name: str, side: str) -> None:
    """Proves CC-9."""
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
    """Proves M6: every byte is under a tag or an equality; in the last chunk a flip may pass for a tear."""
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
    points = [bytes.fromhex(INTACT["device_point"])]
    more = {"verify_secret": bytes.fromhex(INTACT["verify_secret"]), "points": points}
    for source in (part, bytearray(part), memoryview(part), io.BytesIO(part)):
        assert judge([source], **more)["verdict"] == "intact"


CHAIN = ALL["chain_of_headers"]


def judged_apart(*parts: bytes) -> list[dict]:
    """Each part a recording of its own, under the vault key of the chain."""
    points = [bytes.fromhex(CHAIN["device_point"])]
    return [judge([part], scalar=bytes.fromhex(CHAIN["vault_scalar"]), points=points) for part in parts]


def chain(*numbers: int) -> list[dict]:
    """The files of the chain with these numbers, judged on their own."""
    return judged_apart(*(numbered(CHAIN, "recording")[number] for number in numbers))


def test_the_next_header_gives_the_words() -> None:
    found = words(chain(0, 1, 2))
    assert [one["word"] for one in found] == [word_of(CHAIN["word_0"]), word_of(CHAIN["word_1"]), None]
    assert [one["verdict"] for one in found] == ["intact", "cut short", "intact"]
    assert found[1]["confirmed"] and not chain(1)[0]["confirmed"]


def test_the_order_of_the_files_does_not_matter_to_the_words() -> None:
    forth, back = words(chain(0, 1, 2)), words(chain(2, 1, 0))
    assert [one["word"] for one in back] == [one["word"] for one in forth][::-1]


def test_a_file_cut_below_what_the_next_header_names_has_lost_its_tail() -> None:
    """Proves M15: with every number at hand, a header that names no file at hand knew more."""
    recordings = numbered(CHAIN, "recording")
    short = recordings[1][: 2 * 2048 + 512]
    found = words(judged_apart(recordings[0], short, recordings[2]))[1]
    assert (found["verdict"], found["strip"], found["place"]) == ("altered", ",-", 2)
    alone = words(judged_apart(recordings[0], short))[1]
    assert (alone["verdict"], alone["confirmed"]) == ("cut short", False)


def test_two_cores_under_one_number_are_a_fork() -> None:
    """Proves M16."""
    found = [judged(VERDICTS[name], "vault_scalar") for name in ("recording_intact", "altered_chunk")]
    assert found[0]["facts"].sequence == found[1]["facts"].sequence
    assert [one["place"] for one in words(found)] == [0, 0]
    assert "fork" in words(found)[0]["reason"]


def run(tmp_path: Path, *parts: bytes) -> int:
    """The exit status for these parts, each in a file of its own, with the vault key."""
    paths = [tmp_path / str(number) for number in range(len(parts))]
    for path, part in zip(paths, parts, strict=True):
        path.write_bytes(part)
    key = ["--device", INTACT["device_point"], "--key", INTACT["vault_scalar"]]
    return main([*key, *map(str, paths)])


def test_parts_are_grouped_into_one_line_a_recording(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    parts = numbered(VERDICTS["recording_parts_any_order"], "part")
    assert run(tmp_path, *parts) == 0
    assert capsys.readouterr().out.startswith("INTACT .....| k=6 n=5 place=none")
    recordings = numbered(CHAIN, "recording")
    assert run(tmp_path, *recordings[1:]) == 21
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_the_worst_verdict_is_the_status(tmp_path: Path) -> None:
    """Proves section 3.7."""
    unknown = numbered(VERDICTS["not_judged_suite"], "part")[0]
    cut, ended = numbered(CHAIN, "recording")[1:]
    changed = ended[:5000] + bytes([ended[5000] ^ 0xFF]) + ended[5001:]
    assert [run(tmp_path, *parts) for parts in ([ended], [ended, cut])] == [0, 21]
    assert [run(tmp_path, *parts) for parts in ([cut, unknown], [unknown, changed])] == [22, 20]


def test_noise_never_crashes_the_reader() -> None:
    """Proves M17: a quick run of broken bytes, cut, moved, repeated and overwritten, all of them judged."""
    chance = random.Random(17)
    names = [name for name in VERDICTS if not name.startswith("recording_16384")]
    for _ in range(300):
        vector = VERDICTS[chance.choice(names)]
        parts = [broken(chance, part) for part in numbered(vector, "part")]
        word = chance.choice([None, (chance.randrange(4), chance.choice([0, 1, 6, 9, 1 << 63]), bytes(32))])
        points = [bytes.fromhex(vector["device_point"])]
        secret = bytes.fromhex(vector["verify_secret"])
        found = words([judge(parts, verify_secret=secret, points=points, word=word)])
        assert found[0]["verdict"] in reader.STATUS
        assert len(found[0]["strip"]) < 5000


def broken(chance: random.Random, part: bytes) -> bytes:
    """The part after a few random harms."""
    found = bytearray(part)
    for _ in range(chance.randrange(1, 5)):
        at, length = chance.randrange(len(found) + 1), chance.choice([1, 8, 32, 512, 2048])
        piece = chance.choice([b"", b"\0", b"\xff", found[:length], chance.randbytes(length)])
        found[at : at + chance.choice([0, len(piece), length])] = piece
    return bytes(found)


def sealed_again(changes: dict[int, dict[int, bytes]], extra: int = 0) -> dict:
    """The worked example with bytes of some positions changed and sealed again, as a holder of `V` could."""
    part = bytearray(numbered(INTACT, "part")[0] + bytes(extra))
    k_mac = bytes.fromhex(INTACT["k_mac"])
    for position, edits in changes.items():
        start = 4096 + 512 * position
        for at, piece in edits.items():
            part[start + at : start + at + len(piece)] = piece
        part[start + 480 : start + 512] = hmac.digest(k_mac, bytes(part[start : start + 480]), "sha256")
    points = [bytes.fromhex(INTACT["device_point"])]
    return judge([part], verify_secret=bytes.fromhex(INTACT["verify_secret"]), points=points)


def test_an_index_beyond_all_bounds_is_altered_and_bounded() -> None:
    """Proves M17."""
    found = sealed_again({5: {8: b"\xff" * 8}})
    assert (found["verdict"], found["last_index"], found["place"]) == ("altered", (1 << 64) - 1, 6)
    assert len(found["strip"]) <= reader.ABSENT + 6


def test_an_unsigned_chunk_of_index_0_is_not_judged() -> None:
    assert sealed_again({4: {8: bytes(8)}, 5: {8: bytes(8)}})["verdict"] == "not judged"


def test_a_first_record_beyond_the_payload_is_not_judged() -> None:
    part_end = {5: {4: b"\x09", 32: bytes(32)}}
    assert sealed_again({5: {6: (416).to_bytes(2, "big")}})["verdict"] == "not judged"
    assert sealed_again(part_end)["verdict"] == "altered"


def test_one_file_under_three_hundred_lines_imports_only_what_it_says() -> None:
    text = Path(reader.__file__).read_text()
    assert len(text.splitlines()) < 300
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {getattr(node, "module", None) or alias.name for node in nodes for alias in node.names}
    assert {name.split(".")[0] for name in names} <= set(sys.stdlib_module_names) | {"cryptography"}
