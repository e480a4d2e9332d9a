"""What the net load will be while a set point stands: for control periods of ten seconds to a minute.

A set point that stands for long is to fit the mean of its time, not the sample at its beginning. The wind goes on as it
went; where it is limited it will soon be at the limit that goes out beside the set point, of which the sample knows
nothing. A load that has a beat of its own is sampled at the same point of it each time, and is off its mean by as much:
that is what the grid meter, which is read several times in a period, shows of it in the long run. What moves besides
goes up as often as down: what of it is export is lost, what is import leaves its energy in the battery. So the grid's
target stands off from zero by as much, less where the battery is full and has no room for what it keeps.
"""

from micropython import const

from firmware.control import follow
from firmware.control.limits import charge_pu
from firmware.control.wind_limit import is_curtailed
from firmware.core.fixed import clamp
from firmware.core.types import BESS, FRESH, GRID, LOAD, PV, WIND

_OPENS = const(10)  # part of the battery's rating by which a curtailed wind is counted on to rise with its limit
_EVEN = const(64)  # periods over which means are taken
_MOST = const(64)  # part of the battery's rating: what is further off its mean is another thing than a beat


class Standing:
    """Takes the place of follow.observe() in the control tick. Powers in site power units."""

    def __init__(self, station, snap, limited):
        """`station` has the setpoint, limits, tracker and wind limit that it works with; `limited`: that one acts."""
        self._snap, self._setpoint, self._limits = snap, station.setpoint, station.limits
        self._tracker, self._wind = station.tracker, station.wind
        self._limited = limited
        self._wind_pu = self._wind.rating_pu
        self._most_pu = max(self._limits.rating_pu // _MOST, 1)
        self._was_pu = None  # the wind of the last tick, where weather alone made it
        self._load_pu = None
        self._left_pu = None  # load less wind of the period that ends, as it was foreseen
        self._moves = self._beat = 0  # in 64ths: what the load moves in a period; how far its mean is off its sample

    def observe(self, trk, cells, dt_ms):
        """Update the trim as follow.observe() does; return it with what is foreseen, which is the tracker's term."""
        return follow.observe(trk, cells, dt_ms) + self.foresee()

    def foresee(self):
        """Set the tracker's term; return by how much the net load will exceed what it is now, on average."""
        more_pu = self._more_pu()
        off_pu = 0
        if self._tracker.aim_pu == 0:  # it charges up to the cap otherwise, which nothing stands off from
            off_pu = self._moves // _EVEN * (1000 - self._snap.soc_permille) // 1000
        self._tracker.term_pu = more_pu - off_pu
        return more_pu

    def _more_pu(self):
        power, state = self._snap.power_pu, self._snap.state
        if state[LOAD] != FRESH:
            self._was_pu = self._load_pu = self._left_pu = None
            return 0
        load_pu = power[LOAD] - power[PV]
        if self._load_pu is not None:
            self._moves += (abs(load_pu - self._load_pu) * _EVEN - self._moves) // _EVEN
        self._load_pu = load_pu
        if self._left_pu is not None and state[GRID] == state[BESS] == FRESH:
            beat_pu = clamp(self._snap.grid_mean_pu + power[BESS] - self._left_pu, -self._most_pu, self._most_pu)
            self._beat += (beat_pu * _EVEN - self._beat + _EVEN // 2) // _EVEN
        rise_pu = self._rise_pu(power[WIND]) if state[WIND] == FRESH else 0
        self._left_pu = load_pu - power[WIND] - rise_pu
        return (self._beat + _EVEN // 2) // _EVEN - rise_pu

    def _rise_pu(self, wind_pu):
        """Return by how much the wind's mean of the coming period will exceed what it is now."""
        was_pu, self._was_pu = self._was_pu, wind_pu
        rise_pu = 0 if was_pu is None else (wind_pu - was_pu) // 2
        if not self._limited:
            return rise_pu
        coming_pu = self._wind.room_pu(self._snap, charge_pu(self._limits.cells, self._snap.cells))
        if is_curtailed(self._setpoint.wind_limit_pu, self._wind_pu, wind_pu):
            self._was_pu = None
            rise_pu = self._limits.rating_pu // _OPENS
        return min(max(rise_pu, -wind_pu), coming_pu - wind_pu)
