"""SunSpec devices of the 100 models: a storage inverter with 124, one with KACO's 64201, and a limit by 123."""

from host_tools.plant.agenda import Timer
from host_tools.plant.devices.der import common
from host_tools.plant.devices.driven import Driven
from host_tools.plant.devices.sunspec import SunSpecSlave, scale_for, scaled

_MPPT, _FAULT = 4, 7
_WHOLE = 10_000
_PCT_SF = -2
_POINTS_103 = {"St": _MPPT, "W": 0, "Hz": 5000, "Hz_SF": -2, "A": 0, "A_SF": 0, "WH": 1, "WH_SF": 0, "Evt1": 0}


def inverter_points(w_sf):
    """Return the points of model 103 of a device that runs at no power."""
    return {**_POINTS_103, "W_SF": w_sf}


def rated(rating_w, w_sf):
    """Return models 120 and 121 with one rating for everything."""
    raw = scaled(rating_w, w_sf)
    return [(120, {"DERTyp": 82, "WRtg": raw, "WRtg_SF": w_sf, "MaxChaRte": raw, "MaxChaRte_SF": w_sf,
                   "MaxDisChaRte": raw, "MaxDisChaRte_SF": w_sf}), (121, {"WMax": raw, "WMax_SF": w_sf})]


class InverterPcs(Driven, SunSpecSlave):
    """What the storage inverters share: model 103."""

    refresh_us = 100_000
    fault_state = {(103, "St"): _FAULT}

    def __init__(self, unit, role, rng, site, agenda, ratings, more):
        rating_w = ratings["bess_w"]
        self.rating_w = rating_w
        self.w_sf = scale_for(1.5 * rating_w)
        self.init_driven(site, agenda)
        super().__init__(unit, role, rng, [(1, common(unit, "Storage inverter")), (103, inverter_points(self.w_sf)),
                                           *rated(rating_w, self.w_sf), *more])

    def show_fault(self, fault):
        """Say so in St."""
        self.put(103, "St", _FAULT if fault else _MPPT)

    def live(self):
        """Name what changes by itself."""
        return [(103, ("W", "Hz"), self._show_power)]

    def _show_power(self, t_us):
        self.put(103, "W", scaled(self.power_w(t_us), self.w_sf))


class Storage124(InverterPcs):
    """Basic storage control: a window in percent of WChaMax, with InOutWRte_RvrtTms behind it."""

    def __init__(self, unit, role, rng, site, agenda, ratings):
        w_sf = scale_for(1.5 * ratings["bess_w"])
        super().__init__(unit, role, rng, site, agenda, ratings, [
            (124, {"WChaMax": scaled(ratings["bess_w"], w_sf), "WChaMax_SF": w_sf, "WChaGra": 100, "WDisChaGra": 100,
                   "WChaDisChaGra_SF": 0, "StorCtl_Mod": 0, "MinRsvPct": 500, "MinRsvPct_SF": _PCT_SF, "ChaState": 0,
                   "ChaState_SF": _PCT_SF, "ChaSt": 6, "OutWRte": _WHOLE, "InWRte": _WHOLE, "InOutWRte_WinTms": 0,
                   "InOutWRte_RvrtTms": 0, "InOutWRte_RmpTms": 0, "ChaGriSet": 1, "InOutWRte_SF": _PCT_SF})])

    def act(self, first, count, t_us):
        """Take a window; it starts the time anew."""
        if self.touches(124, ("StorCtl_Mod", "OutWRte", "InWRte", "InOutWRte_RvrtTms"), first, count):
            self.feed(t_us, self.get(124, "InOutWRte_RvrtTms"))
            self.command(t_us)

    def wanted_w(self):
        """Return the power inside the window that is nearest to rest."""
        mode = self.get(124, "StorCtl_Mod")
        high = self.get(124, "OutWRte") / _WHOLE if mode & 2 else 1.0
        low = -self.get(124, "InWRte") / _WHOLE if mode & 1 else -1.0
        return self.rating_w * min(max(0.0, low), high)

    def fall(self):
        """Switch both limits off."""
        self.put(124, "StorCtl_Mod", 0)

    def live(self):
        """Name what changes by itself."""
        return [*super().live(), (124, ("ChaState",), self._show_charge)]

    def _show_charge(self, t_us):
        self.put(124, "ChaState", 10 * self.soc_permille(t_us))


