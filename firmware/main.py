"""The whole firmware on one page: the task table and control_tick(), over the objects that wiring.py makes.

With wiring.py the only file that sees more than one layer. The way of one value: register -> drivers -> site.measure
-> control -> drivers -> PCS; and site.measure -> ledger.energy -> ledger.interval -> ledger.book -> log.chain.
"""

import board
import micropython
from micropython import const

from firmware.control import missing
from firmware.core import ticks
from firmware.core.errors import ConfigError, Error
from firmware.core.retry import Retry
from firmware.core.sched import Scheduler
from firmware.core.task import Task
from firmware.core.types import ptr32
from firmware.hal.files import Files
from firmware.hal.open import open_platform
from firmware.site import doubt
from firmware.wiring import Wired

_TICK_BUDGET_US = 1000
_SLICE_BUDGET_US = 2000
_MAX_TASKS = 9  # all in use; each row that is not takes 88 bytes of the heap
# What nobody needs once the station stands; whoever does after all imports it anew.
_START_ONLY = ("firmware.site.config", "firmware.site.schema", "firmware.site.rules", "firmware.drivers.profile_file",
               "firmware.drivers.line.budget", "firmware.drivers.line.blocks", "firmware.control.reasons",
               "firmware.control.states", "firmware.log.keys")
_RETRY_DEVICE_MS = 5000
_QUESTIONS = ("status", "files", "read")  # of a host at the cable (uplink.cable)
_COLLECT_EVERY = 8  # slices of a signature leave 3 KB each; twice as many must fit into a small heap's free half
_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)
_NOW_MS = const(26)  # of core.types: the last tick's time, until measure() puts this one's
_WANTED = const(0)
_WIND_LIMIT = const(1)
_COMMANDS = const(2)  # these of control.states
_LIMITS = const(4)
_KICKS = const(32)  # of control.decide
_IF_STOPPING = const(0)
_IF_SOC_FROZEN = const(8)
_ON_GRID = const(1)  # of control.island
_NEWS = const(4)  # of core.utc


