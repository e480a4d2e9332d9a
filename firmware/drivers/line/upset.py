"""What a bus does when the line is not as it should be: a UART that hangs, noise, strangers, no answer, babble."""

import micropython
from micropython import const

from firmware.core import ticks
from firmware.core.types import ptr32
from firmware.drivers.line.judge import judge, judge_tail, outcome, set_deadline
from firmware.drivers.line.modbus import BAD_CRC, EXCEPTION, MORE, OK, STUCK, same
from firmware.drivers.line.outcome import blame, close, count_answer, failed, owes
from firmware.drivers.line.queue import deadline, hasten

# As in drivers.line.cells.
_STATE = const(0)
_JOB = const(1)
_N = const(2)
_BASE = const(3)
_AT = const(4)
_VERDICT = const(5)
_TRIED = const(6)
_NOISY = const(7)
_SPILT = const(8)
_ECHO = const(9)
_BUSY = const(13)
_END = const(14)
_DEADLINE = const(15)
_LAST = const(16)
_NOISE_AT = const(17)
_WAKE = const(18)
_CHAR = const(19)
_SILENCE = const(20)
_BABBLE = const(23)
_BUSY_US = const(31)
_BEGUN = const(32)
_WHO = const(34)
_HOW = const(35)
_INTRUDED = const(41)
_TIMEOUTS = const(4)
_CRC = const(5)
_FAILS = const(12)
_LEARNT = const(19)
_DEVICE = const(3)
_AGAIN = const(13)
_PERSISTS = const(19)
_OWN = const(22)

# What poll() comes to beside the statuses of drivers.line.modbus: the request has not left; it is for the job's owner.
SENDING = const(12)
REFER = const(13)
WINDOW = const(288)  # the longest answer (255), the echo of the longest request in use, and a little noise
_NEVER = const(0x3FFFFFFF)
_LISTEN = const(2)
_GAP = const(3)
_QUIET = const(0)
_TWICE = const(2)
_BABBLE_US = const(100_000)  # a line that is never silent is used nevertheless after this long
_STUCK_US = const(200_000)


@micropython.native
def _asked(bus):
    """Return the frame of the request on the line."""
    cells = bus.cells
    return bus.frames[4 * cells[_WHO] + 2 * cells[_HOW]]


@micropython.native
def attend(bus, status, n, now_us):
    """See to a transaction that has not simply brought its answer; `n` bytes of what is there are new."""
    if status == SENDING:
        still_sending(bus, now_us)
        return
    if status == REFER:
        refer(bus)
        return
    cells = bus.cells
    if cells[_DEADLINE] == _NEVER:
        set_deadline(cells)
    if status != MORE or not n:
        disturbed(bus, n, now_us)


@micropython.native
def still_sending(bus, now_us):
    """The request has not left the UART yet: nothing that is here before its last byte has left can be its answer."""
    cells = bus.cells
    cells[_BASE] = cells[_N]
    cells[_BUSY] = now_us
    late_us = ticks.diff(now_us, cells[_END])
    if late_us >= 0:
        cells[_WAKE] = ticks.add(now_us, cells[_CHAR])
    if late_us > _STUCK_US:
        cells[_LAST] = now_us
        fail(bus, STUCK, now_us)


@micropython.viper
def spill(c: ptr32, n: int) -> int:
    """Begin the window anew, more having come than fits; return how many of `n` bytes there is room for."""
    room = WINDOW - c[_N]
    if room > 0:
        return room
    c[_N] = c[_BASE] = 0
    c[_SPILT] = 1
    return n if n < WINDOW else WINDOW


@micropython.native
def disturbed(bus, n, now_us):
    """Look closer: noise, an exception, another's frame, an answer behind something else, or none in time."""
    cells = bus.cells
    if cells[_INTRUDED]:
        intruded(bus)
    if n:
        cells[_DEADLINE] = deadline(cells, cells[_END])  # it may be the answer, behind something else
        status = judge(cells, bus.rx, _asked(bus))
        if status == OK or status == EXCEPTION:
            finish(bus, status)
            return
    elif not cells[_TRIED]:
        hear_tail(bus, now_us)
    if cells[_STATE] == _LISTEN and ticks.diff(now_us, cells[_DEADLINE]) >= 0:
        out_of_time(bus, now_us)


