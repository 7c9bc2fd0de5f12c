"""Build the parts of one camera, introduce them to one another, run them. Decides nothing.

A board gives the devices: `card_device`, `flash_device`, `rtc`, `feed`, `noise()`, `noise_sources`, `facts`,
`firmware`, `paced`, `log_part_bytes`, `idle(camera)`; and where it has them `port`, `debug`, `restart()`.
"""

import vfs
from sealcam import docking, selftest, usagelog
from sealcam.card import Card
from sealcam.carrier import Carrier
from sealcam.clock import Clock
from sealcam.dock import Dock
from sealcam.drbg import StoredDrbg
from sealcam.enrolment import Enrolment
from sealcam.errors import CardFault, CardFull, FlashFault, JournalFull, NoCard, OutOfOrder, SealcamError
from sealcam.exchange import Exchange
from sealcam.flash import Files, Flash, NotThere, Region
from sealcam.gateflash import Tries, Word
from sealcam.issuing import Issuing
from sealcam.journal import Journal
from sealcam.keystore import KeyStore
from sealcam.layout import KIND_RECORDING, block_size, part_name
from sealcam.lists import Lists
from sealcam.logbook import Logbook
from sealcam.panel import Panel
from sealcam.pingate import PinGate
from sealcam.port import Port
from sealcam.proven import ProvenBlocks
from sealcam.readying import Readying, for_log
from sealcam.recorder import Recorder
from sealcam.recovery import recover
from sealcam.replay import Replay
from sealcam.slots import Pool, SlotMaker
from sealcam.source import Source
from sealcam.update import Update
from sealcam.wearer import Wearer
from sealcam.wiper import Wiper

DRBG_SECTORS = (0, 1)
JOURNAL_FIRST, JOURNAL_COUNT = 2, 16
WORD_SECTOR, TRIES_FIRST = 18, 19  # and 20: docs/format/replay.md
FILES_FIRST = 21
LOG_INTERVAL_MS = 10000


