"""Statements as a vault signs them, true ones and bad ones: built with its own code and the home's keys."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sealhost import docked, receipts, statements
from sealhost.ingest import Options, ingest
from sealhost.ingest.taking import entry_of
from sealhost.layout import KIND_RECORDING, TAG_SIZE
from sealhost.records import ReceiptEntry

from bench.dock import Dock

IN_CAMERA, RECEIPT = 1, 1  # docs/dock-protocol.md, *judge*
TEN_YEARS_MS = 3653 * 86_400_000


class Papers:
    """Of the one camera on `line`, docked, and the organisation of `dock`."""

    def __init__(self, dock: Dock, line: Any) -> None:
        self.home, self.line = dock.at_home(), line
        self.desk = self.home.desk()

    def film(self) -> tuple[ReceiptEntry, bytes]:
        """What a vault would sign for the newest recording, once it is stored twice; and the tag of its last
        chunk but one.
        """
        place = docked.CameraPlace(self.line)
        found = ingest([place], self.desk, options=Options(dry_run=True)).takings
        taking = max((t for t in found if t.kind == KIND_RECORDING), key=lambda t: t.sequence)
        core, tag = taking.core, bytearray(TAG_SIZE)
        before_last = 2 * core.block_size + (taking.judgement.last_index - 1) * core.chunk_size
        taking.parts[0].read_into(before_last - TAG_SIZE, memoryview(tag))
        stored = {"copies": 2, "slot_copies": 2, "body_sha256": bytes(32)}  # no camera knows a body's digest
        return replace(entry_of(taking), **stored), bytes(tag)

    def receipt(self, number: int, *entries: ReceiptEntry, **other: Any) -> bytes:
        """A receipt for this camera; `other` names another organisation, device or key."""
        organisation = other.get("organisation", self.desk.organisation)
        device_id = other.get("device_id", self.line.device_id)
        key = other.get("key", self.desk.receipt_key)
        now = time.time_ns() // 1_000_000
        return receipts.build(organisation, number, device_id, now, 1, entries, key).raw

    def judged(self, raw: bytes) -> int:
        """What the camera says to the one entry of a receipt."""
        (status,) = self.line.judge(RECEIPT, IN_CAMERA, raw)[1]
        return status

    def hour(self, ms_ago: int) -> Callable[[bytes], bytes]:
        """A time statement over the nonce a camera asks with."""

        def over(nonce: bytes) -> bytes:
            now = time.time_ns() // 1_000_000 - ms_ago
            fields = {"device_id": self.line.device_id, "nonce": nonce, "utc_ms": now}
            tree = {"tree_size": 1, "root": bytes(32)}
            return statements.make(statements.TIME, self.home.key("time"), **fields, **tree)

        return over
