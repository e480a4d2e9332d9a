"""The genset's state machine: how it starts, warms up, carries load, cools down, stops, and what happens when it fails.

One table holds every state and transition, each with its reason; the first row that fits is taken. Stepped about once a
second from the background, with plain integers; why it is to run is in control.genset_wants.

A start is tried a counted number of times, and anew after a long pause. A genset that somebody starts or stops on the
spot is noticed and left alone. A stop value that cannot be reached ends a run by itself when the state of charge gains
nothing. A shutdown alarm is never reset from afar: somebody has to look at the engine.
"""

from array import array

import micropython
from micropython import const

from firmware.control import genset_wants as why
from firmware.control import reasons
from firmware.core.types import cell

# What the controller says, as bits of `status`.
ANSWERS = const(1)
AUTO = const(2)  # it takes commands
ALARM = const(4)  # shut down by an alarm of its own
RUNS = const(8)
LOADED = const(16)  # its meter shows power
TOLD = const(32)  # the last command that it has acknowledged is a start
# What is to be sent.
NOTHING = const(0)
START = const(1)
STOP = const(2)

# States.
UNREACHED = const(0)
RESTING = const(1)
STARTING = const(2)
PAUSING = const(3)
LOCKED = const(4)
WARMING = const(5)
CARRYING = const(6)
COOLING = const(7)
STOPPING = const(8)
OUTSIDE = const(9)  # it runs, and not because the board asked
ON_THE_SPOT = const(10)  # its panel is not in automatic: hands off
ALARMED = const(11)
NAMES = ("unreached", "resting", "starting", "pausing", "locked", "warming", "carrying", "cooling", "stopping",
         "outside", "on_the_spot", "alarmed")
_ANY = const(0xFF)

# Facts behind the conditions to run, as numbers of bits.
_SILENT = const(7)
_HANDS = const(8)  # somebody commands it on the spot
_ALARM = const(9)
_RUNNING = const(10)
_STILL = const(11)
_SPENT_STILL = const(12)  # and as often tried as may be
_WANTED = const(13)
_UNWANTED = const(14)
_WANTED_RUNNING = const(15)
_OVER = const(16)  # the longest run
_IN_VAIN = const(17)  # the state of charge gains nothing
_TIME = const(18)  # that the state may take
_SPENT_TIME = const(19)
_OURS = const(20)  # it runs, and the last that it was sent is a start

