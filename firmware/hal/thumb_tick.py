"""What Thumb assembler does better than the viper emitter in the control tick: loops over rows of cells.

For boards whose core is a Cortex-M3 or larger. A test on the emulated board holds each against its plain version.
"""
# ruff: noqa: F821 - words of the assembler

import micropython


@micropython.asm_thumb
def measure(r0, r1, r2, r3):
    """Do what core.snapshot.measure() does: r0 and r2 step through the cells of each row, r1 through the rows."""
    ldr(r7, [r2, 0])  # how many are silent
    mov(r6, r0)
    add(r6, 28)
    label(ROW)
    ldr(r4, [r1, 8])
    ldr(r5, [r2, 44])
    cmp(r4, r5)
    beq(NEXT)
    ldr(r5, [r1, 0])
    str(r5, [r0, 0])
    ldr(r5, [r1, 4])
    sub(r5, r3, r5)
    lsl(r5, r5, 2)
    asr(r5, r5, 2)
    str(r5, [r0, 56])
    ldr(r4, [r2, 16])
    cmp(r5, r4)
    bgt(OLD)
    mov(r4, 1)
    sub(r7, 1)
    b(STATE)
    label(OLD)
    ldr(r4, [r1, 8])
    str(r4, [r2, 44])
    mov(r4, 2)
    label(STATE)
    str(r4, [r0, 28])
    label(NEXT)
    add(r0, 4)
    add(r1, 16)
    add(r2, 4)
    cmp(r0, r6)
    bne(ROW)
    sub(r0, 28)
    sub(r2, 28)
    str(r3, [r0, 104])
    ldr(r4, [r0, 4])
    str(r4, [r0, 84])
    ldr(r4, [r2, 72])
    ldr(r5, [r0, 36])
    cmp(r5, 1)
    beq(SEEN)
    mov(r4, 0)
    label(SEEN)
    str(r4, [r0, 88])
    ldr(r4, [r2, 76])
    str(r4, [r0, 92])
    ldr(r4, [r2, 80])
    str(r4, [r0, 96])
    ldr(r4, [r0, 52])
    cmp(r4, 1)
    beq(CHARGE)
    sub(r7, 1)
    label(CHARGE)
    mov(r4, 0)
    cmp(r7, 0)
    bne(SILENT)
    mov(r4, 1)
    label(SILENT)
    str(r4, [r0, 100])
    mov(r0, r7)


@micropython.asm_thumb
def judge(r0, r1, r2):
    """Do what site.doubt.judge() does up to the first sample that is not ordinary; return 1 where there is one."""
    str(r2, [r0, 96])  # NOW
    ldr(r7, [r0, 108])  # END
    lsl(r7, r7, 2)
    add(r7, r7, r0)
    mov(r3, r0)
    add(r3, 112)  # the first role's row
    label(ROLE)
    ldr(r4, [r0, 8])
    ldr(r5, [r3, 0])  # SEEN
    cmp(r4, r5)
    beq(NEXT)
    ldr(r5, [r0, 0])
    ldr(r6, [r1, 0])
    sub(r6, r5, r6)
    lsl(r6, r6, 2)
    cmp(r6, 0)
    beq(SAME)
    lsr(r6, r6, 2)
    ldr(r2, [r3, 16])  # STEP_PU
    add(r6, r6, r2)
    lsl(r6, r6, 2)
    lsr(r6, r6, 2)
    ldr(r2, [r3, 20])  # TWO_STEPS
    cmp(r6, r2)
    bgt(ODD)
    add(r6, r5, 1)
    lsl(r6, r6, 2)
    lsr(r6, r6, 3)
    cmp(r6, 0)  # -1 or 0
    beq(ODD)
    ldr(r6, [r3, 8])  # BELOW
    add(r6, r6, r5)
    lsl(r6, r6, 2)
    lsr(r6, r6, 2)
    ldr(r2, [r3, 12])  # SPAN
    cmp(r6, r2)
    bgt(ODD)
    label(PLAIN)
    mov(r6, 0)
    str(r6, [r3, 4])  # STATE: nothing is suspected
    label(KEEP)
    str(r4, [r3, 0])
    str(r5, [r1, 0])
    ldr(r6, [r0, 4])
    str(r6, [r1, 4])
    str(r4, [r1, 8])
    label(NEXT)
    add(r0, 16)
    add(r1, 16)
    add(r3, 80)
    cmp(r0, r7)
    bne(ROLE)
    mov(r0, 0)
    b(END)
    label(SAME)
    cmp(r5, 0)
    beq(PLAIN)
    ldr(r6, [r3, 4])
    cmp(r6, 7)  # SAME, and not yet to be looked at again
    bne(ODD)
    ldr(r6, [r0, 4])
    ldr(r2, [r3, 44])  # NEXT_MS
    sub(r6, r6, r2)
    lsl(r6, r6, 2)
    cmp(r6, 0)
    blt(KEEP)
    label(ODD)
    mov(r0, 1)
    label(END)


@micropython.asm_thumb
def integrate(r0, r1, r2, r3):
    """Do what ledger.energy.integrate() does: r1 and r4 step by roles through the snapshot and what is kept of each."""
    push({r8, r9, r10})
    mov(r10, r2)
    mov(r9, r3)
    mov(r5, 0)
    mov(r4, r0)
    add(r4, 92)
    label(ROLE)
    mov(r8, r5)
    ldr(r6, [r1, 28])
    cmp(r6, 0)  # ABSENT
    beq(NEXT)
    ldr(r6, [r1, 0])
    mov(r7, r6)
    cmp(r5, 2)
    beq(HELD)
    cmp(r5, 1)
    beq(MEAN)
    ldr(r7, [r4, 0])  # BEFORE
    add(r7, r7, r6)
    b(TWICE)
    label(MEAN)
    ldr(r7, [r1, 80])  # GRID_MEAN, seen from the grid's power
    label(HELD)
    add(r7, r7, r7)
    label(TWICE)
    mov(r5, r9)
    cmp(r5, 0)
    beq(AMOUNT)
    str(r6, [r4, 0])
    label(AMOUNT)
    lsl(r7, r7, 2)
    asr(r7, r7, 2)
    mov(r5, r10)
    mul(r7, r5)
    ldr(r6, [r4, 24])  # PLUS
    cmp(r7, 0)
    bge(ADD)
    neg(r7, r7)
    ldr(r6, [r4, 48])  # MINUS
    label(ADD)
    lsl(r6, r6, 2)
    add(r6, r6, r0)
    label(COUNT)
    ldr(r5, [r6, 48])  # REST
    add(r5, r5, r7)
    lsr(r3, r5, 28)
    cmp(r3, 0)
    beq(KEEP)
    ldr(r3, [r0, 0])  # PER_WH
    udiv(r2, r5, r3)
    mul(r3, r2)
    sub(r5, r5, r3)
    ldr(r3, [r6, 4])  # WH
    add(r3, r3, r2)
    str(r3, [r6, 4])
    label(KEEP)
    str(r5, [r6, 48])
    ldr(r3, [r1, 28])
    cmp(r3, 1)  # FRESH
    beq(NEXT)
    mov(r3, r0)
    add(r3, 36)  # SUBSTITUTED
    cmp(r6, r3)
    beq(NEXT)
    mov(r6, r3)
    b(COUNT)
    label(NEXT)
    add(r1, 4)
    add(r4, 4)
    mov(r5, r8)
    add(r5, 1)
    cmp(r5, 6)
    bne(ROLE)
    pop({r8, r9, r10})
    mov(r0, 0)
