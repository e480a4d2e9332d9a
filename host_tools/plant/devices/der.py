"""SunSpec PCS of a battery: models 1, 701 to 704, 713, 715, with reversion, heartbeat watch and LOCAL.

The models leave open what restarts the reversion timer: here any write to the WSet group does. A heartbeat
counts once the controller has written one; when it then stands still, the PCS falls back as at the end of
the reversion time.
"""

from host_tools.plant.agenda import Timer
from host_tools.plant.devices.reversion import Reversion
from host_tools.plant.devices.sunspec import SunSpecSlave, scale_for, scaled

HEARTBEAT_US = 10_000_000
_SOC_REFRESH_US = 1_000_000
_REMOTE, _LOCAL = 0, 1
_WATTS = 1
_FOLLOWING, _FORMING = 1, 2  # DERMode
_OFF, _RUNNING, _FAULT = 0, 3, 6
_ALARM_HARDWARE = 1 << 15  # HW_TEST_FAILURE
_STOPPED = (0, 2)  # OpCtl STOP, ENTER_STANDBY
_PCT_SF = -1
_WSET = ("WSetEna", "WSetMod", "WSet", "WSetRvrt", "WSetPct", "WSetPctRvrt", "WSetEnaRvrt", "WSetRvrtTms")


def common(unit, model):
    """Return the points of model 1."""
    return {"Mn": "Simulated", "Md": model, "Vr": "1", "SN": f"SIM-{unit}", "DA": unit}


def ac_points(w_sf):
    """Return the points of model 701 of a device that runs at no power."""
    return {"ACType": 2, "St": 1, "InvSt": _RUNNING, "ConnSt": 1, "Alrm": 0, "DERMode": _FOLLOWING, "W": 0, "Hz": 5000,
            "TotWhInj": 0, "TotWhAbs": 0, "Hz_SF": -2, "W_SF": w_sf, "TotWh_SF": 0}


def rating_points(rating_w, w_sf):
    """Return the points of model 702 that state one rating for everything."""
    raw = scaled(rating_w, w_sf)
    names = ("WMaxRtg", "WChaRteMaxRtg", "WDisChaRteMaxRtg", "WMax", "WChaRteMax", "WDisChaRteMax")
    return {**dict.fromkeys(names, raw), "CtrlModes": 3, "W_SF": w_sf}


