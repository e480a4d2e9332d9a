"""What Thumb assembler does better than the viper emitter with answers: the power in them, of a meter and of a PCS.

For boards whose core is a Cortex-M3 or larger. A test on the emulated board holds each against its plain version.
"""
# ruff: noqa: F821 - words of the assembler

import micropython


@micropython.asm_thumb
def take_power(r0, r1, r2, r3):
    """Do what drivers.meter.take_power() does with a plain value that is one; else change nothing, and return REFER."""
    lsl(r1, r1, 2)
    add(r1, r1, r0)  # the meter's own cells
    ldr(r4, [r0, 16])  # AT
    add(r2, r2, r4)
    add(r2, 3)
    ldrb(r4, [r2, 0])
    lsl(r4, r4, 8)
    ldrb(r5, [r2, 1])
    orr(r4, r5)
    lsl(r4, r4, 8)
    ldrb(r5, [r2, 2])
    orr(r4, r5)
    lsl(r4, r4, 8)
    ldrb(r5, [r2, 3])
    orr(r4, r5)
    mov(r12, r4)
    ldr(r7, [r1, 8])  # DEN
    ldr(r6, [r1, 52])  # PLAIN
    cmp(r6, 2)
    bne(FLOAT)
    mov(r5, r4)
    asr(r6, r4, 28)  # 0 or -1 where one division will do
    add(r6, 1)
    lsr(r6, r6, 1)
    cmp(r6, 0)
    bne(REFERRED)
    cmp(r5, 0)
    bge(WHOLE)
    neg(r5, r5)
    label(WHOLE)
    lsr(r6, r7, 1)
    add(r5, r5, r6)
    udiv(r5, r5, r7)
    b(BOUND)
    label(FLOAT)
    cmp(r6, 4)
    bne(REFERRED)
    lsl(r5, r4, 1)
    lsr(r5, r5, 24)  # the exponent
    mov(r6, 149)
    sub(r6, r6, r5)
    blt(REFERRED)
    cmp(r6, 30)
    ble(SHIFT)
    mov(r6, 30)
    label(SHIFT)
    lsl(r5, r4, 9)
    lsr(r5, r5, 9)
    movwt(r4, 0x800000)
    orr(r5, r4)
    lsr(r5, r6)
    udiv(r5, r5, r7)
    add(r5, 1)
    lsr(r5, r5, 1)
    label(BOUND)
    ldr(r6, [r1, 12])  # LIMIT
    cmp(r5, r6)
    bgt(REFERRED)
    mov(r4, r12)
    cmp(r4, 0)
    beq(BELIEVED)  # registers of zeros are no -1
    bgt(POSITIVE)
    neg(r5, r5)
    label(POSITIVE)
    lsl(r6, r5, 2)
    lsr(r6, r6, 2)
    ldr(r7, [r1, 28])  # MINUS_RAW
    cmp(r6, r7)
    beq(REFERRED)
    ldr(r7, [r1, 32])  # MINUS_W
    cmp(r6, r7)
    bne(BELIEVED)
    label(REFERRED)
    mov(r0, 13)
    b(END)

    label(BELIEVED)
    ldr(r6, [r1, 44])  # MOVING
    ldr(r7, [r1, 20])  # WATCHED
    cmp(r7, 0)
    beq(WAY)
    ldr(r7, [r1, 36])  # COUNTER_AT
    sub(r4, r2, 1)
    ldrb(r4, [r4, 0])  # bytes of the answer
    cmp(r4, r7)
    ble(WITHOUT)
    add(r7, r7, r2)
    ldrb(r4, [r7, 0])
    lsl(r4, r4, 8)
    ldrb(r7, [r7, 1])
    orr(r4, r7)
    ldr(r7, [r1, 40])  # COUNTER
    str(r4, [r1, 40])
    mov(r6, 0)
    cmp(r4, r7)
    beq(STILL)
    mov(r6, 1)
    label(STILL)
    str(r6, [r1, 44])
    b(WAY)
    label(WITHOUT)
    mov(r4, 1)
    str(r4, [r1, 44])
    label(WAY)
    ldr(r4, [r1, 24])  # TURNED_ROUND
    cmp(r4, 0)
    beq(RIGHT)
    neg(r5, r5)
    label(RIGHT)
    ldr(r4, [r1, 48])  # OUT_AT
    lsl(r4, r4, 2)
    add(r3, r3, r4)
    cmp(r6, 0)
    bne(NEW)
    ldr(r4, [r3, 0])
    sub(r4, r4, r5)
    lsl(r4, r4, 2)
    cmp(r4, 0)
    bne(NEW)
    ldr(r4, [r1, 56])  # REPEATED
    add(r4, 1)
    lsl(r4, r4, 2)
    lsr(r4, r4, 2)
    str(r4, [r1, 56])
    b(TAKEN)
    label(NEW)
    str(r5, [r3, 0])
    ldr(r4, [r0, 120])  # SENT
    str(r4, [r3, 4])
    ldr(r4, [r3, 8])
    lsl(r4, r4, 3)
    lsr(r4, r4, 3)
    add(r4, 1)
    str(r4, [r3, 8])
    label(TAKEN)
    mov(r0, 0)
    label(END)


