"""An SD card over SPI as a block device: every rejected block is reported, every wait has an end.

Knows the card's protocol and a bus like `machine.SPI`; no file, no chunk, nothing of the firmware. Allocates
nothing for a block. Sections are those of the SD Physical Layer Simplified Specification 6.00.
"""

import sys
from array import array

from micropython import const

if sys.implementation.name == "micropython":
    from drivers.block_kernels import put, take
else:
    from binascii import crc_hqx

    def put(source, at, block, size):
        piece = bytes(memoryview(source)[at : at + size])
        block[: size + 2] = piece + crc_hqx(piece, 0).to_bytes(2, "big")

    def take(target, at, block, size):
        piece = bytes(block[:size])
        memoryview(target)[at : at + size] = piece
        return crc_hqx(piece, 0).to_bytes(2, "big") == block[size : size + 2]


_EIO, _ENODEV, _EINVAL, _ETIMEDOUT = const(5), const(19), const(22), const(110)
BLOCK = const(512)
_TABLE_AT = const(520)
_IOCTL_INIT, _IOCTL_SYNC, _IOCTL_COUNT, _IOCTL_SIZE = const(1), const(3), const(4), const(5)

# section 7.3.1.3, commands
_GO_IDLE, _SEND_IF_COND, _SEND_CSD, _SEND_CID, _STOP = const(0), const(8), const(9), const(10), const(12)
_STATUS, _BLOCK_LENGTH, _READ, _READ_MANY = const(13), const(16), const(17), const(18)
_WRITE, _WRITE_MANY, _ERASE_FROM, _ERASE_TO, _ERASE = const(24), const(25), const(32), const(33), const(38)
_OP_COND, _APP, _READ_OCR, _CRC_ON = const(41), const(55), const(58), const(59)

_IDLE, _ILLEGAL = const(0x01), const(0x04)  # section 7.3.2.1, R1
_TOKEN, _TOKEN_MANY, _TOKEN_STOP = const(0xFE), const(0xFC), const(0xFD)  # section 7.3.3.2
_ACCEPTED = const(0x05)  # section 7.3.3.1, data response
_CLASS_ERASE = const(0x20)  # section 5.3.2, CCC

# section 4.6.2: a read answers within 100 ms and a write within 500; erasing 250 ms a piece, by some cards
_INIT_MS, _READ_MS, _WRITE_MS, _ERASE_MS = const(2000), const(250), const(1000), const(60000)
_ANSWER_TRIES = const(10)  # N_CR is 8 bytes at most
_READ_TRIES = const(3)
_PERIOD = const(0x3FFFFFFF)  # of time.ticks_ms()


