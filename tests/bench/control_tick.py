"""One whole control tick on the emulated board: requests out, answers in, decision, set point out, energy added."""

import gc

import micropython

from tests import fakes_station
from tests.bench import stopwatch
from tests.bench.memory_line import MemoryLine

PERIODS = 15
_POLLS = 24
_STEP_US = 875
_REST_US = 100_000 - 3 * _POLLS * _STEP_US
_SENDING = 1  # as in the bus


class Parts:
    """Where the counts of one period went; the polls by what they did."""

    def __init__(self, made):
        # looked up once: a bound method is an object, and the measure must not allocate itself
        self.start_cycle = made.field.start_cycle
        self.control_tick = made.control_tick
        self.look_back = made.field.look_back
        self.clear()

    @micropython.native
    def clear(self):
        """Begin a period."""
        self.asking = self.tick = 0
        self.answers = self.sends = self.others = 0
        self.setpoint = 0  # the one of the sends that carries it

    def whole(self):
        """Return the counts of the period."""
        return self.asking + self.tick + self.answers + self.sends + self.others


@micropython.native
def _us(platform):
    return platform.now_us & 0x3FFFFFFF


@micropython.native
def _ms(platform):
    return platform.now_us // 1000 & 0x3FFFFFFF


def rehearsed():
    """Return a station at work, on a line that repeats the answers of two periods; no slow registers."""
    fakes_station.FakePlatform.us = _us
    fakes_station.FakePlatform.ms = _ms
    made, platform, recorder = fakes_station.station(2_000_000, 1_200_000, 700_000, 300_000, 200_000)
    parts = Parts(made)
    made.field.pcs.request_slow()
    for _ in range(4):  # a read has two forms, which take turns
        period(made, platform.line, platform, parts)
    recorder.answers = []
    for _ in range(2):
        period(made, platform.line, platform, parts)
    line = MemoryLine(recorder.answers)
    bus = made.field.buses[0]
    bus.attach(line)
    return made, platform, line


@micropython.native
def _settle(bus, line, platform, parts):
    """Poll until all is quiet; count only the polls that moved something."""
    poll = bus.poll
    now = stopwatch.now
    since = stopwatch.since
    for _ in range(_POLLS):
        state = bus.cells[0]
        waiting = line.any()
        begin = now()
        poll()
        spent = since(begin) - stopwatch.cost
        if waiting:
            parts.answers += spent
        elif bus.cells[0] != state and bus.cells[0] == _SENDING:
            parts.sends += spent
            parts.setpoint = spent
        elif bus.cells[0] != state:
            parts.others += spent
        platform.now_us += _STEP_US


@micropython.native
def period(made, line, platform, parts):
    """Run one control period into `parts`: direct meters, tick and set point, PCS and grid meter."""
    bus = made.field.buses[0]
    parts.clear()
    parts.asking = stopwatch.counts(parts.start_cycle)
    _settle(bus, line, platform, parts)
    parts.tick = stopwatch.counts(parts.control_tick)
    answers = parts.answers
    _settle(bus, line, platform, parts)
    setpoint = parts.setpoint
    acknowledged = parts.answers - answers
    parts.asking += stopwatch.counts(parts.look_back)
    _settle(bus, line, platform, parts)
    parts.setpoint = setpoint
    parts.others += acknowledged  # the answer to the set point belongs to no tick
    parts.answers -= acknowledged
    platform.now_us += _REST_US


def _allocated(made, line, platform, parts):
    def two_periods():
        period(made, line, platform, parts)
        period(made, line, platform, parts)

    return stopwatch.allocated(two_periods)


@micropython.native
def _send_nothing(bess_pu):
    pass


def _without_frame(made, platform):
    """Return the counts of a control tick that submits no set point: measure to book alone."""
    made._on = made._on[:-1] + (_send_nothing,)  # the last of what it works on is the way to the wire
    counts = []
    for _ in range(3):
        platform.now_us += 100_000
        counts.append(stopwatch.counts(made.control_tick))
    return stopwatch.median(counts)


def main():
    """Print the figures."""
    made, platform, line = rehearsed()
    parts = Parts(made)
    rows = []
    gc.collect()
    gc.disable()
    for _ in range(PERIODS):
        asked = line.requests
        period(made, line, platform, parts)
        if line.requests - asked != 5 or not made.supervisor.commands:
            raise RuntimeError("a period asks four devices and commands one")
        rows.append([parts.answers + parts.tick + parts.setpoint, parts.whole(), parts.answers, parts.tick,
                     parts.setpoint, parts.sends, parts.others, parts.asking])
    rows.sort()
    names = ("tick", "period", "answers", "control_tick", "setpoint", "sends", "others", "asking")
    figures = {name: stopwatch.INSTRUCTIONS * value for name, value in zip(names, rows[PERIODS // 2])}
    figures["spread"] = stopwatch.INSTRUCTIONS * (rows[-1][0] - rows[0][0])
    figures["alloc_bytes"] = _allocated(made, line, platform, parts)
    figures["without_frame"] = stopwatch.INSTRUCTIONS * _without_frame(made, platform)
    print(figures)
