"""The desk camera's console: buttons and power, as lines. Decides nothing that the camera does not decide.

Answers are `ok ...` or `refused STATUS reason`; what happens by itself is a line `- ...`.
"""

import struct

from sealcam import lamps
from sealcam.enrolment import inventory
from sealcam.errors import FormatFault, OutOfOrder, SealcamError

_PIECE = 16384


class Usage(Exception):
    """Something on the command line or the console cannot be meant."""


class Console:
    """Buttons and power, as lines."""

    def __init__(self, camera, options):
        self._camera, self._folder = camera, options.get("exchange")
        self.on = True
        self._told = 0

    def do(self, line: str) -> None:
        words = line.split()
        if not words:
            return
        try:
            answer = self._act(words, line)
        except SealcamError as fault:
            answer = "refused 0x%02x %s" % (fault.status, describe(type(fault)))
        except (Usage, ValueError) as fault:
            answer = "refused 0x00 %s" % fault
        except OSError as fault:  # of the machine it runs on: no folder, no room
            answer = "refused 0x00 the machine says error %s" % fault.args[0]
        print(answer)

    def _act(self, words, line):
        name, rest = words[0], line.strip()[len(words[0]) :].strip()
        if name == "power":
            self._camera.power_off()
            self.on = False
            return "ok off"
        action = getattr(self, "_do_" + name, None)
        if action is None:
            raise Usage("unknown command: %s" % name)
        return "ok " + (action(rest) or name)

    def _recorder(self):
        camera = self._camera
        camera.check_may_record()
        if camera.recorder is None:
            raise OutOfOrder
        return camera.recorder

    def _do_record(self, rest):
        self._camera.record()
        recorder = self._camera.recorder
        print("- recording %d started" % recorder.seq)
        print("- lamp recording")
        return "recording %d" % recorder.seq

    def _do_stop(self, rest):
        recorder = self._recorder()
        recorder.stop()
        print("- lamp ready")
        return "stopped %d" % recorder.seq

    def _do_press(self, rest):
        wearer = self._camera.wearer
        if wearer is None:
            raise OutOfOrder
        for button in rest.split():
            if button not in lamps.BUTTONS:
                raise Usage("press up, down, left, right, ok or record")
            wearer.press(button)
            self.turn()

    def _do_lamp(self, rest):
        camera = self._camera
        state = lamps.FAULT if camera.fault is not None else lamps.state_of(camera)
        return "lamp %s %s, %s: %s" % lamps.look(state, getattr(camera, "dock_lamp", 0))

    def _do_screen(self, rest):
        """The frame as the device holds it, into a file: width, height, then RGB565."""
        panel = self._camera.panel
        if panel is None or not rest:
            raise Usage("screen PATH, of a camera that has one: --screen DIR")
        with open(rest, "wb") as file:
            file.write(struct.pack(">HH", panel.width, panel.height))
            file.write(panel.frame)
        return "screen %s" % rest

    def _do_bookmark(self, rest):
        self._recorder().bookmark(int(rest or 0))

    def _do_mute(self, rest):
        self._recorder().mute()

    def _do_unmute(self, rest):
        self._recorder().unmute()

    def _do_category(self, rest):
        number, _, text = rest.partition(" ")
        self._recorder().category(int(number), text)

    def _do_place(self, rest):
        self._recorder().say_place(rest)

    def _do_enrol(self, rest):
        if not self._folder:
            raise Usage("enrol needs --exchange DIR")
        return self._camera.enrolment(self._folder).step()

    def _do_inventory(self, rest):
        nonce, _, path = rest.partition(" ")
        nonce = bytes([int(nonce[at : at + 2], 16) for at in range(0, len(nonce), 2)])
        if len(nonce) != 16 or not path:
            raise FormatFault
        self._camera.check_sound()
        with open(path, "wb") as file:
            for piece in inventory(self._camera, nonce):
                file.write(piece)
        return "inventory %s" % path

    def _do_firmware(self, rest):
        """Put and stage an archive from a file, as the dock does."""
        at, update = 0, self._camera.update
        with open(rest, "rb") as file:
            total = file.seek(0, 2)
            while at < total:
                file.seek(at)
                at = update.put(total, at, memoryview(file.read(min(_PIECE, total - at))))
        version, _ = update.stage()
        return "firmware %d staged: it is tried at the next start" % version

    def _do_restart(self, rest):
        self._camera.restart()

    def _do_card(self, rest):
        """`card out`, `card in`, `card in PATH`: the slot, as a hand would use it."""
        where, _, path = rest.partition(" ")
        camera = self._camera
        if where == "out":
            camera.remove_card()
            camera.board.eject()
            return "card out"
        if where != "in":
            raise Usage("card out, or card in [PATH]")
        camera.board.insert(path)
        camera.check_sound()
        camera.insert_card()
        return "card in"

    def _do_status(self, rest):
        camera = self._camera
        fault = camera.fault or camera.card_fault
        recorder = camera.recorder
        state = (
            "recording %d chunks %d" % (recorder.seq, recorder.chunks)
            if recorder and recorder.recording
            else "idle"
        )
        why = "refuses 0x%02x %s" % (fault.status, describe(fault)) if fault else "sound"
        return "%s, %s, drilled %d" % (state, why, camera.drilled)

    def _do_wait(self, rest):
        words = rest.split()
        camera = self._camera
        goal = words[0] if words else ""
        number = int(words[1]) if len(words) > 1 else 0
        began = camera.clock.ms()
        while not self._reached(goal, number, began):
            self.turn()
        return "waited %s" % rest

    def _reached(self, goal, number, began):
        recorder = self._camera.recorder
        recording = recorder is not None and recorder.recording
        if goal == "idle":
            return not recording and not self._camera.step()
        if goal == "recording":
            return True
        if goal == "end":
            return not recording or self._camera.source.ended
        if goal == "chunks":
            return not recording or recorder.chunks >= number or self._camera.source.ended
        if goal == "ms":
            return self._camera.clock.ms() - began >= number
        if goal == "replayed":
            return self._camera.replay is None or not self._camera.replay.playing
        raise Usage("wait idle, recording, end, replayed, chunks N or ms N")

    def turn(self) -> bool:
        """One slice of work, or let time pass; False if there was nothing to do."""
        worked = self._camera.step()
        if not worked:
            self._camera.board.idle(self._camera)
        recorder = self._camera.recorder
        if recorder is not None and recorder.recording and recorder.chunks != self._told:
            self._told = recorder.chunks
            print("- chunk %d" % self._told)
        return worked


