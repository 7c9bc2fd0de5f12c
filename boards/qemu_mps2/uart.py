"""A serial line of mps2-an385: UART1 is the dock, UART0 the console. Registers, and nothing of ours.

Arm Cortex-M System Design Kit, CMSDK APB UART: DATA, STATE (bit 0 full to send, bit 1 something received),
CTRL, BAUDDIV.
"""

import time

import machine
import micropython
from micropython import const

_GIVE_UP_MS = const(1000)
_SPINS = const(100000)
_LOOKS = const(300)  # the register holds one byte, and the emulator brings the next some 30 us later
_STATE, _CTRL, _BAUDDIV = const(4), const(8), const(16)


@micropython.asm_thumb
def _receive(r0, r1, r2, r3):
    """Registers, buffer, size, how often the next byte is looked for: how many bytes had come."""
    mov(r5, r1)
    add(r6, r1, r2)
    mov(r7, 1)
    label(NEXT)
    cmp(r5, r6)
    bcs(DONE)
    label(LOOK)
    ldr(r4, [r0, 4])
    lsr(r4, r4, 2)
    bcs(TAKE)
    sub(r7, 1)
    bne(LOOK)
    b(DONE)
    label(TAKE)
    ldr(r4, [r0, 0])
    strb(r4, [r5, 0])
    add(r5, 1)
    mov(r7, r3)
    b(NEXT)
    label(DONE)
    sub(r0, r5, r1)


@micropython.asm_thumb
def _send(r0, r1, r2, r3):  # noqa: PLR0915 - eight bytes a round, where one byte at a time costs twice as much
    """Registers, bytes, size, how often a full line is looked at: how many bytes went.

    STATE is all zeros where the next byte may go at once: one `cbnz` then, which this assembler has no name
    for (ARMv7-M, A7.7.21; the offset is what makes it go to its label). Anything else is looked at below.
    """
    mov(r4, 12)
    str(r4, [r0, 4])  # overruns from before are let go of
    mov(r5, r1)
    add(r6, r1, r2)
    mov(r7, r6)
    sub(r7, 8)
    cmp(r2, 8)
    bcc(LAST)
    label(EIGHT)
    ldr(r4, [r0, 4])
    data(2, 0xBB44)  # cbnz(r4, FULL_0)
    ldrb(r4, [r5, 0])
    str(r4, [r0, 0])
    ldr(r4, [r0, 4])
    data(2, 0xBB1C)  # cbnz(r4, FULL_1)
    ldrb(r4, [r5, 1])
    str(r4, [r0, 0])
    ldr(r4, [r0, 4])
    data(2, 0xB9F4)  # cbnz(r4, FULL_2)
    ldrb(r4, [r5, 2])
    str(r4, [r0, 0])
    ldr(r4, [r0, 4])
    data(2, 0xB9CC)  # cbnz(r4, FULL_3)
    ldrb(r4, [r5, 3])
    str(r4, [r0, 0])
    ldr(r4, [r0, 4])
    data(2, 0xB9A4)  # cbnz(r4, FULL_4)
    ldrb(r4, [r5, 4])
    str(r4, [r0, 0])
    ldr(r4, [r0, 4])
    data(2, 0xB97C)  # cbnz(r4, FULL_5)
    ldrb(r4, [r5, 5])
    str(r4, [r0, 0])
    ldr(r4, [r0, 4])
    data(2, 0xB954)  # cbnz(r4, FULL_6)
    ldrb(r4, [r5, 6])
    str(r4, [r0, 0])
    ldr(r4, [r0, 4])
    data(2, 0xB92C)  # cbnz(r4, FULL_7)
    ldrb(r4, [r5, 7])
    str(r4, [r0, 0])
    add(r5, 8)
    cmp(r5, r7)
    bls(EIGHT)
    b(LAST)
    # not at once byte n of the eight: so many went
    label(FULL_7)
    add(r5, 1)
    label(FULL_6)
    add(r5, 1)
    label(FULL_5)
    add(r5, 1)
    label(FULL_4)
    add(r5, 1)
    label(FULL_3)
    add(r5, 1)
    label(FULL_2)
    add(r5, 1)
    label(FULL_1)
    add(r5, 1)
    label(FULL_0)
    label(LAST)
    cmp(r5, r6)
    bcs(DONE)
    ldr(r4, [r0, 4])
    lsr(r4, r4, 1)
    bcs(WAIT)
    ldrb(r4, [r5, 0])
    str(r4, [r0, 0])
    add(r5, 1)
    cmp(r5, r7)
    bls(EIGHT)
    b(LAST)
    label(WAIT)
    sub(r3, 1)
    bne(LAST)
    label(DONE)
    sub(r0, r5, r1)


class Line:
    """UART0 to UART4: `read_into` never waits; `write` gives up when nothing moves for a second."""

    def __init__(self, number: int):
        self._base = 0x40004000 + 0x1000 * number
        machine.mem32[self._base + _BAUDDIV] = 16
        machine.mem32[self._base + _CTRL] = 3

    def any(self) -> bool:
        return bool(machine.mem32[self._base + _STATE] & 2)

    def read_into(self, view) -> int:
        """What has come, up to the length of `view`; 0 for nothing."""
        return _receive(self._base, view, len(view), _LOOKS)

    def write(self, view) -> int:
        """All of `view`; how much of it went, less where nobody takes it."""
        at = _send(self._base, view, len(view), _SPINS)
        return at if at == len(view) else self._write_on(memoryview(view), at)

    def _write_on(self, view, at):
        moved_ms = time.ticks_ms()
        while at < len(view) and time.ticks_diff(time.ticks_ms(), moved_ms) < _GIVE_UP_MS:
            went = _send(self._base, view[at:], len(view) - at, _SPINS)
            if went:
                at, moved_ms = at + went, time.ticks_ms()
        return at
