"""Stage, check, switch, go back: firmware by the wire (docs/format/statements.md, Firmware archive).

Two places hold an archive each; the one that runs and the one that is kept are never written. What runs next
is chosen by the boot stage, outside of this package, from the state that is written here.
"""

import struct
import sys

from sealcam import archive, usagelog
from sealcam.crypto import same, sha256
from sealcam.errors import (
    FirmwareRefused,
    FlashFault,
    FormatFault,
    NotEnrolled,
    OutOfOrder,
    SealcamError,
)

BOOTS = 3
STAGED, CONFIRMED = 0x100, 0x101  # details of log entry 32; a fallen candidate: 0x100 and why
_NOT_STARTED = 3
_PROOFS = {"known answers": 1, "chunk": 2, "dock": 4}
_ALL = 7
_FILE = "firmware.state"
_PLACES = (None, "firmware-a", "firmware-b")
_STATE = ">4sBBHI48s48s16sB3x"
_ENTRY = ">B3xIII32s"
_NONE = (0, 0, 0, 0, bytes(32))
_TOTAL = 4  # in front of the archive: how long it is to become
_RESERVE = 131072  # for logs and lists: an update may not take the last of flash


class _State:
    """`firmware.state`; without a file the one of a camera that never took an update."""

    def __init__(self, files):
        self.boots = self.proved = self.counter = self.why = 0
        self.kept = self.candidate = _NONE
        self.fell = bytes(16)
        if _FILE in files.names():
            self._read(files.read(_FILE))

    def _read(self, raw):
        if len(raw) != 160 or not same(sha256(raw[:128]), raw[128:]):
            raise FlashFault  # changed since it was written: a counter that is gone may not begin at zero
        magic, self.boots, self.proved, _, self.counter, kept, candidate, self.fell, self.why = struct.unpack(
            _STATE, raw[:128]
        )
        if magic != b"SKB1":
            raise FlashFault
        self.kept, self.candidate = struct.unpack(_ENTRY, kept), struct.unpack(_ENTRY, candidate)

    def save(self, files):
        """One replacement: a cut leaves the state before or this one."""
        kept, candidate = struct.pack(_ENTRY, *self.kept), struct.pack(_ENTRY, *self.candidate)
        raw = struct.pack(
            _STATE, b"SKB1", self.boots, self.proved, 0, self.counter, kept, candidate, self.fell, self.why
        )
        files.replace(_FILE, raw, sha256(raw))

    def try_next(self, entry):
        self.candidate, self.boots, self.proved = entry, BOOTS if entry[0] else 0, 0


