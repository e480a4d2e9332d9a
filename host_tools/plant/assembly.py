"""Builds the simulated site from site.json: model, slaves on their lines, agenda, clock.

Only what the simulation needs is looked at here; the full judgement of site.json is the firmware's.
"""

import random
from functools import partial

from host_tools.errors import ToolError
from host_tools.plant.agenda import Agenda
from host_tools.plant.battery import Battery
from host_tools.plant.devices.bms import Bms802
from host_tools.plant.devices.counter import CounterSlave
from host_tools.plant.devices.der import SunSpecPcs
from host_tools.plant.devices.generic_fast import GenericFast
from host_tools.plant.devices.genset_dse import DseGenComm
from host_tools.plant.devices.inverters import KacoGridsave, Limiter123, Storage124
from host_tools.plant.devices.limiter import SunSpecLimiter
from host_tools.plant.devices.register_pcs import FoxEssH3, SinexcelPws2, SmaStorage
from host_tools.plant.devices.sunspec_meter import SunSpecMeter
from host_tools.plant.devices.table_meter import TABLE_METERS
from host_tools.plant.forecast import Ahead
from host_tools.plant.genset import Genset
from host_tools.plant.island import Island
from host_tools.plant.operator import Operator
from host_tools.plant.series import constant
from host_tools.plant.site_model import ROLES, SiteModel
from host_tools.plant.utc import UtcSource
from host_tools.plant.wire import Line

ROLE_KINDS = {"wind_limit": "limit", "pv_limit": "limit", "pcs": "pcs", "bms": "bms", "genset_control": "genset"}
_LIMIT_OF = {"wind_limit": "wind_w", "pv_limit": "pv_w"}


def _pcs(slave):
    return lambda unit, role, rng, plant, ratings: slave(unit, role, rng, plant.site, plant.agenda, ratings)


def _limit(slave):
    return lambda unit, role, rng, plant, ratings: slave(unit, role, rng, plant.site, plant.agenda,
                                                         ratings[_LIMIT_OF[role]])


COMMANDED = {  # (kind, profile) -> slave(unit, role, rng, plant, ratings)
    ("pcs", "sunspec_der"): lambda unit, role, rng, plant, ratings: SunSpecPcs(
        unit, role, rng, plant.site, plant.agenda, ratings["bess_wh"], plant.period_ms * 1000),
    ("pcs", "sunspec_124"): _pcs(Storage124), ("pcs", "kaco_gridsave"): _pcs(KacoGridsave),
    ("pcs", "sinexcel_pws2"): _pcs(SinexcelPws2), ("pcs", "foxess_h3"): _pcs(FoxEssH3),
    ("pcs", "sma"): _pcs(SmaStorage),
    ("limit", "sunspec_limit"): _limit(SunSpecLimiter), ("limit", "sunspec_123"): _limit(Limiter123),
    ("bms", "sunspec_bms"): lambda unit, role, rng, plant, _: Bms802(unit, role, rng, plant.site),
    ("genset", "dse_gencomm"): lambda unit, role, rng, plant, _: DseGenComm(unit, role, rng, plant.site, plant.genset),
}
METERS = {"generic_fast": GenericFast, "sunspec_meter": SunSpecMeter, **TABLE_METERS}


class Inputs:
    """The series that drive a site; what is not given is zero."""

    def __init__(self, load=None, wind=None, pv=None):
        self.load = load or constant(0)
        self.wind = wind or constant(0)
        self.pv = pv or constant(0)


