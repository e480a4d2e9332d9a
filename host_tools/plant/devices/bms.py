"""A battery's own management by SunSpec 802: charge, health, state, two heartbeats."""

from host_tools.plant.devices.der import common
from host_tools.plant.devices.sunspec import SunSpecSlave

_CONNECTED, _FAULT = 3, 99


class Bms802(SunSpecSlave):
    """The BMS of the site's battery."""

    refresh_us = 1_000_000
    fault_state = {(802, "State"): _FAULT}

    def __init__(self, unit, role, rng, site):
        super().__init__(unit, role, rng, [
            (1, common(unit, "Battery")),
            (802, {"SoC": 0, "DoD": 0, "SoH": 980, "ChaSt": 6, "LocRemCtl": 0, "Hb": 0, "CtrlHb": 0, "Typ": 4,
                   "State": _CONNECTED, "Evt1": 0, "SoC_SF": -1, "DoD_SF": -1, "SoH_SF": -1})])
        self._site = site

    def live(self):
        """Name what changes by itself."""
        return [(802, ("SoC", "DoD", "SoH"), self._show_charge), (802, ("Hb",), self._show_heartbeat)]

    def _show_charge(self, t_us):
        permille = min(max(round(self._site.battery.soc_permille(t_us - t_us % self.refresh_us)), 0), 1000)
        self.put(802, "SoC", permille)
        self.put(802, "DoD", 1000 - permille)

    def _show_heartbeat(self, t_us):
        self.put(802, "Hb", t_us // 1_000_000 & 0x7FFF)
