"""The whole firmware on one page: board and site.json become objects, a task table, and control_tick().

The only file that sees more than one layer. The way of one value: meter register -> drivers -> site.measure ->
control -> drivers -> PCS; and site.measure -> ledger.energy -> ledger.interval -> ledger.book -> log.chain.
"""

import board
import build_info
import micropython
from micropython import const

from firmware.control import limits, missing, supervisor, teller, tracker
from firmware.core import ticks, utc
from firmware.core.errors import ConfigError, Error
from firmware.core.retry import Retry
from firmware.core.scale import choose_unit_w, to_pu
from firmware.core.sched import Scheduler
from firmware.core.task import Task
from firmware.core.types import Setpoint
from firmware.drivers.field import Field
from firmware.drivers.profile import Profiles
from firmware.hal.files import Files
from firmware.hal.open import open_platform
from firmware.ledger import energy, interval
from firmware.ledger.book import Book
from firmware.ledger.factors import FactorTable
from firmware.ledger.registers import Registers
from firmware.log.chain import Chain
from firmware.log.events import Events
from firmware.log.keeper import Keeper
from firmware.site import config as site_config
from firmware.site import doubt, measure
from firmware.site.hearing import Hearing
from firmware.site.rules import check_soc, check_uarts
from firmware.site.truth import Truth

# The steps of the control tick, in its order: there a name of this module would cost a look-up each.
_STEPS = (doubt.judge, measure.measure, measure.form_silent, measure.sample_grid, measure.take_mean, tracker.observe,
          limits.load_known, limits.narrow, supervisor.judge, supervisor.enter_state, tracker.track,
          supervisor.have_last_word, tracker.limit_wind, interval.judge_period, utc.advance, energy.integrate)
_TICK_BUDGET_US = 1000
_SLICE_BUDGET_US = 2000
_RETRY_DEVICE_MS = 5000
_COLLECT_EVERY = 4  # slices of a signature leave 5 KB each; twice as many must fit into a small heap's free half
_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)
_NOW_MS = const(26)  # of core.types: the last tick's time, until measure() puts this one's
_WANTED = const(0)
_WIND_LIMIT = const(1)
_CHARGE_PU = const(4)  # of control.limits
_ALLOWED = const(1)  # these of control.supervisor
_COMMANDS = const(2)
_WATCH_GRID_MS = const(400)  # the shortest period in which the grid meter is read four times


