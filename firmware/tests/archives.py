"""Firmware archives for tests, straight from docs/format/statements.md: packed, signed, broken.

CPython; imports neither half.
"""

import struct
import subprocess
import sys
import tempfile
from functools import lru_cache
from pathlib import Path

import vm
from office import sha256, statement

LABEL = b"sealcam/1 root firmware"
COMPILER = vm.ROOT / "build" / "mpy-cross"
START = len(LABEL) + 1 + 36 + 64  # where the body begins


def pack(files, board=b"unix", mpy=b"\x06\x0b", counter=1, count=None):
    """A body; `files` is {name: bytes}, in the order given."""
    head = struct.pack(">32s2sHIHH", board, mpy, 0, counter, len(files) if count is None else count, 0)
    packed = [bytes([len(n)]) + n.encode() + struct.pack(">I", len(c)) + c for n, c in files.items()]
    return head + b"".join(packed)


def unpack(body):
    """{name: bytes} of a body."""
    files, at = {}, 44
    while at < len(body):
        name = body[at + 1 : at + 1 + body[at]].decode()
        at += 1 + body[at]
        length = struct.unpack_from(">I", body, at)[0]
        files[name] = body[at + 4 : at + 4 + length]
        at += 4 + length
    return files


def signed(root, body, version=2):
    """An archive; `root` is a private key of `cryptography`."""
    return statement(root, LABEL, struct.pack(">I", version) + sha256(body)) + body


SMALL = {"errors.mpy": b"M\x06\x00\x1f" + bytes(200), "main.mpy": b"M\x06\x0b\x1f" + bytes(range(256)) * 9}


@lru_cache
def real():
    """The modules of this checkout, compiled for the desk."""
    tool = vm.ROOT / "boards" / "tools" / "firmware_archive.py"
    with tempfile.NamedTemporaryFile(suffix=".firmware") as made:
        subprocess.run([sys.executable, str(tool), "unix", "-o", made.name], check=True, capture_output=True)
        return unpack(Path(made.name).read_bytes())


def compiled(source, folder: Path, name):
    """One module of this source text."""
    path = folder / f"{name}.py"
    path.write_text(source)
    subprocess.run([str(COMPILER), "-march=x64", "-o", str(path.with_suffix(".mpy")), str(path)], check=True)
    return path.with_suffix(".mpy").read_bytes()
