"""The wiring of one site: site.json becomes the objects of every layer, each made with what it works on.

With main.py the only file that sees more than one layer. What they do together, and in which order, is in main.py.
"""

import build_info

from firmware.control import (
    aliased,
    charge,
    decide,
    limits,
    missing,
    periodic,
    stale,
    supervisor,
    teller,
    tracker,
    tuning,
    wind_limit,
)
from firmware.core import machine, snapshot, types, utc
from firmware.core.errors import UplinkError
from firmware.core.scale import choose_unit_w, to_pu
from firmware.core.types import GRID, LOAD, Setpoint
from firmware.drivers.field import Field
from firmware.drivers.profile import Profiles
from firmware.ledger import energy, interval
from firmware.ledger.book import Book
from firmware.ledger.factors import FactorTable
from firmware.ledger.registers import Registers
from firmware.log.chain import Chain
from firmware.log.clock_log import ClockLog
from firmware.log.events import Events
from firmware.log.keeper import Keeper
from firmware.log.keyring import Keyring
from firmware.site import doubt, measure
from firmware.site.hearing import Hearing
from firmware.site.truth import Truth

_WATCH_GRID_MS = 400  # the shortest period in which the grid meter is read four times
_POWER_RATINGS = ("load_w", "grid_w", "bess_w", "wind_w", "pv_w", "genset_w")  # by role


