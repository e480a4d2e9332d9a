"""A SunSpec meter, laid out by the official model definitions: 203 with scale factors, or 213 in float32."""

from host_tools.plant.devices.der import common
from host_tools.plant.devices.measuring import Measuring
from host_tools.plant.devices.sunspec import SunSpecSlave, scale_for, scaled

_VOLTS = 230.0
_POWERS = ("W", "WphA", "WphB", "WphC")
_SUPPLY = ("Hz", "PhV", "PhVphA", "PhVphB", "PhVphC")
_ENERGIES = ("TotWhImp", "TotWhExp")
_ENERGY_LIMIT = 4_000_000_000
_POWER_LIMIT_W = 1e9


class SunSpecMeter(Measuring, SunSpecSlave):
    """The meter in any meter role; import is positive. Of the two model sorts `model_id` says which it has."""

    model_id = 203
    refresh_us = 200_000
    turnaround_us = (5_000, 15_000)

    def __init__(self, unit, role, rng, measure, counters_wh):
        power = scale_for(_POWER_LIMIT_W)
        values = {"A_SF": -1, "V_SF": -1, "PhV": 2300, "PhVphA": 2300, "PhVphB": 2300, "PhVphC": 2300, "Hz_SF": -2,
                  "Hz": 5000, "W_SF": power, "TotWh_SF": 0, "TotWhImp": 0, "TotWhExp": 0, "Evt": 0}
        if self.model_id > 210:
            values = {"PhV": _VOLTS, "PhVphA": _VOLTS, "PhVphB": _VOLTS, "PhVphC": _VOLTS, "Hz": 50.0, "Evt": 0}
        SunSpecSlave.__init__(self, unit, role, rng, [(1, common(unit, "Meter")), (self.model_id, values)])
        self.begin(rng, measure, counters_wh)

    def live(self):
        """Name what changes by itself."""
        names = (*_POWERS, "W_SF") if self.model_id < 210 else _POWERS
        return [(self.model_id, names, self._show_power), (self.model_id, _ENERGIES, self._show_energy),
                (self.model_id, _SUPPLY, self._show_supply)]

    def _show_power(self, t_us):
        taken = self.take_sample(t_us)
        if taken is None:
            return
        powers_w = (taken[0], *self.phases_w)
        if self.model_id > 210:
            for name, power_w in zip(_POWERS, powers_w):
                self.put(self.model_id, name, power_w)
            return
        # The scale factor follows the value, as it does in some meters.
        power = scale_for(max(abs(power_w) for power_w in powers_w))
        self.put(self.model_id, "W_SF", power)
        for name, power_w in zip(_POWERS, powers_w):
            self.put(self.model_id, name, scaled(power_w, power))

    def _show_supply(self, _t_us):
        volts, hertz = self.supply()
        whole = self.model_id < 210
        self.put(self.model_id, "Hz", round(100 * hertz) if whole else hertz)
        for name in _SUPPLY[1:]:
            self.put(self.model_id, name, round(10 * volts) if whole else volts)

    def _show_energy(self, t_us):
        for name, energy_wh in zip(_ENERGIES, self.counters_wh(t_us)):
            self.put(self.model_id, name,
                     energy_wh if self.model_id > 210 else round(energy_wh) % _ENERGY_LIMIT)


class SunSpecFloatMeter(SunSpecMeter):
    """The same with model 213."""

    model_id = 213