def describe(fault: type) -> str:
    return _WORDS.get(fault.__name__, fault.__name__)


_WORDS = {
    "SelfTestFailed": "self-test failed: a known answer did not come out",
    "EntropyFault": "no healthy noise, or the generator's state could not be kept",
    "KeyListFault": "the key list is missing or damaged",
    "PolicyFault": "the policy is missing or damaged",
    "NotEnrolled": "not enrolled: there is no device key",
    "NotDrilled": "not drilled: nobody has shown that they can open what would be sealed",
    "JournalFault": "the journal cannot be read",
    "JournalFull": "the journal is full",
    "FlashFault": "flash did not keep what was written",
    "NoCard": "there is no card",
    "CardFault": "the card failed or lost a write; take it out",
    "CardFull": "the card is full",
    "SourceFault": "the camera or the microphone stopped",
    "OutOfOrder": "not now",
    "FormatFault": "too long, or not what it should be",
    "UnknownCommand": "this camera has no part for that command",
    "UnknownFile": "no such file",
    "TailDiffers": "the last chunk named is not the last one that was written",
    "LaterKnown": "a later chunk is known",
    "TooFewCopies": "fewer copies than the policy asks for",
    "NeedsRelease": "only a release lets this verdict go",
    "ReceiptOld": "the receipt is not newer than the last one acted on",
    "SettledBefore": "settled by an earlier receipt",
    "FirmwareRefused": "firmware for another board, damaged, or older than the counter",
    "Locked": "the PIN gate is shut",
    "BadSignature": "not signed by the key that should have signed",
    "NotProved": "a tag does not fit",
    "BadPoint": "not a point of the curve",
    "ClockFault": "the time statement does not fit",
    "LogFault": "the usage log does not hold",
}
