"""One unit on a bus, as people and slow code see it: its statistics, and what it needs."""

from array import array

from firmware.drivers import cells as k


def _cell(cell):
    """Make the property of one cell of the unit's row."""
    def get(device):
        return device._cells[device.at + cell]

    def put(device, value):
        device._cells[device.at + cell] = value

    return property(get, put)


class Device:
    """What the bus knows of one address: requests = answers + timeouts + crc + exceptions."""

    def __init__(self, cells, unit):
        self._cells = cells
        self.at = len(cells)
        cells.extend(array("i", [0] * k.UNIT_WIDTH))
        self.unit = unit
        cells[self.at + k.UNIT] = unit
        cells[self.at + k.NEXT_UNIT] = cells[k.UNITS]
        cells[k.UNITS] = self.at

    requests = _cell(k.REQUESTS)
    answers = _cell(k.ANSWERS)
    timeouts = _cell(k.TIMEOUTS)  # no answer, or none that was its own, or one cut short
    crc = _cell(k.CRC)  # answers with a wrong CRC
    exceptions = _cell(k.EXCEPTIONS)
    late = _cell(k.LATE)  # bursts with this address after their request had been given up
    foreign = _cell(k.STRANGE)  # bursts with this address that nobody had asked for
    turnaround_max_us = _cell(k.TURN_MAX)  # end of request to first byte of answer
    turnaround_us = _cell(k.LEARNT)  # what it has lately needed at most
    gap_us = _cell(k.PAUSE)  # pause that it needs after a transaction
    late_us = _cell(k.LATE_US)  # its largest turn-around: how long after a request an answer may still come
    fails = _cell(k.FAILS)  # failures in a row

    def turnaround_percentile_us(self, percent):
        """Return the turn-around, us, within which `percent` of all answers began; the size classes double."""
        counts = [self._cells[self.at + k.BUCKETS + i] for i in range(k.BUCKETS_N)]
        wanted = sum(counts) * percent // 100
        for i in range(k.BUCKETS_N):
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