# state, fact, next state, reason
_TABLE = bytes((
    _ANY, _SILENT, UNREACHED, reasons.GENSET_UNREACHED,
    _ANY, _ALARM, ALARMED, reasons.GENSET_ALARM,
    _ANY, _HANDS, ON_THE_SPOT, reasons.GENSET_ON_THE_SPOT,
    UNREACHED, _WANTED_RUNNING, CARRYING, reasons.GENSET_TAKEN_OVER,
    UNREACHED, _RUNNING, COOLING, reasons.GENSET_FOUND_RUNNING,
    UNREACHED, _STILL, RESTING, reasons.GENSET_READY,
    ON_THE_SPOT, _WANTED_RUNNING, CARRYING, reasons.GENSET_TAKEN_OVER,
    ON_THE_SPOT, _OURS, COOLING, reasons.GENSET_FOUND_RUNNING,
    ON_THE_SPOT, _RUNNING, OUTSIDE, reasons.GENSET_STARTED_OUTSIDE,
    ON_THE_SPOT, _STILL, RESTING, reasons.GENSET_READY,
    ALARMED, _RUNNING, OUTSIDE, reasons.GENSET_STARTED_OUTSIDE,
    ALARMED, _STILL, RESTING, reasons.GENSET_READY,
    OUTSIDE, _STILL, RESTING, reasons.GENSET_READY,
    OUTSIDE, _WANTED, CARRYING, reasons.GENSET_TAKEN_OVER,
    RESTING, _RUNNING, OUTSIDE, reasons.GENSET_STARTED_OUTSIDE,
    RESTING, why.FOR_LIFE, STARTING, reasons.GENSET_FOR_LIFE,
    RESTING, why.FOR_SOC, STARTING, reasons.GENSET_FOR_SOC,
    RESTING, why.FOR_LOAD, STARTING, reasons.GENSET_FOR_LOAD,
    RESTING, why.FOR_LOSS, STARTING, reasons.GENSET_FOR_LOSS,
    RESTING, why.FOR_BLIND, STARTING, reasons.GENSET_FOR_BLIND,
    RESTING, why.BY_HAND, STARTING, reasons.GENSET_BY_HAND,
    RESTING, why.FOR_TEST, STARTING, reasons.GENSET_FOR_TEST,
    STARTING, _RUNNING, WARMING, reasons.GENSET_WARMS,
    STARTING, _UNWANTED, STOPPING, reasons.GENSET_NOT_NEEDED,
    STARTING, _SPENT_TIME, LOCKED, reasons.GENSET_LOCKED,
    STARTING, _TIME, PAUSING, reasons.GENSET_DID_NOT_START,
    PAUSING, _RUNNING, WARMING, reasons.GENSET_WARMS,
    PAUSING, _UNWANTED, RESTING, reasons.GENSET_NOT_NEEDED,
    PAUSING, _TIME, STARTING, reasons.GENSET_AGAIN,
    LOCKED, _RUNNING, OUTSIDE, reasons.GENSET_STARTED_OUTSIDE,
    LOCKED, _TIME, RESTING, reasons.GENSET_READY,
    WARMING, _SPENT_STILL, LOCKED, reasons.GENSET_LOCKED,
    WARMING, _STILL, PAUSING, reasons.GENSET_DIED,
    WARMING, why.FOR_LIFE, CARRYING, reasons.GENSET_AT_ONCE,
    WARMING, _UNWANTED, STOPPING, reasons.GENSET_NOT_NEEDED,
    WARMING, _TIME, CARRYING, reasons.GENSET_CARRIES,
    CARRYING, _SPENT_STILL, LOCKED, reasons.GENSET_LOCKED,
    CARRYING, _STILL, PAUSING, reasons.GENSET_DIED,
    CARRYING, _OVER, COOLING, reasons.GENSET_LONGEST_RUN,
    CARRYING, _IN_VAIN, COOLING, reasons.GENSET_IN_VAIN,
    CARRYING, _UNWANTED, COOLING, reasons.GENSET_NOT_NEEDED,
    COOLING, _STILL, RESTING, reasons.GENSET_READY,
    COOLING, _WANTED, CARRYING, reasons.GENSET_WANTED_AGAIN,
    COOLING, _TIME, STOPPING, reasons.GENSET_STOPS,
    STOPPING, _STILL, RESTING, reasons.GENSET_READY,
    STOPPING, why.FOR_LIFE, STARTING, reasons.GENSET_FOR_LIFE,
    STOPPING, _TIME, STOPPING, reasons.GENSET_WILL_NOT_STOP,
))
_ROWS_END = const(188)  # tests compare it with the table
# What each state sends, and which setting limits its time.
_SENDS = bytes((NOTHING, STOP, START, STOP, STOP, START, START, START, STOP, NOTHING, NOTHING, STOP))
_LIMIT_OF = ("", "", "start_s", "retry_pause_s", "lockout_s", "warmup_s", "", "cooldown_s", "stop_s", "", "", "")
_REPEAT_MS = const(5000)
_STILL_MS = const(2000)  # how long an engine must stand until it is believed to
_SOUND_S = const(60)  # of carrying, after which the tries count anew
_LONG_S = const(100_000_000)

# Cells of Genset.
_STATE = const(0)
_REASON = const(1)
_IN_STATE_MS = const(2)
_IN_STATE_S = const(3)
_RUN_MS = const(4)
_RUN_S = const(5)  # of this run, since it carries
_TRIES = const(6)
_SEND = const(7)  # what is to be sent now
_SENT_MS = const(8)  # time since it was sent
_STILL_FOR_MS = const(9)
_BEST_SOC = const(10)  # of this run
_BEST_S = const(11)  # into the run, when it was reached
_STARTS = const(12)
_FAILED = const(13)  # starts that led to nothing, and runs that ended by themselves
_STATUS = const(14)
_CHANGES = const(15)
_CHARGES = const(16)  # the state of charge is below the one at which it stops
_LAST = const(17)  # what was sent last
_CELLS = const(18)


