"""The Modbus RTU master of one RS-485 line: a state machine that advances in slices and never waits.

Only whole frames are believed: address, function, length (or a write's echo) and CRC. What came before our
own request had left, came after the time-out, or is not ours, is dropped and counted. A late answer is not
taken for a later request's: every read of a unit differs from the one before it in what its answer must look
like, a request that failed is made in its other form for the next 2 s (see Job), and after a time-out the
unit is left alone until its largest turn-around is over. What remains possible: an answer later than that,
when another of the unit's requests has failed since. A read answered twice counts once, unless a request
has failed within those 2 s. Frames are never split at pauses (t1.5): UART FIFOs, USB and operating systems
make pauses where the wire has none.
"""

import micropython
from micropython import const

from firmware.core import ticks
from firmware.drivers.device import Devices
from firmware.drivers.hot import bind
from firmware.drivers.job import ACTIVE, IDLE, JobQueue
from firmware.drivers.window import Window

_QUIET = const(0)  # silence has been kept: a request may start
_SEND = const(1)
_LISTEN = const(2)
_GAP = const(3)  # waiting for silence

_OK = const(0)
_MORE = const(1)
_EXCEPTION = const(2)
_BAD_CRC = const(5)
_STUCK = const(10)

_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)
_FOREVER_US = const(0x1FFFFFFF)
_BABBLE_US = const(100_000)  # a line that is never silent is used nevertheless after this long
_STUCK_US = const(200_000)
_HOT = ("submit", "poll", "wait_us", "_begin", "_sending", "_listen", "_examine", "_finish", "_close",
        "_settle")


