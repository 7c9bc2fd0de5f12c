"""A camera on a desk for tests: its card, flash and reel, its office, and how to run it as a process."""

import collections
import struct
import subprocess
import sys
from pathlib import Path

import vm
from office import Office, Recording

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "boards" / "unix"))
import reel

MARK = b"no frame of this"


def make_reel(path, pictures=40, size=5000, sound=True):
    """A reel whose every 16 bytes are known: 10 pictures a second, and 20 blocks of sound."""
    entries = []
    for number in range(pictures):
        entries.append((number * 100, 1, (MARK * (size // 16 + 1))[:size]))
        if sound:
            entries += [(number * 100 + late, 2, MARK * 40) for late in (10, 60)]
    packed = b"".join(
        struct.pack(reel.ENTRY, reel.MARK, track, 0, ms, len(body)) + body
        for ms, track, body in sorted(entries)
    )
    sounds = sum(track == 2 for _, track, _ in entries)
    shape = (1, 64, 48, 0, 10000, 8000 if sound else 0)
    head = (reel.MAGIC, *shape, pictures, sounds, pictures * 100, size, len(packed))
    path.write_bytes(struct.pack(reel.HEADER, *head, bytes(16)) + packed)


class Desk:
    """One camera's images, its office, and how to run it."""

    def __init__(self, folder, machine, **policy):
        self.folder, self.machine = folder, machine
        self.office = Office(**policy)
        self.exchange = folder / "exchange"
        self.exchange.mkdir()
        self.card, self.flash, self.reel = folder / "card.img", folder / "flash.img", folder / "film.reel"
        make_reel(self.reel)
        with open(self.card, "wb") as card:
            card.truncate(64 << 20)
        subprocess.run(
            ["/usr/sbin/mkfs.vfat", "-F", "16", "-f", "2", str(self.card)], check=True, capture_output=True
        )

    def command(self, *flags):
        images = {"--card": self.card, "--flash": self.flash, "--reel": self.reel}
        images["--exchange"] = self.exchange
        named = [part for option in images.items() for part in option]
        simulator = vm.FIRMWARE / "simulator.py"
        return [str(part) for part in [vm.binary(self.machine), simulator, *named, *flags]]

    def run(self, script, *flags, returncode=0):
        ended = subprocess.run(
            self.command(*flags, "--run", script), capture_output=True, text=True, timeout=600
        )
        assert ended.returncode == returncode, ended.stdout + ended.stderr
        return ended.stdout

    def enrol(self):
        for _ in range(4):
            self.office.attend(self.exchange)
            said = self.run("enrol")
        assert "ok enrolled" in said
        return self

    def recordings(self, kind=None):
        """{sequence: Recording}, opened with the evidence key and checked."""
        out = self.folder / "out"
        subprocess.run(["rm", "-rf", str(out)], check=True)
        out.mkdir()
        subprocess.run(["mcopy", "-n", "-i", str(self.card), "::/sealcam/*", str(out)], check=True)
        parts = collections.defaultdict(list)
        for path in sorted(out.iterdir()):
            content = path.read_bytes()
            parts[content[:256]].append(content)
        found = {}
        for files in parts.values():
            recording = Recording(files)
            if any(recording.core) and kind in (None, recording.kind):
                recording.open(self.office).check(self.office.device_point)
                found[recording.sequence] = recording
        return found
