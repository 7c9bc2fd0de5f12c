"""What was refused, with its verdict:

raw parts as they were read, and a judgement beside them, in every place.

A case is named by the SHA-256 of its judgement, which names every part by digest. What is kept stays: a
release by the evidence office frees the card, not the evidence.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sealhost import receipts, score
from sealhost.errors import Ambiguous, CopyDamaged, NotFound, ReleaseRefused
from sealhost.records import Judgement, Part, ReceiptEntry, Verdict
from sealhost.vault import StoredPart, Vault

_PIECE = 1 << 20


@dataclass(frozen=True)
class Case:
    """One quarantined recording. `parts` are digests of the raw files, with their names and sizes."""

    digest: bytes
    verdict: Verdict
    h_core: bytes
    device_id: bytes
    sequence: int
    recording_id: bytes
    last_index: int
    last_tag: bytes
    ended: bool
    place: int | None
    reason: str
    strip: str
    parts: tuple[tuple[bytes, str, int], ...]
    released: bool = False

    def entry(self, copies: int) -> ReceiptEntry:
        """What a release says of it; statements.md."""
        return ReceiptEntry(
            sequence=self.sequence,
            recording_id=self.recording_id,
            h_core=self.h_core,
            last_index=self.last_index,
            last_tag=self.last_tag,
            verdict=self.verdict,
            ended=self.ended,
            copies=copies,
            slot_copies=copies,
            body_sha256=self.digest,
        )


class Quarantine:
    """The quarantine room of every place; the same raw bytes give the same case."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    @property
    def copies(self) -> int:
        """How many places keep each case."""
        return self._vault.copies

    def keep(self, parts: Sequence[Part], judgement: Judgement) -> bytes:
        """Keep raw parts and what was found, in every place, read back past the cache:

        the digest of the case.
        """
        kept = [(self._keep_part(part), part) for part in parts]
        named = [{"sha256": digest.hex(), "name": part.name, "size": part.size} for digest, part in kept]
        case = self._keep_bytes(_case_file(judgement, named))
        for digest in (*(digest for digest, _ in kept), case):
            self._vault.read_back(digest)
        self._mark(case)
        return case

    def _keep_part(self, part: Part) -> bytes:
        buffer = memoryview(bytearray(_PIECE))
        with self._vault.draft() as draft:
            at = 0
            while count := part.read_into(at, buffer):
                draft.write(buffer[:count])
                at += count
            return draft.commit()

    def _keep_bytes(self, content: bytes) -> bytes:
        with self._vault.draft() as draft:
            draft.write(content)
            return draft.commit()

    def _mark(self, case: bytes) -> None:
        """List the case by its name: an empty file, so that raw parts need not be opened to find it."""
        for store in self._vault.stores:
            store.mark("cases", case.hex())

    def has(self, digest: bytes) -> bool:
        """Whether every place holds the case and each of its parts."""
        if not self._vault.has(digest):
            return False
        return all(self._vault.has(part) for part, _, _ in self.get(digest).parts)

    def cases(self) -> list[Case]:
        """Every case any place lists."""
        named = {name for store in self._vault.stores for name in store.marks("cases")}
        return [self.get(bytes.fromhex(name)) for name in sorted(named)]

    def find(self, beginning: str) -> Case:
        """The case whose digest or recording begins like that; NotFound or Ambiguous."""
        cases = self.cases()
        found = [
            c
            for c in cases
            if beginning and beginning in (c.digest.hex()[: len(beginning)], c.h_core.hex()[: len(beginning)])
        ]
        if not found:
            raise NotFound(beginning)
        if len(found) > 1:
            raise Ambiguous(beginning)
        return found[0]

    def get(self, digest: bytes) -> Case:
        """A case; NotFound, or CopyDamaged when its file is not what it is named."""
        with self._vault.open(digest) as file:
            content = bytearray(file.size)
            file.read_into(0, memoryview(content))
        if hashlib.sha256(content).digest() != digest:
            raise CopyDamaged("quarantine", digest.hex())
        released = any(digest.hex() in store.marks("released") for store in self._vault.stores)
        return _case(digest, json.loads(content), released)

    def open(self, case: Case) -> list[StoredPart]:
        """Its raw parts, in order."""
        return [self._vault.open(digest) for digest, _, _ in case.parts]

    def release(self, case: Case, statement: bytes, release_point: bytes) -> None:
        """Keep the evidence office's signed release beside it; ReleaseRefused or BadStatement otherwise."""
        entry, digest = receipts.check_release(statement, release_point)
        if digest != case.digest or entry.h_core != case.h_core or entry.verdict != case.verdict:
            raise ReleaseRefused(case.digest.hex()[:16], "the statement speaks of something else")
        if not self.has(case.digest):
            raise ReleaseRefused(case.digest.hex()[:16], "not every place holds it")
        for store in self._vault.stores:
            store.mark("released", case.digest.hex(), statement)

    def statement(self, case: Case) -> bytes | None:
        """The release that frees it, None where there is none."""
        for store in self._vault.stores:
            if content := store.marked("released", case.digest.hex()):
                return content
        return None


def _case_file(judgement: Judgement, parts: list[dict[str, Any]]) -> bytes:
    """Canonical JSON, without a time: the same bytes for the same finding."""
    core = judgement.core
    found = {
        "format": 1,
        "verdict": judgement.verdict.name,
        "h_core": judgement.name,
        "device_id": core.device_id.hex() if core else "",
        "sequence": core.sequence if core else 0,
        "recording_id": core.recording_id.hex() if core else "",
        "last_index": judgement.last_index,
        "last_tag": judgement.last_tag.hex(),
        "signed_to": judgement.signed_to,
        "ended": judgement.ended,
        "place": judgement.place,
        "reason": judgement.reason,
        "strip": score.strip(judgement),
        "parts": parts,
    }
    return json.dumps(found, sort_keys=True, indent=1).encode()


def _case(digest: bytes, found: dict[str, Any], released: bool) -> Case:
    return Case(
        digest=digest,
        verdict=Verdict[found["verdict"]],
        h_core=bytes.fromhex(found["h_core"]) or bytes(32),
        device_id=bytes.fromhex(found["device_id"]) or bytes(32),
        sequence=found["sequence"],
        recording_id=bytes.fromhex(found["recording_id"]) or bytes(16),
        last_index=found["last_index"],
        last_tag=bytes.fromhex(found["last_tag"]),
        ended=found["ended"],
        place=found["place"],
        reason=found["reason"],
        strip=found["strip"],
        parts=tuple((bytes.fromhex(p["sha256"]), p["name"], p["size"]) for p in found["parts"]),
        released=released,
    )


def open_quarantine(places: Sequence[Path]) -> Quarantine:
    """The quarantine of these places; StoreUnavailable when one is not there."""
    return Quarantine(Vault.at(places, "quarantine"))
