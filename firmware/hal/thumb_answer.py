"""What Thumb assembler does better than the viper emitter with bytes that have come: whether they are the answer.

For boards whose core is a Cortex-M3 or larger. A test on the emulated board holds it against its plain version.
"""
# ruff: noqa: F821 - words of the assembler

import micropython


@micropython.asm_thumb
def hear(r0, r1, r2):
    """Do what drivers.line.listener.hear() does."""
    mov(r7, r0)
    add(r7, 128)  # the cells from 32 on
    ldr(r4, [r7, 4])  # NOW
    ldr(r3, [r0, 0])  # STATE
    cmp(r3, 1)  # SEND
    bne(SENT)
    ldr(r5, [r0, 56])  # END
    sub(r3, r4, r5)
    lsl(r3, r3, 2)
    cmp(r3, 0)
    blt(SOONER)
    ldr(r3, [r0, 52])  # BUSY
    sub(r3, r5, r3)
    lsl(r3, r3, 2)
    cmp(r3, 0)
    bge(LEFT)
    label(SOONER)
    mov(r5, r4)
    str(r5, [r0, 56])
    label(LEFT)
    str(r5, [r0, 64])  # LAST
    ldr(r3, [r7, 44])  # CLOCK_US
    sub(r5, r5, r3)
    lsl(r5, r5, 2)
    lsr(r5, r5, 2)
    movw(r3, 1000)
    udiv(r5, r5, r3)
    ldr(r3, [r7, 28])  # CLOCK_MS
    add(r5, r5, r3)
    lsl(r5, r5, 2)
    lsr(r5, r5, 2)
    str(r5, [r0, 120])  # SENT
    mov(r3, 2)
    str(r3, [r0, 0])  # STATE: LISTEN
    movwt(r3, 0x3FFFFFFF)
    str(r3, [r0, 60])  # DEADLINE: NEVER
    label(SENT)
    ldr(r3, [r7, 40])  # CAME
    cmp(r3, 0)
    beq_w(BEGUN)
    ldr(r5, [r0, 8])  # N
    sub(r5, r5, r3)
    ldr(r6, [r0, 12])  # BASE
    cmp(r5, r6)
    bgt(LATER)
    ldr(r5, [r0, 76])  # CHAR
    mul(r5, r3)
    sub(r5, r4, r5)
    lsl(r5, r5, 2)
    lsr(r5, r5, 2)
    str(r5, [r0, 116])  # FIRST
    label(LATER)
    str(r4, [r0, 64])  # LAST
    mov(r5, 0)
    str(r5, [r0, 24])  # TRIED
    ldr(r5, [r0, 80])  # SILENCE
    add(r4, r4, r5)
    lsl(r4, r4, 2)
    lsr(r4, r4, 2)
    str(r4, [r0, 72])  # WAKE
    ldr(r3, [r0, 4])  # JOB
    ldr(r4, [r7, 12])  # HOW
    lsl(r3, r3, 2)
    add(r3, r3, r0)  # the job's row
    lsl(r4, r4, 2)
    add(r4, r4, r3)  # and that of its form
    ldrh(r5, [r1, 0])
    ldrb(r6, [r1, 2])
    lsl(r6, r6, 16)
    orr(r5, r6)
    ldr(r6, [r4, 64])  # EXPECTED
    cmp(r5, r6)
    bne_w(STRANGE)
    ldr(r5, [r0, 8])
    cmp(r5, 3)
    blt_w(STRANGE)
    ldr(r6, [r0, 12])
    ldr(r7, [r0, 32])  # SPILT
    add(r6, r6, r7)
    cmp(r6, 0)
    bne_w(STRANGE)
    ldr(r6, [r0, 48])  # ANSWER_N
    cmp(r5, r6)
    blt_w(BEGUN)
    ldr(r5, [r4, 80])  # EXPECTED_MORE
    cmp(r5, 0)
    beq(SUM)
    ldrb(r4, [r1, 3])
    ldrh(r7, [r1, 4])
    lsl(r7, r7, 8)
    orr(r4, r7)
    cmp(r4, r5)
    bne_w(STRANGE)
    label(SUM)
    add(r6, r6, r1)
    movw(r4, 0xFFFF)
    movw(r7, 0xFF)
    label(NEXT)
    ldrb(r5, [r1, 0])
    add(r1, 1)
    eor(r5, r4)
    and_(r5, r7)
    add(r5, r5, r5)
    add(r5, r5, r2)
    ldrh(r5, [r5, 0])
    lsr(r4, r4, 8)
    eor(r4, r5)
    cmp(r1, r6)
    bne(NEXT)
    cmp(r4, 0)
    bne(STRANGE)

    str(r4, [r0, 4])  # JOB
    str(r4, [r3, 4])  # ASK
    mov(r5, 3)
    str(r5, [r0, 0])  # STATE: GAP
    ldr(r5, [r0, 108])  # DIRECT
    ldr(r6, [r3, 72])  # AWAITED
    sub(r5, r5, r6)
    str(r5, [r0, 108])
    str(r4, [r3, 72])
    ldr(r7, [r3, 12])  # DEVICE
    lsl(r7, r7, 2)
    add(r7, r7, r0)  # the unit's row
    ldr(r6, [r7, 12])  # ANSWERS
    add(r6, 1)
    lsl(r5, r6, 2)
    lsr(r5, r5, 2)
    str(r5, [r7, 12])
    ldr(r4, [r0, 116])
    ldr(r5, [r0, 56])
    sub(r4, r4, r5)
    lsl(r4, r4, 2)
    asr(r4, r4, 2)
    cmp(r4, 0)
    bge(TURN)
    mov(r4, 0)
    label(TURN)
    ldr(r5, [r7, 84])  # ORDINARY
    cmp(r4, r5)
    bge(ODD)
    lsl(r6, r6, 28)
    cmp(r6, 0)
    beq(ODD)
    ldr(r5, [r0, 8])
    ldr(r6, [r0, 48])
    cmp(r5, r6)
    bgt(ODD)
    ldr(r5, [r3, 52])  # AGAIN
    cmp(r5, 0)
    bne(ODD)
    ldr(r6, [r7, 40])  # PAUSE
    cmp(r6, 0)
    beq(PAUSED)
    mov(r2, 0)
    mov(r3, 1)
    ldr(r4, [r7, 60])  # BARRED
    cmp(r4, 0)
    beq(REST)
    ldr(r4, [r7, 56])  # HELD
    cmp(r4, 0)
    bne(ODD)
    label(REST)
    str(r2, [r7, 60])
    str(r3, [r7, 56])
    ldr(r4, [r0, 64])  # LAST, which is NOW
    str(r4, [r7, 64])  # SINCE
    str(r6, [r7, 68])  # HOLD
    str(r6, [r7, 72])  # BAR
    add(r7, 128)
    str(r2, [r7, 20])  # OWES
    label(PAUSED)
    mov(r0, 0)
    b(END)
    label(ODD)
    mov(r0, 14)
    b(END)
    label(STRANGE)
    mov(r0, 11)
    b(END)
    label(BEGUN)
    mov(r0, 1)
    label(END)
