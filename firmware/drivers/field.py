"""All buses and devices of one site: made from site.json, polled as one, asked once a control period.

Order on the wire: what the feed-forward needs first (load, wind, pv, genset), then the set point made from it, and half
a period later the PCS and the grid meter. A set point is urgent and goes before whatever is queued.
"""

import micropython

from firmware.core import ticks
from firmware.core.pace import tick_ms
from firmware.core.types import BESS, GENSET, GRID, LOAD, PV, ROLES, WIND
from firmware.drivers.commanded import READY
from firmware.drivers.line.bus import Bus
from firmware.drivers.meter import Meter
from firmware.drivers.profile import FOLDERS
from firmware.drivers.ratio import LIMIT_PU
from firmware.drivers.regmap import Scale

_METER_ROLES = {"load": LOAD, "grid": GRID, "wind": WIND, "pv": PV, "genset": GENSET}
_RATINGS = {"pcs": "bess_w", "bms": "bess_w", "wind_limit": "wind_w", "pv_limit": "pv_w", "genset_control": "genset_w"}
_ZERO_MS = 500  # longer than any PCS takes that answers, twice over
_BELIEVED_MINUS_ONE = 5  # in a row; of a load none ever is
_DIRECT = (LOAD, WIND, PV, GENSET)  # what the feed-forward is made of


