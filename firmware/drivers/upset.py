"""What a bus does when the line is not as it should be: a UART that hangs, noise, strangers, no answer, babble."""

import micropython
from micropython import const

from firmware.core import ticks
from firmware.drivers import cells as k
from firmware.drivers.judge import judge, judge_tail, outcome
from firmware.drivers.modbus import BAD_CRC, EXCEPTION, MORE, OK, STUCK, same
from firmware.drivers.outcome import answered, blame, close, failed

WINDOW = const(288)  # the longest answer (255), the echo of the longest request in use, and a little noise
_LISTEN = const(2)
_GAP = const(3)
_QUIET = const(0)
_BABBLE_US = const(100_000)  # a line that is never silent is used nevertheless after this long
_STUCK_US = const(200_000)


@micropython.native
def still_sending(bus, now_us):
    """The request has not left the UART yet: nothing that is here before its last byte has left can be its answer."""
    cells = bus.cells
    cells[k.BASE] = cells[k.N]
    cells[k.BUSY] = now_us
    late_us = ticks.diff(now_us, cells[k.END])
    if late_us >= 0:
        cells[k.WAKE] = ticks.add(now_us, cells[k.CHAR])
    if late_us > _STUCK_US:
        cells[k.LAST] = now_us
        fail(bus, STUCK, now_us)


@micropython.native
def spill(cells, n):
    """Begin the window anew, more having come than fits; return how many of `n` bytes there is room for."""
    room = WINDOW - cells[k.N]
    if room > 0:
        return room
    cells[k.N] = cells[k.BASE] = 0
    cells[k.SPILT] = 1
    return min(n, WINDOW)


@micropython.native
def disturbed(bus, n, now_us):
    """See to a transaction that has not simply brought its answer; `n` bytes of what is there are new."""
    cells = bus.cells
    if cells[k.INTRUDED]:
        intruded(bus)
    if n:
        status = judge(cells, bus.rx, bus.frames[cells[k.FRAME]])
        if status == OK or status == EXCEPTION:
            finish(bus, status, now_us)
            return
    elif not cells[k.TRIED]:
        hear_tail(bus, now_us)
    if cells[k.STATE] == _LISTEN and ticks.diff(now_us, cells[k.DEADLINE]) >= 0:
        out_of_time(bus, now_us)


@micropython.native
def finish(bus, status, now_us):
    """End the transaction with the answer, or the exception, that begins at AT."""
    cells = bus.cells
    number = answered(cells, bus.rx, now_us)
    if status == OK:
        bus.takers[number](bus.rx, cells[k.AT] + 3)
        return
    job = bus.jobs[number]
    job.exception = bus.rx[cells[k.AT] + 2]
    job.owner.on_failure(job, EXCEPTION)


@micropython.native
def fail(bus, status, now_us):
    """End the transaction without an answer."""
    cells = bus.cells
    row = cells[k.JOB]
    if cells[row + k.PERSISTS] and not cells[cells[row + k.DEVICE] + k.FAILS]:
        cells[row + k.AGAIN] = 1
    close(cells, now_us)
    job = bus.jobs[cells[k.WHO]]
    job.exception = 0
    garbled = status == BAD_CRC
    count = cells[row + k.DEVICE] + (k.CRC if garbled else k.TIMEOUTS)
    cells[count] += 1
    failed(cells, row, ticks.diff(now_us, cells[k.END]), garbled, now_us)
    job.owner.on_failure(job, status)


@micropython.native
def intruded(bus):
    """Count what came before the request had left, unless it is its echo."""
    cells = bus.cells
    cells[k.INTRUDED] = 0
    frame = bus.frames[cells[k.FRAME]]
    if not same(bus.rx, frame, min(cells[k.BASE], len(frame))):
        blame(cells, bus.rx[0])


@micropython.native
def hear_tail(bus, now_us):
    """The line has fallen silent: look for an answer behind something else."""
    cells = bus.cells
    cells[k.TRIED] = 1
    cells[k.WAKE] = cells[k.DEADLINE]
    status = judge_tail(cells, bus.rx, bus.frames[cells[k.FRAME]])
    if status == OK or status == EXCEPTION:
        blame(cells, bus.rx[cells[k.BASE]])
        finish(bus, status, now_us)
    elif status == BAD_CRC:
        fail(bus, BAD_CRC, now_us)


@micropython.native
def out_of_time(bus, now_us):
    """The time for the answer is over."""
    cells = bus.cells
    if cells[k.N] > cells[k.BASE] and cells[k.VERDICT] != MORE:
        blame(cells, bus.rx[cells[k.BASE]])
    fail(bus, outcome(cells), now_us)


@micropython.native
def drop(bus, n, now_us):
    """Drop what nobody waits for, until the line has been silent for t3.5 after the last byte of either side."""
    cells = bus.cells
    if cells[k.STATE] == _QUIET:
        cells[k.STATE] = _GAP
        cells[k.NOISY] = 0
        cells[k.GAP_AT] = now_us
    bus.readinto(bus.rx, 0, min(n, len(bus.rx)))
    cells[k.LAST] = now_us
    cells[k.WAKE] = ticks.add(now_us, cells[k.SILENCE])
    if not cells[k.NOISY]:
        cells[k.NOISY] = 1
        blame(cells, bus.rx[0])
    if ticks.diff(now_us, cells[k.GAP_AT]) >= _BABBLE_US:
        cells[k.BABBLE] += 1
        cells[k.STATE] = _QUIET
