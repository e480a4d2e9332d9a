"""An RS-485 line in virtual time: every byte takes its time, a request is taken when its last byte has left.

The slaves count their turn-around from the last byte of a request and never answer sooner than 3.5
characters. An answer reaches the firmware at the time of its last byte.
"""

from host_tools.plant.crc import crc16, with_crc

_FAST_BAUD = 19_200  # above it Modbus fixes the silence at 1750 us
_FAST_SILENCE_US = 1_750
_KNOWN = 4_096
_COUNTS = ("requests", "answers", "unanswered", "damaged", "collisions", "foreign", "mismatched", "bytes_out",
           "bytes_in", "busy_us")


class Line:
    """One bus: the firmware's UART at one end, slaves at the other."""

    def __init__(self, agenda, bus_id, port, settings, deliver, rng):
        baud, parity, stop_bits = settings
        self.bus_id = bus_id
        self.port = port
        self.settings = settings
        self.slaves = {}
        self.cut = False
        self.flip = 0.0  # probability that a byte arrives with one bit turned
        self.statistics = dict.fromkeys(_COUNTS, 0)
        self._agenda = agenda
        self._deliver = deliver  # (port, bytes) at the agenda's time
        self._rng = rng
        bits = 9 + (parity != "N") + stop_bits
        self.char_us = 1_000_000 * bits / baud
        self.silence_us = round(3.5 * self.char_us) if baud <= _FAST_BAUD else _FAST_SILENCE_US
        self._matched = True
        self._pending = b""  # what has been written since the last silence
        self._sent_us = -1_000_000  # when its last byte leaves
        self._answer_from_us = 0
        self._answer_until_us = 0
        self._answer = None  # the answer under way, replaced to drop it
        self._known = {}  # whole request -> (slave, request without CRC), for those seen before

    def open(self, baud, parity, stop_bits):
        """Note how the firmware opened its UART; with other settings than the bus nothing is understood."""
        self._matched = (baud, parity, stop_bits) == self.settings

    def write(self, data):
        """Send bytes from the firmware, now or when the shifter is free."""
        now_us = self._agenda.now_us
        start_us = max(now_us, self._sent_us)
        if start_us - self._sent_us < 1.5 * self.char_us:
            self._pending += data  # no silence in between: still the same frame
        else:
            self._pending = data
        self._sent_us = start_us + round(len(data) * self.char_us)
        self.statistics["bytes_out"] += len(data)
        if start_us < self._answer_until_us and self._sent_us > self._answer_from_us:
            self.statistics["collisions"] += 1
            self._answer = None
            self._pending = b""
            return
        self._agenda.at(self._sent_us, self._frame_left, self._pending)

    def _frame_left(self, frame):
        if frame is not self._pending:
            return  # more bytes joined it
        self.statistics["requests"] += 1
        answer = None if self.cut else self._ask(self.disturb(frame))
        if answer is None:
            self.statistics["unanswered"] += 1
            return
        slave, data = answer
        t_us = self._agenda.now_us
        pause_us = max(slave.draw_turnaround_us(), self.silence_us)
        length_us = round(len(data) * self.char_us)
        self._answer_from_us = t_us + pause_us
        self._answer_until_us = self._answer_from_us + length_us
        self.statistics["busy_us"] += round(len(frame) * self.char_us) + pause_us + length_us
        self._answer = data
        self._agenda.at(self._answer_until_us, self._answer_arrived, data)

    def _answer_arrived(self, data):
        if data is not self._answer or self.cut:
            return
        self._answer = None
        self.statistics["answers"] += 1
        self.statistics["bytes_in"] += len(data)
        self._deliver(self.port, self.disturb(data))

    def _ask(self, frame):
        """Return (slave, answer with CRC) to a frame, or None where nobody answers."""
        known = self._known.get(frame)
        if known is None:
            known = self._recognise(frame)
            if known is None:
                return None
        slave, request = known
        body = slave.answer(request, self._agenda.now_us)
        return None if body is None else (slave, with_crc(body))

    def _recognise(self, frame):
        if not self._matched:
            self.statistics["mismatched"] += 1
            return None
        if len(frame) < 4 or crc16(frame):
            self.statistics["damaged"] += 1
            return None
        if frame[0] == 0:
            for slave in self.slaves.values():
                slave.answer(bytes((slave.unit,)) + frame[1:-2], self._agenda.now_us)
            return None
        slave = self.slaves.get(frame[0])
        if slave is None:
            self.statistics["foreign"] += 1
            return None
        known = (slave, frame[:-2])
        if len(frame) == 8 and len(self._known) < _KNOWN:
            self._known[frame] = known
        return known

    def disturb(self, frame):
        """Return the bytes as they arrive on a noisy line."""
        if not self.flip:
            return frame
        damaged = bytearray(frame)
        for i in range(len(damaged)):
            if self._rng.random() < self.flip:
                damaged[i] ^= 1 << self._rng.randrange(8)
        return bytes(damaged)
