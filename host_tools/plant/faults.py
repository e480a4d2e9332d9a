"""Injected events: CSV of `time_s,device,event,value`, checked against the site before the run begins.

`device` is a role (load, grid, wind, pv, genset, bess), pcs, wind_limit, clock, or bus<id>; an event holds until it
is set again, or until `ok` of that device or bus.

Any device, and a bus for all answers on it (figures are probabilities per answer, where not said otherwise):
  flip (per byte), noise, lost, cut_short, merged (held back and glued to the next), repeated, late (by late_ms),
  late_ms (alone: every answer), wrong_unit, wrong_function, wrong_length, wrong_crc; ok heals all of the device
A bus besides: cut (0 or 1), echo (0 or 1: the adapter repeats what is sent), master (reads a second by another master)
Any device besides: silent, frozen (0 or 1), babble (share of time in which it speaks unasked), turnaround_ms,
  refresh_ms, zeros (with a fault state in SunSpec), sentinel ("not implemented" or overflow), and for what it measures
  minus_one (power reads -1), stuck_value (W, or off), spike_w (one sample), glitch_wh (one reading of the energy
  counters), counter_back_wh (for good)
A meter besides: bias (W), negative (0 or 1: the clamps look the other way), ct_reversed (1 to 3: the CT of this phase
  does, 0 none), ct_swapped (12, 13, 23: the CTs of these phases, 0 none)
PCS besides: local, fault (0 or 1), derate (W, 0 none), soc_permille, dead_ms, lag_ms, ramp_w_per_s (0 none),
  dead_band_w (smaller set points give no power), standby_w, heartbeat_s, reversion_real_s (it really falls back after
  this time, whatever was configured; 0 never, off as configured), reversion_to_w (really to this; off as configured)
grid besides: fail (0 or 1: the public grid is lost, or back), resync_s (from its return until the site is on it)
genset_control besides: local, fault (0 or 1: shut down by an alarm), start_failures (so many of the next starts fail),
  fuel_permille, start_s, warm_s, cool_s
clock: unset, set (1 set, 2 synchronised), step (ms)
board: what an operator asks for at its console: override_w, import_w, export_w, mode, end, acknowledge,
       change_keys (operator.py)
"""

import math

from host_tools.plant import operator, wire_faults
from host_tools.plant.devices import untruth
from host_tools.plant.series import US_PER_S, bad_line, read_rows

HEADER = ("time_s", "device", "event", "value")
OFF = "off"  # a value that turns a figure off, where 0 is a figure too

# lowest, highest, whole numbers only, in words
_SWITCH = (0, 1, True, "0 or 1")
_WATTS = (-1e10, 1e10, False, "watts, +-1e10")
_POSITIVE = (0, 1e10, False, "a number from 0 to 1e10")
_NOTHING = (0, 0, True, "nothing")
_ANY_DEVICE = {**wire_faults.SETTINGS, **untruth.SETTINGS, "silent": _SWITCH, "frozen": _SWITCH, "ok": _NOTHING,
               "babble": (0, 1, False, "a share of time, 0 to 1"),
               "turnaround_ms": (0, 10_000, False, "0 to 10000 ms"),
               "refresh_ms": (1, 1_900, False, "1 to 1900 ms")}
_SWAPS = "0, 12, 13 or 23"
_METER = {**_ANY_DEVICE, "bias": _WATTS, "negative": _SWITCH, "ct_reversed": (0, 3, True, "0 to 3"),
          "ct_swapped": (0, 23, True, _SWAPS)}
_PCS = {**_ANY_DEVICE, "local": _SWITCH, "fault": _SWITCH, "derate": _POSITIVE,
        "soc_permille": (0, 1000, False, "0 to 1000"),
        "dead_ms": (0, 10_000, False, "0 to 10000 ms"), "lag_ms": (0, 60_000, False, "0 to 60000 ms"),
        "ramp_w_per_s": _POSITIVE, "dead_band_w": _POSITIVE, "standby_w": _POSITIVE,
        "heartbeat_s": (1, 3600, False, "1 to 3600 s"),
        "reversion_real_s": (0, 86_400, False, "0 to 86400 s, or off"),
        "reversion_to_w": (-1e10, 1e10, False, "watts, +-1e10, or off")}
_GRID = {**_METER, "fail": _SWITCH, "resync_s": (0, 3600, False, "0 to 3600 s")}
_SECONDS = (0, 600, False, "0 to 600 s")
_GENSET_CONTROL = {**_ANY_DEVICE, "local": _SWITCH, "fault": _SWITCH, "start_failures": (0, 100, True, "0 to 100"),
                   "fuel_permille": (0, 1000, False, "0 to 1000"), "start_s": _SECONDS, "warm_s": _SECONDS,
                   "cool_s": _SECONDS}
_BY_ROLE = {"pcs": _PCS, "grid": _GRID, "genset_control": _GENSET_CONTROL,
            **dict.fromkeys(("wind_limit", "pv_limit", "bms"), _ANY_DEVICE)}
_BUS = {**wire_faults.SETTINGS, "cut": _SWITCH, "echo": _SWITCH, "ok": _NOTHING,
        "master": (0, 100, False, "0 to 100 reads a second")}
_CLOCK = {"unset": _NOTHING, "set": (1, 2, True, "1 (set) or 2 (synchronised)"),
          "step": (-32_767, 32_767, True, "milliseconds, +-32767")}
_MAY_BE_OFF = ("stuck_value", "reversion_real_s", "reversion_to_w")