class Bus:
    """One line. `platform` gives us() and ms(); `serial` write, any, readinto and tx_done."""

    def __init__(self, serial, platform, baud, parity="N", stop_bits=1):
        bits = 9 + (parity != "N") + stop_bits
        self.char_us = (bits * 1_000_000 + baud - 1) // baud
        self.silence_us = 1750 if baud > 19_200 else (7 * self.char_us + 1) // 2
        self.devices = Devices()
        self.babble = 0  # times that the line was not silent for 100 ms
        self._serial = serial
        self._any = serial.any
        self._us = platform.us
        self._ms = platform.ms
        self._queue = JobQueue()
        self._window = Window()
        self._state = _GAP  # whatever is in the UART at start is old
        self._job = None  # the one on the line
        self._tried = False  # this silence has been examined
        self._noisy = False
        self._busy_us = self._end_us = self._deadline_us = 0
        self._last_us = self._gap_us = platform.us()
        self._wake_us = ticks.add(self._last_us, self.silence_us)  # something is due then if no byte comes
        bind(self, _HOT)

    def device(self, unit):
        """Return the record of a unit, making one at first. Start-up only."""
        return self.devices.of(unit)

    def register(self, job):
        """Make room for one more job. Start-up only."""
        self._queue.register(job)

    @micropython.native
    def submit(self, job):
        """Ask for a job once, however often before its turn; returns False where it was asked already."""
        state = job.state
        if state == IDLE:
            self._queue.put(job)
            return True
        # A write on the line carries the old content: once more. A read will bring what is asked for.
        if state == ACTIVE and job.is_write:
            job.again = True
            return True
        return False

    @micropython.native
    def poll(self):
        """Advance as far as the bytes and the clock allow; returns True while a transaction is open."""
        n = self._any()
        now_us = self._us()
        state = self._state
        if state and not n and (now_us - self._wake_us) & _HALF:
            return state != _GAP
        if state == _SEND:
            self._sending(n, now_us)
        elif state == _LISTEN:
            self._listen(n, now_us)
        elif n or state == _GAP:
            self._settle(n, now_us)
        if self._state == _QUIET and self._queue.count:
            self._begin(now_us)
        return self._job is not None

    @micropython.native
    def wait_us(self):
        """Return the microseconds until poll() has something to do even if no byte comes, 0 .. 2**29 - 1."""
        if self._state == _QUIET:
            return self.silence_us if self._queue.count else _FOREVER_US
        left_us = (self._wake_us - self._us()) & _MASK
        return 0 if left_us & _HALF else left_us

    # ---- request

    @micropython.native
    def _begin(self, now_us):
        job = self._queue.take(now_us)
        if job is None:
            return
        form = job.last = job.form()
        frame = job.frames[form]
        if job.is_write:
            job.build(form)
        device = job.device
        device.signature = job.signatures[form]
        device.requests += 1
        self._job = job
        self._tried = True
        self._window.open(frame, job.lengths[form])
        n = len(frame)
        self._serial.write(frame, n)
        self._busy_us = now_us
        self._end_us = self._wake_us = ticks.add(now_us, n * self.char_us)
        self._state = _SEND

    @micropython.native
    def _sending(self, n, now_us):
        window = self._window
        # The order matters: bytes first, then the question whether the request has left.
        if n:
            n = window.take(self._serial, n)
        if not self._serial.tx_done():
            self._still_sending(now_us)
            return
        # The end by the baud rate, unless the UART was seen to end earlier or later.
        end_us = self._end_us
        ago_us = (now_us - end_us) & _MASK
        if ago_us & _HALF or (end_us - self._busy_us) & _HALF:
            self._end_us = end_us = now_us
            ago_us = 0
        job = self._job
        job.sent_ms = (self._ms() - ago_us // 1000) & _MASK
        wire_us = job.lengths[job.last] * self.char_us + 2 * self.silence_us
        self._deadline_us = self._wake_us = ticks.add(end_us, job.timeout_us + wire_us)
        self._last_us = end_us
        self._state = _LISTEN
        if window.base and window.intruder() >= 0:
            self.devices.blame(window.intruder())
        if n:
            self._examine(n, now_us)

    @micropython.native
    def _still_sending(self, now_us):
        # Nothing that is here before our last byte has left can be its answer.
        self._window.bar()
        self._busy_us = now_us
        late_us = ticks.diff(now_us, self._end_us)
        if late_us >= 0:
            self._wake_us = ticks.add(now_us, self.char_us)
        if late_us > _STUCK_US:
            self._last_us = now_us
            self._fail(_STUCK, now_us)

    # ---- answer

    @micropython.native
    def _listen(self, n, now_us):
        window = self._window
        if n:
            self._examine(window.take(self._serial, n), now_us)
        elif not self._tried:
            self._examine_tail(now_us)
        if self._state == _LISTEN and ticks.diff(now_us, self._deadline_us) >= 0:
            if window.n > window.base and window.verdict != _MORE:
                self.devices.blame(window.rx[window.base])
            self._fail(window.outcome(), now_us)

    @micropython.native
    def _examine_tail(self, now_us):
        """The line has fallen silent: look for an answer behind something else."""
        window = self._window
        self._tried = True
        self._wake_us = self._deadline_us
        status = window.judge_tail()
        if status == _OK or status == _EXCEPTION:
            self.devices.blame(window.rx[window.base])
            self._finish(status, now_us)
        elif status == _BAD_CRC:
            self._fail(_BAD_CRC, now_us)

    @micropython.native
    def _examine(self, fresh_n, now_us):
        """Look for the answer where it should begin."""
        window = self._window
        self._last_us = now_us
        if window.n - fresh_n <= window.base:
            turnaround_us = ((now_us - self._end_us) & _MASK) - fresh_n * self.char_us
            device = self._job.device
            if turnaround_us > device.turnaround_max_us:
                device.turnaround_max_us = turnaround_us
        status = window.judge()
        if status == _OK or status == _EXCEPTION:
            self._finish(status, now_us)
            return
        self._tried = False
        self._wake_us = ticks.add(now_us, self.silence_us)

    # ---- outcome

    @micropython.native
    def _close(self, now_us):
        """Free the line and the job, and wait for silence; returns the job."""
        job = self._job
        self._job = None
        job.state = IDLE
        if job.again:
            job.again = False
            self._queue.put(job)
        self._state = _GAP
        self._noisy = False
        self._gap_us = now_us
        self._wake_us = ticks.add(self._last_us, self.silence_us)
        return job

    @micropython.native
    def _finish(self, status, now_us):
        window = self._window
        job = self._close(now_us)
        device = job.device
        rx = window.rx
        at = window.at
        end = at + (5 if status == _EXCEPTION else job.lengths[job.last])
        device.answered(now_us)
        if window.n > end:
            self._noisy = True
            self.devices.blame(rx[end])
        if status == _OK:
            device.answers += 1
            job.exception = 0
            job.owner.on_answer(job, rx, at + 3)
        else:
            device.exceptions += 1
            job.exception = rx[at + 2]
            job.owner.on_failure(job, status)

    @micropython.native
    def _fail(self, status, now_us):
        job = self._close(now_us)
        job.exception = 0
        has_other = job.signatures[0] != job.signatures[1]
        if status == _BAD_CRC:
            job.device.garbled(has_other, now_us)
        else:
            job.device.silent(ticks.diff(now_us, self._end_us), has_other, now_us)
        job.owner.on_failure(job, status)

    # ---- silence

    @micropython.native
    def _settle(self, n, now_us):
        """Drop what comes until the line has been silent for t3.5 after the last byte of either side."""
        if n:
            self._drop(n, now_us)
        else:
            self._state = _QUIET

    @micropython.native
    def _drop(self, n, now_us):
        if self._state == _QUIET:
            self._state = _GAP
            self._noisy = False
            self._gap_us = now_us
        window = self._window
        window.n = 0
        window.take(self._serial, n)
        self._last_us = now_us
        self._wake_us = ticks.add(now_us, self.silence_us)
        if not self._noisy:
            self._noisy = True
            self.devices.blame(window.rx[0])
        if ticks.diff(now_us, self._gap_us) >= _BABBLE_US:
            self.babble += 1
            self._state = _QUIET
