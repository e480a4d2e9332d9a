"""An RS-485 line in virtual time: every byte takes its time, a request is taken when its last byte has left.

The slaves count their turn-around from the last byte of a request and never answer sooner than 3.5
characters. An answer reaches the firmware at the time of its last byte, what comes unasked every three
characters. Who speaks while another does destroys both; while the firmware sends it hears nothing.
"""

from host_tools.plant.crc import crc16, with_crc
from host_tools.plant.talkers import Babbler, OtherMaster
from host_tools.plant.wire_faults import WireFaults

_FAST_BAUD = 19_200  # above it Modbus fixes the silence at 1750 us
_FAST_SILENCE_US = 1_750
_KNOWN = 4_096
_PIECE = 3
_COUNTS = ("requests", "answers", "unanswered", "damaged", "collisions", "foreign", "mismatched", "unasked",
           "bytes_out", "bytes_in", "busy_us")


class _Speech:
    """Bytes that a device puts on the line."""

    def __init__(self, from_us, until_us, data, slave):
        self.from_us = from_us
        self.until_us = until_us
        self.data = data
        self.slave = slave  # whose answer it is; None for what nobody asked for
        self.heard = True
        self.number = 0  # of its arrival on the agenda
        self.address = 0
        self.asked_us = None  # end of the request whose whole right answer this is

    def meets(self, from_us, until_us):
        """Return True when it is on the line at some time between these."""
        return self.from_us < until_us and from_us < self.until_us