class Station:
    """One site's firmware, wired up; run() until stopped."""

    def __init__(self, platform, config, read=None, tasks=True):
        """`read(path)` reads the files of the board's folder, for the user's own profiles."""
        self.platform = platform
        self.config = config
        self.unit_w = choose_unit_w(max(config["ratings"][key] for key in _POWER_RATINGS))
        self.setpoint = Setpoint()
        self.utc = utc.Utc()
        self._wire_control(config, Profiles(build_info.PROFILES, read, build_info.DEVICES))
        self.cutter = interval.Cutter(energy.Energy(self.unit_w), self.utc, config["control"]["period_ms"])
        registers = Registers(self.cutter.energy, [config["ratings"][key] for key in _POWER_RATINGS])
        self.hearing = Hearing(self.field, self.truth, registers, self.measure.snapshot, self.utc, self.unit_w)
        self.sched = Scheduler(platform, self.field, self._on_error, _COLLECT_EVERY)
        self.measure.snapshot.now_ms = platform.ms()
        self._watched = config["control"]["period_ms"] >= _WATCH_GRID_MS
        self._stats = [0] * 9
        self._retry = Retry(_RETRY_DEVICE_MS)
        self.tick = None
        self._on = self._looked_up()
        if tasks:  # commissioning brings its own
            self._add_tasks(config["control"]["period_ms"])

    def _wire_control(self, config, profiles):
        ratings, caps, control = config["ratings"], config["limits"], config["control"]
        self.make_field = lambda config: Field(config, self.platform, self.unit_w, profiles)
        self.platform.collect()  # a small heap has no room for the garbage of all that has been read to come here
        self.field = self.make_field(config)
        self.platform.collect()
        check_soc(config["devices"], self.field.pcs_has_soc)
        self.truth = Truth(self.field.readings, [self._pu(ratings[key]) for key in _POWER_RATINGS], control)
        self.measure = measure.Measure(self.truth.believed, self.field.soc, self.field.pcs, control["stale_ms"])
        bess_pu = self._pu(ratings["bess_w"])
        export_pu = self._pu(caps["grid_export_w"])
        self.limits = limits.Limits(bess_pu, self._pu(caps["grid_import_w"]), export_pu,
                                    caps["soc_min_permille"], caps["soc_max_permille"])
        self.tracker = tracker.Tracker(control, bess_pu)
        self.wind = tracker.WindLimit(self._pu(ratings["wind_w"]), export_pu)
        self.supervisor = supervisor.Supervisor(self._pu(caps["ramp_w_per_s"]))
        self.missing = missing.Missing(config["devices"], self.measure.snapshot, self.field.driver_of)
        self.teller = teller.Teller(self.supervisor, self.setpoint, self.missing, self.unit_w)

    def _looked_up(self):
        """Return what the control tick works on, in its order: each look-up there would cost as much as a step."""
        made, field, cutter, platform = self.measure, self.field, self.cutter, self.platform
        return (self.truth.table, made.snapshot.cells, made.table, made.cells, self.setpoint.cells,
                self.limits.cells, self.supervisor.cells, self.tracker.cells, self.wind.cells, cutter.cells,
                self.utc.cells, cutter.energy.cells, field.pcs, platform, platform.ms, self._watched,
                field.limit_wind if field.limiter else None, field.pcs.command)

    def _pu(self, power_w):
        return to_pu(power_w, self.unit_w)

    def wire_log(self, files, config_hash):
        """Add the evidence half: factor table, book, chain, events; a generator that opens the journal."""
        site = self.config["site"]
        self.events = Events(files, self.utc, self.platform.report)
        self.field.watch_buses(self.config, self.events.note)
        table = FactorTable(files, self.config["factors"]["grid"], self.config["factors"]["stale_s"])
        yield from table.open()
        self.chain = Chain(files, site["id"], site["device"], build_info.HASH, config_hash, table.hash)
        yield from self.chain.open()
        self.book = Book(self.config, table)
        self.book.resume(self.chain.last_payload)
        self.keeper = Keeper(self.cutter, self.book, self.chain, self.events, self._finish_record)
        self.events.note("main", "BOOT", "boot %d, firmware %s" % (self.chain.boot, build_info.VERSION))

    def _add_tasks(self, period_ms):
        add = self.sched.add
        # name, run, period, offset, priority, budget, critical, gate, longest hold
        self.tick = Task("control", self.control_tick, period_ms, 0, 1, _TICK_BUDGET_US, True,
                         self.field.direct_done, period_ms * 3 // 4)
        add(Task("cycle", self.field.start_cycle, period_ms, 0, 0, 200, True))
        add(self.tick)
        add(Task("look_back", self.field.look_back, period_ms, period_ms * 3 // 4, 2, 200))
        if self._watched:
            add(Task("watch_grid", self.watch_grid, period_ms // 4, 0, 3, 300))
        add(Task("tell", self._tell, max(period_ms, self.platform.tell_every_ms), period_ms // 2, 4, 2000))
        add(Task("each_second", self.each_second, 1000, period_ms * 3 // 4, 5, 2000))
        add(Task("keep", self._keep, 1000, period_ms * 3 // 4, 6, 2000))

    @micropython.viper
    def control_tick(self):
        """One control period: measure, limit, judge, track, have the last word, command, account."""
        believe, measure, form_silent, sample_grid, take_mean, observe, load_known, narrow, judge, enter_state, track, \
            have_last_word, limit_wind, judge_period, advance, integrate = _STEPS
        truth, snap, table, samples, point, lim, sup, trk, wind, quality, utc, energy, pcs, platform, ms, \
            watched, limiter, send = self._on
        now_ms = int(ms())
        dt_ms = (((now_ms - int(snap[_NOW_MS])) & _MASK) ^ _HALF) - _HALF
        step_ms = 1 if dt_ms < 1 else dt_ms if dt_ms < 1000 else 1000

        believe(truth, table, now_ms)  # which samples are to be believed
        silent = int(measure(snap, table, samples, now_ms, pcs.ready, pcs.local, pcs.fault))  # registers -> one instant
        if silent == 1:
            form_silent(snap)
        if watched:  # the grid meter, several times since the last tick
            sample_grid(samples, table)
            take_mean(samples, snap)
        trim_pu = observe(trk, point, snap, step_ms)  # what the last set point has led to
        known = 1 if silent < 2 else int(load_known(snap))
        narrow(lim, snap, trim_pu, known)  # what is allowed
        may = int(judge(sup, snap))  # which state this is
        if may < 0:
            may = int(enter_state(sup))
        track(trk, point, snap, lim, step_ms)  # what is wanted
        have_last_word(sup, point, step_ms)
        if limiter:  # onto the wire
            limit_wind(wind, point, snap, known, int(lim[_CHARGE_PU]) if may & _ALLOWED else 0)
            limiter(point[_WIND_LIMIT])
        if may & _COMMANDS:
            send(point[_WANTED])
        judge_period(quality, snap, dt_ms)  # into the book
        if int(advance(utc, dt_ms)):
            integrate(energy, snap, dt_ms, 1)
        else:
            self.cutter.split(self.measure.snapshot, dt_ms)
        if platform.utc_news:
            self._take_utc(self.measure.snapshot, now_ms)

    def _take_utc(self, snap, now_ms):
        platform = self.platform
        platform.utc_news = False
        ms = platform.utc_ms + ticks.diff(now_ms, platform.utc_posted_ms)
        self.cutter.set_utc(snap, platform.utc_quarter + ms // 900_000, ms % 900_000, platform.utc_trust,
                            platform.utc_error_ms)

    @micropython.native
    def watch_grid(self):
        """Sample the grid meter between two looks back, where the period is long: it drifts in between."""
        doubt.judge(self.truth.table, self.measure.table, self.platform.ms())
        self.measure.sample_grid()
        self.field.request_grid()

    def each_second(self):
        """Slow registers, heartbeat, lost devices, garbage."""
        self.field.each_second()
        self.supervisor.lose(self.missing.look())
        self._restart_lost()
        self.hearing.listen(self.cutter.kept, self.cutter.lost, self.events.note)
        self.platform.tidy()

    def _restart_lost(self):
        """Find and set up the devices that do not answer, a few seconds after the last try."""
        for device in self.field.lost():
            if self._retry.due(device, self.platform.ms()):
                self.sched.spawn("start", device.start(), _SLICE_BUDGET_US)

    def _tell(self):
        self.teller.tell(self.platform.report, self.events.note)

    def _keep(self):
        if self.keeper.wanted():
            self.sched.spawn("keeper", self.keeper.work(), _SLICE_BUDGET_US)

    def _finish_record(self, interval):
        """Fill in what only the whole firmware knows: how each meter answered, how the tick kept its time."""
        self.hearing.finish(interval, self.cutter.kept, self.cutter.lost)
        self.tick.take_stats(self._stats)
        self.tick.reset_worst()
        interval.ticks = self._stats[:5]

    def _on_error(self, name, error):
        self.events.note(name, "ERROR", "%s %s" % (type(error).__name__, error))

    def run(self, until_ms=None):
        """Run until the platform asks to stop, or for `until_ms`; then stop in good order."""
        begin_ms = self.measure.snapshot.now_ms = self.platform.ms()
        if self.platform.utc_news:  # known before the first tick: then no time passes with an unknown clock
            self._take_utc(self.measure.snapshot, begin_ms)
        self._restart_lost()
        self.sched.start()
        while not self.platform.stop:
            self.sched.step()
            if until_ms is not None and ticks.diff(self.platform.ms(), begin_ms) >= until_ms:
                break
        self.stop()

    def stop(self):
        """Take the battery to zero, close the open interval, write everything, say so."""
        now_ms = self.platform.ms()
        self.cutter.add(self.measure.snapshot, ticks.diff(now_ms, self.measure.snapshot.now_ms))
        self.cutter.cut(self.measure.snapshot)
        self.supervisor.stopping = True
        self.field.command(0)
        for line in self.field.summaries():
            self.events.note("bus", "DEVICE", line)
        self.events.note("main", "STOP", "stopped in good order")
        while self.keeper.running:  # a record is being signed: let it end in its own time
            self.sched.step()
        for _ in self.keeper.work():
            self.field.poll()
            self.platform.tidy()
        self.platform.close()


_POWER_RATINGS = ("load_w", "grid_w", "bess_w", "wind_w", "pv_w", "genset_w")  # by role


def build(platform, tasks=True):
    """Return a Station for the site.json in the platform's folder, its journal open. Raises Error with the reason."""
    files = Files(platform.root)
    data = files.read("site.json")
    if data is None:
        raise ConfigError("CONFIG", "site.json: not found in the board's folder; describe the site there")
    config, config_hash = site_config.load(data)
    check_uarts(config["buses"], board.NAME, len(board.UARTS))
    station = Station(platform, config, files.read, tasks)
    for _ in station.wire_log(files, config_hash):
        platform.collect()  # nothing is timed yet, and the keys alone make more garbage than a small heap holds
    return station


def run(mode, root, until_ms=None):
    """Run the firmware in the folder `root`; mode "lockstep", "wire" or "board". A refusal is reported in words."""
    _start(mode, root, True, lambda station: station.run(until_ms))


def commission(mode, root, options):
    """Commission the site in the folder `root`; see site.commission_plan for the options, run() for the modes."""
    _start(mode, root, False, lambda station: _commission(station, options))


def _commission(station, options):
    station.platform.collect()
    from firmware.drivers import scan
    from firmware.site import commission as procedure

    procedure.run(station, options, scan.run)


def _start(mode, root, tasks, work):
    platform = open_platform(board, mode, root)
    try:
        work(build(platform, tasks))
    except Error as error:
        platform.report("F", "%s %s" % (error.code, error.detail))
