"""The edge site in steps of a minute: the firmware's own limits, tracker, outlook and dispatcher, with a simple plant.

The battery does as it is told and the meters are exact; what `simulate` adds (buses, lags, age) is left out, so that a
year takes minutes. Power in kW, energy in kWh. The grid is summed by means of 10 minutes, the steps of the optimum: a
set point held for a minute misses what load and wind do in it, about as often up as down, and a period of a second does
not. What that comes to by the minute is told beside.
"""

from dataclasses import dataclass

from firmware.control import limits, tracker, wind_limit
from firmware.control.dispatch import Dispatch
from firmware.control.standing import Standing
from firmware.core import utc
from firmware.core.scale import choose_unit_w, to_pu
from firmware.core.types import (
    ABSENT,
    BESS,
    CLOCK_SYNCHRONISED,
    FRESH,
    GENSET,
    GRID,
    LOAD,
    PV,
    WIND,
    Setpoint,
    Snapshot,
)

_POWERS = ("load_w", "grid_w", "bess_w", "wind_w", "pv_w", "genset_w")
_TICK_MASK = 0x3FFFFFFF
_STEP_MS = 60_000
_EMPTY = 0.005  # less than this part of it: then power fades so far that load is left to the grid


@dataclass
class Sums:
    """What a stretch comes to."""

    load: float = 0.0
    bought: float = 0.0
    unserved: float = 0.0  # above the cap with an empty battery, part of what is bought
    overshot: float = 0.0  # above the cap otherwise, also part of it: what a set point held too long lets through
    exported: float = 0.0
    bought_minute: float = 0.0  # the same by the minute
    emitted: float = 0.0  # g
    gained: float = 0.0  # stored


class Loop:
    """One site; run() stretches of it one after the other, and it goes on learning."""

    def __init__(self, config, soc=0.5, period_ms=_STEP_MS):
        """`config` is a site.json with its defaults filled in."""
        ratings, caps = config["ratings"], config["limits"]
        unit_w = choose_unit_w(max(ratings[key] for key in _POWERS))
        self._kw = unit_w / 1000

        def pu(power_w):
            return to_pu(power_w, unit_w)

        bess_pu, wind_pu, export_pu = pu(ratings["bess_w"]), pu(ratings["wind_w"]), pu(caps["grid_export_w"])
        self.setpoint, self.utc = Setpoint(), utc.Utc()
        self.limits = limits.Limits(bess_pu, pu(caps["grid_import_w"]), export_pu,
                                    caps["soc_min_permille"], caps["soc_max_permille"])
        self.tracker = tracker.Tracker(config["control"], bess_pu)
        self.wind = wind_limit.WindLimit(wind_pu, export_pu)
        self.dispatch = Dispatch(config, self, pu, unit_w)
        self.notes = []
        self.utc.set(0, 0, CLOCK_SYNCHRONISED, 0)
        self.setpoint.wind_limit_pu = wind_pu
        self.snap = snap = Snapshot()
        for role in (LOAD, GRID, BESS, WIND):
            snap.state[role] = FRESH
        for role in (PV, GENSET):
            snap.state[role] = ABSENT
        snap.soc_state, snap.all_fresh = FRESH, 1
        self.capacity = ratings["bess_wh"] / 1000
        self.cap_kw = caps["grid_import_w"] / 1000
        self.charge = ratings["charge_efficiency_permille"] / 1000
        self.discharge = ratings["discharge_efficiency_permille"] / 1000
        self.stored = soc * self.capacity
        self._bess_kw, self._mean_kw = 0.0, None  # the grid's mean of the last step
        self._standing = Standing(self, snap, True) if period_ms == _STEP_MS else None

    def run(self, load, wind, begin, minutes, factors=None, ahead=None):
        """Run `minutes` from minute `begin` of the year; `factors` g/kWh by hour.

        `ahead(hour)` gives the mg/kWh that the board is told at an hour, from that one on; none: nothing is said.
        """
        sums = Sums()
        start = self.stored
        tens = 0.0
        for minute in range(begin, begin + minutes):
            if ahead is not None and minute % 60 == 0:
                told = ahead(minute // 60)
                if told:
                    self.dispatch.foresee(minute // 60, told)
            self._tick(load[minute], wind[minute], minute * _STEP_MS)
            self._mean_kw = grid = self._pass(load[minute:minute + 2], wind[minute:minute + 2])
            tens += grid / 10
            sums.load += (load[minute] + load[minute + 1]) / 120
            sums.bought_minute += max(grid, 0.0) / 60
            if minute % 10 == 9:
                sums.bought += max(tens, 0.0) / 6
                sums.exported += max(-tens, 0.0) / 6
                over = max(tens - self.cap_kw, 0.0) / 6
                if self.stored < _EMPTY * self.capacity:
                    sums.unserved += over
                else:
                    sums.overshot += over
                if factors is not None:
                    sums.emitted += max(tens, 0.0) / 6 * factors[minute // 60]
                tens = 0.0
        sums.gained = self.stored - start
        return sums

    def _tick(self, load, wind, ms):
        """Measure, dispatch, narrow, track, limit the wind: as the firmware does."""
        snap, kw = self.snap, self._kw
        wind = min(wind, self.setpoint.wind_limit_pu * kw)
        snap.now_ms = ms & _TICK_MASK
        snap.power_pu[LOAD], snap.power_pu[WIND] = round(load / kw), round(wind / kw)
        snap.power_pu[BESS] = round(self._bess_kw / kw)
        snap.power_pu[GRID] = round((load - wind - self._bess_kw) / kw)
        snap.grid_mean_pu = snap.power_pu[GRID] if self._mean_kw is None else round(self._mean_kw / kw)
        snap.soc_permille = round(1000 * self.stored / self.capacity)
        self.utc.quarter, self.utc.ms = divmod(ms, 900_000)
        self.limits.update(snap, self._standing.foresee() if self._standing else 0)
        self.tracker.step(self.setpoint, snap, self.limits, 1000)
        self.wind.step(self.setpoint, snap, self.limits.charge_pu)
        self.dispatch.step(snap, self._note)  # between two ticks: what it sets counts from the next on

    def _note(self, source, code, text):
        self.notes.append((source, code, text))

    def _pass(self, load, wind):
        """Let a minute pass; return the grid's mean power."""
        asked = self.setpoint.bess_pu * self._kw
        if asked > 0:
            given = min(asked, self.stored * self.discharge * 60)
            self.stored -= given / self.discharge / 60
        else:
            given = -min(-asked, (self.capacity - self.stored) / self.charge * 60)
            self.stored -= given * self.charge / 60
        self._bess_kw = given
        limit = self.setpoint.wind_limit_pu * self._kw
        used = (min(wind[0], limit) + min(wind[1], limit)) / 2
        return (load[0] + load[1]) / 2 - used - given