class SdCard:
    """The card behind `spi` (init, write, readinto) and `cs` (called with 0 or 1); `ticks_ms` as in `time`.

    Errors are OSError: EIO a block that was rejected or damaged, ETIMEDOUT a wait that ended, ENODEV no card,
    or another one than before. A card that was lost is met again at a read, if it is the same; for another
    card make another SdCard. A write is never the first to meet a card.
    """

    def __init__(self, spi, cs, ticks_ms, baudrate: int = 20000000):
        self._spi, self._cs, self._ticks, self._baudrate = spi, cs, ticks_ms, baudrate
        self._frame = bytearray(6)
        self._one = bytearray(1)
        self._ones = b"\xff" * 16
        self._block = bytearray(_TABLE_AT + 512)
        self._block[_TABLE_AT:] = bytes(_crc_table())
        view = memoryview(self._block)
        self._whole, self._short = view[: BLOCK + 2], view[:18]
        self._four = view[:4]
        self.cid = bytes(16)
        self.count = 0
        self._by_bytes = self._can_erase = self._is_ready = False

    # --- the block device

    def readblocks(self, block: int, buffer, offset: int = 0) -> int:
        count = self._counted(block, buffer)
        if not self._is_ready:
            self.init()
        for _ in range(_READ_TRIES):
            if self._read(block, count, buffer):
                return 0
        raise OSError(_EIO)  # its CRC is wrong, again and again

    def writeblocks(self, block: int, buffer, offset: int = 0) -> int:
        count = self._counted(block, buffer)
        if not self._is_ready:
            raise OSError(_ENODEV)
        try:
            self._write(block, count, buffer)
            self._check_status()
        except OSError:
            if self._is_ready:
                self._clear_status()
            raise
        finally:
            self._release()
        return 0

    def ioctl(self, operation: int, argument: int) -> int:
        if operation == _IOCTL_INIT:
            self.init()
        if operation == _IOCTL_COUNT:
            return self._count_now()
        return BLOCK if operation == _IOCTL_SIZE else 0

    def _count_now(self):
        """Blocks of the card, 0 for none."""
        if not self._is_ready:
            try:
                self.init()
            except OSError:
                return 0
        return self.count

    def erase_blocks(self, first: int, count: int) -> None:
        """Let go of these blocks (section 4.3.5); they read as all zeros or all ones afterwards. EINVAL where
        the card cannot.
        """
        if not self._is_ready:
            raise OSError(_ENODEV)
        if not self._can_erase or count < 1 or first < 0 or first + count > self.count:
            raise OSError(_EINVAL)
        try:
            self._expect(_ERASE_FROM, self._address(first))
            self._expect(_ERASE_TO, self._address(first + count - 1))
            self._expect(_ERASE, 0)
            self._await_ready(_ERASE_MS)
            self._check_status()
        finally:
            self._release()

    def _counted(self, block, buffer):
        size = len(buffer)
        if size == 0 or size % BLOCK or block < 0 or (self._is_ready and block + size // BLOCK > self.count):
            raise OSError(_EINVAL)
        return size // BLOCK

    def _address(self, block):
        return block * BLOCK if self._by_bytes else block

    # --- section 7.2.1: from power to ready

    def init(self) -> None:
        """Meet the card in the slot; ENODEV where there is none, or another than before."""
        self._is_ready = False
        self._spi.init(baudrate=400000, polarity=0, phase=0)
        self._cs(1)
        self._spi.write(self._ones)  # 74 clocks or more
        try:
            self._wake_up()
            self._read_register(_SEND_CSD)
            self._read_csd(self._block)
            self._read_register(_SEND_CID)
            self._recognise(bytes(self._block[:16]))
            if self._by_bytes:
                self._expect(_BLOCK_LENGTH, BLOCK)
        finally:
            self._release()
        self._spi.init(baudrate=self._baudrate, polarity=0, phase=0)
        self._is_ready = True

    def _wake_up(self):
        for _ in range(_ANSWER_TRIES):
            if self._command(_GO_IDLE, 0) == _IDLE:
                break
        else:
            raise OSError(_ENODEV)  # nobody answers
        is_new = not self._command(_SEND_IF_COND, 0x1AA) & _ILLEGAL
        if is_new:
            self._spi.readinto(self._four, 0xFF)
            if self._four[2] & 0x0F != 1 or self._four[3] != 0xAA:
                raise OSError(_ENODEV)  # not at this voltage
        self._command(_CRC_ON, 1)
        self._await_op_cond(0x40000000 if is_new else 0)
        if self._command(_READ_OCR, 0) & ~_IDLE:  # QEMU's card still says idle here
            raise OSError(_ENODEV)
        self._spi.readinto(self._four, 0xFF)
        self._by_bytes = not self._four[0] & 0x40

    def _await_op_cond(self, argument):
        began = self._ticks()
        while True:
            self._command(_APP, 0)
            if self._command(_OP_COND, argument) == 0:
                return
            if self._since(began) > _INIT_MS:
                raise OSError(_ETIMEDOUT)

    def _read_register(self, command):
        self._expect(command, 0)
        self._await_token()
        self._spi.readinto(self._short, 0xFF)
        if not take(self._short, 0, self._block, 16):
            raise OSError(_EIO)

    def _read_csd(self, csd):
        """Section 5.3: how many blocks, and what the card can do."""
        if csd[0] >> 6 == 1:
            self.count = (((csd[7] & 0x3F) << 16 | csd[8] << 8 | csd[9]) + 1) * 1024
        elif csd[0] >> 6 == 0:
            size = ((csd[6] & 3) << 10 | csd[7] << 2 | csd[8] >> 6) + 1
            shift = ((csd[9] & 3) << 1 | csd[10] >> 7) + 2 + (csd[5] & 15)
            self.count = size << shift - 9
        else:
            raise OSError(_ENODEV)  # a kind of card that did not exist yet
        self._can_erase = bool((csd[4] << 4 | csd[5] >> 4) & _CLASS_ERASE)

    def _recognise(self, cid):
        if any(self.cid) and cid != self.cid:
            raise OSError(_ENODEV)  # another card: what stands in memory of the old one must not reach it
        self.cid = cid

    # --- section 7.2.3 and 7.2.4: blocks

    def _read(self, block, count, buffer):
        """Whether every block came with its own CRC."""
        proves = True
        try:
            self._expect(_READ if count == 1 else _READ_MANY, self._address(block))
            at, end = 0, count * BLOCK
            while proves and at < end:
                self._await_token()
                self._spi.readinto(self._whole, 0xFF)
                proves = take(buffer, at, self._block, BLOCK)
                at += BLOCK
            if count > 1:
                self._command(_STOP, 0)
                self._await_ready(_READ_MS)
        finally:
            self._release()
        return proves

    def _write(self, block, count, buffer):
        self._expect(_WRITE if count == 1 else _WRITE_MANY, self._address(block))
        if count == 1:
            self._send_block(_TOKEN, buffer, 0)
            return
        at, end = 0, count * BLOCK
        try:
            while at < end:
                self._send_block(_TOKEN_MANY, buffer, at)
                at += BLOCK
        finally:
            if self._is_ready:
                self._end_writing()

    def _send_block(self, token, buffer, at):
        put(buffer, at, self._block, BLOCK)
        self._send(0xFF)  # N_WR: a byte at least between answer and token
        self._send(token)
        self._spi.write(self._whole)
        response = self._receive() & 0x1F
        if response == 0x1F:
            self._lose(_ENODEV)  # nobody there
        self._await_ready(_WRITE_MS)
        if response != _ACCEPTED:
            raise OSError(_EIO)  # rejected: a wrong CRC, or a block it could not write

    def _end_writing(self):
        self._send(_TOKEN_STOP)
        self._receive()
        self._await_ready(_WRITE_MS)

    def _check_status(self):
        """What went wrong after the card had taken the data (section 7.3.2.3, R2)."""
        self._expect(_STATUS, 0)
        if self._receive():
            raise OSError(_EIO)

    def _clear_status(self):
        """What was reported once is not reported again with the next write."""
        self._command(_STATUS, 0)
        self._receive()

    # --- bytes

    def _expect(self, command, argument):
        answer = self._command(command, argument)
        if answer:
            if answer < 0 or answer & _IDLE:
                self._lose(_ENODEV)  # nobody there, or somebody who has just been plugged in
            raise OSError(_EIO)

    def _command(self, command, argument):
        """R1, or -1 where nobody answers."""
        frame = self._frame
        frame[0] = 0x40 | command
        frame[1] = argument >> 24 & 0xFF
        frame[2] = argument >> 16 & 0xFF
        frame[3] = argument >> 8 & 0xFF
        frame[4] = argument & 0xFF
        frame[5] = _crc7(frame)
        self._cs(0)
        if command != _STOP:
            self._send(0xFF)
        self._spi.write(frame)
        if command == _STOP:
            self._receive()  # a byte of the block that is broken off
        for _ in range(_ANSWER_TRIES):
            answer = self._receive()
            if not answer & 0x80:
                return answer
        return -1

    def _await_token(self):
        began = self._ticks()
        while True:
            byte = self._receive()
            if byte == _TOKEN:
                return
            if byte != 0xFF:
                self._lose(_EIO)  # an error token, or noise: where the block begins is not known any more
            if self._since(began) > _READ_MS:
                self._lose(_ETIMEDOUT)

    def _await_ready(self, milliseconds):
        began = self._ticks()
        while self._receive() != 0xFF:
            if self._since(began) > milliseconds:
                self._lose(_ETIMEDOUT)

    def _lose(self, error):
        """The card is not where it was thought to be: it has to be met again."""
        self._is_ready = False
        raise OSError(error)

    def _since(self, began):
        return (self._ticks() - began) & _PERIOD

    def _release(self):
        self._cs(1)
        self._send(0xFF)  # the card lets go of its line with the next clock

    def _send(self, byte):
        self._one[0] = byte
        self._spi.write(self._one)

    def _receive(self):
        self._spi.readinto(self._one, 0xFF)
        return self._one[0]


def _crc7(frame):
    """Section 4.5, of five bytes, with the end bit."""
    crc = 0
    for at in range(5):
        crc ^= frame[at]
        for _ in range(8):
            crc = (crc << 1 ^ (0x12 if crc & 0x80 else 0)) & 0xFF
    return crc | 1


def _crc_table():
    """CRC-16 of every byte (section 4.5: x^16 + x^12 + x^5 + 1), in the machine's own words."""
    table = array("H", [0] * 256)
    for byte in range(256):
        crc = byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ (0x1021 if crc & 0x8000 else 0)) & 0xFFFF
        table[byte] = crc
    return table
