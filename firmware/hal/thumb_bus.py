"""What Thumb assembler does better than the viper emitter: CRCs and frames of writes, at a third of the instructions.

For boards whose core is a Cortex-M3 or larger. A test on the emulated board holds each against the core's own.
"""
# ruff: noqa: F821 - words of the assembler

import micropython


@micropython.asm_thumb
def crc16(r0, r1, r2, r3):
    """Return what core.crc.crc16() does."""
    movw(r4, 0xFFFF)
    movw(r6, 0xFF)
    add(r0, r0, r2)
    add(r3, r3, r0)
    b(TEST)
    label(NEXT)
    ldrb(r5, [r0, 0])
    add(r0, 1)
    eor(r5, r4)
    and_(r5, r6)
    add(r5, r5, r5)
    add(r5, r5, r1)
    ldrh(r5, [r5, 0])
    lsr(r4, r4, 8)
    eor(r4, r5)
    label(TEST)
    cmp(r0, r3)
    bne(NEXT)
    mov(r0, r4)


@micropython.asm_thumb
def fill(r0, r1, r2, r3):
    """Do what core.crc.fill() does."""
    sub(r3, 2)
    add(r3, r3, r0)  # behind the registers
    ldrb(r5, [r0, 1])
    mov(r4, r0)
    add(r4, 4)
    cmp(r5, 16)
    bne(FILLED)
    add(r4, 3)
    b(FILLED)
    label(FILL)
    ldrh(r5, [r1, 0])
    add(r1, 2)
    strb(r5, [r4, 1])
    lsr(r5, r5, 8)
    strb(r5, [r4, 0])
    add(r4, 2)
    label(FILLED)
    cmp(r4, r3)
    bne(FILL)
    movw(r4, 0xFFFF)
    movw(r6, 0xFF)
    label(NEXT)
    ldrb(r5, [r0, 0])
    add(r0, 1)
    eor(r5, r4)
    and_(r5, r6)
    add(r5, r5, r5)
    add(r5, r5, r2)
    ldrh(r5, [r5, 0])
    lsr(r4, r4, 8)
    eor(r4, r5)
    cmp(r0, r3)
    bne(NEXT)
    strb(r4, [r0, 0])
    lsr(r4, r4, 8)
    strb(r4, [r0, 1])