class Field:
    """The site's buses, meters, PCS and wind limit, as the configuration names them."""

    def __init__(self, config, platform, unit_w, profiles):
        self._profiles = profiles
        self._turn = 0
        self._watch = None
        self._scale = Scale(unit_w)
        self.buses = []
        self._by_id = {}
        for row in config["buses"]:
            serial = platform.serial(row["uart"], row["baud"], row["parity"], row["stop_bits"])
            bus = Bus(serial, platform, row["baud"], row["parity"], row["stop_bits"])
            self._by_id[row["id"]] = bus
            self.buses.append(bus)
        self.meters = [None] * ROLES
        self.limiter = self.pv_limiter = self.genset = self.bms = None
        self.pv_limit_pu = LIMIT_PU  # upper limit of the PV plant's output: until somebody asks for less, all
        self.installed = []  # (row of the site, device, profile), for drivers.line.budget
        self.dry = False  # nothing is sent that commands, or says that somebody does
        self.sought = []  # meters that are found and set up
        self.commanded = []  # all that is found and set up: PCS, limits, genset controller, BMS
        for i, row in enumerate(config["devices"]):
            self._add(row, config, "devices[%d].profile" % i)
        self.counters = self._counters(config["counters"]) if config.get("counters") else {}
        self.readings = [None if meter is None else meter.power for meter in self.meters]
        self.readings[BESS] = self.pcs.power
        self.soc = self.pcs.soc if self.bms is None else self.bms.soc
        self._direct = [self.meters[role] for role in _DIRECT if self.meters[role] is not None]
        for meter in self._direct:
            meter.feeds()
        self._cells = [bus.cells for bus in self.buses]
        self._us = platform.us
        self._period_us = tick_ms(config["control"]["period_ms"]) * 1000

    def _counters(self, rows):
        from firmware.drivers.counter import Counter  # few sites have any

        return {row["what"]: Counter(self._by_id[row["bus"]], row) for row in rows}

    def _add(self, row, config, where):
        bus = self._by_id[row["bus"]]
        timeout_us = row["timeout_ms"] * 1000
        if row["role"] in FOLDERS:
            self._add_commanded(row, bus, config, where)
        else:
            sign = -1 if row["invert"] else 1
            profile = self._profiles.load(row["profile"], where)
            meter = (profile.driver or Meter)(bus, row["unit"], profile, self._scale, sign, timeout_us)
            if meter.minus_one:
                far_pu = self._scale.whole_pu(config["ratings"][row["role"] + "_w"] // 100)
                meter.minus_one.guard(far_pu, 0 if row["role"] == "load" else _BELIEVED_MINUS_ONE)
            if row["role"] == "grid" and config.get("island"):
                meter.tells_grid(profile)
            self.meters[_METER_ROLES[row["role"]]] = meter
            self.installed.append((row, meter, profile))
            if profile.driver:
                self.sought.append(meter)

    def _add_commanded(self, row, bus, config, where):
        role = row["role"]
        profile = self._profiles.device(role, row["profile"], where)
        device = profile.DRIVER(bus, row["unit"], self._scale, reversion_s=config["pcs"]["reversion_s"],
                                timeout_us=row["timeout_ms"] * 1000, profile=profile,
                                rating_w=config["ratings"][_RATINGS[role]])
        self.commanded.append(device)
        self.installed.append((row, device, profile))
        if role == "pcs":
            self.pcs = device
            self.pcs_has_soc = profile.HAS_SOC
        elif role == "wind_limit":
            self.limiter = device
        elif role == "pv_limit":
            self.pv_limiter = device
        elif role == "genset_control":
            self.genset = device
        else:
            self.bms = device

    @micropython.native
    def poll(self):
        """Advance every bus as far as its bytes and the clock allow."""
        for bus in self.buses:
            bus.poll()

    @micropython.native
    def wait_us(self):
        """Return the microseconds until a bus has something to do even if no byte comes."""
        least_us = 0x1FFFFFFF
        for bus in self.buses:
            wait_us = bus.wait_us()
            if wait_us < least_us:
                least_us = wait_us
        return least_us

    @micropython.native
    def pressed(self):
        """Return True while a set point waits for its line to become free: nothing long may begin then."""
        for cells in self._cells:
            head = cells[21]  # cells.HEAD
            if head and cells[0] and not cells[head + 2]:  # cells.STATE, cells.RANK: URGENT
                return True
        return False

    @micropython.native
    def looked_away(self):
        """Note that something long has just been done: what came meanwhile came at an unknown time."""
        now_us = self._us()
        for cells in self._cells:
            cells[36] = now_us  # cells.AWAY

    @micropython.native
    def start_cycle(self):
        """Begin a control period: ask for what the feed-forward needs."""
        now_us = self._us()
        for bus in self.buses:
            bus.set_period(now_us, self._period_us)
        for meter in self._direct:
            meter.request()

    @micropython.native
    def look_back(self):
        """Ask what the set point has led to: PCS and grid meter.

        Half way between two set points, which take effect about a quarter of a period after the tick: from one to the
        next the grid drifts away from its target, and its value half way is its mean.
        """
        if self.pcs.ready:
            self.pcs.request()
        self.request_grid()

    @micropython.native
    def request_grid(self):
        """Ask the grid meter."""
        if self.meters[GRID] is not None:  # some sites have no grid
            self.meters[GRID].request()

    @micropython.native
    def direct_done(self):
        """Return True when every meter of the feed-forward has answered, or failed to, in this period."""
        for cells in self._cells:
            if cells[27]:  # cells.DIRECT
                return False
        return True

    @micropython.native
    def command(self, bess_pu):
        """Send the BESS set point, discharge positive."""
        if self.pcs.ready and not self.dry:
            self.pcs.command(bess_pu)

    @micropython.native
    def limit_wind(self, limit_pu):
        """Send the wind limit, where the site can limit its wind."""
        if self.limiter is not None and self.limiter.ready:
            self.limiter.command(limit_pu)

    def await_zero(self, platform):
        """Wait until the PCS has acknowledged a zero that was sent, half a second at most: nobody sends another."""
        begin_ms = platform.ms()
        while self.pcs.ready and self.pcs.applied.value and ticks.diff(platform.ms(), begin_ms) < _ZERO_MS:
            self.poll()
            platform.idle(min(self.wait_us(), 1000))

    def go_dry(self, dry):
        """Command nothing from now on: each device falls back by itself. Or set all of them up again."""
        self.dry = dry
        for device in self.commanded:
            device.dry = dry
            if not dry:
                device.say(READY, False)

    def watch_buses(self, config, note):
        """Watch from now on that the buses carry what is asked; raises ConfigError where that cannot be."""
        from firmware.drivers.line.bus_watch import BusWatch

        self._watch = BusWatch(self, config, note)

    def bus_statistics(self):
        """Return of each bus [id, permille in use, looks that found the feed-forward waiting] in the last minute."""
        return self._watch.statistics() if self._watch else []

    def unasked(self):
        """Return (bus id, unit) of each who speaks without having been asked; unit 0: none of the site's."""
        return self._watch.unasked if self._watch else ()

    def summaries(self):
        """Return what each device did since the start, a line each; may allocate."""
        return ["bus %d %s" % (number, device.summary()) for number, bus in sorted(self._by_id.items())
                for device in bus.devices]

    def each_second(self):
        """Ask for what moves slowly, and show each device that somebody is in control."""
        if self._watch:
            self._watch.look()
        for device in self.commanded:
            if device.ready:
                device.request_slow()
                if not self.dry:
                    device.heartbeat()
        if self.pv_limiter is not None and not self.dry:
            self.pv_limiter.command(self.pv_limit_pu)  # each second: without, it falls back
        self._turn = 1 - self._turn
        for what in self.counters if self._turn else ():
            self.counters[what].request()
        for role in range(self._turn, ROLES, 2):  # half of the meters: each every 2 s
            if self.meters[role] is not None:
                self.meters[role].request_slow()

    def driver_of(self, role):
        """Return what drives the limit, genset controller or BMS that site.json gives this role."""
        return {"wind_limit": self.limiter, "pv_limit": self.pv_limiter, "genset_control": self.genset,
                "bms": self.bms}[role]

    def refresh_ms(self, role):
        """Return how often the meter of a role has new values, ms; 0 where its document does not say."""
        for made in self.installed:
            if made[1] is self.meters[role]:
                return made[2].refresh_ms
        return 0

    def lost(self):
        """Return the devices that have to be found and set up again."""
        return [device for device in self.commanded + self.sought if not device.ready]

    def serials(self):
        """Return [role, serial number or None] for each measured role: as the device says, or else site.json."""
        rows = []
        for role in range(ROLES):
            source = self.pcs if role == BESS else self.meters[role]
            for made in self.installed:
                if source is not None and made[1] is source:
                    rows.append([role, source.serial or made[0].get("serial")])
        return rows

    def statistics(self):
        """Return [role, answers, time-outs, errors] since start for each measured role, in role order."""
        rows = []
        for role in range(ROLES):
            source = self.pcs if role == BESS else self.meters[role]
            if source is not None:
                stats = source.stats
                rows.append([role, stats.answers, stats.timeouts, stats.crc + stats.exceptions + stats.foreign])
        return rows