class Update:
    """`camera` is the introduction of the parts; `board.chosen` is what the boot stage chose."""

    def __init__(self, camera):
        self._camera, self._files = camera, camera.files
        self._chosen = getattr(camera.board, "chosen", None)
        self._shown = 0

    @property
    def on_trial(self) -> bool:
        return self._chosen is not None and self._chosen.on_trial

    def facts(self) -> dict:
        """For *health*: version and rollback counter, and whether what runs is on trial."""
        version = self._chosen.version if self._chosen else 0
        return {"version": version, "counter": self._counter(_State(self._files)), "on_trial": self.on_trial}

    def _counter(self, state):
        return max(state.counter, self._chosen.factory[1] if self._chosen else 0)

    def put(self, total: int, offset: int, view) -> int:
        """Take a piece into the spare place; answers where to go on.

        A piece at another offset changes nothing. Offset 0 begins anew unless the spare holds the beginning
        of the same archive, and then the answer says how much of it. Cut anywhere, it goes on from there.
        """
        try:
            return self._put(total, offset, view)
        except SealcamError as fault:
            self._note(fault.status)
            raise

    def _put(self, total, offset, view):
        if not 0 < total <= archive.MOST or offset + len(view) > total:
            raise FormatFault
        state = _State(self._files)
        name = self._spare(state)
        held, there = self._held(name)
        if offset == 0 and len(view) and not (held == total and self._begins(name, view, there)):
            self._begin(state, name, total)
            held, there = total, 0
        go_on = there if held == total else 0
        if offset != go_on or not len(view):
            return go_on
        self._files.append(name, view)
        return go_on + len(view)

    def _spare(self, state):
        """The name of the place that neither runs nor is kept."""
        recorder = self._camera.recorder
        if recorder is not None and recorder.recording:
            raise OutOfOrder  # flash would hold up the film
        running = self._chosen.place if self._chosen else 0
        for place in (1, 2):
            if place not in (running, state.kept[0]):
                return _PLACES[place]
        raise OutOfOrder  # one on trial, one kept: first it has to prove itself

    def _held(self, name):
        """(total, bytes there) of what lies in a place; (0, 0) for nothing."""
        if name not in self._files.names():
            return 0, 0
        size = self._files.size_of(name)
        if size < _TOTAL:
            return 0, 0  # cut while it was begun
        total = bytearray(_TOTAL)
        self._read(name, 0, total)
        return struct.unpack(">I", total)[0], size - _TOTAL

    def _begins(self, name, view, there):
        size = min(len(view), there)
        held = bytearray(size)
        self._read(name, _TOTAL, held)
        return held == view[:size]

    def _read(self, name, offset, view):
        if self._files.read_at(name, offset, view) != len(view):
            raise FlashFault

    def _begin(self, state, name, total):
        """First the candidate that lies there stops being one; then its file goes; then this one begins."""
        if _PLACES[state.candidate[0]] == name:
            state.try_next(_NONE)
            state.save(self._files)
        self._files.remove(name)
        if self._files.room() < total + _RESERVE:
            raise FirmwareRefused  # no room
        self._files.append(name, struct.pack(">I", total))

    def stage(self) -> "tuple[int, bytes]":
        """(version, digest) of what was put, checked whole; it is tried at the next boot.

        Cut before its one write, nothing is staged; after it, it is.
        """
        try:
            found = self._stage()
        except SealcamError as fault:
            self._note(fault.status)
            raise
        self._note(STAGED, found.digest)
        return found.version, found.digest

    def _stage(self):
        own = self._camera.identity
        if own is None:
            raise NotEnrolled  # no root to ask
        state = _State(self._files)
        name = self._spare(state)
        total, there = self._held(name)
        if not total or there != total:
            raise OutOfOrder  # not all of it is here
        found = archive.check(
            lambda offset, view: self._read(name, _TOTAL + offset, view), total, own.root_point
        )
        self._check_fits(found, state)
        if found.digest != state.kept[4]:  # what is kept already needs no trial
            entry = (_PLACES.index(name), total, found.version, found.counter, found.digest)
            state.try_next(entry)
            state.save(self._files)
        return found

    def _check_fits(self, found, state):
        if found.board != self._camera.facts["board"] or found.mpy != _mpy(self._camera.board):
            raise FirmwareRefused  # for another board, or another interpreter
        if found.counter < self._counter(state):
            raise FirmwareRefused  # rolled back
        factory = self._chosen.factory[0] if self._chosen else 0
        kept = state.kept[2] if state.kept[0] else factory
        if found.version < kept or (found.version == kept and found.digest != state.kept[4]):
            raise FirmwareRefused  # older than what is kept, or another build under its number

    def prove(self, what: str) -> None:
        """What runs has done this: *known answers*, *chunk* or *dock*. The last of the three makes it the
        kept one, in one write with the counter; cut before it, the trial goes on at the next boot.
        """
        if not self.on_trial or self._shown & _PROOFS[what]:
            return
        self._shown |= _PROOFS[what]
        state = _State(self._files)
        if state.candidate[0] != self._chosen.place or state.proved & _PROOFS[what]:
            return
        proved = state.proved | _PROOFS[what]
        if proved == _ALL:
            self._confirm(state)
            return
        state.proved, state.boots = proved, BOOTS
        state.save(self._files)

    def _confirm(self, state):
        state.kept, state.counter = state.candidate, max(state.counter, state.candidate[3])
        state.try_next(_NONE)
        state.save(self._files)  # from here on the old one is the spare
        self._chosen.on_trial = False
        self._note(CONFIRMED, self._chosen.digest)

    def tell(self) -> None:
        """At boot, once there is a log: what runs, and what fell back. Cut in it, it is told again."""
        state = _State(self._files)
        if state.why:
            self._note(0x100 + state.why, state.fell)
            state.why, state.fell = 0, bytes(16)
            state.save(self._files)
        if self._chosen is not None and self._chosen.place:
            self._note(0, self._chosen.digest)

    def failed(self) -> None:
        """At boot, when the camera refuses: what is on trial goes, and the kept one starts."""
        if not self.on_trial:
            return
        state = _State(self._files)
        if state.candidate[0] == self._chosen.place:
            state.fell, state.why = self._chosen.digest[:16], _NOT_STARTED
            state.try_next(_NONE)
            state.save(self._files)
        self._camera.board.restart()

    def _note(self, detail, digest=b""):
        camera = self._camera
        if camera.logbook is not None and camera.fault is None:
            camera.logbook.note(usagelog.FIRMWARE, detail, 0, digest[:16])


def _mpy(board):
    """Bytes 1 and 2 of the board's native .mpy files: as it says itself, else as its interpreter does."""
    known = getattr(board, "mpy", None)
    value = getattr(sys.implementation, "_mpy", 0)
    return known or bytes((value & 0xFF, value >> 8 & 0xFF))
