"""A founded organisation, a camera of its own, cards it filmed, and the command as a person types it."""

import contextlib
import io
import json
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import recordings
from sealhost import enrolment, founding, layout, seal
from sealhost.cli import run, wiring
from sealhost.keys import SoftKey

CHUNK = 512


def found(folder: Path) -> Path:
    """A demonstration home; made once a session, then copied."""
    founding.init(folder, demo=True)
    return folder


@dataclass
class Shift:
    """One home with one camera; `films` are the writers of what it filmed, by sequence."""

    home: Path
    device: SoftKey = field(default_factory=SoftKey.make)
    films: dict[int, seal.Writer] = field(default_factory=dict)

    @classmethod
    def begin(cls, founded: Path, folder: Path) -> "Shift":
        """A copy of the home, and a camera in its register."""
        shift = cls(Path(shutil.copytree(founded, folder / "home")))
        shift.admit(shift.device)
        return shift

    def admit(self, device: SoftKey) -> None:
        """Certify a camera without filming its trial."""
        home = wiring.Home(str(self.home))
        authority = home.authority([])
        home.register.certify(device.point, enrolment.certify(device.point, authority), 1)
        home.custody.note("camera.certified", authority.actor, device.key_id, keylist=1)

    def run(self, *words: object) -> tuple[int, dict]:
        """Exit code and answer of one command."""
        told = io.StringIO()
        with contextlib.redirect_stdout(told):
            code = run(["--home", str(self.home), *map(str, words), "--json"])
        text = told.getvalue()
        return code, json.loads(text) if text.strip() else {}

    @property
    def desk(self) -> wiring.Home:
        """The parts, opened anew."""
        return wiring.Home(str(self.home))

    def film(self, sequence: int, script: str = "..s..e", **fields: object) -> seal.Writer:
        """Seal a recording for this organisation's key list; `.` chunk, `s` signature, `e` end."""
        kind = int(fields.pop("kind", layout.KIND_RECORDING))  # type: ignore[call-overload]
        slots = self.desk.keylist.recipients(kind)
        writer = seal.begin(
            self.device, slots, kind=kind, sequence=sequence, chunk_size=CHUNK, keylist=1, **fields
        )
        if kind == layout.KIND_RECORDING:
            recordings.describe(writer)
        steps = {".": lambda: recordings.fill(writer, 1), "s": writer.sign, "e": writer.end}
        for step in script:
            steps[step]()
        self.films[sequence] = writer
        return writer

    def name(self, writer: seal.Writer) -> str:
        """The file name a camera would give it."""
        ending = "skl" if writer.core.kind == layout.KIND_LOG else "skr"
        return f"{self.device.key_id.hex()[:16]}-{writer.core.sequence:010d}-0000.{ending}"

    def put(self, card: Path, *writers: seal.Writer) -> None:
        """Lay recordings on a folder card."""
        (card / "sealcam").mkdir(parents=True, exist_ok=True)
        for writer in writers:
            (card / "sealcam" / self.name(writer)).write_bytes(content(writer))

    def folder_card(self, folder: Path, *writers: seal.Writer) -> Path:
        """A mounted card."""
        self.put(folder / "card", *(writers or self.films.values()))
        return folder / "card"

    def image_card(self, folder: Path, *writers: seal.Writer, size_mb: int = 40) -> Path:
        """A card image, as mkfs.vfat and mtools make it."""
        image = folder / "card.img"
        with open(image, "wb") as file:
            file.truncate(size_mb << 20)
        subprocess.run(["mkfs.vfat", "-F", "32", "-s", "1", image], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["mmd", "-i", image, "::sealcam"], check=True)
        for writer in writers or self.films.values():
            part = folder / self.name(writer)
            part.write_bytes(content(writer))
            subprocess.run(["mcopy", "-i", image, part, f"::sealcam/{part.name}"], check=True)
            part.unlink()
        return image

    def stored(self, writer: seal.Writer) -> bool:
        """Whether body and slots are in both places, and read back the same."""
        home = self.desk
        row = home.catalogue.get(writer.core.h_core)
        body = row.body_sha256 if row else _body_of(home, writer)
        if body is None or home.keytables.copies(writer.core.h_core) < 2 or not home.vault.has(body):
            return False
        return (
            len(home.vault.read_back(body)) == 2
            and home.keytables.read_back(home.keytables.get(writer.core.h_core)) == 2
        )


def _body_of(home: wiring.Home, writer: seal.Writer) -> bytes | None:
    """What custody says is its body."""
    told = [
        e for e in home.custody.entries() if e.event == "recording.stored" and e.subject == writer.core.name
    ]
    return bytes.fromhex(str(told[-1].detail["body"])) if told else None


def content(writer: seal.Writer) -> bytes:
    """The part as it lies on a card."""
    return bytes(writer.head) * 2 + b"".join(bytes(chunk) for chunk in writer.chunks)