class Genset:
    """One genset: `settings` are site.json's, `pu(watts)` turns watts into site power units."""

    def __init__(self, settings, rating_pu, pu, soc_min_permille):
        self._set = settings
        self.wants = why.Wants(settings, pu, soc_min_permille)
        self.rating_pu = rating_pu
        self.min_pu = rating_pu * settings["min_load_permille"] // 1000
        self.best_pu = rating_pu * settings["load_permille"] // 1000
        self.max_pu = rating_pu * settings["max_load_permille"] // 1000
        self._limit_s = array("i", [settings[name] if name else _LONG_S for name in _LIMIT_OF])
        self.cells = array("i", [0] * _CELLS)
        self.cells[_REASON] = reasons.GENSET_UNREACHED

    state = cell(_STATE)
    reason = cell(_REASON)
    tries = cell(_TRIES)
    run_s = cell(_RUN_S)
    starts = cell(_STARTS)
    failed_starts = cell(_FAILED)
    changes = cell(_CHANGES)

    @property
    def carries(self):
        """True while it carries load, whoever has started it."""
        c = self.cells
        return c[_STATE] == CARRYING or c[_STATE] == COOLING or c[_STATUS] & LOADED != 0

    charges = cell(_CHARGES)

    @property
    def runs(self):
        """True while the engine runs."""
        return self.cells[_STATUS] & RUNS != 0

    @property
    def cools(self):
        """True while it is to give its load away."""
        return self.cells[_STATE] == COOLING or self.cells[_STATE] == STOPPING

    @property
    def failed(self):
        """True while it cannot be had: locked after its tries, in alarm, or not answering."""
        return self.cells[_STATE] in (LOCKED, ALARMED, UNREACHED)

    def take_command(self):
        """Return what is to be sent now, START, STOP or NOTHING; each is returned once."""
        send = self.cells[_SEND]
        self.cells[_SEND] = NOTHING
        return send

    @micropython.native
    def step(self, dt_ms, status, fuel_permille, soc_permille, net_pu, lost_s, alone, minute):
        """Go on by 1 .. 60,000 ms.

        `fuel_permille` and `soc_permille` are -1 where unknown, `net_pu` is the load less wind and PV, `lost_s` the
        time without grid (0: it is there), `alone` true where the battery cannot carry the load, `minute` the local
        one since 1970 or -1.
        """
        c = self.cells
        c[_STATUS] = status
        self.wants.fuel_permille = fuel_permille
        self._pass_time(dt_ms, status)
        idle = c[_STATE] in (RESTING, LOCKED, UNREACHED)
        self.wants.judge(dt_ms, soc_permille, net_pu, lost_s, alone, minute, c[_RUN_S], idle)
        c[_CHARGES] = 1 if 0 <= soc_permille < self._set["soc_stop_permille"] else 0
        facts = self._facts(status, soc_permille)
        state = c[_STATE]
        at = 0
        while at < _ROWS_END:
            if (_TABLE[at] == state or _TABLE[at] == _ANY) and facts >> _TABLE[at + 1] & 1:
                if _TABLE[at + 2] != state or _TABLE[at + 1] == _TIME:
                    self._enter(_TABLE[at + 2], _TABLE[at + 3], soc_permille)
                return
            at += 4
        self._repeat(dt_ms)

    @micropython.native
    def _pass_time(self, dt_ms, status):
        c = self.cells
        whole_s = (c[_IN_STATE_MS] + dt_ms) // 1000
        c[_IN_STATE_MS] += dt_ms - whole_s * 1000
        c[_IN_STATE_S] = min(c[_IN_STATE_S] + whole_s, _LONG_S)
        self.wants.pass_time(whole_s)
        c[_STILL_FOR_MS] = 0 if status & RUNS else min(c[_STILL_FOR_MS] + dt_ms, _STILL_MS)
        if c[_STATE] == CARRYING:
            run_s = (c[_RUN_MS] + dt_ms) // 1000
            c[_RUN_MS] += dt_ms - run_s * 1000
            c[_RUN_S] = min(c[_RUN_S] + run_s, _LONG_S)
            if c[_RUN_S] >= _SOUND_S:
                c[_TRIES] = 0

    @micropython.native
    def _facts(self, status, soc):
        """Return all that holds, as bits: conditions to run that count, and what the table asks for beside them."""
        c, s = self.cells, self._set
        state = c[_STATE]
        facts = wants = self.wants.counting
        spent = c[_TRIES] >= s["retries"]
        facts |= (0 if status & ANSWERS else 1 << _SILENT) | (0 if status & AUTO else 1 << _HANDS)
        if status & ALARM:
            facts |= 1 << _ALARM
        if status & RUNS:
            facts |= 1 << _RUNNING | (1 << _WANTED_RUNNING if wants else 0) | (1 << _OURS if c[_LAST] == START else 0)
        elif c[_STILL_FOR_MS] >= _STILL_MS:
            facts |= 1 << _STILL | (1 << _SPENT_STILL if spent else 0)
        if wants:
            facts |= 1 << _WANTED
        elif state != CARRYING or c[_RUN_S] >= s["min_run_s"]:
            facts |= 1 << _UNWANTED
        if soc > c[_BEST_SOC]:
            c[_BEST_SOC], c[_BEST_S] = soc, c[_RUN_S]
        if not wants & why.ALWAYS:
            if 0 < s["max_run_s"] <= c[_RUN_S]:
                facts |= 1 << _OVER
            if wants == 1 << why.FOR_SOC and c[_RUN_S] - c[_BEST_S] >= s["no_gain_s"]:
                facts |= 1 << _IN_VAIN
        limit_s = self._limit_s[state]
        if state == LOCKED and wants & 1:  # for life: whoever is in the dark does not wait so long
            limit_s = min(limit_s, 4 * self._limit_s[PAUSING])
        if c[_IN_STATE_S] >= limit_s:
            facts |= 1 << _TIME | (1 << _SPENT_TIME if spent else 0)
        return facts

    @micropython.native
    def _enter(self, state, reason, soc):
        c = self.cells
        was = c[_STATE]
        c[_STATE], c[_REASON] = state, reason
        c[_IN_STATE_MS] = c[_IN_STATE_S] = c[_SENT_MS] = 0
        c[_CHANGES] = (c[_CHANGES] + 1) & 0x3FFFFFFF
        c[_SEND] = _SENDS[state]
        c[_LAST] = _SENDS[state] or c[_LAST]
        if state == STARTING:
            c[_TRIES] += 1
            c[_STARTS] += 1
            c[_RUN_S] = c[_RUN_MS] = 0
        elif state == CARRYING:
            if was != WARMING and was != COOLING:
                c[_RUN_S] = c[_RUN_MS] = 0
            c[_BEST_SOC], c[_BEST_S] = soc, c[_RUN_S]
        elif state == PAUSING or state == LOCKED:
            c[_FAILED] += 1
        elif state == RESTING and was == LOCKED:
            c[_TRIES] = 0
        elif reason == reasons.GENSET_LONGEST_RUN or reason == reasons.GENSET_IN_VAIN:
            self.wants.rest_s = self._set["rest_s"]

    @micropython.native
    def _repeat(self, dt_ms):
        """Send again a start that did not arrive, for each that does is a try; and a stop until the engine stands."""
        c = self.cells
        c[_SENT_MS] = min(c[_SENT_MS] + dt_ms, _REPEAT_MS)
        if c[_SENT_MS] == _REPEAT_MS and (c[_STATE] == STOPPING or c[_STATE] == STARTING and not c[_STATUS] & TOLD):
            c[_SEND], c[_SENT_MS] = _SENDS[c[_STATE]], 0