class Plant:
    """The simulated site: everything on the other side of the board's UARTs."""

    def __init__(self, config, inputs, start_s, seed):
        self.agenda = Agenda()
        self.clock = UtcSource(start_s)
        self.ahead = Ahead(self.agenda)
        self.operator = Operator()
        self.inbox = []  # (port, bytes) that arrived since they were last fetched
        self.slaves = {}  # role -> slave
        self.lines = {}  # bus id -> line
        self.genset = self.work = None
        self._seed = seed
        try:
            self._build(config, inputs)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ToolError("site.json does not describe a site that can be simulated "
                            f"({type(error).__name__}: {error})",
                            "Compare it with the files in host_tools/sites.") from error
        self.ports = {line.port: line for line in self.lines.values()}

    def _build(self, config, inputs):
        ratings = config["ratings"]
        self.period_ms = config["control"]["period_ms"]
        battery = Battery(ratings["bess_w"], ratings["bess_wh"],
                          ratings.get("charge_efficiency_permille", 940),
                          ratings.get("discharge_efficiency_permille", 940))
        uncapped_w = max(ratings.get("wind_w", 0), max(inputs.wind.values))
        open_pv_w = max(ratings.get("pv_w", 0), max(inputs.pv.values))
        self.site = SiteModel(inputs.load, inputs.wind, inputs.pv, uncapped_w, battery, open_pv_w)
        self._build_backup(config, ratings.get("genset_w", 0))
        if not any(device["role"] == "grid" for device in config["devices"]):
            self.agenda.at(0, self.island.fail, True)  # a site without a public grid
        for bus in config["buses"]:
            settings = (bus["baud"], bus.get("parity", "N"), bus.get("stop_bits", 1))
            self.lines[bus["id"]] = Line(self.agenda, bus["id"], bus["uart"], settings, self._deliver,
                                         self._rng("bus", bus["id"]))
        for device in config["devices"]:
            slave = self._slave(device, ratings)
            self.slaves[device["role"]] = slave
            self.lines[device["bus"]].slaves[device["unit"]] = slave

        for row in config.get("counters") or ():
            slave = CounterSlave(row, self._rng("counter", row["what"]), partial(self._counted, row["what"]))
            if row["unit"] in self.lines[row["bus"]].slaves:
                raise ValueError(f"counter {row['what']}: no simulated device has one, give it a unit of its own")
            self.slaves[row["what"]] = self.lines[row["bus"]].slaves[row["unit"]] = slave

    def _counted(self, what, t_us):
        """Return ml of fuel burnt, or units of work done, since the start."""
        if what == "work":
            return self.work.done(t_us) if self.work else 0
        self.site.advance(t_us)
        return 1000 * self.genset.burnt_l if self.genset else 0

    def _build_backup(self, config, genset_w):
        """Make what carries the site without grid."""
        if genset_w:
            beside = config.get("genset") or {}
            base_w = genset_w * beside.get("load_permille", 750) / 1000 if beside.get("beside_grid") else 0.0
            self.genset = Genset(self.agenda, self.site, genset_w, base_w)
            self.site.burn = self.genset.burn
        former = (config.get("island") or {}).get("former", "none")
        self.island = Island(self.site, self.agenda, self.genset, former, self.period_ms * 1000)

    def _slave(self, device, ratings):
        role = device["role"]
        unit = device["unit"]
        rng = self._rng("device", device["bus"], unit)
        if device["profile"] in METERS and role in ROLES:
            meter = METERS[device["profile"]](unit, role, rng, self.site.meter(role), self.site.counters_wh)
            meter.wiring = -1 if device.get("invert") else 1  # the clamp really looks the other way
            meter.supply = partial(self.site.supply, role)
            return meter
        make = COMMANDED.get((ROLE_KINDS.get(role), device["profile"]))
        if make:
            slave = make(unit, role, rng, self, ratings)
            if role == "pcs":
                self.island.on_change.append(slave.show_island)
            return slave
        raise ValueError(f"no simulated {device['profile']} can be a {role}")

    def _rng(self, *names):
        return random.Random(":".join(str(name) for name in (self._seed, *names)))

    def _deliver(self, port, data):
        self.inbox.append((port, data))
        self.agenda.interrupt = True

    @property
    def setpoint_w(self):
        """The set point that the PCS holds, W, discharge positive."""
        return self.slaves["pcs"].setpoint_w if "pcs" in self.slaves else 0.0

    def bus_statistics(self):
        """Return what happened on each line and with each device."""
        return {f"bus{line.bus_id}": {**line.statistics, "devices": {
            slave.role: {"requests": slave.requests, "answers": slave.answers, "exceptions": slave.exceptions}
            for slave in line.slaves.values()}} for line in self.lines.values()}