@micropython.native
def refer(bus):
    """Hand the answer that begins at AT to the owner of its job."""
    job = bus.jobs[bus.cells[_WHO]]
    job.owner.on_answer(job, bus.rx, bus.cells[_AT] + 3)


@micropython.native
def finish(bus, status):
    """End the transaction with the answer, or the exception, that begins at AT."""
    cells = bus.cells
    row = cells[_JOB]
    close(cells)
    count_answer(cells, bus.rx, row)
    who = cells[_WHO]
    if status == OK:
        take, out = bus.takers[who]
        if take(cells, cells[row + _OWN], bus.rx, out):
            refer(bus)
    else:
        job = bus.jobs[who]
        job.exception = bus.rx[cells[_AT] + 2]
        job.owner.on_failure(job, EXCEPTION)


@micropython.native
def fail(bus, status, now_us):
    """End the transaction without an answer."""
    cells = bus.cells
    row = cells[_JOB]
    garbled = status == BAD_CRC
    device = cells[row + _DEVICE]
    # What is heard instead of an answer has destroyed it, or the request, more often than it announces a late one; but
    # not the late one of another unit.
    drowned = (cells[_N] > cells[_BASE] and cells[device + _FAILS] < _TWICE
               and not owes(cells, bus.rx[cells[_BASE]], device))
    if cells[row + _PERSISTS] and (drowned or not cells[device + _FAILS]):
        cells[row + _AGAIN] = 1
    close(cells)
    job = bus.jobs[cells[_WHO]]
    job.exception = 0
    cells[device + (_CRC if garbled else _TIMEOUTS)] += 1
    failed(cells, row, ticks.diff(now_us, cells[_END]), garbled or drowned, now_us)
    job.owner.on_failure(job, status)


@micropython.native
def intruded(bus):
    """Count what came before the request had left, unless it is its echo."""
    cells = bus.cells
    cells[_INTRUDED] = 0
    frame = _asked(bus)
    if not same(bus.rx, frame, min(cells[_BASE], len(frame))):
        blame(cells, bus.rx[0])


@micropython.native
def hear_tail(bus, now_us):
    """The line has fallen silent: look for an answer behind something else."""
    cells = bus.cells
    cells[_TRIED] = 1
    if cells[_N] > cells[_BASE] or not cells[_ECHO]:  # an adapter's echo destroys nothing
        hasten(cells, cells[cells[cells[_JOB] + _DEVICE] + _LEARNT], 2 * cells[_CHAR])
    cells[_WAKE] = cells[_DEADLINE]
    status = judge_tail(cells, bus.rx, _asked(bus))
    if status == OK or status == EXCEPTION:
        blame(cells, bus.rx[cells[_BASE]])
        finish(bus, status)
    elif status == BAD_CRC:
        fail(bus, BAD_CRC, now_us)


@micropython.native
def out_of_time(bus, now_us):
    """The time for the answer is over."""
    cells = bus.cells
    if cells[_N] > cells[_BASE] and cells[_VERDICT] != MORE:
        blame(cells, bus.rx[cells[_BASE]])
    fail(bus, outcome(cells), now_us)


@micropython.native
def drop(bus, n, now_us):
    """Drop what nobody waits for, until the line has been silent for t3.5 after the last byte of either side."""
    cells = bus.cells
    if cells[_STATE] == _QUIET:
        cells[_STATE] = _GAP
        cells[_NOISY] = 0
        cells[_BEGUN] = now_us
    bus.readinto(bus.rx, 0, min(n, len(bus.rx)))
    cells[_LAST] = now_us
    cells[_WAKE] = ticks.add(now_us, cells[_SILENCE])
    if not cells[_NOISY]:
        cells[_NOISY] = 1
        cells[_NOISE_AT] = now_us
        blame(cells, bus.rx[0])
    if ticks.diff(now_us, cells[_NOISE_AT]) >= _BABBLE_US:
        cells[_BABBLE] += 1
        cells[_BUSY_US] = ticks.add(cells[_BUSY_US], ticks.diff(now_us, cells[_BEGUN]))
        cells[_STATE] = _QUIET
