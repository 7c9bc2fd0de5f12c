"""An organisation, a camera of its own and a 1 GiB card it filled, made once under build/bench.

Made from the document by `seal`; what is on the card is random pictures, sealed as a camera would.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from figures import ROOT
from sealhost import enrolment, founding, keys, layout, seal
from sealhost.cli import wiring
from sealhost.reader import open_place

FOLDER = ROOT / "build" / "bench"
RECORDINGS = 4
RECORDING_BYTES = 256 << 20
CHUNK = 16384
SIGNED_EVERY = 200
SLACK = 8 << 20  # of the image: tables, and a receipt
_TOOLS = {**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin", "MTOOLS_SKIP_CHECK": "1"}


@dataclass(frozen=True)
class Bench:
    """A founded home, the card's image, and one long recording by itself."""

    home: Path
    card: Path
    long: Path

    @property
    def stretches(self) -> list[str]:
        """Where the recordings lie on the card, as START:LENGTH."""
        parts = open_place(self.card).every_file()
        return [f"{start}:{length}" for part in parts for start, length in part.extents]


def ready() -> Bench:
    """What the benches need; a run that was killed begins again."""
    bench = Bench(FOLDER / "home", FOLDER / "card.img", FOLDER / "long.skr")
    mark = FOLDER / ".made"
    if not mark.exists():
        print("bench: making a 1 GiB card and a recording of 512 MiB in build/bench, once", flush=True)
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir(parents=True)
        _make(bench)
        mark.touch()
    return bench


def _use(home: wiring.Home) -> None:
    """A vault in use: its tables are not made in the dock that is timed."""
    home.builds_anew = True
    assert home.keytables and home.catalogue


def _make(bench: Bench) -> None:
    founding.init(bench.home, demo=True)
    device = keys.SoftKey.make()
    home = wiring.Home(str(bench.home))
    authority = home.authority([])
    home.register.certify(device.point, enrolment.certify(device.point, authority), 1)
    home.custody.note("camera.certified", authority.actor, device.key_id, keylist=1)
    _use(home)
    recipients = home.keylist.recipients(layout.KIND_RECORDING)
    sealed(bench.long, device, recipients, 1, 2 * RECORDING_BYTES)
    _card(bench.card)
    for number in range(1, RECORDINGS + 1):
        name = f"{device.key_id.hex()[:16]}-{number:010d}-0000.skr"
        sealed(bench.card.with_name(name), device, recipients, number, RECORDING_BYTES)
        _tool("mcopy", "-i", bench.card, bench.card.with_name(name), f"::sealcam/{name}")
        bench.card.with_name(name).unlink()


def _card(path: Path) -> None:
    size = RECORDINGS * RECORDING_BYTES + SLACK
    _tool("mkfs.vfat", "-F", "16", "-s", "64", "-n", "SEALCAM", "-C", path, str(size >> 10))
    _tool("mmd", "-i", path, "::sealcam")


def _tool(*words: str | Path) -> None:
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, env=_TOOLS)


def sealed(
    path: Path, device: keys.SoftKey, recipients: list[seal.Recipient], sequence: int, size: int
) -> None:
    """One recording in one part of so many bytes, signed every 200 chunks."""
    with open(path, "wb") as file:
        writer = seal.begin(device, recipients, sequence=sequence, chunk_size=CHUNK, emit=lambda chunk: None)
        writer.emit = file.write  # type: ignore[assignment]
        file.write(writer.head * 2)
        picture = os.urandom(writer.room - layout.RECORD_HEADER)
        last = (size - file.tell()) // CHUNK - 1
        while writer.index < last:
            if writer.index % SIGNED_EVERY == SIGNED_EVERY - 1:
                writer.sign()
            else:
                writer.record(layout.TRACK_PICTURE, picture)
        writer.end()
