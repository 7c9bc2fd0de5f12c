"""An SD card in memory that speaks the SPI protocol a byte at a time, with faults; for CPython.

Written from the SD Physical Layer Simplified Specification 6.00, chapter 7, and not from the driver. Time is
the bytes that were clocked: one is a microsecond and a half at most, so no test waits for anything.
"""

import struct
from binascii import crc_hqx
from collections import deque


def crc7(frame):
    """Section 4.5, by long division, with the end bit."""
    remainder = int.from_bytes(frame, "big") << 7
    for bit in range(len(frame) * 8 + 6, 6, -1):
        if remainder >> bit & 1:
            remainder ^= 0b10001001 << bit - 7
    return remainder << 1 | 1


class ModelCard:
    """Bus, chip select and clock of one card slot; `blocks` is what the card holds.

    Faults: `gone` (nobody in the slot), `gone_after` (bytes until the card is pulled), `reject` {block: data
    response}, `busy_for_ever`, `read_token` (an error token in a data token's place), `mute_reads` (no token
    at all), `bad_crcs` (so many reads whose CRC is wrong), `status` (second byte of the next R2), `unwell`
    (never leaves the idle state).
    """

    def __init__(self, blocks=1024, high_capacity=True, old=False, cid=b"model card 00001"):
        self.size, self.high_capacity, self.old, self.cid = blocks, high_capacity, old, cid
        self.blocks = {}
        self.gone = self.mute_reads = self.unwell = self.busy_for_ever = False
        self.reject, self.read_token, self.bad_crcs, self.status = {}, None, 0, 0
        self.gone_after = None
        self.clocked = 0
        self.speeds, self.commands = [], []
        self.can_erase = True
        self.wrong_crcs_seen = 0
        self.plug()

    # --- what a driver holds: a bus, a select line, a clock

    def init(self, baudrate, polarity, phase):
        assert (polarity, phase) == (0, 0)
        self.speeds.append(baudrate)

    def write(self, buffer):
        for byte in bytes(buffer):
            self._clock(byte)

    def readinto(self, buffer, write):
        for at in range(len(buffer)):
            buffer[at] = self._clock(write)

    def cs(self, level):
        self.selected = not level
        if level:  # a block that was broken off is not stored
            self._incoming = self._writing = self._reading = None

    def ticks_ms(self):
        return self.clocked // 4 & 0x3FFFFFFF

    # --- the card

    def plug(self):
        """Power on: not in SPI mode, nothing in the air."""
        self.selected = self.is_spi = self.crc_on = False
        self.idle = True
        self._frame, self._answers = bytearray(), deque()
        self._app = False
        self._polls = 0
        self._reading = self._writing = None
        self._incoming = None
        self._from = self._to = 0

    def _clock(self, byte):
        self.clocked += 1
        if self.gone_after is not None:
            self.gone_after -= 1
            if self.gone_after < 0:
                self.gone, self.gone_after = True, None
        if self.gone or not self.selected:
            return 0xFF
        if self._incoming is not None or self._writing is not None:
            return self._take(byte)
        if self._frame or byte & 0xC0 == 0x40:
            self._frame.append(byte)
            if len(self._frame) == 6:
                frame, self._frame = bytes(self._frame), bytearray()
                self._obey(frame)
                return 0xFF
        if not self._answers and self._reading is not None:
            self._send_block(self._reading)
            self._reading += 1
        if self.busy_for_ever and not self._answers:
            return 0x00
        return self._answers.popleft() if self._answers else 0xFF

    def _obey(self, frame):
        command, argument = frame[0] & 0x3F, struct.unpack(">I", frame[1:5])[0]
        if frame[5] != crc7(frame[:5]) and (self.crc_on or command in (0, 8)):
            self.wrong_crcs_seen += 1
            self._answers.extend([0xFF, 0x08])
            return
        app, self._app = self._app, command == 55
        self.commands.append((command, argument))
        if command == 0:
            self.plug_to_spi()
            return
        if self.is_spi:
            getattr(self, "_do_%s%d" % ("app_" if app else "", command), self._illegal)(argument)

    def plug_to_spi(self):
        self.plug()
        self.is_spi = self.selected = True
        self._answers.extend([0xFF, 0x01])

    def _say(self, *rest, flags=0):
        self._answers.extend([0xFF, flags | self.idle, *rest])

    def _illegal(self, _argument):
        self._say(flags=0x04)

    def _do_8(self, argument):
        if self.old:
            self._illegal(argument)
        else:
            self._say(0, 0, argument >> 8 & 0x0F, argument & 0xFF)

    def _do_55(self, _argument):
        self._say()

    def _do_59(self, argument):
        self.crc_on = bool(argument & 1)
        self._say()

    def _do_app_41(self, argument):
        self._polls += 1
        wants = bool(argument & 0x40000000)
        if self._polls > 2 and not self.unwell and (wants or not self.high_capacity):
            self.idle = False
        self._say()

    def _do_58(self, _argument):
        self._say(0xC0 if self.high_capacity and not self.idle else 0x80, 0xFF, 0x80, 0)

    def _do_9(self, _argument):
        self._say()
        csd = bytearray(16)
        classes = 0x5F5 if self.can_erase else 0x5D5
        csd[4], csd[5] = classes >> 4, (classes & 0xF) << 4 | 9
        if self.high_capacity:
            csd[0] = 0x40
            csd[7:10] = (self.size // 1024 - 1).to_bytes(3, "big")
        else:  # C_SIZE_MULT 0: units of four blocks
            units = self.size // 4 - 1
            csd[6], csd[7], csd[8] = units >> 10, units >> 2 & 0xFF, (units & 3) << 6
        self._data(bytes(csd))

    def _do_10(self, _argument):
        self._say()
        self._data(self.cid)

    def _do_16(self, argument):
        self._say(flags=0 if argument == 512 else 0x40)

    def _do_12(self, _argument):
        self._reading = None
        self._answers.clear()
        self._answers.append(0x55)  # a byte of the block that is broken off
        self._say(0, 0)  # and a little busy

    def _do_13(self, _argument):
        self._say(self.status)
        self.status = 0

    def _do_17(self, argument):
        self._begin_read(argument, False)

    def _do_18(self, argument):
        self._begin_read(argument, True)

    def _begin_read(self, argument, many):
        self._say()
        if many:
            self._reading = self._place(argument)
        else:
            self._send_block(self._place(argument))

    def _place(self, argument):
        return argument if self.high_capacity else argument // 512

    def _send_block(self, block):
        if self.mute_reads:
            return
        if self.read_token is not None:
            self._answers.extend([0xFF, self.read_token])
            return
        self._data(self.blocks.get(block, bytes(512)))

    def _data(self, content):
        crc = crc_hqx(content, 0)
        if len(content) == 512 and self.bad_crcs:
            self.bad_crcs -= 1
            crc ^= 0xFF
        self._answers.extend([0xFF, 0xFF, 0xFE, *content, crc >> 8, crc & 0xFF])

    def _do_24(self, argument):
        self._say()
        self._writing, self._many = self._place(argument), False

    def _do_25(self, argument):
        self._say()
        self._writing, self._many = self._place(argument), True

    def _take(self, byte):
        """Data tokens, blocks and the stop token, while a write is open (section 7.2.4)."""
        if self._answers:
            return self._answers.popleft()
        if self._incoming is None:
            if byte == (0xFC if self._many else 0xFE):
                self._incoming = bytearray()
            elif byte == 0xFD and self._many:
                self._writing = None
                self._answers.extend([0xFF, 0, 0, 0])
            return 0x00 if self.busy_for_ever else 0xFF
        self._incoming.append(byte)
        if len(self._incoming) == 514:
            self._store()
        return 0xFF

    def _store(self):
        content, crc = bytes(self._incoming[:512]), int.from_bytes(self._incoming[512:], "big")
        block, self._incoming = self._writing, None
        response = self.reject.pop(block, 0x05)
        if self.crc_on and crc != crc_hqx(content, 0):
            self.wrong_crcs_seen += 1
            response = 0x0B
        if response == 0x05:
            self.blocks[block] = content
        self._writing = block + 1 if self._many else None
        self._answers.extend([0xE0 | response, *([0] * 20)])

    def _do_32(self, argument):
        self._from = self._place(argument)
        self._say()

    def _do_33(self, argument):
        self._to = self._place(argument)
        self._say()

    def _do_38(self, _argument):
        for block in range(self._from, self._to + 1):
            self.blocks.pop(block, None)
        self._say(*([0] * 50))
