"""Why a genset is to run: conditions, each with a start value, a stop value and its times, remembered side by side.

None hides another: the genset is wanted while any of them holds and counts. In the quiet hours only some count, on low
fuel and in the rest after a longest run still fewer; that nobody else can carry the load counts always.
"""

from array import array

import micropython
from micropython import const

from firmware.core.types import cell

# Conditions, as numbers of bits.
FOR_LIFE = const(0)  # nobody else can carry the load, or soon not
FOR_SOC = const(1)
FOR_LOAD = const(2)
FOR_LOSS = const(3)  # the grid has been away for long
FOR_BLIND = const(4)  # the state of charge is unknown
BY_HAND = const(5)
FOR_TEST = const(6)
CONDITIONS = const(7)
ALWAYS = const(0x21)  # for life and by hand
_ALL = const(0x7F)
_QUIET = const(0x33)  # and for the state of charge, at values of its own, or where that is unknown

_URGENT_MARGIN = const(50)  # permille of charge above the lowest allowed at which the genset starts whatever else holds
_URGENT_BAND = const(50)
_DAY_MIN = const(1440)
_TEST_WINDOW_MIN = const(60)
_UNKNOWN = const(-1)

# Cells of Wants.
_WANTS = const(0)  # conditions that hold, as bits
_COUNT = const(1)  # which of them count now
_HAND_S = const(2)  # left of a run by hand
_TESTED_DAY = const(3)
_REST_S = const(4)  # left of the rest after a longest run
_FUEL = const(5)  # permille, or -1
_HELD_MS = const(6)  # of each condition: how long it has been about to change
_CELLS = const(13)


class Wants:
    """`settings` are the genset's of site.json, `pu(watts)` turns watts into site power units."""

    def __init__(self, settings, pu, soc_min_permille):
        self._set = settings
        self._load_start_pu, self._load_stop_pu = pu(settings["load_start_w"]), pu(settings["load_stop_w"])
        self._urgent_soc = soc_min_permille + _URGENT_MARGIN
        self.cells = array("i", [0] * _CELLS)
        self.cells[_FUEL] = self.cells[_TESTED_DAY] = _UNKNOWN

    holding = cell(_WANTS)
    hand_s = cell(_HAND_S)
    rest_s = cell(_REST_S)
    fuel_permille = cell(_FUEL)
    tested_day = cell(_TESTED_DAY)

    @property
    def counting(self):
        """Conditions that hold and count now, as bits."""
        return self.cells[_WANTS] & self.cells[_COUNT]

    @property
    def low_on_fuel(self):
        """True while the genset starts for what cannot wait only."""
        return 0 <= self.cells[_FUEL] < self._set["fuel_min_permille"]

    @micropython.native
    def pass_time(self, whole_s):
        """Let whole seconds of a run by hand and of a rest pass."""
        c = self.cells
        c[_HAND_S] = max(c[_HAND_S] - whole_s, 0)
        c[_REST_S] = max(c[_REST_S] - whole_s, 0)

    @micropython.native
    def judge(self, dt_ms, soc, net_pu, lost_s, alone, minute, run_s, idle):
        """Let each condition begin and end by its own values and times; arguments as of Genset.step().

        `run_s` is how long the genset has carried in this run; `idle` true where it neither runs nor is started.
        """
        s = self._set
        known = soc >= 0
        quiet = self.quiet(minute)
        low, high = "soc_start_permille", "soc_stop_permille"
        if quiet:
            low, high = "quiet_soc_start_permille", "quiet_soc_stop_permille"
        urgent = lost_s > 0 and (alone or known and soc <= self._urgent_soc)
        calm = lost_s == 0 or not alone and (not known or soc >= self._urgent_soc + _URGENT_BAND)
        self._hold(FOR_LIFE, dt_ms, urgent, calm, 0, 0)
        away = lost_s > 0 or s["beside_grid"] > 0
        delay_s = s["soc_delay_s"]
        start = s[high] - 1 if self.cells[_WANTS] & 1 << FOR_LIFE else s[low]  # it charges while it is at it
        given_up = not known and s["on_soc_loss"] == "stop"
        enough = not away or given_up or known and soc >= s[high]
        self._hold(FOR_SOC, dt_ms, away and known and soc <= start, enough, delay_s, delay_s if given_up else 0)
        heavy = away and s["load_start_w"] > 0 and net_pu >= self._load_start_pu
        light = not away or net_pu <= self._load_stop_pu
        self._hold(FOR_LOAD, dt_ms, heavy, light, s["load_delay_s"], s["load_delay_s"])
        long = s["loss_start_s"] > 0 and lost_s >= s["loss_start_s"]
        self._hold(FOR_LOSS, dt_ms, long, lost_s == 0, 0, 0)
        blind = away and not known and s["on_soc_loss"] == "start"
        self._hold(FOR_BLIND, dt_ms, blind, not blind, delay_s, delay_s)
        self._hold(BY_HAND, dt_ms, self.cells[_HAND_S] > 0, self.cells[_HAND_S] == 0, 0, 0)
        self._judge_test(dt_ms, minute, run_s, idle, quiet)
        self.cells[_COUNT] = ALWAYS if self.cells[_REST_S] or self.low_on_fuel else _QUIET if quiet else _ALL

    @micropython.native
    def _judge_test(self, dt_ms, minute, run_s, idle, quiet):
        """Begin a test run in its hour, by the calendar, so that no restart counts; a long run is as good as one."""
        s = self._set
        done = run_s >= s["test_s"]
        due = False
        if minute >= 0 and s["test_days"]:
            day = minute // _DAY_MIN
            if done and not idle:
                self.cells[_TESTED_DAY] = day
            since_min = minute % _DAY_MIN - s["test_at_min"]
            due = day % s["test_days"] == 0 and day != self.cells[_TESTED_DAY] and 0 <= since_min < _TEST_WINDOW_MIN
        self._hold(FOR_TEST, dt_ms, due and not quiet, done and not idle or idle and not due, 0, 0)

    @micropython.native
    def _hold(self, condition, dt_ms, begins, ends, begin_s, end_s):
        """Begin a condition after `begin_s` in which its start value held, end it after `end_s` of its stop value."""
        c = self.cells
        at = _HELD_MS + condition
        changes, wait_ms = begins, begin_s * 1000
        if c[_WANTS] >> condition & 1:
            changes, wait_ms = ends, end_s * 1000
        if not changes:
            c[at] = 0
        elif c[at] >= wait_ms:
            c[at] = 0
            c[_WANTS] ^= 1 << condition
        else:
            c[at] = min(c[at] + dt_ms, wait_ms)

    @micropython.native
    def quiet(self, minute):
        """Return whether a local minute since 1970 lies in the quiet hours; an unknown one (-1) never does."""
        begin, end = self._set["quiet_from_min"], self._set["quiet_to_min"]
        if minute < 0 or begin == end:
            return False
        now = minute % _DAY_MIN
        if begin < end:
            return begin <= now < end
        return now >= begin or now < end
