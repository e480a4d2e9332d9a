"""From the load meter's sampling instant to the last byte of the set point made from it: the whole firmware on a board.

The devices are FAKE and ideal, the wire's pace is that of 115200 baud; clock, log, keys, collection are the board's
own, and a quarter hour closes on the way. Left out, and counted, are two kinds of set points: one during which the FAKE
line met a request for the first time, for the board stood still meanwhile, which no device on a wire makes it do; and
the first one behind a standstill, which nobody expects: a read may stand before it on the line.
"""

import gc
from array import array

import micropython

from firmware import main as firmware_main
from firmware.drivers.line import budget
from tests.bench.paced_board import LOAD, PCS, PacedPlatform, furnish
from tests.bench.paced_line import behind

UTC_S = 1_767_268_800  # a quarter hour begins
BEFORE_S = 10  # so long before its end the clock is set
_SET_REGISTERS = 11
_CLASS_US = 100
_CLASSES = 128


class Rounds:
    """What became of each load sample: hears of every request, and keeps times by their size."""

    def __init__(self):
        self.counts = array("i", [0] * _CLASSES)  # of set points, by how late they ended, in steps of 100 us
        self.sums = array("i", [0] * 5)  # set points, their us, their answers' bytes, those left out, first ones
        self.worst_us = 0
        self.lines = ()
        self._answer_count = 0
        self._taught = 0
        self._sampled = False
        self._sampled_us = 0
        self._first = True

    @micropython.native
    def told(self, frame, end_us):
        """Take the time of a load request or of a set point."""
        if frame[0] == LOAD and not frame[2] | frame[3]:
            self._first = self._sampled
            self._sampled = True
            self._sampled_us = end_us
            self._answer_count = 5 + 2 * frame[5]
            self._taught = self._learned()
        elif frame[0] == PCS and frame[1] == 16 and frame[5] == _SET_REGISTERS and self._sampled:
            self._sampled = False
            if self._taught != self._learned():
                self.sums[3] += 1
            elif self._first:
                self.sums[4] += 1
            else:
                self._count(behind(end_us, self._sampled_us))

    @micropython.native
    def _learned(self):
        taught = 0
        for line in self.lines:
            taught += line.taught
        return taught

    @micropython.native
    def _count(self, us):
        sums = self.sums
        sums[0] += 1
        sums[1] += us
        sums[2] += self._answer_count
        at = us // _CLASS_US
        self.counts[at if at < _CLASSES else _CLASSES - 1] += 1
        if us > self.worst_us:
            self.worst_us = us


def measured(root, period_ms, buses, seconds):
    """Return the figures of one site."""
    furnish(root, period_ms, buses)
    gc.collect()
    rounds = Rounds()
    platform = PacedPlatform(root, rounds.told)
    rounds.lines = platform.lines
    station = firmware_main.build(platform)
    station.stop = lambda: None
    cycle_us = _cycle_us(station, period_ms)
    platform.set_utc(UTC_S - BEFORE_S, 1)
    first = station.chain.size
    station.run(seconds * 1000)
    bus, line = station.field.buses[0], platform.lines[0]
    count, took_us, answer_bytes, left_out, firsts = rounds.sums
    setpoint_us = (9 + 2 * _SET_REGISTERS) * bus.char_us
    between_us = bus.silence_us if buses == 1 else 0
    answer_us = answer_bytes * bus.char_us // count
    ideal_us = line.pause_us + answer_us + between_us + setpoint_us
    return {"took_us": took_us // count, "worst_us": rounds.worst_us, "pause_us": line.pause_us,
            "answer_us": answer_us, "between_us": between_us, "setpoint_us": setpoint_us, "ideal_us": ideal_us,
            "cycle_us": cycle_us, "rounds": count, "left_out": left_out, "firsts": firsts, "seconds": seconds,
            "records": station.chain.size - first, "errors": station.sched.errors,
            "late": sum(rounds.counts[at] for at in range(_CLASSES) if 4 * at * _CLASS_US >= 5 * ideal_us),
            "collects": station.sched.pool.collects,
            "sizes": {at * _CLASS_US: rounds.counts[at] for at in range(_CLASSES) if rounds.counts[at]}}


def _cycle_us(station, period_ms):
    """Return what a round of the load's bus takes."""
    loads = budget.loads(station.field, station.config["buses"], period_ms * 1000)
    return sum(r.total_us for r in loads[0].requests if r.every_us == period_ms * 1000)


def main(seconds=40):
    """Print the figures."""
    two = measured("/two", 20, 2, seconds)
    gc.collect()
    print({"two": two, "one": measured("/one", 50, 1, seconds)})
