"""One whole control tick on the emulated board: requests out, answers in, decision, set point out, energy added.

The station runs on the board's own clock and UART; at the UART's other end the host's simulated devices answer.
"""

import gc

import board
import micropython
import mps2

from firmware.hal.open import open_platform
from firmware.main import Station, ticker
from firmware.site.config import load
from tests.bench import stopwatch

PERIODS = 15
_WARM_UP = 24  # a bus learns from the first 16 answers of each unit
_SPINS = 90_000
_JOB = 1  # as in drivers.line.cells
_ANSWER_N = 12
_HEAD = 21


class Parts:
    """Where the counts of one period went."""

    def __init__(self, made):
        # looked up once: a bound method is an object, and the measure must not allocate itself
        self.start_cycle = made.field.start_cycle
        self.control_tick = made.control_tick
        self.look_back = made.field.look_back
        self.any_bytes = made.field.buses[0].any_bytes
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


def station():
    """Return a station at work, its PCS found; no slow registers."""
    platform = open_platform(board, "board", "/")
    platform.collect_at_will(True)  # as main.build() does while nothing is timed yet
    with open("/bench/site.json", "rb") as file:
        made = Station(platform, load(file.read())[0])
    for device in made.field.commanded:
        for _ in device.start():
            for _ in range(40):
                made.field.poll()
                mps2.idle_us(20)
    made.field.pcs.request_slow()
    return made


@micropython.native
def _settle(bus, parts):
    """Poll until all is quiet; count the polls that have something to do, each answer taken whole."""
    cells = bus.cells
    poll = bus.poll
    now = stopwatch.now
    since = stopwatch.since
    for _ in range(_SPINS):
        answered = cells[_JOB]
        if answered:
            if parts.any_bytes() < cells[_ANSWER_N]:
                mps2.idle_us(20)  # the emulator looks after its sockets when a timer runs out
                continue
        elif cells[0] == 0 and not cells[_HEAD]:
            return
        elif bus.wait_us():
            mps2.idle_us(50)
            continue
        begin = now()
        poll()
        spent = since(begin) - stopwatch.cost
        if answered:
            parts.answers += spent
        elif cells[_JOB]:
            parts.sends += spent
            parts.setpoint = spent
        else:
            parts.others += spent
    raise RuntimeError("the host does not answer")


@micropython.native
def period(made, parts):
    """Run one control period into `parts`: direct meters, tick and set point, PCS and grid meter."""
    bus = made.field.buses[0]
    parts.clear()
    parts.asking = stopwatch.counts(parts.start_cycle)
    _settle(bus, parts)
    parts.tick = stopwatch.counts(parts.control_tick)
    answers = parts.answers
    _settle(bus, parts)
    setpoint = parts.setpoint
    acknowledged = parts.answers - answers
    parts.asking += stopwatch.counts(parts.look_back)
    _settle(bus, parts)
    parts.setpoint = setpoint
    parts.others += acknowledged  # the answer to the set point belongs to no tick
    parts.answers -= acknowledged


@micropython.native
def _send_nothing(bess_pu):
    pass


def _without_frame(made):
    """Return the counts of a control tick that submits no set point: measure to book alone."""
    on = made.looked_up()
    made.control_tick = ticker(made, on[:-1] + (_send_nothing,))  # the last of it is the way to the wire
    return stopwatch.median([stopwatch.counts(made.control_tick) for _ in range(3)])


def main():
    """Print the figures."""
    made = station()
    parts = Parts(made)
    rows = []
    device = made.field.pcs.stats
    for _ in range(_WARM_UP):
        period(made, parts)
    gc.collect()
    gc.disable()
    for _ in range(PERIODS):
        asked = device.requests
        period(made, parts)
        if device.requests - asked != 2 or not made.supervisor.commands:
            raise RuntimeError("a period reads the PCS and commands it once")
        rows.append([parts.answers + parts.tick + parts.setpoint, parts.whole(), parts.answers, parts.tick,
                     parts.setpoint, parts.sends, parts.others, parts.asking])
    rows.sort()
    names = ("tick", "period", "answers", "control_tick", "setpoint", "sends", "others", "asking")
    figures = {name: stopwatch.INSTRUCTIONS * value for name, value in zip(names, rows[PERIODS // 2])}
    figures["spread"] = stopwatch.INSTRUCTIONS * (rows[-1][0] - rows[0][0])
    figures["alloc_bytes"] = stopwatch.allocated(lambda: period(made, parts))
    figures["without_frame"] = stopwatch.INSTRUCTIONS * _without_frame(made)
    print(figures)
