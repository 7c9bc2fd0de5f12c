"""Firmware archives on the host: packed the same twice, signed, shown; both halves take the same ones."""

import json
import sys
from pathlib import Path

import pytest
from fuzzing import fuzzed
from hypothesis import given
from hypothesis import strategies as st
from sealhost.errors import BadSignature, BadStatement, SealcamError
from sealhost.keys import SoftKey
from sealhost.statements import Firmware
from shift import Shift

ROOT = Path(__file__).resolve().parents[2]
sys.path += [str(ROOT / part) for part in ("firmware/shim", "firmware", "boards/tools")]

import firmware_archive  # noqa: E402 - reachable from here on
from sealcam import archive  # noqa: E402
from sealcam.errors import SealcamError as Refusal  # noqa: E402

KEY = SoftKey.of_scalar((7777).to_bytes(32, "big"))
FILES = {"main.mpy": b"M\x06\x0b\x1f" + bytes(60), "errors.mpy": b"M\x06\x00\x1f" + b"e" * 40}
BUILT = Firmware.build("unix", 3, FILES)


def on_the_camera(whole: bytes, point: bytes = KEY.point):
    """What the device says of the same bytes."""

    def read(offset, view):
        view[:] = whole[offset : offset + len(view)]

    return archive.check(read, len(whole), point)


def test_what_is_built_and_signed_is_read_by_both_halves() -> None:
    whole = BUILT.sign(5, KEY)

    found, seen = Firmware.parse(whole, KEY.point), on_the_camera(whole)

    assert (found.board, found.mpy, found.counter, found.version) == ("unix", b"\x06\x0b", 3, 5)
    assert dict(found.files) == FILES and list(found.files) == sorted(FILES)
    assert (seen.board, seen.mpy, seen.counter, seen.version) == ("unix", b"\x06\x0b", 3, 5)
    assert seen.digest == found.digest == BUILT.digest


def test_the_vector_is_read_by_both_halves() -> None:
    fields, key = {}, ""
    for line in (ROOT / "docs/vectors/statement_firmware.txt").read_text().splitlines():
        if line.startswith("  "):
            fields[key] += line.strip()
        else:
            key, fields[key] = line.split(": ", 1)
    whole, point = bytes.fromhex(fields["statement"]), bytes.fromhex(fields["root_point"])

    found = Firmware.parse(whole, point)
    seen = on_the_camera(whole, point)

    assert (found.version, found.counter, found.board) == (4, 3, "qemu_mps2")
    assert (seen.version, seen.counter, seen.board, seen.digest) == (4, 3, "qemu_mps2", found.digest)


def test_the_same_sources_give_the_same_archive() -> None:
    """Proves issue 3, item 4: nothing of this machine's hour or paths goes in."""
    first, second = (firmware_archive.build("qemu_mps2") for _ in range(2))

    assert first.body == second.body and first.board == "qemu_mps2"
    assert str(ROOT).encode() not in first.body
    assert {"main.mpy", "update.mpy", "__init__.mpy"} <= set(first.files)


@pytest.mark.parametrize(
    "files",
    [
        {"errors.mpy": FILES["main.mpy"]},
        {**FILES, "../a.mpy": FILES["main.mpy"]},
        {**FILES, "a.py": FILES["main.mpy"]},
        {**FILES, "B.mpy": FILES["main.mpy"]},
        {**FILES, "a.mpy": b"no module"},
        {**FILES, "a.mpy": b"M\x06\x17\x1f"},
        {**FILES, **{f"m{n:03}.mpy": FILES["errors.mpy"] for n in range(95)}},
        {**FILES, "a.mpy": FILES["errors.mpy"] * 30000},
    ],
)
def test_what_no_camera_takes_is_not_built(files: dict[str, bytes]) -> None:
    with pytest.raises(BadStatement):
        Firmware.build("unix", 1, files)


def test_another_root_or_another_body_proves_nothing() -> None:
    whole = BUILT.sign(5, KEY)

    with pytest.raises(BadSignature):
        Firmware.parse(whole, SoftKey.make().point)
    with pytest.raises(BadStatement):
        Firmware.parse(whole[:-1] + b"\xff", KEY.point)


@fuzzed(share=8)
@given(st.binary(max_size=120), st.integers(0, len(BUILT.body)), st.integers(0, 60))
def test_both_halves_take_the_same_archives(noise: bytes, at: int, gone: int) -> None:
    body = BUILT.body[:at] + noise + BUILT.body[at + gone :]
    whole = Firmware("", b"", 0, {}, body=body).sign(1, KEY)
    try:
        taken = Firmware.parse(whole, KEY.point).digest
    except SealcamError:
        taken = b""
    try:
        seen = on_the_camera(whole).digest
    except Refusal:
        seen = b""

    assert taken == seen


def test_the_root_signs_and_everybody_can_look(shift: Shift, tmp_path: Path) -> None:
    body, signed = tmp_path / "body", tmp_path / "signed"
    body.write_bytes(BUILT.body)

    assert shift.run("firmware", "sign", body, "--version", "7", "-o", signed, "--dry-run")[0] == 0
    assert not signed.exists()
    code, told = shift.run("firmware", "sign", body, "--version", "7", "-o", signed)
    shown, seen = shift.run("firmware", "show", signed)
    unsigned, _ = shift.run("firmware", "show", body)

    assert (code, shown, unsigned) == (0, 0, 3)
    assert (seen["version"], seen["counter"], seen["board"], seen["proved"]) == (7, 3, "unix", True)
    assert told["digest"] == seen["digest"] == BUILT.digest.hex()
    assert shift.run("firmware", "sign", signed, "--version", "8", "-o", tmp_path / "x")[0] == 2
    assert shift.run("firmware", "sign", body, "--version", "8", "-o", signed)[0] == 3


def test_what_another_root_signed_is_shown_and_not_sent(shift: Shift, tmp_path: Path) -> None:
    """Proves issue 3, item 4: forged."""
    forged = tmp_path / "forged"
    forged.write_bytes(BUILT.sign(9, SoftKey.make()))

    code, seen = shift.run("firmware", "show", forged)
    sent, why = shift.run("firmware", "send", forged, tmp_path / "no-port")

    assert (code, seen["proved"], sent) == (3, False, 3) and "signature" in json.dumps(why)
