"""Says when a bus is too slow for what is asked of it: before the site runs by reckoning, then by what is seen.

Once a second it looks, three quarters of a period after its begin, whether the feed-forward still waits, and how long
each line has been in use; once a minute it judges. Background only.
"""

from micropython import const

from firmware.core.pace import tick_ms
from firmware.drivers.line.unasked import Unasked

# As in drivers.line.cells.
_DIRECT = const(27)
_BUSY_US = const(31)

LOOKS = 60  # in a minute
SLOW_LOOKS = 6  # open ones in a minute, from which on a bus is too slow
OK_LOOKS = 2  # and up to which it is well again
SLOW_PERMILLE = 950
OK_PERMILLE = 850
_MASK = 0x3FFFFFFF


class _Line:
    """What is seen of one bus."""

    def __init__(self, bus, row):
        self.bus = bus
        self.row = row
        self.slow = False
        self.permille = 0  # of the last minute in which the line was in use
        self.open = 0  # looks of the last minute that found the feed-forward waiting
        self.unasked = Unasked(bus)
        self.begin()

    def begin(self):
        """Begin a minute."""
        self.waits = 0
        self.busy_us = 0
        self.last_us = self.bus.cells[_BUSY_US]
        self.counts = [(d.requests, d.timeouts) for d in self.bus.devices]

    def look(self):
        """Take one look."""
        cells = self.bus.cells
        self.busy_us += (cells[_BUSY_US] - self.last_us) & _MASK
        self.last_us = cells[_BUSY_US]
        self.waits += cells[_DIRECT] > 0

    def most(self, costs):
        """Return (unit, requests, time-outs) of the device that took most of this minute."""
        best = (0, 0, 0)
        best_us = -1
        for device, before in zip(self.bus.devices, self.counts):
            requests = (device.requests - before[0]) & _MASK
            timeouts = (device.timeouts - before[1]) & _MASK
            took_us = requests * (costs.get(device.unit, 0) + device.turnaround_us) + timeouts * device.late_us // 2
            if took_us > best_us:
                best_us = took_us
                best = (device.unit, requests, timeouts)
        return best


class BusWatch:
    """Watches the buses of `field`; raises ConfigError where `config` asks more of one than it can carry."""

    def __init__(self, field, config, note):
        from firmware.drivers.line import budget  # wanted here only: it may be forgotten after the start

        self._note = note
        for text in budget.check(field, config):
            note("bus", "BUS_TIGHT", text)
        self.lines = [_Line(bus, row) for bus, row in zip(field.buses, config["buses"])]
        self._costs = {}  # by bus and unit the mean wire time of a request, us
        self._period_ms = tick_ms(config["control"]["period_ms"])
        for load in budget.loads(field, config["buses"], self._period_ms * 1000):
            self._costs[load.bus_id] = costs = {}
            for r in load.requests:
                costs[r.unit] = max(costs.get(r.unit, 0), r.wire_us + r.silence_us)
        self._roles = {(row["bus"], row["unit"]): row["role"] for row in config["devices"]}
        self._looks = 0
        self.unasked = []  # (bus id, unit) of who speaks unasked, unit 0 where it is none of the site's

    def look(self):
        """Look at every line, each second; once a minute judge, and note what has changed."""
        changed = False
        for line in self.lines:
            line.look()
            changed |= line.unasked.look()
        if changed:
            self.unasked = [(line.row["id"], unit) for line in self.lines if line.unasked.disturbed
                            for unit in line.unasked.units or (0,)]
        self._looks += 1
        if self._looks < LOOKS:
            return
        self._looks = 0
        for line in self.lines:
            self._judge(line)
            line.begin()

    def _judge(self, line):
        line.permille = line.busy_us // (LOOKS * 1000)
        line.open = line.waits
        bus_id = line.row["id"]
        if not line.slow and (line.open >= SLOW_LOOKS or line.permille > SLOW_PERMILLE):
            line.slow = True
            unit, requests, timeouts = line.most(self._costs[bus_id])
            self._note("bus", "BUS_SLOW", "bus %d at %d bit/s: in use %d permille of a minute, meters of the "
                 "feed-forward not done at %d of %d looks, period %d ms; most goes to %s (unit %d): %d requests, "
                 "%d time-outs" % (
                     bus_id, line.row["baud"], line.permille, line.open, LOOKS, self._period_ms,
                     self._roles.get((bus_id, unit), "no role"), unit, requests, timeouts))
        elif line.slow and line.open <= OK_LOOKS and line.permille < OK_PERMILLE:
            line.slow = False
            self._note("bus", "BUS_OK", "bus %d keeps its time again: in use %d permille of a minute" % (
                bus_id, line.permille))

    def statistics(self):
        """Return of each bus [id, permille in use, looks that found the feed-forward waiting] in the last minute."""
        return [[line.row["id"], line.permille, line.open] for line in self.lines]
