"""One unit on a bus, as people and slow code see it: its statistics, and what it needs."""

from array import array

from micropython import const

# As in drivers.line.cells.
_UNITS = const(28)
_UNIT = const(0)
_NEXT_UNIT = const(1)
_REQUESTS = const(2)
_ANSWERS = const(3)
_TIMEOUTS = const(4)
_CRC = const(5)
_EXCEPTIONS = const(6)
_LATE = const(7)
_STRANGE = const(8)
_TURN_MAX = const(9)
_PAUSE = const(10)
_LATE_US = const(11)
_FAILS = const(12)
_LEARNT = const(19)
_BUCKETS = const(22)
_BUCKETS_N = const(12)
_UNIT_WIDTH = const(38)

_PLACES = {
    "requests": _REQUESTS,
    "answers": _ANSWERS,
    "timeouts": _TIMEOUTS,  # no answer, or none that was its own, or one cut short
    "crc": _CRC,  # answers with a wrong CRC
    "exceptions": _EXCEPTIONS,
    "late": _LATE,  # bursts with this address after their request had been given up
    "foreign": _STRANGE,  # bursts with this address that nobody had asked for
    "turnaround_max_us": _TURN_MAX,  # end of request to first byte of answer
    "turnaround_us": _LEARNT,  # what it has lately needed at most
    "fails": _FAILS,  # failures in a row
}


class Device:
    """What the bus knows of one address: requests = answers + timeouts + crc + exceptions."""

    def __init__(self, bus, unit):
        self._cells = cells = bus.cells
        self.at = bus.lengthen(array("i", [0] * _UNIT_WIDTH))
        self.unit = unit
        cells[self.at + _UNIT] = unit
        cells[self.at + _NEXT_UNIT] = cells[_UNITS]
        cells[_UNITS] = self.at

    def _put_gap(self, gap_us):
        self._cells[self.at + _PAUSE] = gap_us

    def _put_late(self, late_us):
        self._cells[self.at + _LATE_US] = late_us

    gap_us = property(lambda d: d._cells[d.at + _PAUSE], _put_gap)  # pause that it needs after a transaction
    # Its largest turn-around: how long after a request an answer may still come.
    late_us = property(lambda d: d._cells[d.at + _LATE_US], _put_late)

    def __getattr__(self, name):
        """Return one of its counts and times; a property each would take four times as much of the heap."""
        if name not in _PLACES:
            raise AttributeError(name)
        return self._cells[self.at + _PLACES[name]]

    def turnaround_percentile_us(self, percent):
        """Return the turn-around, us, within which `percent` of the answers began; the size classes double."""
        counts = [self._cells[self.at + _BUCKETS + i] for i in range(_BUCKETS_N)]
        wanted = sum(counts) * percent // 100
        for i in range(_BUCKETS_N):
            wanted -= counts[i]
            if wanted < 0:
                return min(500 << i, self.turnaround_max_us)
        return self.turnaround_max_us

    def summary(self):
        """Return what it did since the start, in words."""
        counts = (self.unit, self.requests, self.answers, self.timeouts, self.crc, self.exceptions, self.late,
                  self.foreign)
        turns = (self.turnaround_percentile_us(50), self.turnaround_percentile_us(95), self.turnaround_max_us)
        return ("unit %d: %d requests, %d answers, %d time-outs, %d CRC, %d exceptions, %d late, %d unasked" % counts
                + "; turn-around p50 %d p95 %d max %d us" % turns)
