"""One camera in memory for the power tests: its card and flash, its exchange folder, its office, and a watch
at the cipher.

Runs on MicroPython. The device is introduced as `main.py` does it; the faults are those of
`boards/unix/board.py`.
"""

import gc
import struct
import sys

_HERE = __file__.rsplit("/", 1)[0]
sys.path.insert(0, _HERE)
sys.path.insert(0, _HERE + "/../../boards/unix")
sys.path.insert(0, _HERE + "/..")

import board as desk  # noqa: E402
import main  # noqa: E402
import vfs  # noqa: E402
from power_rules import Broken  # noqa: E402
from sealcam import carrier, crypto, p256, policy, sealer, statements  # noqa: E402

FLASH_BYTES = (main.FILES_FIRST + 40) * 4096
CHUNK, PART, LOG_PART = 512, 8192, 8192
STRANGER = b"somebody's picture, and no recording" * 40


class Faults(desk.Faults):
    """As on the desk, but the power goes by an exception; while it is `asleep`, nothing is counted."""

    asleep = False

    def landing(self, size, is_card):
        return size if self.asleep else super().landing(size, is_card)

    def power_lost(self):
        raise desk.PowerLost


class Feed:
    """Pictures and sounds that differ from one another in every 16 bytes."""

    longest, width, height, sound_rate = 1024, 64, 48, 8000

    def __init__(self, count=12):
        self._count = count
        self.rewind()

    def rewind(self):
        self._at = 0

    def next_into(self, buffer):
        if self._at >= self._count:
            return None
        number = self._at
        self._at += 1
        track, length = (1, 900) if number % 2 == 0 else (2, 160)
        for at in range(0, length, 16):
            struct.pack_into(">4sIII", buffer, at, b"FEED", number, at, 0x5EA1CA3)
        return track, number * 250, length // 16 * 16


class Folder:
    """The exchange folder in memory; a file is there whole or not at all."""

    def __init__(self):
        self.files = {}

    def has(self, name):
        return name in self.files

    def read(self, name):
        return self.files.get(name)

    def write(self, name, pieces):
        self.files[name] = b"".join([bytes(piece) for piece in pieces])


class Office:
    """The organisation, with the firmware's own signatures: what is checked here is the device, not the
    office.
    """

    def __init__(self, flags=1):
        self.roles = (
            policy.EVIDENCE,
            policy.ESCROW,
            policy.VAULT,
            policy.RECEIPT,
            policy.TIME,
            policy.RELEASE,
        )
        self.root = 7777
        self.root_point = p256.public(self.root)
        self.organisation = crypto.sha256(self.root_point)
        lists = [self.key_list(1), self.policy_file(1, flags)]
        sized = b"".join([struct.pack(">I", len(item)) + item for item in lists])
        self.offer = b"SKOFFER1" + self.root_point + bytes(16) + bytes(range(48)) + sized

    def key_of(self, role, version=1):
        """The key of a role: the readers and the release key of a newer list are other ones."""
        changes = role in (policy.EVIDENCE, policy.ESCROW, policy.VAULT, policy.RELEASE)
        return 1000 + role + (100 * (version - 1) if changes else 0)

    def key_list(self, version):
        """The key list file of a version."""
        body = struct.pack(">32sIHH", self.organisation, version, len(self.roles), 0)
        for role in self.roles:
            body += struct.pack(">B3x65s3x", role, p256.public(self.key_of(role, version)))
        return self._rooted(statements.KEY_LIST, body, version)

    def policy_file(self, version, flags=1, chunk=CHUNK):
        """The policy file of a version."""
        sizes = (max(PART, 16 * chunk), chunk)
        rules = struct.pack(
            ">32sIIIIHHBB42x", self.organisation, version, flags, 1000, *(sizes + (0, 2, 2))
        )
        return self._rooted(statements.POLICY, rules, version)

    def _rooted(self, label, body, version):
        return statements.make(label, self.root, None, version, crypto.sha256(body)) + body

    def attend(self, folder):
        """Put into the folder what the host owes; whether there was anything."""
        files = folder.files
        if "offer.seal" not in files:
            files["offer.seal"] = self.offer
        elif "answer.seal" in files and "time.seal" not in files:
            files["time.seal"] = self._times(files["answer.seal"])
        elif "trial-0000.skr" in files and "drill.seal" not in files:
            files["drill.seal"] = self._drill(files["trial-0000.skr"][:256])
        else:
            return False
        return True

    def _times(self, answer):
        self.device_id = crypto.sha256(answer[8:73])
        nonce = answer[73 + statements.size_of(statements.ENROL) :][:16]
        key = 1000 + policy.TIME
        time = statements.make(statements.TIME, key, None, self.device_id, nonce, 1750000000000, 1, bytes(32))
        return b"SKTIMES1" + time + struct.pack(">I", 3) + b"DER"

    def _drill(self, core):
        return self.drill_file(crypto.sha256(core), 1)

    def drill_file(self, h_core, version, opened_by=(1, 2)):
        """`drill.seal` of a trial recording under a key list."""
        key = self.key_of(policy.RELEASE, version)
        about = (self.device_id, version, h_core)
        made = [statements.make(statements.DRILL, key, None, *(about + (by,))) for by in opened_by]
        return b"SKDRILL1" + b"".join(made)


