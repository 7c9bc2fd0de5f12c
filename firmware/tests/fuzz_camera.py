"""A camera on the line that has secrets, and an ear on that line: whether any of what came back was one.

Every secret is known here: the camera's images are read out, its recordings are opened with the evidence key.
"""

import hashlib
import struct
import subprocess

import vm
from cryptography.hazmat.primitives.asymmetric import ec
from desk_camera import MARK, Desk
from office import statement
from wire_host import Host, WiredCamera

WINDOW = 16
DRBG_SECTORS, SECTOR, SEED_AT = (0, 1), 4096, 12

# What an officer does with a camera that may replay, and then what nobody does: its secrets are printed.
TELL_ALL = """
import board as desk, main, sys
from gate_bench import PIN, Screen, choose, wait_out
flash = desk.Blocks(desk.FileStore(sys.argv[1]), 4096, desk.Faults(), False)
board = desk.Board(desk.NoCardDevice(), flash, desk.NoFeed(), desk.DeskClock(True), True)
board.screen = Screen()
camera = main.Camera(board)
camera.boot()
camera.issuing.issue(bytes(range(1, 17)), 4102444800000, 1)
choose(camera)
camera.gate.offer(PIN)
while camera.gate.step():
    pass
secrets = [camera.identity.d, camera.gate.key()]
secrets = [secret.to_bytes(32, "big") for secret in secrets]
for secret in secrets + [camera.keystore.device_secret(None), camera.gate._word.read()[2]]:
    print(secret.hex())
"""


class Ear:
    """A line that remembers what the camera said."""

    def __init__(self, line):
        self._line, self.came = line, bytearray()
        self.write, self.close, self.name = line.write, line.close, line.name

    def read(self, size):
        piece = self._line.read(size)
        self.came += piece
        return piece


class Listener(Host):
    """A host that keeps the keys of its sessions, and the frames it sent."""

    def __init__(self, *known):
        super().__init__(*known)
        self.keys, self.sent = [], []

    def _derive(self, raw, welcome):
        told = super()._derive(raw, welcome)
        self.keys += [self.out.enc, self.out.mac, self.back.enc, self.back.mac]
        return told

    def send(self, *request, **how):
        number = super().send(*request, **how)
        self.sent = self.sent[-7:] + [self.frame_sent]
        return number


class FuzzCamera:
    """One camera with recordings and a replay key; `heard` begins anew with each example."""

    def __init__(self, folder, machine="ctr"):
        self.desk = Desk(folder, machine, flags=7)
        first = WiredCamera(self.desk)
        first.enrol()
        first.off()
        self.secrets = [bytes.fromhex(line) for line in self._tell_all(machine)]
        self.wired = WiredCamera(self.desk)
        self.ear = Ear(self.wired.line)
        known = (self.desk.office.keys[8], self.desk.office.organisation, self.desk.office.device_point)
        self.host = Listener(self.ear, *known)
        for _ in range(2):
            self.film()
        self.before = self.recordings()

    def _tell_all(self, machine):
        return vm.run(TELL_ALL, machine, [str(self.desk.flash)]).splitlines()[-4:]

    def film(self):
        """Another recording; its secrets are known from then on."""
        for line in ("record", "wait chunks 4", "stop"):
            self.wired.press(line)
        found = self.desk.recordings().values()
        self.opened = [key for one in found for key in (one.secret, one.k_enc, one.k_mac)]

    def recordings(self):
        """{name: digest} of the sealed files of the card."""
        listing = ["mdir", "-b", "-i", str(self.desk.card), "::/sealcam"]
        names = subprocess.run(listing, check=True, capture_output=True, text=True).stdout.split()
        found = {}
        for name in (name for name in names if name.endswith(".skr") and "ready" not in name):
            read = ["mtype", "-i", str(self.desk.card), name]
            content = subprocess.run(read, check=True, capture_output=True).stdout
            found[name] = hashlib.sha256(content).hexdigest()
        return found

    def windows(self):
        """Every 16 bytes of every secret there is now, and of every frame and sound of the reel."""
        flash = self.desk.flash.read_bytes()
        seeds = [flash[at * SECTOR + SEED_AT :][:32] for at in DRBG_SECTORS]
        own = [*self.secrets, *self.opened, *self.host.keys, *seeds]
        found = {secret[at : at + WINDOW] for secret in own for at in range(len(secret) - WINDOW + 1)}
        found |= {(MARK * 2)[at : at + WINDOW] for at in range(WINDOW)}
        return {window for window in found if len(set(window)) > 4}

    def leaked(self):
        """What came back of them, on the line or inside the frames; what was heard is forgotten."""
        inside = b"|".join(body for _, _, body in self.host.heard)
        heard = [bytes(self.ear.came), inside]
        found = [window for window in self.windows() if any(window in each for each in heard)]
        self.host.heard.clear()
        self.host.keys.clear()
        self.ear.came.clear()
        return found

    def stranger(self, knows_the_point):
        """A host without the link key: with one of its own, or with ours by its point alone."""
        link = ec.generate_private_key(ec.SECP256R1())
        other = Listener(self.ear, link, self.desk.office.organisation, self.desk.office.device_point)
        other.patience_s = self.host.patience_s
        if knows_the_point:
            other.link_shown = self.desk.office.keys[8]
        return other

    def receipt(self, number, entries, key):
        """A receipt that is well made, over entries of anybody's, by a key of anybody's."""
        office = self.desk.office
        fields = (office.organisation, number, office.device_id, 1750000000000, 1, len(entries))
        body = struct.pack(">32sQ32sQIH", *fields) + b"".join(entries)
        return statement(office.keys[key], b"sealcam/1 vault receipt", body)

    def off(self):
        """In order; AssertionError where it did not end well, or a traceback was among its words."""
        self.wired.off()
        assert not [line for line in self.wired.said if "Traceback" in line]
        after = self.recordings()
        assert {name: after.get(name) for name in self.before} == self.before