class Camera:
    """The introduction: every part of one camera by name. `say` takes a line for whoever watches."""

    def __init__(self, board, say=print):
        self.board, self.say = board, say
        self.facts, self.firmware = board.facts, board.firmware
        self.noise, self.noise_sources = board.noise, board.noise_sources
        self.flash = Flash(board.flash_device)
        self.files = Files(_mount_files(board))
        self.keystore = KeyStore(self.files)
        self.drbg = StoredDrbg(self.flash, *DRBG_SECTORS)
        self.journal = Journal(self.flash, JOURNAL_FIRST, JOURNAL_COUNT)
        self.clock = Clock(board.rtc, self.files)
        self.source = Source(board.feed, board.paced)
        self.card = None
        self.pool = Pool()
        self.update = None
        self.boot_count = self.drilled = self.alarms = 0
        self.is_debug = getattr(board, "debug", False)
        self.port = Port(board.port) if getattr(board, "port", None) else None
        self._forget()
        self.dock = Dock(self, self.port) if self.port else None

    def _forget(self):
        self.pool.drop()
        self.identity = self.keylist = self.policy = self.logbook = self.recorder = None
        self.lists = self.sealing = self.built_for = self.wiper = None
        self.issuing = self.gate = self.panel = self.replay = self.wearer = None
        self._readying = self._log_ready = None
        self.fault = self.card_fault = None
        self.docked, self.dock_lamp = False, 0

    def boot(self) -> None:
        """Take up what flash and card hold. A failure leaves a camera that says which and records nothing."""
        self._forget()
        self.update = Update(self)
        try:
            self._boot()
        except SealcamError as fault:
            self.fault = type(fault)
            self.say("- refuses to record: %s" % self.fault.__name__)
            if self.logbook is not None:
                self._note_failure()
            self._fall_back()

    def _fall_back(self):
        try:
            self.update.failed()
        except SealcamError:
            self.say("- and cannot fall back")  # before its boots are spent

    def _note_failure(self):
        try:
            self.logbook.note(usagelog.SELF_TEST_FAILED, self.fault.status)
        except SealcamError:
            self.say("- and cannot log it")

    def _boot(self):
        self.identity = self.keystore.identity()
        self.drbg.boot(self.noise())
        self.boot_count = self.keystore.boots()
        self.clock.load()
        in_enrolment = self.keystore.trial() is None
        self.logbook = Logbook(self, NotThere)
        self.logbook.load(in_enrolment)
        self.logbook.note(usagelog.POWER_ON, getattr(self.board, "cause", 0))
        self.update.tell()
        self.lists = Lists(self)
        self.lists.load()
        selftest.run(self.identity.d, self.identity.point)
        self.update.prove("known answers")
        self.journal.load(in_enrolment)
        self.own_prefix = part_name(self.identity.device_id, 0, 0, KIND_RECORDING)[:17]
        self._take_up_issue()
        self.wiper = Wiper(self)
        self.wiper.say_alarm()
        self.insert_card()

    def _take_up_issue(self):
        word, tries = Word(self.flash, WORD_SECTOR), Tries(self.flash, TRIES_FIRST)
        self.issuing, self.gate = Issuing(self), PinGate(self, word, tries)
        screen = getattr(self.board, "screen", None)
        self.panel = Panel(screen) if screen is not None else None
        self.replay, self.wearer = Replay(self), Wearer(self)
        self.issuing.load()
        self.gate.load()

    def insert_card(self) -> None:
        """A card was put in, or stood in at boot: clear up on it, then begin the log segment."""
        self.pool.drop()
        blocks = ProvenBlocks(self.board.card_device, self.policy.chunk_size)
        self.card = Card(blocks, self.board.mount_point, self.board.most_names)
        self.card_fault = self.recorder = None
        self.lists.card_came()
        try:
            self.card.mount()
            self.wiper.resume()
            recover(self)
            self._build_recorder()
            self.wiper.look()
            self.logbook.note(usagelog.CARD, 1, 0, self.card.serial)
            self.open_log()
        except (NoCard, CardFault, CardFull, JournalFull) as fault:
            self.card_fault = type(fault)
            self.say("- refuses to record: %s" % self.card_fault.__name__)

    def open_log(self) -> None:
        """Begin a log segment; in its dock a camera writes none."""
        if not self.docked and self.recorder is not None:
            self.logbook.open(self._log_carrier)

    def _build_recorder(self):
        slots, rules = self._slots_for(self.sealing), self.policy
        self.built_for = rules
        self._readying = Readying(
            self.card, slots, self.pool, KIND_RECORDING, rules.chunk_size, rules.part_bytes
        )
        self.recorder = Recorder(self, Carrier(self, self._readying, rules.signature_interval_ms))
        self._log_ready = for_log(self.card, slots, self.pool, self.board.log_part_bytes)
        self._log_carrier = Carrier(self, self._log_ready, LOG_INTERVAL_MS)

    def _slots_for(self, keylist):
        return SlotMaker(keylist, self.identity.device_id, self.drbg.generate, self.gate.recipients)

    def seal_for(self, keylist) -> None:
        """Recordings from here on go to the readers of this list, logs to those of the list in force."""
        self._readying.use(self._slots_for(keylist))
        self._log_ready.use(self._slots_for(self.sealing))

    def forget_ready(self) -> None:
        """No secret that waits, and none that is half made: whom a recording is sealed for has changed."""
        self.pool.drop()
        for ready in (self._readying, self._log_ready):
            if ready is not None:
                ready.drop()

    def block_of(self, name: str) -> int:
        """Bytes of a head block of a file that does not say so itself."""
        return 2048 if name.endswith(".skl") else block_size(self.policy.chunk_size)

    def check_sound(self) -> None:
        """Raise what keeps this camera from sealing at all."""
        if self.fault is not None:
            raise self.fault

    def check_may_record(self) -> None:
        self.check_sound()
        if self.card_fault is not None:
            raise self.card_fault
        if self.card.dead:
            raise CardFault  # until it is taken out and put in again
        if self.docked:
            raise OutOfOrder  # `undock` comes first

    def step(self) -> bool:
        """One slice of whatever there is to do; False if there is nothing. A fault of flash ends it all, and
        is said; the dock is answered all the same.
        """
        try:
            worked = self.dock is not None and self.dock.step()
            if self.fault is not None or self.wearer is None:
                return worked
            step = self.wearer.step if self.recorder is None else self._step  # answered without a card too
            return step() or worked
        except SealcamError as fault:
            self.fail(fault)
            return True

    def fail(self, fault: SealcamError) -> None:
        """It seals nothing any more, until it is switched on again."""
        self.fault = type(fault)
        self.say("- refuses to record: %s" % self.fault.__name__)
        if self.wearer is not None:
            self.wearer.leave()
        if self.recorder is not None and self.recorder.recording:
            self.recorder.give_up(fault)

    def _step(self):
        worked = self.recorder.step()
        if self.update.on_trial and self.recorder.recording and self.recorder.chunks:
            self.update.prove("chunk")
        worked = self.logbook.step() or worked
        worked = self.lists.step() or worked
        worked = self.wearer.step() or worked
        is_idle = not worked and not self.recorder.recording and not self.docked
        if is_idle and self.card_fault is None and not self.card.dead:
            worked = self._spend_time(self._readying.step)
        if not worked and not self.recorder.recording and self.card_fault is None and not self.card.dead:
            worked = self._spend_time(self.wiper.overwrite_step)
        return worked

    def _spend_time(self, step):
        try:
            return step()
        except (CardFull, CardFault) as fault:
            self.card_fault = type(fault)
            self.say("- refuses to record: %s" % self.card_fault.__name__)
            return False

    def film(self, milliseconds: int) -> None:
        """A trial: film so long, or to the end of the source."""
        self.check_may_record()
        self.recorder.start(trial=True)
        began = self.clock.ms()
        while self.recorder.recording and not self.source.ended and self.clock.ms() - began < milliseconds:
            if not self.step():
                self.board.idle(self)
        if not self.recorder.recording:
            raise self.recorder.fault
        self.recorder.stop()

    def enrolment(self, folder: str) -> Enrolment:
        return Enrolment(self, Exchange(folder))

    def record(self) -> None:
        """The record button: whoever presses it takes the camera out of its dock."""
        docking.film(self)

    def dock_down(self) -> bytes:
        return docking.dock_down(self)

    def undock(self) -> None:
        docking.undock(self)

    def remove_card(self) -> None:
        docking.take_out(self)

    def restart(self) -> None:
        docking.restart(self)

    def power_off(self) -> None:
        docking.power_off(self)


def _mount_files(board):
    """The littlefs behind the raw sectors; formatted where flash is made, never here: a failed read is no
    empty start.
    """
    device = board.flash_device
    region = Region(device, FILES_FIRST, device.ioctl(4, 0) - FILES_FIRST)
    try:
        return vfs.VfsLfs2(region, readsize=256, progsize=256, lookahead=32)
    except OSError:
        raise FlashFault from None


def format_files(device) -> None:
    """For a flash that is made, not for one that is found."""
    vfs.VfsLfs2.mkfs(
        Region(device, FILES_FIRST, device.ioctl(4, 0) - FILES_FIRST),
        readsize=256,
        progsize=256,
        lookahead=32,
    )
