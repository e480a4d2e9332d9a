"""Turn a closed interval into what the record states: sources, uses, residual, carbon, pool, quality. Background only.

Also states gaps: where the next interval does not begin at the end of the last one, a gap comes in between.
"""

from firmware.core.types import (
    CLOCK_UNKNOWN,
    FLAG_BALANCE,
    FLAG_FACTOR_DEFAULT,
    FLAG_FACTOR_STALE,
    FLAG_FUEL_UNKNOWN,
    FLAG_PARTIAL,
    FLAG_POOL_TRUEUP,
    FLAG_POOL_UNDERFLOW,
    GAP_CLOCK_STEP,
    GAP_RESTART,
    KIND_GAP,
    KIND_INTERVAL,
    KIND_KEYS,
    QUARTER_MS,
    Interval,
)
from firmware.ledger import carbon
from firmware.ledger.energy import SUBSTITUTED_WH, sources_wh, uses_wh
from firmware.ledger.factors import KIND_DEFAULT

_QUALITY_VALID = 0
_QUALITY_ESTIMATED = 9
_METHOD_NONE = 0
_METHOD_HELD = 1
_METHOD_BALANCE = 2
_PLANTS = ("wind", "pv", "genset")
_RESIDUAL_PERMILLE = 20  # of the sources, beyond which the record says that the balance does not hold
_RESIDUAL_WH = 100


