"""From the load meter's sampling instant to the set point made from it: real scheduler, firmware and clock.

The devices are FAKE and ideal, the wire's pace is that of 115200 baud.
"""

import gc
import json

import micropython
import mps2

from firmware.drivers import budget
from firmware.main import Station
from firmware.site.config import load
from tests import fakes_station
from tests.bench.paced_line import PacedLine, behind
from tests.fakes_bus import ImageSlave

RATING_W = 2_000_000
BAUD = 115_200
LOAD, PCS = 1, 10
ROUNDS = 200
_SET_REGISTERS = 11


class Silent:
    """Stands for the log: nothing is kept."""

    def note(self, source, code, text):
        """Hear an event."""

    def wanted(self):
        """Return False: there is no record to be made."""
        return False


class PacedBoard:
    """The board's own clock with FAKE lines; keeps when load requests and set points ended."""

    ms = staticmethod(mps2.ticks_ms)
    us = staticmethod(mps2.ticks_us)

    def __init__(self):
        self.stop = False
        self.utc_news = False
        self.tell_every_ms = 1000
        self.lines = []
        self.sampled_us = None
        self.answer_count = 0
        self.took_us = []
        registers = fakes_station.meter_registers(1_200_000)
        self._slaves = (ImageSlave(LOAD, 0, registers), ImageSlave(2, 0, registers), fakes_station.pcs(RATING_W, 0))

    def serial(self, index, baud, parity, stop_bits):
        """Return a line with all devices on it; each is asked on its own bus only."""
        self.lines.append(PacedLine(baud, self._slaves, self.told))
        return self.lines[-1]

    @micropython.native
    def told(self, frame, end_us):
        """Take the time of a load request or of a set point."""
        if frame[0] == LOAD and not frame[2] and frame[3] < 3:
            self.sampled_us = end_us
            self.answer_count = 5 + 2 * frame[5]
        elif frame[0] == PCS and frame[1] == 16 and frame[5] == _SET_REGISTERS and self.sampled_us is not None:
            self.took_us.append((behind(end_us, self.sampled_us), self.answer_count))
            self.sampled_us = None

    @micropython.native
    def idle(self, us):
        """Sleep until something is due or a byte comes."""
        for line in self.lines:
            wait_us = line.wait_us()
            if wait_us < us:
                us = wait_us
        if us > 0:
            mps2.idle_us(us)

    def feed_watchdog(self):
        """Do nothing."""

    def collect(self):
        """Collect garbage."""
        gc.collect()

    tidy = collect

    def report(self, kind, text):
        """Tell nobody."""


def site(period_ms, buses):
    """Return a site with load and grid on the first bus and the PCS on the last one."""
    devices = [("load", "generic_fast", LOAD, 0), ("grid", "generic_fast", 2, 0),
               ("pcs", "sunspec_der", PCS, buses - 1)]
    factor = {"direct_mg_per_kwh": 1, "lifecycle_mg_per_kwh": 1}
    return load(json.dumps({
        "version": 1, "site": {"id": "rig", "device": "rig"},
        "control": {"period_ms": period_ms, "policy": "self_consumption"},
        "limits": {"grid_import_w": RATING_W, "grid_export_w": RATING_W, "soc_min_permille": 0,
                   "soc_max_permille": 1000},
        "ratings": {"load_w": RATING_W, "grid_w": RATING_W, "bess_w": RATING_W, "bess_wh": RATING_W},
        "buses": [{"id": i, "uart": i, "baud": BAUD} for i in range(buses)],
        "devices": [{"role": r, "profile": p, "bus": b, "unit": u, "turnaround_ms": 0} for r, p, u, b in devices],
        "factors": {"grid": factor, "bess_substitute": factor}}).encode())[0]


def measured(period_ms, buses):
    """Return the figures of one site."""
    gc.collect()
    platform = PacedBoard()
    config = site(period_ms, buses)
    made = Station(platform, config)
    made.events = made.keeper = Silent()
    for rest_us in made.field.pcs.start():
        made.field.poll()
        platform.idle(rest_us or 1)
    if not made.field.pcs.ready:
        raise RuntimeError(made.field.pcs.trouble)
    bus = made.field.buses[0]
    cycle_us = sum(r.total_us for r in budget.loads(made.field, config["buses"], period_ms * 1000)[0].requests
                   if r.every_us == period_ms * 1000)
    made.sched.start()
    platform.took_us = []
    while len(platform.took_us) < ROUNDS:
        made.sched.step()
    line = platform.lines[0]
    setpoint_us = (9 + 2 * _SET_REGISTERS) * bus.char_us
    between_us = bus.silence_us if buses == 1 else 0
    took_us = sum(row[0] for row in platform.took_us) // ROUNDS
    answer_us = sum(row[1] for row in platform.took_us) * bus.char_us // ROUNDS
    ideal_us = line.pause_us + answer_us + between_us + setpoint_us
    return {"took_us": took_us, "worst_us": max(row[0] for row in platform.took_us), "pause_us": line.pause_us,
            "answer_us": answer_us, "between_us": between_us, "setpoint_us": setpoint_us, "ideal_us": ideal_us,
            "cycle_us": cycle_us, "rounds": ROUNDS,
            "late": sum(1 for row in platform.took_us if 4 * row[0] > 5 * ideal_us)}


def main():
    """Print the figures."""
    print({"two": measured(20, 2), "one": measured(50, 1)})
