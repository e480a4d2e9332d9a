"""The Modbus RTU master of one RS-485 line: a state machine that advances in slices and never waits.

Only whole frames are believed: address, function, length (or a write's echo) and CRC. What came before our
own request had left, came after the time-out, or is not ours, is dropped and counted. A late answer is not
taken for a later request's: every read of a unit differs from the one before it in what its answer must look
like, a request that failed is made in its other form for the next 2 s (see Job), and after a time-out the
unit is left alone until its largest turn-around is over. What remains possible: an answer later than that,
when another of the unit's requests has failed since. Frames are never split at pauses (t1.5): UART FIFOs, USB
and operating systems make pauses where the wire has none.
"""

import micropython
from micropython import const

from firmware.core import ticks
from firmware.drivers.device import Devices
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

_FOREVER_US = const(0x1FFFFFFF)
_BABBLE_US = const(100_000)  # a line that is never silent is used nevertheless after this long
_STUCK_US = const(200_000)


class Bus:
    """One line. `platform` gives us() and ms(); `serial` write, any, readinto and tx_done."""

    def __init__(self, serial, platform, baud, parity="N", stop_bits=1):
        bits = 9 + (parity != "N") + stop_bits
        self.char_us = (bits * 1_000_000 + baud - 1) // baud
        self.silence_us = 1750 if baud > 19_200 else (7 * self.char_us + 1) // 2
        self.devices = Devices()
        self.babble = 0  # times that the line was not silent for 100 ms
        self._serial = serial
        self._platform = platform
        self._queue = JobQueue()
        self._window = Window()
        self._state = _GAP  # whatever is in the UART at start is old
        self._job = None  # the one on the line
        self._form = 0
        self._tried = False  # this silence has been examined
        self._noisy = False
        self._force = False
        self._busy_us = self._end_us = self._deadline_us = 0
        self._last_us = self._gap_us = platform.us()

    def device(self, unit):
        """Return the record of a unit, making one at first. Start-up only."""
        return self.devices.of(unit)

    def register(self, job):
        """Make room for one more job. Start-up only."""
        self._queue.register(job)

    @micropython.native
    def submit(self, job):
        """Ask for a job once, however often before its turn; returns False where it was asked already."""
        if job.state == IDLE:
            self._queue.put(job)
            return True
        # A write on the line carries the old content: once more with the new one. A read will bring what is
        # asked.
        if job.state == ACTIVE and job.is_write:
            job.again = True
            return True
        return False

    @micropython.native
    def poll(self):
        """Advance as far as the bytes and the clock allow; returns True while a transaction is open."""
        now_us = self._platform.us()
        if self._state == _SEND:
            self._sending(now_us)
        if self._state == _LISTEN:
            self._listen(now_us)
        if self._state == _GAP:
            self._settle(now_us)
        if self._state == _QUIET:
            self._begin(now_us)
        return self._job is not None

    @micropython.native
    def wait_us(self):
        """Return the microseconds until poll() has something to do even if no byte comes, 0 .. 2**29 - 1."""
        now_us = self._platform.us()
        if self._state == _QUIET:
            left_us = self.silence_us if self._queue.count else _FOREVER_US
        elif self._state == _SEND:
            left_us = ticks.diff(self._end_us, now_us)
            if left_us <= 0:
                left_us = self.char_us
        elif self._state == _GAP:
            left_us = self.silence_us - ticks.diff(now_us, self._last_us)
        else:
            left_us = ticks.diff(self._deadline_us, now_us)
            if not self._tried:
                left_us = min(left_us, self.silence_us - ticks.diff(now_us, self._last_us))
        return left_us if left_us > 0 else 0

    # ---- request

    @micropython.native
    def _begin(self, now_us):
        if not self._force and self._serial.any():
            self._enter_gap(now_us)
            self._settle(now_us)
        elif self._queue.count:
            job = self._queue.take(now_us)
            if job is not None:
                self._send(job, now_us)

    @micropython.native
    def _send(self, job, now_us):
        form = job.form()
        frame = job.build(form)
        job.device.signature = job.signatures[form]
        job.device.requests += 1
        self._job = job
        self._form = form
        self._window.open(frame, job.lengths[form])
        self._tried = True
        if self._force:
            self._flush()
        self._serial.write(frame, len(frame))
        self._busy_us = now_us
        self._end_us = ticks.add(now_us, len(frame) * self.char_us)
        self._state = _SEND

    @micropython.native
    def _flush(self):
        """Throw away what a line that is never silent has left in the UART."""
        self._force = False
        turns = 8
        while turns and self._window.take(self._serial):
            self._window.clear()
            turns -= 1

    @micropython.native
    def _sending(self, now_us):
        window = self._window
        # The order matters: bytes first, then the question whether the request has left.
        n = window.take(self._serial)
        if not self._serial.tx_done():
            window.bar()
            self._busy_us = now_us
            if ticks.diff(now_us, self._end_us) > _STUCK_US:
                self._fail(_STUCK, now_us)
            return
        # The end by the baud rate, unless the UART was seen to end earlier or later.
        if ticks.diff(self._end_us, now_us) > 0 or ticks.diff(self._end_us, self._busy_us) < 0:
            self._end_us = now_us
        job = self._job
        job.sent_ms = ticks.add(self._platform.ms(), -(ticks.diff(now_us, self._end_us) // 1000))
        wire_us = job.lengths[self._form] * self.char_us + 2 * self.silence_us
        self._deadline_us = ticks.add(self._end_us, job.timeout_us + wire_us)
        self._last_us = self._end_us
        self._state = _LISTEN
        intruder = window.intruder()
        if intruder >= 0:
            self.devices.blame(intruder)
        if n:
            self._examine(now_us, n)

    # ---- answer

    @micropython.native
    def _listen(self, now_us):
        n = self._window.take(self._serial)
        if n:
            self._examine(now_us, n)
        elif not self._tried and ticks.diff(now_us, self._last_us) >= self.silence_us:
            self._tried = True
            status = self._window.judge_tail()
            if status == _OK or status == _EXCEPTION:
                self._blame_first()
                self._finish(status, now_us)
            elif status == _BAD_CRC:
                self._fail(_BAD_CRC, now_us)
        if self._state == _LISTEN and ticks.diff(now_us, self._deadline_us) >= 0:
            if self._window.n > self._window.base and self._window.verdict != _MORE:
                self._blame_first()
            self._fail(self._window.outcome(), now_us)

    @micropython.native
    def _examine(self, now_us, fresh_n):
        """Look for the answer where it should begin."""
        window = self._window
        self._last_us = now_us
        self._tried = False
        if window.n - fresh_n <= window.base:
            self._job.device.note_turnaround(ticks.diff(now_us, self._end_us) - fresh_n * self.char_us)
        status = window.judge()
        if status == _OK or status == _EXCEPTION:
            self._finish(status, now_us)

    @micropython.native
    def _blame_first(self):
        self.devices.blame(self._window.rx[self._window.base])

    # ---- outcome

    @micropython.native
    def _close(self, now_us):
        """Free the line and the job; returns the job."""
        job = self._job
        self._job = None
        job.state = IDLE
        if job.again:
            job.again = False
            self._queue.put(job)
        self._enter_gap(now_us)
        return job

    @micropython.native
    def _finish(self, status, now_us):
        window = self._window
        job = self._close(now_us)
        device = job.device
        end = window.at + (5 if status == _EXCEPTION else job.lengths[self._form])
        device.answered(now_us)
        if window.n > end:
            self._noisy = True
            self.devices.blame(window.rx[end])
        job.at = window.at + 3
        if status == _OK:
            device.answers += 1
            job.exception = 0
            job.owner.on_answer(job, window.rx)
        else:
            device.exceptions += 1
            job.exception = window.rx[window.at + 2]
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
    def _enter_gap(self, now_us):
        self._state = _GAP
        self._noisy = False
        self._gap_us = now_us

    @micropython.native
    def _settle(self, now_us):
        """Drop what comes until the line has been silent for t3.5 after the last byte of either side."""
        window = self._window
        window.clear()
        if window.take(self._serial):
            self._last_us = now_us
            if not self._noisy:
                self._noisy = True
                self.devices.blame(window.rx[0])
            if ticks.diff(now_us, self._gap_us) >= _BABBLE_US:
                self.babble += 1
                self._force = True
                self._state = _QUIET
        elif ticks.diff(now_us, self._last_us) >= self.silence_us:
            self._state = _QUIET