class Watch:
    """Stands at the cipher and at the sealer: which key met which index, and which secret belongs to which
    core.
    """

    def __init__(self):
        self.used, self.secrets, self.in_carrier = set(), {}, False
        watch, (plain_ctr, plain_sealer) = self, PLAIN

        class Ctr(plain_ctr):
            def __init__(self, key, scratch_size=4096):
                super().__init__(key, scratch_size)
                self.name = bytes(key[:16])
                self.watched = watch.in_carrier  # the self-test's scratch chunk has a key that is no secret

            def crypt(self, view, index, size=None):
                if self.watched:
                    if (self.name, index) in watch.used:
                        raise Broken("key stream used twice")
                    watch.used.add((self.name, index))
                super().crypt(view, index)

        class Sealer(plain_sealer):
            def __init__(self, core, secret, chunk_size):
                watch.in_carrier = True
                super().__init__(core, secret, chunk_size)
                watch.in_carrier = False
                watch.secrets[bytes(core)] = bytes(secret)

        sealer.Ctr, carrier.Sealer = Ctr, Sealer


def fat16(clusters=4300, kind="FAT16", root_entries=512):
    """A small card as a host formats it, in two tables. FAT16's entries a torn sector cannot split."""
    table = (clusters + 2) * 2 // 512 + 1
    sectors = 1 + 2 * table + root_entries * 32 // 512 + clusters
    card = bytearray(sectors * 512)
    fields = (b"\xeb\x3c\x90MSDOS5.0", 512, 1, 1, 2, root_entries, sectors, 0xF8, table, 32, 2, 0, 0)
    struct.pack_into("<11sHBHBHHBHHHII", card, 0, *fields)
    named = (0x80, 0, 0x29, 0x5EA1CA3D, b"NO NAME    ", kind.encode() + b"   ")
    struct.pack_into("<BBBI11s8s", card, 36, *named)
    card[510:512] = b"\x55\xaa"
    for at in (512, 512 * (1 + table)):
        card[at : at + 4] = b"\xf8\xff\xff\xff" if kind == "FAT16" else b"\xf8\xff\xff\x00"
    return card


def remember(function):
    """The same answer to the same question: a camera that starts a thousand times need not sum it up each
    time.
    """
    answers = {}

    def answer(*question):
        if question not in answers:
            answers[question] = function(*question)
        return answers[question]

    return answer


PLAIN = (sealer.Ctr, carrier.Sealer)
REMEMBERED = [remember(sum) for sum in (p256.verify, p256.public, p256.self_test)]


class Bench:
    """One camera's memories, and how to start it on them."""

    def __init__(self, most_names=64, flags=1, screen=None):
        p256.verify, p256.public, p256.self_test = REMEMBERED
        self.most_names = most_names
        self.office, self.folder, self.screen = Office(flags), Folder(), screen
        self.card, self.flash = desk.MemoryStore(fat16()), desk.MemoryStore(b"\xff" * FLASH_BYTES)
        main.format_files(desk.Blocks(self.flash, 4096, Faults(), False))
        self.faults = Faults()
        self.said = []
        self.camera = None
        self.watch = Watch()
        self._leave_stranger()

    def _leave_stranger(self):
        """Somebody's file, which no fault may touch."""
        with vfs.VfsFat(desk.Blocks(self.card, 512, Faults(), True)).open("/holiday.jpg", "wb") as file:
            file.write(STRANGER)

    def check_stranger(self):
        """Whether it is still what it was."""
        with vfs.VfsFat(desk.Blocks(self.card, 512, Faults(), True)).open("/holiday.jpg", "rb") as file:
            if file.read() != STRANGER:
                raise Broken("a stranger's file was touched")

    def written(self):
        """{sequence: chunks on the card, read back} of what the camera had in hand when the power went."""
        recorder = self.camera and self.camera.recorder
        if not recorder:
            return {}
        carriers = (recorder._carrier, self.camera._log_carrier)
        return dict([(carrier.seq, carrier.chunks) for carrier in carriers if carrier.chunks])

    def start(self, faults=None, with_card=True):
        """A camera that has just been switched on."""
        # files that the camera before left open are collected some day: not on to this card
        self.faults.dark = True
        try:
            vfs.umount("/card")
        except OSError:
            pass
        gc.collect()
        self.faults = faults or Faults()
        self.said, self.camera = [], None
        card = desk.Blocks(self.card, 512, self.faults, True) if with_card else desk.NoCardDevice()
        flash = desk.Blocks(self.flash, 4096, self.faults, False)
        board = desk.Board(card, flash, Feed(), desk.DeskClock(True), True)
        board.log_part_bytes, board.most_names, board.screen = LOG_PART, self.most_names, self.screen
        board.chosen = self.choose(flash)
        camera = self.camera = main.Camera(board, self.said.append)
        camera.boot()
        return camera

    def choose(self, flash):
        """What the boot stage would have said; a bench without one runs the factory's."""
        return

    def save(self):
        return bytes(self.card.bytes), bytes(self.flash.bytes), dict(self.folder.files)

    def load(self, saved):
        memoryview(self.card.bytes)[:] = saved[0]
        memoryview(self.flash.bytes)[:] = saved[1]
        self.folder.files = dict(saved[2])