class Book:
    """Keeps the pool and the end of the last interval; `table` is the FactorTable.

    `supplies` tells what fuel and work were counted in each interval; None where nothing is.
    """

    def __init__(self, config, table, supplies=None):
        ratings = config["ratings"]
        self._factors = config["factors"]
        self._limits = config["limits"]
        self._table = table
        self._supplies = supplies
        self._usable_wh = ratings["bess_wh"]
        self._discharge_permille = ratings["discharge_efficiency_permille"]
        self._eta_ppm = ratings["charge_efficiency_permille"] * self._discharge_permille
        self.pool = None
        self._end_ms = None  # UTC end of the last interval; None while unknown
        self.restarted = False

    def resume(self, payload):
        """Take over from the last record of the journal (a dict by field number), or from None on a new board."""
        if payload is None:
            return
        state = payload[28]
        self.pool = carbon.Pool(state[0], state[1], state[2], state[3])
        if payload[9] is not None and payload[10] is not None:
            self._end_ms = payload[9] + payload[10]
        self.restarted = True

    def gap_before(self, closed):
        """Return the gap Interval that has to stand before `closed`, or None."""
        start_ms = _start_ms(closed)
        if self.restarted:
            return self._gap(closed, start_ms, GAP_RESTART)
        if start_ms is not None and self._end_ms is not None and start_ms != self._end_ms:
            return self._gap(closed, start_ms, GAP_CLOCK_STEP)
        return None

    def _gap(self, closed, start_ms, reason):
        gap = Interval(KIND_GAP)
        gap.start_ms = self._end_ms
        known = start_ms is not None and self._end_ms is not None
        gap.duration_ms = max(start_ms - self._end_ms, 0) if known else None
        gap.reason = reason
        _stamp(gap, closed)
        gap.pool_start = gap.pool_end = self.pool.state()
        return gap

    def keys_change(self, closed):
        """Return the Interval that states a change of keys at the start of `closed`; nothing moves."""
        change = Interval(KIND_KEYS)
        _stamp(change, closed)
        change.start_ms = _start_ms(closed)
        change.duration_ms = 0
        change.pool_start = change.pool_end = self.pool.state()
        return change

    def gap_written(self):
        """Note that the gap is in the journal."""
        self.restarted = False
        self._end_ms = None

    def close(self, closed):
        """Return the Interval of a Closed one; the pool moves on. Call once each, in order."""
        interval = Interval(KIND_INTERVAL)
        _stamp(interval, closed)
        interval.start_ms = _start_ms(closed)
        interval.duration_ms = closed.duration_ms
        interval.flags |= closed.flags | (FLAG_PARTIAL if closed.duration_ms != QUARTER_MS else 0)
        self._quality(interval, closed)
        self._energy(interval, closed)
        self._grid_factor(interval)
        self._supply(interval)
        self._carbon(interval, closed)
        self._end_ms = None if interval.start_ms is None else interval.start_ms + interval.duration_ms
        return interval

    def _quality(self, interval, closed):
        interval.ticks_expected = max(closed.ticks_expected, closed.ticks_ok)
        interval.ticks_ok = closed.ticks_ok
        interval.gap_max_ms = closed.gap_max_ms
        substitute = closed.held or closed.balanced
        interval.quality = _QUALITY_ESTIMATED if substitute else _QUALITY_VALID
        method = _METHOD_BALANCE if closed.balanced else _METHOD_NONE
        interval.substitute_method = _METHOD_HELD if closed.held else method
        interval.substituted_wh = closed.wh[SUBSTITUTED_WH]
        interval.silent, interval.silent_last = closed.silent, closed.silent_last

    def _energy(self, interval, closed):
        interval.sources_wh = sources_wh(closed.wh)
        interval.uses_wh = uses_wh(closed.wh)
        total_wh = sum(interval.sources_wh)
        interval.residual_wh = total_wh - sum(interval.uses_wh)
        if abs(interval.residual_wh) > total_wh * _RESIDUAL_PERMILLE // 1000 + _RESIDUAL_WH:
            interval.flags |= FLAG_BALANCE
        interval.soc_permille = closed.soc_permille if closed.soc_known else None

    def _grid_factor(self, interval):
        utc_s = None if interval.start_ms is None else interval.start_ms // 1000
        direct, lifecycle, valid_from_s, age_s, kind, stale = self._table.at(utc_s)
        interval.grid_factor = [valid_from_s, age_s, kind]
        if stale:
            interval.flags |= FLAG_FACTOR_STALE
        if kind == KIND_DEFAULT:
            interval.flags |= FLAG_FACTOR_DEFAULT
        interval.direct_mg_per_kwh = self._track("direct_mg_per_kwh", direct)
        interval.lifecycle_mg_per_kwh = self._track("lifecycle_mg_per_kwh", lifecycle)

    def _track(self, key, grid):
        plants = [self._factors[plant][key] for plant in _PLANTS]
        return plants + [grid, self._factors["bess_substitute"][key]]

    def _supply(self, interval):
        """State fuel and work; a genset whose fuel is not known counts with its conservative factor, and a flag."""
        interval.fuel_ml = interval.fuel_mg_per_l = interval.work = None
        energy_wh = interval.sources_wh[carbon.GENSET]
        if self._supplies:
            interval.fuel_ml, interval.work = self._supplies.take(energy_wh, interval.duration_ms)
        if interval.fuel_ml is not None:
            diesel = self._factors["diesel"]
            interval.fuel_mg_per_l = [diesel["direct_mg_per_l"], diesel["lifecycle_mg_per_l"]]
        elif energy_wh:
            interval.flags |= FLAG_FUEL_UNKNOWN

    def _fuel_ug(self, interval):
        if interval.fuel_ml is None:
            return None, None
        return [interval.fuel_ml * factor for factor in interval.fuel_mg_per_l]

    def _carbon(self, interval, closed):
        if self.pool is None:
            self.pool = self._first_pool(closed)
        interval.pool_start = self.pool.state()
        tracks = (interval.direct_mg_per_kwh, interval.lifecycle_mg_per_kwh)
        anchor_wh = self._anchor_wh(closed)
        booked = carbon.book(
            self.pool, interval.sources_wh, interval.uses_wh, tracks, self._eta_ppm, anchor_wh,
            self._fuel_ug(interval)
        )
        interval.pool_end = self.pool.state()
        interval.load_mix_wh = booked["load_mix_wh"]
        interval.carbon_direct_ug, interval.carbon_lifecycle_ug = booked["carbon"]
        interval.loss_wh = booked["loss_wh"]
        interval.trueup_wh = booked["trueup_wh"]
        if booked["underflow"]:
            interval.flags |= FLAG_POOL_UNDERFLOW
        if interval.trueup_wh or booked["written_off"]:
            interval.flags |= FLAG_POOL_TRUEUP

    def _deliverable_wh(self, soc_permille):
        return self._usable_wh * soc_permille * self._discharge_permille // 1_000_000

    def _first_pool(self, closed):
        """Return the pool of a new board: what the battery holds, at the conservative factor."""
        energy_wh = self._deliverable_wh(max(closed.soc_start_permille, 0))
        substitute = self._factors["bess_substitute"]
        return carbon.Pool(
            energy_wh,
            energy_wh * substitute["direct_mg_per_kwh"],
            energy_wh * substitute["lifecycle_mg_per_kwh"],
        )

    def _anchor_wh(self, closed):
        """Return the deliverable energy where the state of charge stands at an end of its window, else None."""
        soc_permille = closed.soc_permille
        at_end = not self._limits["soc_min_permille"] < soc_permille < self._limits["soc_max_permille"]
        return self._deliverable_wh(soc_permille) if closed.soc_known and at_end else None


def _start_ms(closed):
    """Return the UTC start of a closed interval in ms, or None where the clock was unknown."""
    if closed.trust == CLOCK_UNKNOWN:
        return None
    return closed.quarter * QUARTER_MS + closed.ms


def _stamp(interval, closed):
    """Copy the clocks of a closed interval."""
    known = closed.trust != CLOCK_UNKNOWN
    interval.uptime_ms = closed.up_s * 1000 + closed.up_ms
    interval.clock = closed.trust
    interval.clock_age_s = max(closed.up_s - closed.set_up_s, 0) if known else None
    interval.clock_error_ms = closed.error_ms if known else None