class KacoGridsave(InverterPcs):
    """KACO blueplanet gridsave: WSetPct and Watchdog in the vendor model 64201."""

    _STATE_FAULT, _STANDBY, _CONNECTED = 7, 8, 11
    # point -> (offset from the ID register, signed); the rest of the 54 registers is reserved or not simulated
    _AT = {"RequestedState": 4, "CurrentState": 5, "ControlMode": 6, "Watchdog": 8, "WSetPct": 9, "VarSetPct": 10,
           "W": 35, "Var": 36, "Hz": 37, "WSetPct_SF": 46, "W_SF": 51, "Hz_SF": 53}
    _SIGNED = ("WSetPct", "VarSetPct", "W", "Var", "WSetPct_SF", "W_SF", "Hz_SF")

    def __init__(self, unit, role, rng, site, agenda, ratings):
        self._model_at = 0
        super().__init__(unit, role, rng, site, agenda, ratings, [(64201, {})])
        self._writable.update(self._model_at + self._AT[name]
                              for name in ("RequestedState", "ControlMode", "Watchdog", "WSetPct", "VarSetPct"))
        for name, value in (("CurrentState", self._STANDBY), ("RequestedState", self._STANDBY), ("Hz", 5000),
                            ("WSetPct_SF", _PCT_SF), ("W_SF", self.w_sf), ("Hz_SF", -2)):
            self.set_point(name, value)

    def _lay_out(self, image, model_id, values):
        if model_id != 64201:
            super()._lay_out(image, model_id, values)
            return
        self._model_at = len(image) // 2
        image += (64201).to_bytes(2, "big") + (52).to_bytes(2, "big") + bytes(104)

    def point(self, name):
        """Return a raw value of the vendor model."""
        at = 2 * (self._model_at + self._AT[name])
        return int.from_bytes(self.image[at:at + 2], "big", signed=name in self._SIGNED)

    def set_point(self, name, value):
        """Set a raw value of the vendor model."""
        at = 2 * (self._model_at + self._AT[name])
        self.image[at:at + 2] = value.to_bytes(2, "big", signed=value < 0)

    def act(self, first, count, t_us):
        """Take a state or a set point; only a write of Watchdog starts its time anew."""
        if self.point("RequestedState") == self._CONNECTED and not self.broken:
            self.set_point("CurrentState", self._CONNECTED)
        if first <= self._model_at + self._AT["Watchdog"] < first + count:
            self.feed(t_us, self.point("Watchdog"))
        self.command(t_us)

    def wanted_w(self):
        """Return the set point while it is connected and fed."""
        if self.fallen or self.point("CurrentState") != self._CONNECTED:
            return 0.0
        return self.point("WSetPct") / _WHOLE * self.rating_w

    def show_fault(self, fault):
        """Say so in both models."""
        super().show_fault(fault)
        self.set_point("CurrentState", self._STATE_FAULT if fault else self._CONNECTED)

    def refresh(self, first, count, t_us):
        """Show power in the vendor model too."""
        super().refresh(first, count, t_us)
        self.set_point("W", scaled(self.power_w(t_us), self.w_sf))

    def masked(self):
        """Zeros come with a fault, in the vendor model as well."""
        image = super().masked()
        for name in ("W", "Hz"):
            at = 2 * (self._model_at + self._AT[name])
            image[at:at + 2] = b"\0\0" if self.untruth.zeros else b"\x80\0"
        if self.untruth.zeros:
            at = 2 * (self._model_at + self._AT["CurrentState"])
            image[at:at + 2] = self._STATE_FAULT.to_bytes(2, "big")
        return image


class Limiter123(SunSpecSlave):
    """A wind or PV plant with immediate controls; when its time is over the limit is off."""

    refresh_us = 100_000
    fault_state = {(103, "St"): _FAULT}

    def __init__(self, unit, role, rng, site, agenda, rating_w):
        self.w_sf = scale_for(1.5 * rating_w)
        super().__init__(unit, role, rng, [
            (1, common(unit, "Plant")), (103, inverter_points(self.w_sf)), *rated(rating_w, self.w_sf),
            (123, {"Conn": 1, "Conn_WinTms": 0, "Conn_RvrtTms": 0, "WMaxLimPct": _WHOLE, "WMaxLimPct_WinTms": 0,
                   "WMaxLimPct_RvrtTms": 0, "WMaxLimPct_RmpTms": 0, "WMaxLim_Ena": 0, "WMaxLimPct_SF": _PCT_SF})])
        self._measure = site.meter("wind" if role == "wind_limit" else "pv")
        self.cap = site.cap if role == "wind_limit" else site.pv_plant.cap
        self._site = site
        self._agenda = agenda
        self._rating_w = rating_w
        self._open_w = self.cap.target_w
        self._timer = Timer(agenda, self._expire)

    def act(self, first, count, t_us):
        """Take a limit."""
        if self.touches(123, ("WMaxLimPct", "WMaxLimPct_RvrtTms", "WMaxLim_Ena"), first, count):
            seconds = self.fall_back.seconds(self.get(123, "WMaxLimPct_RvrtTms"))
            if seconds and self.get(123, "WMaxLim_Ena"):
                self._timer.start(t_us + round(seconds * 1_000_000))
            else:
                self._timer.stop()
            self._command(t_us)

    def _expire(self):
        self.put(123, "WMaxLim_Ena", 0)
        self._command(self._agenda.now_us)

    def _command(self, t_us):
        cap_w = self._open_w
        if self.get(123, "WMaxLim_Ena"):
            cap_w = self.get(123, "WMaxLimPct") / _WHOLE * self._rating_w
        if cap_w != self.cap.target_w:
            self._site.advance(t_us)
            self.cap.retarget(t_us, cap_w)

    def live(self):
        """Name what changes by itself."""
        return [(103, ("W", "Hz"), self._show_power)]

    def _show_power(self, t_us):
        sample_us = t_us - t_us % self.refresh_us
        self.put(103, "W", scaled(self.untruth.power_w(self._measure(sample_us), sample_us), self.w_sf))