class Fault:
    """One line of the file: what happens to which device, and when."""

    def __init__(self, time_us, device, event, value):
        self.time_us = time_us
        self.device = device
        self.event = event
        self.value = value

    def as_dict(self):
        """Return the fault as it stands in the summary."""
        value = OFF if self.value != self.value else self.value
        return {"time_s": self.time_us / US_PER_S, "device": self.device, "event": self.event, "value": value}


def load_faults(path, devices, buses):
    """Read and check an events file for a site's roles and bus ids. Raises ToolError naming the line."""
    known = {"clock": _CLOCK, "board": {}, **{f"bus{bus}": _BUS for bus in buses}}
    for role in devices:
        known[role] = _BY_ROLE.get(role, _METER)
    return [_fault(path, line, row, known) for line, row in read_rows(path, HEADER)]


def _fault(path, line, row, known):
    text, device, event, value_text = row
    time_s = _number(text)
    if not 0 <= time_s < math.inf:
        raise bad_line(path, line, f"time_s is {text!r}", "seconds, 0 or more")
    if device not in known:
        raise bad_line(path, line, f"device is {device!r}", ", ".join(sorted(known)))
    events = known[device]
    if device == "board":
        return Fault(round(time_s * US_PER_S), device, event, operator.command(path, line, event, value_text))
    if event not in events:
        raise bad_line(path, line, f"event is {event!r}", ", ".join(sorted(events)))
    if value_text == OFF and event in _MAY_BE_OFF:
        return Fault(round(time_s * US_PER_S), device, event, math.nan)
    low, high, whole, allowed = events[event]
    value = _number(value_text or "0")
    odd = event == "ct_swapped" and value not in (0, 12, 13, 23)
    if odd or not low <= value <= high or whole and value % 1:
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
        now_us = plant.agenda.now_us
        if fault.device == "clock":
            getattr(plant.clock, fault.event)(now_us, int(fault.value))
        elif fault.device == "board":
            plant.operator.say(fault.value)
        elif fault.device.startswith("bus"):
            self._bus(plant.lines[int(fault.device[3:])], fault.event, fault.value)
        else:
            slave = plant.slaves[fault.device]
            plant.site.advance(now_us)
            if fault.event == "ok":
                self._heal(slave)
            elif fault.event in _ANY_DEVICE:
                self._device(slave, fault.event, fault.value)
            elif fault.device == "pcs":
                self._pcs(slave, fault.event, fault.value)
            elif fault.device == "genset_control":
                self._genset(slave, fault.event, fault.value)
            elif fault.event == "fail":
                plant.island.fail(bool(fault.value))
            elif fault.event == "resync_s":
                plant.island.resync_s = fault.value
            else:
                self._meter(slave, fault.event, fault.value)

    @staticmethod
    def _bus(line, event, value):
        if event == "ok":
            line.cut = line.echo = False
            line.faults.clear()
            line.master.set(0)
        elif event in ("cut", "echo"):
            setattr(line, event, bool(value))
        elif event == "master":
            line.master.set(value)
        else:
            line.faults.set(event, value)

    def _heal(self, slave):
        slave.silent = slave.frozen = False
        slave.wire.clear()
        slave.untruth.clear()
        self._line_of(slave).babble(slave.unit, 0)
        if slave.role == "pcs":
            slave.set_local(False)
            slave.set_trouble(None, False)
        elif slave.role == "genset_control":
            slave.set_local(False)
            slave.set_broken(False)

    def _line_of(self, slave):
        return next(line for line in self._plant.lines.values() if line.slaves.get(slave.unit) is slave)

    def _device(self, slave, event, value):
        if event in ("silent", "frozen"):
            setattr(slave, event, bool(value))
        elif event in wire_faults.SETTINGS:
            slave.wire.set(event, value)
        elif event in untruth.SETTINGS:
            slave.untruth.set(event, value)
        elif event == "babble":
            self._line_of(slave).babble(slave.unit, value)
        elif event == "turnaround_ms":
            slave.turnaround_us = (round(value * 1000),) * 2
        else:
            slave.refresh_us = round(value * 1000)

    def _meter(self, slave, event, value):
        if event == "bias":
            slave.bias_w = value
        elif event.startswith("ct_"):
            slave.wire_cts(event[3:], int(value), self._plant.agenda.now_us)
        else:
            slave.sign = -1 if value else 1

    @staticmethod
    def _genset(slave, event, value):
        if event == "local":
            slave.set_local(bool(value))
        elif event == "fault":
            slave.set_broken(bool(value))
        elif event == "fuel_permille":
            slave.genset.fuel_l = slave.genset.tank_l * value / 1000
        else:
            setattr(slave.genset, event, int(value) if event == "start_failures" else value)

    def _pcs(self, slave, event, value):
        battery = self._plant.site.battery
        if event == "local":
            slave.set_local(bool(value))
        elif event == "fault":
            slave.set_trouble(battery.derate_w, bool(value))
        elif event == "derate":
            slave.set_trouble(value or None, battery.fault)
        elif event == "soc_permille":
            battery.set_soc(self._plant.agenda.now_us, value)
        elif event == "heartbeat_s":
            slave.heartbeat_us = int(value * US_PER_S)
        elif event.startswith("reversion"):
            setattr(slave.fall_back, event[len("reversion_"):], None if math.isnan(value) else value)
        else:
            self._parameter(battery, event, value)

    @staticmethod
    def _parameter(battery, event, value):
        if event == "dead_ms":
            battery.dead_us = int(value * 1000)
        elif event == "lag_ms":
            battery.output.tau_us = value * 1000
        elif event == "ramp_w_per_s":
            battery.output.rate_w_per_us = value / US_PER_S
        else:
            setattr(battery, event, value)