class Station(Wired):
    """One site's firmware; run() until stopped."""

    def __init__(self, platform, config, read=None, tasks=True):
        """`read(path)` reads the files of the board's folder, for the user's own profiles."""
        super().__init__(platform, config, read)
        every = _COLLECT_EVERY // (1 if config["uplink"] is None else 2)  # whose 12 KB are missing then
        self.sched = Scheduler(platform, self.field, self._on_error, every, max_tasks=_MAX_TASKS)
        self.measure.snapshot.now_ms = platform.ms()
        platform.utc_cells = self.utc.cells
        self._stats, self._retry = [0] * 9, Retry(_RETRY_DEVICE_MS)
        self.tick = None
        self.control_tick = ticker(self, self.looked_up())
        if tasks:  # commissioning brings its own
            self._add_tasks(config["control"]["period_ms"])

    def _add_tasks(self, control_ms):
        add, period_ms = self.sched.add, self.tracker.facts.period_ms
        # name, run, period, offset, priority, budget, critical, gate, longest hold
        self.tick = Task("control", self.control_tick, period_ms, 0, 1, _TICK_BUDGET_US, True,
                         self.field.direct_done, period_ms * 3 // 4)
        add(Task("cycle", self.field.start_cycle, period_ms, 0, 0, 200, True))
        add(self.tick)
        add(Task("look_back", self.field.look_back, period_ms, period_ms * 3 // 4, 2, 200))
        foresee = self.tracker.foresees(self.measure.snapshot, self.periodic)
        add(Task("foresee", foresee, period_ms, period_ms * 3 // 4, 3, 300))
        if self.watched:
            add(Task("watch_grid", self.watch_grid, period_ms // 4, 0, 3, 300))
        add(Task("tell", self._tell, max(control_ms, self.platform.tell_every_ms), period_ms // 2, 4, 2000))
        add(Task("each_second", self.each_second, max(control_ms, 1000), period_ms * 3 // 4, 5, 2000))
        if self.dispatch:
            add(Task("divide", self._divide, max(period_ms, 1000), period_ms * 3 // 4, 5, 2000))
        add(Task("keep", self._keep, max(control_ms, 1000), period_ms * 3 // 4, 6, 2000))

    def split(self, dt_ms, now_ms):
        """Account for a period in which the ledger cuts, or that is long, or at whose end somebody sets the clock."""
        self.field.poll()  # this takes longer than a tick, and the set point is not to wait for it
        snap = self.measure.snapshot
        self.cutter.split(snap, dt_ms)
        if self.platform.utc_news:
            self._take_utc(snap, now_ms)

    def _take_utc(self, snap, now_ms):
        platform = self.platform
        platform.utc_news = False
        self.utc.cells[_NEWS] = 0
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
        self._oversee()
        if self.backup:
            self._back_up(self.backup)
        if self.field.pv_limiter:
            self._limit_pv()
        self._restart_lost()
        self.listen_aside(self.sched.spawn, 3 * _SLICE_BUDGET_US)
        self.sched.pool.ask(self.platform.collects_by_the_second)

    def _oversee(self):
        """Tell the supervisor what no snapshot shows, and what the operator has asked for."""
        told, note = self.supervisor.tell, self.events.note
        told(missing.TOLD, self.missing.look())
        told(1 << _IF_SOC_FROZEN, self.charge.look(self.measure.snapshot) << _IF_SOC_FROZEN)
        if self.override:
            self.override.look(self.platform.ms(), note)

    def heed(self):
        """Hand a line of the console to whom it is for: the log, the cable, the operator; return whether more wait."""
        platform = self.platform
        platform.hear_operator()
        if platform.commands:
            line = platform.commands.pop(0)
            if line == "change_keys":
                self.keeper.change_keys()
            elif line.split(" ")[0] in _QUESTIONS:
                answers = self.answerer().take(line, self.heed)
                if answers:
                    self.sched.spawn("cable", answers, _SLICE_BUDGET_US)
            else:
                self.operator().take(line, platform.ms(), self.events.note)
        return bool(platform.commands)

    def _back_up(self, backup):
        """Go on with island and genset; tell the supervisor, and wind and PV what they may exceed the load by."""
        backup.look(self.platform.ms(), self.events.note)
        self.supervisor.tell_island(backup.island.bits)
        self.wind.export_pu = backup.spare_pu

    def _limit_pv(self):
        from firmware.control import room  # few sites have PV that can be limited
        charge_pu = self.limits.charge_pu if self.supervisor.allowed else 0
        self.field.pv_limit_pu = room.for_pv(self.measure.snapshot, self.pv_pu, charge_pu, self.wind.export_pu)

    def _divide(self):
        """Divide the battery for the next ticks: kept, free, to be charged."""
        platform, dispatch = self.platform, self.dispatch
        if platform.ahead_news:
            platform.ahead_news = False
            dispatch.foresee(platform.ahead_hour, platform.ahead)
        dispatch.islanded = self.backup is not None and self.backup.island.state > _ON_GRID
        dispatch.step(self.measure.snapshot, self.events.note)
        if self.learned and self.learned.due():
            self.sched.spawn("learned", self.learned.work(self.events.note), _SLICE_BUDGET_US)

    def _restart_lost(self):
        """Find and set up the devices that do not answer, a few seconds after the last try."""
        for device in self.field.lost():
            if self._retry.due(device, self.platform.ms()):
                self.sched.spawn("start", device.start(), 3 * _SLICE_BUDGET_US)

    def _tell(self):
        self.teller.tell(self.platform.report, self.events.note)

    def _keep(self):
        if self.keeper.wanted():
            self.sched.spawn("keeper", self.keeper.work(self.uplink), _SLICE_BUDGET_US)

    def finish_record(self, interval):
        """Fill in what only the whole firmware knows: how each meter answered, how the tick kept its time."""
        super().finish_record(interval)
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
        if self.outgoing:
            self.sched.spawn("uplink", self.outgoing, 2 * _SLICE_BUDGET_US)
        self.sched.start()
        while not self.platform.stop:
            self.sched.step()
            if until_ms is not None and ticks.diff(self.platform.ms(), begin_ms) >= until_ms:
                break
        self.stop()

    def stop(self):
        """Take the battery to zero, close the open interval, write everything, say so."""
        self.cutter.add(self.measure.snapshot, ticks.diff(self.platform.ms(), self.measure.snapshot.now_ms))
        self.cutter.cut(self.measure.snapshot)
        self.supervisor.tell(1 << _IF_STOPPING, 1 << _IF_STOPPING)
        self.field.command(0)
        for line in self.field.summaries():
            self.events.note("bus", "DEVICE", line)
        self.events.note("main", "STOP", "stopped in good order")
        while self.keeper.running:  # a record is being signed: let it end in its own time
            self.sched.step()
        for _ in self.last_words():
            self.field.poll()
            self.platform.tidy()
        self.field.await_zero(self.platform)
        if self.uplink:
            self.uplink.session.stop()
        self.platform.close()


def ticker(station, on):
    """Return the control tick, a closure over what looked_up() returns: attributes would cost it as much as a step."""

    @micropython.viper
    def control_tick():
        """One control period: measure, limit, judge, track, have the last word, command, account."""
        believe, doubt_them, measure, form_silent, substitute, sample_grid, take_mean, decide, judge_period, advance, \
            integrate, snap, point, sup, missed, deciding, truth, table, samples, quality, utc, energy, ms, watched, \
            limiter, send = on
        now_ms = int(ms())
        dt_ms = (((now_ms - ptr32(snap)[_NOW_MS]) & _MASK) ^ _HALF) - _HALF
        step_ms = 1 if dt_ms < 1 else dt_ms if dt_ms < 1000 else 1000
        if int(believe(truth, table, now_ms)):  # which samples are to be believed
            doubt_them(truth, table, now_ms)  # what is not ordinary
        silent = int(measure(snap, table, samples, now_ms))  # registers -> one instant
        if silent == 1:  # it gets the value that the others leave for it
            form_silent(snap)
        known = int(substitute(missed, sup, snap, table, step_ms)) if silent else 1  # by the policy of each
        if watched:  # the grid meter, several times since the last tick
            sample_grid(samples, table)
            take_mean(samples, snap)
        may = int(decide(deciding, silent, known, step_ms))
        if limiter and may & _LIMITS:  # onto the wire
            limiter(((ptr32(point)[_WIND_LIMIT] & _MASK) ^ _HALF) - _HALF)
        if may & _COMMANDS:
            send(((ptr32(point)[_WANTED] & _MASK) ^ _HALF) - _HALF)
            if may & _KICKS:
                station.tick.keep_pace()
        judge_period(quality, snap, dt_ms)  # into the book
        if int(advance(utc, dt_ms)):
            integrate(energy, snap, dt_ms, 1)
        else:
            station.split(dt_ms, now_ms)

    return control_tick


def build(platform, tasks=True):
    """Return a Station for the site.json in the platform's folder, its journal open. Raises Error with the reason."""
    from firmware.site import config as site_config
    from firmware.site.rules import check_uarts

    platform.collect_at_will(True)  # nothing is timed yet, and making it all leaves more garbage than a heap holds
    files = Files(platform.root)
    data = files.read("site.json")
    if data is None:
        raise ConfigError("CONFIG", "site.json: not found in the board's folder; describe the site there")
    config, config_hash = site_config.load(data)
    check_uarts(config["buses"], board.NAME, len(board.UARTS))
    station = Station(platform, config, files.read, tasks)
    list(station.wire_log(files, config_hash))
    platform.forget(_START_ONLY)
    station.wire_uplink(files, config_hash)
    platform.collect_at_will(False)
    return station


def run(mode, root, until_ms=None):
    """Run the firmware in the folder `root`; mode "lockstep", "wire" or "board". A refusal is reported in words."""
    _start(mode, root, True, lambda station: station.run(until_ms))


def commission(mode, root, options):
    """Commission the site in the folder `root`; see site.commission_plan for the options, run() for the modes."""
    _start(mode, root, False, lambda station: _commission(station, options))


def _commission(station, options):
    station.platform.collect()
    from firmware.drivers.line import scan
    from firmware.site import commission as procedure

    procedure.run(station, options, scan.run)


def _start(mode, root, tasks, work):
    platform = open_platform(board, mode, root)
    try:
        work(build(platform, tasks))
    except Error as error:
        platform.report("F", "%s %s" % (error.code, error.detail))