class Wired:
    """One site's objects, wired up. Nothing runs yet."""

    def __init__(self, platform, config, read=None):
        """`read(path)` reads the files of the board's folder, for the user's own profiles."""
        self.platform = platform
        self.config = config
        self.uplink = self.outgoing = self.cable = self.learned = None
        self.unit_w = choose_unit_w(max(config["ratings"][key] for key in _POWER_RATINGS))
        self.setpoint = Setpoint()
        self.utc = utc.Utc()
        self.listens = False  # listen() is at work
        self._wire_control(config, Profiles(build_info.PROFILES, read, build_info.DEVICES))
        self.watched = self.tracker.facts.period_ms >= _WATCH_GRID_MS
        self.cutter = interval.Cutter(energy.Energy(self.unit_w), self.utc, self.tracker.facts.period_ms)
        ratings = [config["ratings"][key] for key in _POWER_RATINGS]
        if self.field.meters[GRID] is None:
            ratings[GRID] = 0
        registers = Registers(self.cutter.energy, ratings)
        self.supplies = self._wire_supplies(config)
        self.hearing = Hearing(self.field, self.truth, registers, self.measure.snapshot, self.utc, self.unit_w)

    def _wire_supplies(self, config):
        """Return what fuel and work are counted with; None for a site that counts neither."""
        if not config["counters"]:
            return None
        from firmware.ledger.supplies import Supplies

        self.heard = {}  # readings of each counter that have been told
        return Supplies(self.cutter, config["ratings"]["genset_w"])

    def hear(self):
        """Tell the ledger what slow reads, counters and registers have come to."""
        if self.supplies:
            self._hear_supplies()
        self.hearing.listen(self.cutter.kept, self.cutter.lost, self.events.note)

    def _hear_supplies(self):
        supplies, field = self.supplies, self.field
        supplies.sync()
        for what in field.counters:
            counter = field.counters[what]
            if counter.count != self.heard.get(what, 0):
                self.heard[what] = counter.count
                count = counter.value()
                if count is not None:
                    (supplies.fuel if what == "fuel" else supplies.work).hear(count)

    def _wire_control(self, config, profiles):
        from firmware.site.rules import check_soc, stale_policies

        ratings, caps, control = config["ratings"], config["limits"], config["control"]
        self.make_field = lambda config: Field(config, self.platform, self.unit_w, profiles)
        self.field = self.make_field(config)
        check_soc(config["devices"], self.field.pcs_has_soc)
        self.truth = Truth(self.field.readings, [self._pu(ratings[key]) for key in _POWER_RATINGS], control)
        policies, soc_policy = stale_policies(config["devices"], stale.POLICIES)
        hold_ms = control["hold_s"] * 1000
        soc_hold_ms = hold_ms if soc_policy == stale.HOLD else 0
        self.measure = measure.Measure(self.truth.believed, self.field.soc, self.field.pcs, control["stale_ms"],
                                       soc_hold_ms)
        bess_pu = self._pu(ratings["bess_w"])
        export_pu = self._pu(caps["grid_export_w"])
        self.limits = limits.Limits(bess_pu, self._pu(caps["grid_import_w"]), export_pu,
                                    caps["soc_min_permille"], caps["soc_max_permille"])
        self.tracker = self._tracker(config, bess_pu)
        self.periodic = self._repetitive(self.tracker.facts)
        self.wind = wind_limit.WindLimit(self._pu(ratings["wind_w"]), export_pu)
        self.supervisor = supervisor.Supervisor(self._pu(caps["ramp_w_per_s"]), self.measure.soc_stale_ms - soc_hold_ms,
                                                soc_policy == stale.STOP)
        self.stale = stale.Stale(policies, [self._pu(ratings[key]) for key in _POWER_RATINGS], hold_ms)
        self.charge = charge.Charge(self._pu(ratings["bess_wh"]) * 3600)
        self._wire_operator(control)
        self.missing = missing.Missing(config["devices"], self.measure.snapshot, self.field.driver_of,
                                       self.field.unasked)
        self.teller = teller.Teller(self.supervisor, self.setpoint, self.missing, self.unit_w)
        self.backup = self._wire_backup(config)
        self.dispatch = self._wire_dispatch(config)
        self.pv_pu = self._pu(ratings["pv_w"])

    def _wire_backup(self, config):
        """Return what works island and genset; None, and nothing of it on the heap, for a site without."""
        if config["island"] is None:
            return None
        from firmware.control import backup
        from firmware.drivers.grid_sense import GridSense

        sense = GridSense(self.field.meters[GRID], config["island"])
        return backup.make(config, sense, self.field, self.measure.snapshot, self.limits, self.utc, self._pu)

    def _wire_dispatch(self, config):
        """Return what divides the battery; None, and nothing of it on the heap, for a site that leaves that be."""
        if config["dispatch"] is None:
            return None
        from firmware.control.dispatch import Dispatch

        return Dispatch(config, self, self._pu, self.unit_w)

    def _wire_operator(self, control):
        from firmware.site.rules import check_dry_run

        check_dry_run(control["mode"], not self.field.pcs.reads_feed)
        self.override = None
        if control["mode"] != "auto":
            self.operator()

    def operator(self):
        """Return what carries out the operator's commands: made when it is needed first, for heap is scarce."""
        if self.override is None:
            from firmware.control.override import Override

            control, field = self.config["control"], self.field
            self.override = Override(self.supervisor, self.limits, self._pu, control["mode"], control["manual_w"],
                                     not field.pcs.reads_feed, field.go_dry)
        return self.override

    def _tracker(self, config, bess_pu):
        """Return the tracker, with what is known of meters and PCS before anything has been measured."""
        pcs, control = config["pcs"], config["control"]
        found_w = config["commissioning"]["dead_band_w"]
        dead_band_w = pcs["dead_band_w"] if found_w is None else found_w
        made = tracker.Tracker(control, bess_pu, self._pu(control["baseline_ramp_w_per_s"]) * control["baseline_s"],
                               tuning.Facts(config, self.field.refresh_ms(LOAD), self.field.refresh_ms(GRID)))
        made.bound(self._pu(control["dead_band_w"]), self._pu(dead_band_w), self._pu(pcs["ramp_w_per_s"]))
        return made

    def _repetitive(self, facts):
        """Return the term for loads that repeat themselves; None where the control period is too long for any."""
        if 4 * facts.period_ms > periodic.LONGEST_MS:
            return None
        return periodic.Periodic(facts.period_ms, facts.delay_ms(), facts.lag_ms, facts.load_refresh_ms)

    def retune(self):
        """Tune the tracker to what has been measured since, and note it if that changes anything."""
        before, doubted = self.tracker.doubted, self.tracker.is_aliased()
        if doubted != before:
            self.events.note("tracker", *aliased.EVENTS[doubted])
        if doubted and self.periodic:
            self.periodic.forget()
        told = self.tracker.retune(self.measure.snapshot.now_ms, self.field.pcs.applied.t_ms)
        if told:
            if self.periodic:
                self.periodic.retune(self.tracker.facts)
            self.events.note("tracker", "TUNING", told)

    def listen_aside(self, spawn, budget_us):
        """Have listen() done in the background, unless it still is."""
        if not self.listens:
            self.listens = True
            spawn("listen", self.listen(), budget_us)

    def listen(self):
        """Do what each second asks for and no tick waits for; a generator: in one piece it held the next reads up."""
        try:
            while self.heed():  # of whoever runs this
                yield
            self.hear()
            yield
            self.retune()
            yield
            self.clock_log.look(self.events.note)
        finally:
            self.listens = False

    def wire_log(self, files, config_hash):
        """Add the evidence half: factor table, book, chain, events; a generator that opens the journal."""
        site = self.config["site"]
        self._log_of = files, config_hash
        self.events = Events(files, self.utc, self.platform.report)
        self.clock_log = ClockLog(self.utc)
        self.field.watch_buses(self.config, self.events.note)
        table = FactorTable(files, self.config["factors"]["grid"], self.config["factors"]["stale_s"])
        yield from table.open()
        keyring = Keyring(files, self.platform.entropy)
        self.chain = Chain(files, site["id"], site["device"], build_info.HASH, config_hash, table.hash, keyring)
        yield from self.chain.open()
        self.book = Book(self.config, table, self.supplies)
        last = self.chain.last_payload
        self.book.resume(last)
        said, last = last and last.get(40), last and (last[3], last[6], last[7])
        yield from self.events.open(self.chain.boot, said)
        self.keeper = Keeper(self.cutter, self.book, self.chain, self.events, self.finish_record)
        self.keeper.tell(keyring.news)
        self.events.note("main", "BOOT", "boot %d, firmware %s" % (self.chain.boot, build_info.VERSION))
        if last and last[2] != config_hash:
            self.events.note("config", "CONFIG", "site.json is another than that of record %d" % last[0])
        if last and last[1] != build_info.HASH:
            self.events.note("config", "FIRMWARE", "the firmware is another than that of record %d" % last[0])
        self.events.note("tracker", "TUNING", self.tracker.facts.sentence())
        if self.dispatch:
            from firmware.control import learned

            self.learned = learned.make(self.config, files, self.dispatch, self.utc, self.unit_w, self.events.note)

    def last_words(self):
        """Return a generator that writes all that waits: what was learnt, then events and records."""
        if self.learned and not self.learned.busy:
            yield from self.learned.writing(self.events.note)
        yield from self.keeper.work()

    def _outlet(self, files, config_hash):
        """Return what of the log may go out, and the board's state for whoever asks."""
        from firmware.log.outlet import Outlet
        from firmware.uplink.status import Status

        site = self.config["site"]
        log = Outlet(self.chain, self.keeper, files, site["id"], site["device"])
        return log, Status(build_info.VERSION, config_hash, self.unit_w, self.measure.snapshot, self.setpoint, self.utc,
                           self.teller.mode, self.teller.reason, log)

    def answerer(self):
        """Return what answers a host at the cable: made when one asks first, as operator() is."""
        if self.cable is None:
            from firmware.uplink.cable import Cable

            files, config_hash = self._log_of
            self.cable = Cable(files, self.platform.report, self._outlet(files, config_hash)[1].text)
        return self.cable

    def wire_uplink(self, files, config_hash):
        """Add the way out, where the site has one; what keeps it from being there is noted, all else goes on."""
        if self.config["uplink"] is None:
            return
        from firmware.log import ecdsa_verify, frames
        from firmware.uplink import make
        log, status = self._outlet(files, config_hash)
        try:
            self.uplink, self.outgoing = make.make(self.config, files, self.platform, self.utc, log, self.events,
                                                   status, self.events.note, frames, ecdsa_verify)
        except UplinkError as error:
            self.events.note("uplink", error.code, error.detail)

    def finish_record(self, interval):
        """Fill in what no other layer knows of an interval that the cutter has closed."""
        self.hearing.finish(interval, self.cutter.kept, self.cutter.lost)

    def looked_up(self):
        """Return the steps of the control tick in their order, and what they work on: a look-up each costs as much."""
        steps = (machine.judge or doubt.judge, doubt.judge, snapshot.fast, measure.form_silent, stale.substitute,
                 measure.sample_grid, measure.take_mean, decide.decide, interval.judge_period, utc.advance,
                 machine.integrate or energy.integrate)
        made, field, cutter = self.measure, self.field, self.cutter
        term = self.periodic
        snap, point, sup, missed = map(types.at, (made.snapshot.cells, self.setpoint.cells, self.supervisor.cells,
                                                  self.stale.cells))
        deciding = decide.looked_up(
            decide.observer(self, made.snapshot, field.limiter is not None), point, snap,
            types.at(self.limits.cells), sup, missed, types.at(self.tracker.cells), term and types.at(term.cells),
            term and types.at(term.ring), self.backup and types.at(self.backup.island.cells),
            types.at(self.wind.cells) if field.limiter else None, field.pcs.went())
        others = (self.truth.table, made.table, made.cells, cutter.cells, self.utc.cells, cutter.energy.cells)
        return steps + (snap, point, sup, missed, deciding) + tuple(map(types.at, others)) + (
            self.platform.ms, self.watched, field.limit_wind if field.limiter else None, field.pcs.command)

    def _pu(self, power_w):
        return to_pu(power_w, self.unit_w)
