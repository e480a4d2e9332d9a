"""Reckons what a site asks of its buses before it runs: each regular request, how often, and what it takes.

A device answers no sooner than the silence t3.5 after a request, and the next request may go no sooner than that after
the answer; a unit's own gap keeps only that unit from being asked. A site whose requests cannot all be made is refused
in words that say what to change. Start-up only: it allocates.
"""

from micropython import const

from firmware.core.errors import ConfigError
from firmware.core.pace import tick_ms
from firmware.drivers.line.queue import FEED

# As in drivers.line.cells.
_RANK = const(2)
_ANSWER_LENGTH = const(6)
_FRAME_LENGTH = const(8)

TIGHT_PERMILLE = 800
FULL_PERMILLE = 1000
_SECOND_US = 1_000_000
_SLOW_US = 2_000_000  # Field.each_second asks half of the meters
_WATCHED_US = 400_000  # from this period on the grid meter is read four times in it
_PERIOD_MAX_MS = 1000


class Request:
    """One regular request: whose it is, how often it is made, and what one of it takes, us."""

    def __init__(self, role, job, every_us, turnaround_us, gap_us):
        bus, at = job.bus, job.at
        sizes = [bus.cells[at + _FRAME_LENGTH + form] + bus.cells[at + _ANSWER_LENGTH + form] for form in (0, 1)]
        if job.is_write:
            sizes.pop()  # its second form goes out only after a failure
        self.role = role
        self.unit = job.device.unit
        self.what = "write" if job.is_write else "read"
        self.urgent = job.urgent
        self.direct = bus.cells[at + _RANK] == FEED  # the feed-forward waits for it
        self.every_us = every_us
        self.count = (sum(sizes) + len(sizes) - 1) // len(sizes)  # bytes of both frames: a read's two forms take turns
        self.frame_us = bus.cells[at + _FRAME_LENGTH] * bus.char_us
        self.wire_us = self.count * bus.char_us
        self.silence_us = 2 * bus.silence_us
        self.turnaround_us = max(turnaround_us - bus.silence_us, 0)  # beyond the silence
        self.total_us = self.wire_us + self.silence_us + self.turnaround_us
        self.longest_us = self.total_us + (max(sizes) - self.count) * bus.char_us
        self.alone_us = self.total_us + max(gap_us - bus.silence_us, 0)  # until its unit may be asked again

    def times(self, period_us):
        """Return how often it is made in a period of this length, in thousandths."""
        return 1000 * period_us // self.every_us


