"""A camera at enrolment, written from statements.md: what it leaves in the exchange folder."""

import hashlib
import json
import os
import struct
from dataclasses import dataclass, field
from pathlib import Path

import recordings
from sealhost import layout, seal, statements
from sealhost.keys import SoftKey, key_id_of
from shift import content

CHUNK = 512


@dataclass
class Camera:
    """The other side of the folder, from statements.md."""

    folder: Path
    key: SoftKey = field(default_factory=SoftKey.make)
    time_nonce: bytes = field(default_factory=lambda: os.urandom(16))
    nonce: bytes = b""
    trial: seal.Writer | None = None

    def answer(self) -> None:
        """answer.seal"""
        offer = (self.folder / "offer.seal").read_bytes()
        root, self.nonce = offer[8:73], offer[73:89]
        size = struct.unpack_from(">I", offer, 137)[0]
        self.keylist = statements.KeyList.parse(offer[141 : 141 + size], root)
        enrol = statements.make(
            statements.ENROL,
            self.key,
            device_id=self.key.key_id,
            nonce=self.nonce,
            organisation=key_id_of(root),
            firmware=bytes(32),
        )
        facts = json.dumps({"board": "paper", "interpreter": "none"}).encode()
        rest = self.time_nonce + struct.pack(">H", len(facts)) + facts
        (self.folder / "answer.seal").write_bytes(b"SKANSWR1" + self.key.point + enrol + rest)

    def film_trial(self, script: str = "..e", keylist: statements.KeyList | None = None) -> None:
        """trial-0000.skr"""
        slots = (keylist or self.keylist).recipients(layout.KIND_RECORDING)
        self.trial = seal.begin(self.key, slots, sequence=3, chunk_size=CHUNK, keylist=1)
        recordings.describe(self.trial)
        for step in script:
            {".": lambda: recordings.fill(self.trial, 1), "e": self.trial.end}[step]()
        (self.folder / "trial-0000.skr").write_bytes(content(self.trial))

    def enrolled(self, nonce: bytes | None = None) -> None:
        """enrolled.seal"""
        statement = statements.make(
            statements.INVENTORY,
            self.key,
            device_id=self.key.key_id,
            nonce=nonce or self.nonce,
            boot=1,
            ms=1,
            journal_digest=hashlib.sha256(b"").digest(),
            receipt_no=0,
        )
        (self.folder / "enrolled.seal").write_bytes(statement)