@micropython.asm_thumb
def take_fast(r0, r1, r2, r3):
    """Do what drivers.der.take_fast() does."""
    lsl(r1, r1, 2)
    add(r1, r1, r0)  # the device's own cells
    ldr(r4, [r0, 16])  # AT
    add(r2, r2, r4)
    add(r2, 3)
    ldrb(r4, [r2, 0])
    ldrb(r5, [r2, 1])
    lsl(r4, r4, 8)
    orr(r4, r5)
    str(r4, [r1, 24])  # ST
    ldrb(r4, [r2, 4])
    ldrb(r5, [r2, 5])
    lsl(r4, r4, 8)
    orr(r4, r5)
    str(r4, [r1, 32])  # CONN_ST
    ldrb(r4, [r2, 6])
    ldrb(r5, [r2, 7])
    lsl(r4, r4, 8)
    orr(r4, r5)
    str(r4, [r1, 36])  # ALRM
    ldrb(r4, [r2, 8])
    ldrb(r5, [r2, 9])
    lsl(r4, r4, 8)
    orr(r4, r5)
    str(r4, [r1, 40])  # ALRM_LOW
    ldrb(r4, [r2, 12])
    ldrb(r5, [r2, 13])
    lsl(r4, r4, 8)
    orr(r4, r5)
    str(r4, [r1, 44])  # MODE
    ldrb(r7, [r2, 2])
    ldrb(r5, [r2, 3])
    lsl(r7, r7, 8)
    orr(r7, r5)
    str(r7, [r1, 28])  # INV_ST
    ldrb(r5, [r2, 14])
    ldrb(r4, [r2, 15])
    lsl(r5, r5, 8)
    orr(r5, r4)  # W
    movwt(r6, 0xE0000000)  # INVALID
    movw(r4, 0x8000)
    cmp(r5, r4)
    beq(CLOSER)
    lsl(r4, r5, 16)
    asr(r4, r4, 16)
    cmp(r4, 0)
    bge(SIZE)
    neg(r4, r4)
    label(SIZE)
    ldr(r2, [r1, 8])  # MOST
    cmp(r4, r2)
    bgt(CLOSER)
    ldr(r6, [r1, 0])  # NUM
    mul(r6, r4)
    ldr(r4, [r1, 4])  # DEN
    lsr(r2, r4, 1)
    add(r6, r6, r2)
    udiv(r6, r6, r4)
    lsr(r5, r5, 15)
    cmp(r5, 0)
    beq(SIGNED)
    neg(r6, r6)
    label(SIGNED)
    cmp(r7, 6)  # FAULT
    beq(CLOSER)
    ldr(r4, [r1, 16])  # WARY
    cmp(r4, 0)
    bne(CLOSER)
    ldr(r4, [r1, 12])  # OUT_AT
    lsl(r4, r4, 2)
    add(r3, r3, r4)
    str(r6, [r3, 0])
    ldr(r4, [r0, 120])  # SENT
    str(r4, [r3, 4])
    ldr(r4, [r3, 8])
    lsl(r4, r4, 3)
    lsr(r4, r4, 3)
    add(r4, 1)
    str(r4, [r3, 8])
    mov(r0, 0)
    b(END)
    label(CLOSER)
    str(r6, [r1, 20])  # VALUE
    mov(r0, 13)
    label(END)
