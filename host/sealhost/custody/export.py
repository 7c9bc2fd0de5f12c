"""The log for strangers: written to a folder, and checked from one.

What is here needs no database and no key but the vkey. docs/format/custody.md, Export.
"""

import base64
import binascii
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sealhost import merkle, notes
from sealhost.custody.leaf import parse_leaf
from sealhost.durable import rename, sync_file, write_file
from sealhost.errors import CustodyBroken, OutputExists, PlaceUnreadable

_README = """How to check this log with the Python standard library

entries.jsonl    one entry a line, in order; each line without its line break is a leaf
checkpoint       origin, number of entries, root hash, and who signed for them
checkpoint.vkey  the key that signed: name, key hash, base64 of 01 and the Ed25519 public key
proofs.json      for entries by number, the hashes that lead from the leaf to the root

import base64, hashlib
def root(hashes):
    if len(hashes) == 1: return hashes[0]
    k = 1 << ((len(hashes) - 1).bit_length() - 1)
    return hashlib.sha256(b"\\x01" + root(hashes[:k]) + root(hashes[k:])).digest()
leaves = open("entries.jsonl", "rb").read().splitlines()
print(base64.b64encode(root([hashlib.sha256(b"\\x00" + leaf).digest() for leaf in leaves])).decode())

prints the third line of `checkpoint`. The signature is Ed25519 over the first three lines of `checkpoint`
with their line breaks; its base64 holds four bytes of key hash first. Compare checkpoint.vkey with one you
were given another way: a folder can vouch for itself and still be false.
"""


@dataclass(frozen=True)
class ExportReport:
    """An export that fits: entries, root, and the log that signed."""

    size: int
    root: bytes
    origin: str


def write(
    folder: Path, leaves: Iterable[bytes], note: str, vkey: str, size: int, proofs: dict[int, list[bytes]]
) -> None:
    """Fill a new folder; the checkpoint comes last, so a half-written export does not check."""
    if folder.exists() and any(folder.iterdir()):
        raise OutputExists(folder)
    folder.mkdir(parents=True, exist_ok=True)
    aside = folder / "entries.jsonl.new"
    with open(aside, "wb") as file:
        for leaf in leaves:
            file.write(leaf + b"\n")
        file.flush()
        sync_file(file.fileno(), "write entries.jsonl")
    rename(aside, folder / "entries.jsonl", "name entries.jsonl")
    paths = {str(n): [base64.b64encode(step).decode() for step in path] for n, path in proofs.items()}
    write_file(folder / "proofs.json", json.dumps({"size": size, "proofs": paths}, indent=1).encode())
    write_file(folder / "README.txt", _README.encode())
    write_file(folder / "checkpoint.vkey", (vkey + "\n").encode())
    write_file(folder / "checkpoint", note.encode())


def verify_export(folder: Path, vkey: str | None = None) -> ExportReport:
    """Check an export, with a vkey known from elsewhere where there is one.

    CustodyBroken names the first bad entry.
    """
    folder = Path(folder)
    name, public = notes.parse_vkey(vkey or _text(folder / "checkpoint.vkey"))
    signed = notes.parse_checkpoint(notes.check(_text(folder / "checkpoint"), name, public))
    proofs = _proofs(folder, signed.size)
    nodes: dict[tuple[int, int], bytes] = {}
    count = 0
    for n, leaf in enumerate(_lines(folder / "entries.jsonl")):
        if n >= signed.size:
            raise CustodyBroken(n, f"the checkpoint signs for {signed.size} entries only")
        _check_leaf(n, leaf, proofs.get(n), signed)
        _grow(nodes, n, merkle.leaf_hash(leaf))
        count = n + 1
    if count < signed.size:
        raise CustodyBroken(count, f"{signed.size} entries were signed for, {count} are there")
    if merkle.root(count, lambda level, place: nodes[level, place]) != signed.root:
        raise CustodyBroken(0, "the entries do not give the root that was signed")
    return ExportReport(count, signed.root, signed.origin)


def _check_leaf(n: int, leaf: bytes, path: list[bytes] | None, signed: notes.Checkpoint) -> None:
    try:
        fits = parse_leaf(leaf).n == n
    except ValueError:
        fits = False
    if path is not None:
        hashed = merkle.leaf_hash(leaf)
        fits = fits and merkle.proves_inclusion(hashed, n, signed.size, path, signed.root)
    if not fits:
        raise CustodyBroken(n, "it is not the entry that was signed for")


def _grow(nodes: dict[tuple[int, int], bytes], n: int, hashed: bytes) -> None:
    """Add a leaf, and forget the halves of what is whole."""
    for level, place, made in merkle.grown(n, hashed, lambda level, place: nodes[level, place]):
        nodes[level, place] = made
        if level:
            del nodes[level - 1, 2 * place], nodes[level - 1, 2 * place + 1]


def _proofs(folder: Path, size: int) -> dict[int, list[bytes]]:
    try:
        held = json.loads(_text(folder / "proofs.json"))
        if held["size"] != size:
            raise CustodyBroken(0, "the proofs are for a tree of another size")
        return {
            int(n): [base64.b64decode(step, validate=True) for step in path]
            for n, path in held["proofs"].items()
        }
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
        raise CustodyBroken(0, "proofs.json cannot be read") from None


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with open(path, "rb") as file:
            for line in file:
                yield line.removesuffix(b"\n")
    except OSError as trouble:
        raise PlaceUnreadable(path, os.strerror(trouble.errno or 0)) from None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as trouble:
        raise PlaceUnreadable(path, trouble) from None