class Line:
    """One bus: the firmware's UART at one end, slaves at the other."""

    def __init__(self, agenda, bus_id, port, settings, deliver, rng):
        baud, parity, stop_bits = settings
        self.bus_id = bus_id
        self.port = port
        self.settings = settings
        self.slaves = {}
        self.cut = False
        self.echo = False  # the firmware's adapter repeats what it sends
        self.faults = WireFaults(rng)  # of every answer on the line
        self.statistics = dict.fromkeys(_COUNTS, 0)
        self.agenda = agenda
        self.master = OtherMaster(self, rng)
        self._babblers = {}  # unit -> babbler
        self.observer = None  # is told of reads answered and of writes
        self.listener = deliver  # (port, bytes) at the agenda's time
        self._rng = rng
        bits = 9 + (parity != "N") + stop_bits
        self.char_us = 1_000_000 * bits / baud
        self.silence_us = round(3.5 * self.char_us) if baud <= _FAST_BAUD else _FAST_SILENCE_US
        self._matched = True
        self._pending = b""  # what has been written since the last silence
        self._sent_us = -1_000_000  # when its last byte leaves
        self._speeches = []  # under way or foreseen
        self._unasked_us = -1_000_000  # when the last of what nobody asked for ended
        self._known = {}  # whole request -> (slave, request without CRC), for those seen before

    def open(self, baud, parity, stop_bits):
        """Note how the firmware opened its UART; with other settings than the bus nothing is understood."""
        self._matched = (baud, parity, stop_bits) == self.settings

    def babble(self, unit, duty):
        """Let a unit speak unasked for this share of the time, 0 to 1."""
        if unit not in self._babblers:
            self._babblers[unit] = Babbler(self, unit, self._rng)
        self._babblers[unit].set(duty)

    def write(self, data):
        """Send bytes from the firmware, now or when the shifter is free."""
        start_us = max(self.agenda.now_us, self._sent_us)
        if start_us - self._sent_us < 1.5 * self.char_us:
            self._pending += data  # no silence in between: still the same frame
        else:
            # What ended just before has no silence behind it either: the slaves take it for the frame's start.
            self._pending = (b"\xff" if start_us - self._unasked_us < 1.5 * self.char_us else b"") + data
        self._sent_us = start_us + round(len(data) * self.char_us)
        self.statistics["bytes_out"] += len(data)
        if self.echo:
            self.agenda.at(self._sent_us, self._repeat, data)
        met = [speech for speech in self._speeches if speech.heard and speech.meets(start_us, self._sent_us)]
        if met:
            for speech in met:
                self._collide(speech)
            return
        self.agenda.at(self._sent_us, self._frame_left, self._pending)

    def _repeat(self, data):
        self.listener(self.port, data)

    def _collide(self, speech):
        """The firmware and a device speak at once: nobody understands either."""
        self.statistics["collisions"] += 1
        speech.heard = False
        self._pending = b""

    def _frame_left(self, frame):
        if frame is not self._pending:
            return  # more bytes joined it, or it met something
        self.statistics["requests"] += 1
        answer = None if self.cut else self._ask(self.disturb(frame))
        parts = self.parts(*answer) if answer else ()
        if not parts:
            self.statistics["unanswered"] += 1
            return
        slave, whole = answer
        if self.observer and frame[1] > 4:
            self.observer.written(slave, frame[2] << 8 | frame[3], self.agenda.now_us)
        pause_us = max(slave.draw_turnaround_us(), self.silence_us)
        self.statistics["busy_us"] += round(len(frame) * self.char_us) + pause_us
        for delay_us, data in parts:
            self.statistics["busy_us"] += round(len(data) * self.char_us)
            speech = self._speak(self.agenda.now_us + pause_us + delay_us, data, slave)
            if data is whole and not delay_us and whole[1] <= 4:
                speech.asked_us = self.agenda.now_us
                speech.address = frame[2] << 8 | frame[3]

    def parts(self, slave, data):
        """Return [(delay us, bytes)] that a slave's answer becomes on its way."""
        if not (slave.wire.any or self.faults.any):
            return ((0, data),)
        return [(delay_us + more_us, part) for delay_us, spoilt in slave.wire.parts(data)
                for more_us, part in self.faults.parts(spoilt)]

    def say(self, data):
        """Put bytes on the line now that nobody has asked for."""
        now_us = self.agenda.now_us
        self.statistics["unasked"] += 1
        times = [now_us + round(i * self.char_us) for i in range(len(data) + 1)]
        for i in range(0, len(data), _PIECE):
            speech = self._speak(times[i], data[i:i + _PIECE], None, times[min(i + _PIECE, len(data))])
            if times[i] < self._sent_us and self._pending:
                self._collide(speech)
        self._unasked_us = times[-1]

    def _speak(self, from_us, data, slave, until_us=None):
        if until_us is None:
            until_us = from_us + round(len(data) * self.char_us)
        speech = _Speech(from_us, until_us, data, slave)
        for other in self._speeches:
            if other.meets(from_us, until_us):
                self.statistics["collisions"] += 1
                self._garble(speech, other)
                self._garble(other, speech)
        self._speeches.append(speech)
        speech.number = self.agenda.calmly_at(until_us, self._arrived, speech)
        return speech

    @property
    def pause_us(self):
        """Return how long after a frame of the firmware nothing of its answer can have arrived, us."""
        return 0 if self.echo else self.silence_us

    def coming(self, before_us):
        """Return [(time us, number, port, bytes)] of what will arrive before a time, if nothing new is said."""
        if self.cut:
            return []
        return [(speech.until_us, speech.number, self.port, speech.data) for speech in self._speeches
                if speech.heard and speech.until_us < before_us]

    def _garble(self, speech, other):
        """Spoil the bytes of one that lie under another."""
        data = bytearray(speech.data)
        for i in range(len(data)):
            at_us = speech.from_us + i * self.char_us
            if other.meets(at_us, at_us + self.char_us):
                data[i] = self._rng.randrange(256)
        speech.data = bytes(data)
        speech.asked_us = None

    def _arrived(self, speech):
        self._speeches.remove(speech)
        if self.cut or not speech.heard:
            return
        self.statistics["answers"] += speech.slave is not None
        self.statistics["bytes_in"] += len(speech.data)
        if self.observer and speech.asked_us is not None:
            self.observer.answered(speech.slave, speech.address, speech.asked_us, self.agenda.now_us)
        self.listener(self.port, speech.data)

    def _ask(self, frame):
        """Return (slave, answer with CRC) to a frame, or None where nobody answers."""
        known = self._known.get(frame)
        if known is None:
            known = self._recognise(frame)
            if known is None:
                return None
        slave, request = known
        body = slave.answer(request, self.agenda.now_us)
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
                slave.answer(bytes((slave.unit,)) + frame[1:-2], self.agenda.now_us)
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
        """Return the firmware's own bytes as they arrive over a noisy line."""
        return self.faults.flipped(self.faults.noisy(frame)) if self.faults.any else frame