class SunSpecPcs(SunSpecSlave):
    """The PCS; drives a Battery."""

    refresh_us = 20_000
    fault_state = {(701, "St"): 0, (701, "InvSt"): _FAULT, (701, "ConnSt"): 0}

    def __init__(self, unit, role, rng, site, agenda, energy_wh, period_us=0):
        battery = site.battery
        self.w_sf = scale_for(1.5 * battery.rating_w)
        wh_sf = scale_for(energy_wh, 65_000)
        super().__init__(unit, role, rng, [
            (1, common(unit, "PCS")),
            (701, ac_points(self.w_sf)),
            (702, rating_points(battery.rating_w, self.w_sf)),
            (703, {"ES": 1}),
            (704, {"WMaxLimPctEna": 0, "WMaxLimPct": 1000, "WMaxLimPctRvrt": 1000, "WMaxLimPctEnaRvrt": 0,
                   "WMaxLimPctRvrtTms": 0, "WMaxLimPctRvrtRem": 0, **dict.fromkeys(_WSET, 0),
                   "WSetMod": _WATTS, "WSetRvrtRem": 0, "WMaxLimPct_SF": _PCT_SF, "WSet_SF": 0,
                   "WSetPct_SF": _PCT_SF}),
            (713, {"WHRtg": scaled(energy_wh, wh_sf), "WHAvail": 0, "SoC": 0, "SoH": 1000, "Sta": 0,
                   "WH_SF": wh_sf, "Pct_SF": _PCT_SF}),
            (715, {"LocRemCtl": _REMOTE, "DERHb": 0, "ControllerHb": 0, "AlarmReset": 0, "OpCtl": 1}),
        ])
        self.heartbeat_us = max(HEARTBEAT_US, 3 * period_us)  # its owner sets it so that the board can keep it
        self._wh_sf = wh_sf
        self._site = site
        self._battery = battery
        self._agenda = agenda
        self._asked_w = 0.0
        self._heartbeat = 0
        self._stalled = False
        self._watch = Timer(agenda, self._heartbeat_stalled)
        self._reversion = Reversion(self, agenda, "WSet", (("WSet", "WSetRvrt"), ("WSetPct", "WSetPctRvrt")),
                                    self._command)
        self._limit_reversion = Reversion(self, agenda, "WMaxLimPct", (("WMaxLimPct", "WMaxLimPctRvrt"),),
                                          self._command)

    @property
    def setpoint_w(self):
        """The set point that the PCS now holds, W, before its own limits."""
        return self._asked_w

    def set_local(self, local):
        """Turn the key switch on the cabinet: LOCAL ignores the bus."""
        self.put(715, "LocRemCtl", _LOCAL if local else _REMOTE)
        self._command(self._agenda.now_us)

    def set_trouble(self, derate_w, fault):
        """Limit the PCS silently (W or None), or fault it."""
        self._battery.limit(self._agenda.now_us, derate_w, fault)
        self.put(701, "St", 0 if fault else 1)
        self.put(701, "InvSt", _FAULT if fault else _RUNNING)
        self.put(701, "ConnSt", 0 if fault else 1)
        self.put(701, "Alrm", _ALARM_HARDWARE if fault else 0)

    def show_island(self, forms):
        """Say so in DERMode."""
        self.put(701, "DERMode", _FORMING if forms else _FOLLOWING)

    def act(self, first, count, t_us):
        """Take a set point, a limit, a heartbeat or an operating command."""
        if self.touches(704, _WSET, first, count):
            self._reversion.restart(t_us)
        if self.touches(704, ("WMaxLimPctEna", "WMaxLimPct", "WMaxLimPctRvrtTms"), first, count):
            self._limit_reversion.restart(t_us)
        heartbeat = self.get(715, "ControllerHb")
        if heartbeat != self._heartbeat:
            self._heartbeat = heartbeat
            self._stalled = False
            self._watch_heartbeat(t_us)
        if self.fields[704, "WRmp"].implemented:
            self._battery.output.rate_w_per_us = self.get(704, "WRmp") / 100 * self._battery.rating_w / 1e6
        self._command(t_us)

    def _watch_heartbeat(self, t_us):
        wait_us = round(self.fall_back.seconds(self.heartbeat_us / 1e6) * 1e6)
        if wait_us:
            self._watch.start(t_us + wait_us)
        else:
            self._watch.stop()

    def _heartbeat_stalled(self):
        self._stalled = True
        self._command(self._agenda.now_us)

    def _command(self, t_us):
        power_w = self._wanted_w()
        if power_w != self._asked_w:
            self._asked_w = power_w
            self._site.advance(t_us)
            self._battery.command(t_us, power_w)

    def _wanted_w(self):
        if self.get(715, "LocRemCtl") == _LOCAL or self.get(715, "OpCtl") in _STOPPED:
            return 0.0
        if self.fall_back.to_w is not None and (self._stalled or self._reversion.fallen):
            return self.fall_back.to_w
        suffix = "Rvrt" if self._stalled else ""
        if not self.get(704, "WSetEna" + suffix):
            return 0.0
        if self.get(704, "WSetMod") == _WATTS:
            power_w = float(self.get(704, "WSet" + suffix))
        else:
            power_w = self.get(704, "WSetPct" + suffix) / 1000 * self._battery.rating_w
        if self.get(704, "WMaxLimPctEna"):
            cap_w = self.get(704, "WMaxLimPct") / 1000 * self._battery.rating_w
            power_w = min(max(power_w, -cap_w), cap_w)
        return power_w

    def live(self):
        """Name what changes by itself."""
        return [(701, ("W",), self._show_power), (701, ("TotWhInj", "TotWhAbs"), self._show_energy),
                (713, ("WHAvail", "SoC"), self._show_store), (704, ("WSetRvrtRem",), self._reversion.show),
                (704, ("WMaxLimPctRvrtRem",), self._limit_reversion.show),
                (715, ("DERHb",), self._show_heartbeat)]

    def _show_power(self, t_us):
        sample_us = t_us - t_us % self.refresh_us
        power_w = self.untruth.power_w(self._site.bess(sample_us), sample_us)
        self.put(701, "W", scaled(power_w, self.w_sf))

    def _show_energy(self, t_us):
        out_wh, into_wh = self.untruth.energies_wh(*self._battery.counters_wh(t_us))
        self.put(701, "TotWhInj", int(out_wh))
        self.put(701, "TotWhAbs", int(into_wh))

    def _show_store(self, t_us):
        permille = self._battery.soc_permille(t_us - t_us % _SOC_REFRESH_US)
        self.put(713, "SoC", min(max(round(permille), 0), 1000))
        self.put(713, "WHAvail", max(scaled(self._battery.stored_wh(t_us), self._wh_sf), 0))

    def _show_heartbeat(self, t_us):
        self.put(715, "DERHb", t_us // 1_000_000)
