"""A camera of the firmware's own parts for the benches: card, journal, log, recorder; its clock stands still.

Runs on the emulated Cortex-M3. Only who introduces the parts is made here, and a source of pictures without a
lens.
"""

import gc
import struct

import vfs
from ram_card import RamCard, RamFlash, frame_buffers
from sealcam import p256, policy, statements
from sealcam.card import Card
from sealcam.carrier import Carrier
from sealcam.crypto import sha256
from sealcam.flash import Files, Flash, NotThere, Region
from sealcam.journal import Journal
from sealcam.layout import KIND_RECORDING, TRACK_PICTURE, TRACK_SOUND
from sealcam.logbook import Logbook
from sealcam.proven import ProvenBlocks
from sealcam.readying import Readying
from sealcam.recorder import Recorder
from sealcam.slots import Pool, SlotMaker
from sealcam.source import Source

CHUNK = 16384
PART = 32 << 20
ROOT, KEYS = 7777, 100  # private keys of nobody: the root's; with a role added, those of the key list
LINK = policy.LINK
PICTURE, SOUND = 20480, 1024  # pictures at 12 a second, 16 kHz sound: five blocks to two pictures
_ROUND = (TRACK_PICTURE, TRACK_SOUND, TRACK_SOUND, TRACK_PICTURE, TRACK_SOUND, TRACK_SOUND, TRACK_SOUND)


class _Still:
    """A clock that stands still, so that neither a pad nor a signature falls into what is measured."""

    source, uncertainty_ms, anchor = 0, 0xFFFFFFFF, bytes(32)
    now = 0

    def ms(self):
        return self.now

    def utc_ms(self):
        return 0


class _Random:
    """Never repeats within a run, and costs what one hash costs."""

    def __init__(self):
        self._calls = 0

    def generate(self, size):
        self._calls += 1
        pieces = [sha256(struct.pack(">II", self._calls, i)) for i in range((size + 31) // 32)]
        return b"".join(pieces)[:size]


class _Identity:
    def __init__(self, d, organisation):
        self.d, self.point = d, p256.public(d)
        self.device_id, self.organisation = sha256(self.point), organisation


class Feed:
    """Pictures and sound in turn, all of them due at once and none of them ever the last."""

    width, height, sound_rate = 640, 480, 16000

    def __init__(self, longest):
        self.longest = longest
        self.pictures = frame_buffers(4, PICTURE)
        self.sound = memoryview(bytes(SOUND))
        self.rewind()

    def rewind(self):
        self._turn = 0

    def next(self):
        """Have `track` and `view` of the next record, where it lies; no tuple, which would count as ours."""
        turn = self._turn
        self._turn = turn + 1
        self.track = _ROUND[turn % 7]
        self.view = self.pictures[turn & 3] if self.track == TRACK_PICTURE else self.sound

    def next_into(self, buffer):
        self.next()
        size = len(self.view)
        buffer[:size][:] = self.view
        return self.track, 0, size


class DeskCamera:
    """What `main.py` introduces, as far as one recording needs it."""

    facts, firmware, boot_count = {"board": "qemu_mps2"}, bytes(32), 1
    lists = issuing = None

    def __init__(self, image, read_back=None, part=PART, frame_buffer=PICTURE, echo=CHUNK):
        gc.collect()  # what compiling left lies in the way of the large buffers
        self.card = Card(_blocks(image, read_back, echo), "/card")
        self.readying = Readying(self.card, self, Pool(), KIND_RECORDING, CHUNK, part)
        self.carrier = Carrier(self, self.readying, 10000)  # the large buffers first, while the heap is whole
        self.card.mount()
        self.feed = Feed(frame_buffer)
        device = RamFlash()
        self.flash = Flash(device)
        region = Region(device, 21, 39)
        vfs.VfsLfs2.mkfs(region, readsize=256, progsize=256, lookahead=32)
        self.files = Files(vfs.VfsLfs2(region, readsize=256, progsize=256, lookahead=32))
        self.clock, self.drbg, self.identity = _Still(), _Random(), _Identity(4711, sha256(p256.public(ROOT)))
        self.journal = Journal(self.flash, 2, 16)
        self.journal.format()
        self.keylist = self.sealing = _key_list()
        self.policy = policy.Policy()
        self.policy.sound = True
        self.drilled = self.keylist.version
        self.logbook = Logbook(self, NotThere)
        self.logbook.load(True)
        self.source = Source(self.feed, False)
        self.slots = SlotMaker(self.keylist, self.identity.device_id, self.drbg.generate)
        self.recorder = Recorder(self, self.carrier)

    def say(self, line):
        print(line)

    def check_may_record(self):
        pass

    def job(self, kind, block):
        """A slot job for `readying`, which is made before there is a key list."""
        return self.slots.job(kind, block)

    def make_ready(self):
        while self.readying.step():
            pass

    def run_to(self, chunks):
        """Straight from the frame buffers, until so many chunks are on the card."""
        carrier, feed = self.carrier, self.feed
        while carrier.chunks < chunks:
            if not carrier.muxer.pending:
                feed.next()
                carrier.make_room(len(feed.view))
                carrier.muxer.offer(feed.track, 1, 0, feed.view)
            carrier.pump()


def _blocks(image, read_back, echo):
    """As `main.py` makes them, unless a bench asks for another way to read back."""
    if read_back is None:
        return ProvenBlocks(RamCard(image), echo)
    return ProvenBlocks(RamCard(image), echo, read_back)


def _key_list():
    roles = (1, 2, 3, 4, 5, 7, LINK)
    point = p256.public(ROOT)
    body = struct.pack(">32sIHH", sha256(point), 1, len(roles), 0)
    for role in roles:
        body += struct.pack(">B3x65s3x", role, p256.public(KEYS + role))
    file = statements.make(statements.KEY_LIST, ROOT, None, 1, sha256(body)) + body
    return policy.KeyList.parse(file, point, sha256(point))