class Load:
    """What one bus has to carry in a control period of `period_us`."""

    def __init__(self, bus_id, baud, period_us, requests, chain_us):
        self.bus_id = bus_id
        self.baud = baud
        self.period_us = period_us
        self.requests = requests
        self.chain_us = chain_us  # from the begin of the period to the end of the set point made in it
        self.busy_us = sum(_in_period(r.total_us, r, period_us) for r in requests)
        units = {}
        for r in requests:
            units[r.unit] = units.get(r.unit, 0) + _in_period(r.alone_us, r, period_us)
        for unit in units:
            self.busy_us = max(self.busy_us, units[unit])
        self.permille = self.busy_us * 1000 // period_us

    def fits(self):
        """Return whether all of it can be done in time."""
        return self.permille <= FULL_PERMILLE and self.chain_us <= self.period_us * 3 // 4

    def sentence(self):
        """Return what is asked of the bus, with its numbers."""
        parts = ["%s unit %d %s %d bytes %d us x %d.%03d" % (
            r.role, r.unit, r.what, r.count, r.total_us, r.times(self.period_us) // 1000,
            r.times(self.period_us) % 1000) for r in self.requests]
        text = "bus %d at %d bit/s is to carry %d us in a period of %d us (%d permille; set point out after %d us, " \
               "at most %d us): %s"
        return text % (self.bus_id, self.baud, self.busy_us, self.period_us, self.permille, self.chain_us,
                       self.period_us * 3 // 4, "; ".join(parts))


def _in_period(us, request, period_us):
    return (us * period_us + request.every_us - 1) // request.every_us


def loads(field, rows, period_us):
    """Return the Load of each bus, `rows` being the site's buses, with control periods of this length."""
    requests = [_requests(field, bus, period_us) for bus in field.buses]
    chains = [sum(r.longest_us for r in found if r.direct) for found in requests]
    found = []
    for i, row in enumerate(rows):
        setpoints = [r.frame_us for r in requests[i] if r.role == "pcs" and r.urgent]
        chain_us = max(chains) + setpoints[0] if setpoints else chains[i]
        found.append(Load(row["id"], row["baud"], period_us, requests[i], chain_us))
    return found


def _requests(field, bus, period_us):
    found = []
    for row, device, profile in field.installed:
        role = row["role"]
        turnaround_us, gap_us = _pauses(row, profile)
        for job in bus.jobs:
            every_us = _every_us(role, device, job, period_us)
            if every_us:
                found.append(Request(role, job, every_us, turnaround_us, gap_us))
    return found


def _pauses(row, profile):
    """Return the typical pause before an answer and the shortest one behind it, us: what the site says goes first."""
    meter = hasattr(profile, "turnaround_us")  # a Profile; the others are modules
    turnaround_us = profile.turnaround_us if meter else profile.TURNAROUND_US
    if row.get("turnaround_ms") is not None:
        turnaround_us = row["turnaround_ms"] * 1000
    return turnaround_us, profile.gap_us if meter else profile.GAP_US


def _every_us(role, device, job, period_us):
    """Return how often the field makes a job for a device, us from one to the next; 0 for never or somebody else's."""
    slow = getattr(device, "slow", None)
    if slow is not None:
        if job.owner is device:
            return period_us // 4 if role == "grid" and period_us >= _WATCHED_US else period_us
        return _SLOW_US if job.owner is slow and job in slow.used() else 0
    if job.owner is not device:
        return 0
    if job.is_write:
        if job.urgent:
            return _SECOND_US if role == "pv_limit" else period_us
        return _SECOND_US if device.beats(job) else 0
    if device.reads_power(job):
        return period_us if role == "pcs" else 0 if role.endswith("_limit") else _SECOND_US
    return _SECOND_US


def shortest_ms(field, rows):
    """Return the shortest control period in ms that all buses can hold, 0 where none does."""
    for low, end in ((1, _WATCHED_US // 1000), (_WATCHED_US // 1000, _PERIOD_MAX_MS + 1)):
        high = end
        while low < high:
            middle = (low + high) // 2
            if all(load.fits() for load in loads(field, rows, middle * 1000)):
                high = middle
            else:
                low = middle + 1
        if low < end:
            return low
    return 0


def check(field, config):
    """Return a sentence for each bus whose schedule is tight; raises ConfigError for one that cannot hold."""
    tight = []
    rows = config["buses"]
    for i, load in enumerate(loads(field, rows, tick_ms(config["control"]["period_ms"]) * 1000)):
        if not load.fits():
            raise ConfigError("CONFIG", "buses[%d]: %s; %s" % (i, load.sentence(), _advice(field, rows, load)))
        if load.permille > TIGHT_PERMILLE:
            tight.append(load.sentence())
    return tight


def _advice(field, rows, load):
    """Say what would help: the device that takes most, and the shortest period."""
    most = max(load.requests, key=lambda r: _in_period(r.total_us, r, load.period_us))
    advice = "raise its baud, give %s (unit %d) a bus of its own" % (most.role, most.unit)
    period_ms = shortest_ms(field, rows)
    if period_ms:
        return "%s, or set control.period_ms to at least %d" % (advice, period_ms)
    return advice + "; no control.period_ms up to %d is long enough" % _PERIOD_MAX_MS
