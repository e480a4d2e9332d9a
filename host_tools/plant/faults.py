"""Injected events: CSV of `time_s,device,event,value`, checked against the site before the run begins.

`device` is a role (load, grid, wind, pv, genset, bess), pcs, wind_limit, clock, or bus<id>.
"""

import math

from host_tools.plant.series import US_PER_S, bad_line, read_rows

HEADER = ("time_s", "device", "event", "value")

# lowest, highest, whole numbers only, in words
_SWITCH = (0, 1, True, "0 or 1")
_WATTS = (-1e10, 1e10, False, "watts, +-1e10")
_POSITIVE = (0, 1e10, False, "a number from 0 to 1e10")
_NOTHING = (0, 0, True, "nothing")
_ANY_DEVICE = {"silent": _SWITCH, "frozen": _SWITCH}
_METER = {**_ANY_DEVICE, "bias": _WATTS, "negative": _SWITCH}
_PCS = {**_ANY_DEVICE, "local": _SWITCH, "fault": _SWITCH, "derate": _POSITIVE, "ok": _NOTHING,
        "soc_permille": (0, 1000, False, "0 to 1000"),
        "dead_ms": (0, 10_000, False, "0 to 10000 ms"), "lag_ms": (0, 60_000, False, "0 to 60000 ms"),
        "ramp_w_per_s": _POSITIVE, "standby_w": _POSITIVE,
        "heartbeat_s": (1, 3600, False, "1 to 3600 s")}
_BUS = {"flip": (0, 1, False, "a probability per byte, 0 to 1"), "cut": _SWITCH}
_CLOCK = {"unset": _NOTHING, "set": (1, 2, True, "1 (set) or 2 (synchronised)"),
          "step": (-32_767, 32_767, True, "milliseconds, +-32767")}


class Fault:
    """One line of the file: what happens to which device, and when."""

    def __init__(self, time_us, device, event, value):
        self.time_us = time_us
        self.device = device
        self.event = event
        self.value = value

    def as_dict(self):
        """Return the fault as it stands in the summary."""
        return {"time_s": self.time_us / US_PER_S, "device": self.device, "event": self.event,
                "value": self.value}


def load_faults(path, devices, buses):
    """Read and check an events file for a site's roles and bus ids. Raises ToolError naming the line."""
    known = {"clock": _CLOCK, **{f"bus{bus}": _BUS for bus in buses}}
    for role in devices:
        known[role] = _PCS if role == "pcs" else _ANY_DEVICE if role == "wind_limit" else _METER
    return [_fault(path, line, row, known) for line, row in read_rows(path, HEADER)]


def _fault(path, line, row, known):
    text, device, event, value_text = row
    time_s = _number(text)
    if not 0 <= time_s < math.inf:
        raise bad_line(path, line, f"time_s is {text!r}", "seconds, 0 or more")
    if device not in known:
        raise bad_line(path, line, f"device is {device!r}", ", ".join(sorted(known)))
    events = known[device]
    if event not in events:
        raise bad_line(path, line, f"event is {event!r}", ", ".join(sorted(events)))
    low, high, whole, allowed = events[event]
    value = _number(value_text or "0")
    if not low <= value <= high or whole and value % 1:
        raise bad_line(path, line, f"value is {value_text!r}", allowed)
    return Fault(round(time_s * US_PER_S), device, event, value)


def _number(text):
    try:
        return float(text)
    except ValueError:
        return math.nan


class Injector:
    """Puts faults on the agenda and carries them out on a plant."""

    def __init__(self, plant, faults):
        self._plant = plant
        for fault in faults:
            plant.agenda.at(fault.time_us, self._carry_out, fault)

    def _carry_out(self, fault):
        plant = self._plant
        if fault.device == "clock":
            getattr(plant.clock, fault.event)(plant.agenda.now_us, int(fault.value))
        elif fault.device.startswith("bus"):
            self._disturb(plant.lines[int(fault.device[3:])], fault)
        elif not self._common(plant.slaves[fault.device], fault):
            if fault.device == "pcs":
                self._pcs(plant.slaves["pcs"], plant.site.battery, fault)
            else:
                self._meter(plant.slaves[fault.device], fault)

    @staticmethod
    def _disturb(line, fault):
        if fault.event == "cut":
            line.cut = bool(fault.value)
        else:
            line.flip = fault.value

    @staticmethod
    def _common(slave, fault):
        if fault.event in _ANY_DEVICE:
            setattr(slave, fault.event, bool(fault.value))
            return True
        return False

    @staticmethod
    def _meter(slave, fault):
        if fault.event == "bias":
            slave.bias_w = fault.value
        else:
            slave.sign = -1 if fault.value else 1

    def _pcs(self, slave, battery, fault):
        value = fault.value
        now_us = self._plant.agenda.now_us
        self._plant.site.advance(now_us)
        if fault.event == "local":
            slave.set_local(bool(value))
        elif fault.event == "fault":
            slave.set_trouble(battery.derate_w, bool(value))
        elif fault.event == "derate":
            slave.set_trouble(value or None, battery.fault)
        elif fault.event == "ok":
            slave.silent = slave.frozen = False
            slave.set_local(False)
            slave.set_trouble(None, False)
        elif fault.event == "soc_permille":
            battery.set_soc(now_us, value)
        elif fault.event == "heartbeat_s":
            slave.heartbeat_us = int(value * US_PER_S)
        else:
            self._parameter(battery, fault.event, value)

    @staticmethod
    def _parameter(battery, event, value):
        if event == "dead_ms":
            battery.dead_us = int(value * 1000)
        elif event == "lag_ms":
            battery.output.tau_us = value * 1000
        elif event == "ramp_w_per_s":
            battery.output.rate_w_per_us = value / US_PER_S
        else:
            battery.standby_w = value
