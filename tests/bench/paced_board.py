"""The emulated board itself, but for its lines: FAKE and ideal devices at the pace of 115200 baud, and their site.

Clock, sleep, file system and collection are the board's own (hal.mps2).
"""

import json
import os

import micropython
import mps2

from tests import fakes_station
from tests.bench.paced import PacedBoard
from tests.bench.paced_line import PacedLine
from tests.fakes_bus import ImageSlave

RATING_W = 2_000_000
BAUD = 115_200
LOAD, GRID, PCS = 1, 2, 10


class PacedPlatform(PacedBoard):
    """The board with FAKE lines; events and telemetry are told to nobody but in trouble."""

    def __init__(self, root, told=None):
        """`told(frame, end_us)` hears of each request."""
        PacedBoard.__init__(self, root)
        self._told = told
        registers = fakes_station.meter_registers(1_200_000)
        self._slaves = (ImageSlave(LOAD, 0, registers), ImageSlave(GRID, 0, registers),
                        fakes_station.pcs(RATING_W, 0))

    def line(self, index, baud):
        """Return a line with all devices on it; each is asked on its own bus only."""
        return PacedLine(baud, self._slaves, self._told)

    @micropython.native
    def idle(self, us):
        """Sleep until something is due or an answer has come whole."""
        us = self.until_heard_us(us)
        if us > 0:
            mps2.idle_us(us)

    def report(self, kind, text):
        """Tell the host what goes wrong."""
        if kind == "F" or "ERROR" in text or "REFUSED" in text:
            print(kind, text)


def site(period_ms, buses):
    """Return site.json: load and grid on the first bus, the PCS on the last one."""
    devices = [("load", "generic_fast", LOAD, 0), ("grid", "generic_fast", GRID, 0),
               ("pcs", "sunspec_der", PCS, buses - 1)]
    factor = {"direct_mg_per_kwh": 1, "lifecycle_mg_per_kwh": 1}
    return json.dumps({
        "version": 1, "site": {"id": "rig", "device": "rig"},
        "control": {"period_ms": period_ms, "policy": "self_consumption", "stale_ms": 60_000, "frozen_ms": 600_000},
        "limits": {"grid_import_w": RATING_W, "grid_export_w": RATING_W, "soc_min_permille": 0,
                   "soc_max_permille": 1000},
        "ratings": {"load_w": RATING_W, "grid_w": RATING_W, "bess_w": RATING_W, "bess_wh": 1_000_000_000},
        "buses": [{"id": i, "uart": i, "baud": BAUD} for i in range(buses)],
        "devices": [{"role": r, "profile": p, "bus": b, "unit": u, "turnaround_ms": 0} for r, p, u, b in devices],
        "factors": {"grid": factor, "bess_substitute": factor}}).encode()


def furnish(root, period_ms, buses):
    """Put site.json and a secret into a new folder."""
    os.mkdir(root)
    with open(root + "/site.json", "wb") as file:
        file.write(site(period_ms, buses))
    with open(root + "/secret.bin", "wb") as file:
        file.write(bytes(range(32)))
