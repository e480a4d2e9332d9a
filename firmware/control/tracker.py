"""The tracking controller: feed-forward of the net load with lead, and a slow trim on the grid meter.

bess = net load - grid target + trim. The target is the baseline's (baseline.py); the feed-forward needs no feedback and
cannot hunt, and fades where it does harm (lead.py); the trim is a slow estimate of what is left (follow.py), which also
learns what the PCS can really do. All of it is tuned to the delays that were measured (tuning.py).

The tick runs the viper functions; Tracker owns the cells they work on. A cell that may be below zero gets
its sign back by ((x & MASK) ^ HALF) - HALF; so does a sum of such cells, once.
"""

from array import array

import micropython
from micropython import const

from firmware.control import aliased, tuning, witnessed
from firmware.control.baseline import aim
from firmware.control.follow import align, expect, lags, learn, observe
from firmware.control.lead import count_turns, lead, weigh
from firmware.control.reasons import BASELINE, FOLLOW
from firmware.core.ticks import diff
from firmware.core.types import cell, ptr32

_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)
_FULL_SCALE = const(0x80000)
_ONE = const(1024)
_OVER = const(0x100000)
_TRIM_SHARE = 20  # the trim may reach 1/20 of the BESS rating
_KICK_SHARE = 13  # 32nds of the rating: more of it at once is a matter of luck where commands do not arrive on time
_ERROR_SHARE = 64  # an error beyond this part of it counts as one of that size: load on the move past a late meter
_PRIOR_SHARE = 4096  # a swing below this part of the BESS rating is not weighed
_ALIASED_SHARE = 256  # nor one below this part doubted
_TUNE_AFTER = 256  # ticks whose ages make one measurement
_WAIT_MS = 1000  # that a PCS may be short of its set point before that is its limit
_OFTEN = 512  # turns a tick, times 1,024
_SELF_CONSUMPTION = "self_consumption"

# As in core.types: cells of the Setpoint.
_WANTED = const(0)
_TARGET = const(2)
_REASON = const(3)

# As in control.limits.
_LOW_PU = const(0)
_HIGH_PU = const(1)
_LOW_REASON = const(2)
_HIGH_REASON = const(3)
_CHARGE_PU = const(4)

# As in control.reasons.
_PCS_LIMITED = const(85)

# Cells of Tracker.
_TRIM = const(0)
_TRIM_REST = const(1)  # 0 .. 999,999 millionths of a unit
_TRIM_MAX = const(2)
_GAIN = const(3)  # permille per s
_CUT = const(4)  # 1: the last set point was not the one wanted
_BESS_PU = const(5)
_FOLLOW_LOAD = const(6)  # 1: the grid's target is zero, else the baseline
_FREE_REASON = const(7)  # the reason of a set point that no limit cuts
_STARTED = const(8)
_BASELINE_PU = const(9)
_BASELINE_REST = const(10)  # pu * ms below one unit of the baseline
_BASELINE_MS = const(11)
_HOME = const(12)  # permille
_HOMING = const(13)  # permille
_AIM = const(14)  # what the dispatcher adds to the grid's target, import +
_PULL_MAX = const(15)  # distance beyond which the baseline moves no faster: its ramp limit
_NET_PU = const(16)  # net load of the last tick
_TARGET_PU = const(17)
_AWAY_PU = const(18)  # net load less target
_SHAPED_PU = const(19)  # the feed-forward
_TERM_PU = const(20)  # what a term that has learned the load's period adds to it
_DEAD_BAND = const(21)  # changes of the set point up to this are not sent
_PCS_DEAD_BAND = const(22)  # set points below this do not move the PCS
_LEAD = const(23)  # as tuning.coefficients() gives them
_SPAN = const(24)  # samples that a slope spans, 1 or 2
_PART = const(25)
_EARLY = const(26)
_BACK = const(27)
_KICK = const(28)  # of a new sample's step, at once and once, in 1/256: 0, where slopes are led by all of it
_WINDOW = const(30)
_PRIOR = const(31)  # so much of every tick counts as of use
_PCS_STEP = const(32)  # the most that the PCS moves in a period
_AT = const(33)  # place of this tick in the rings, 0 .. 7
_BEGUN = const(34)  # there is a last net load to make a slope with
_SAMPLE_MS = const(35)  # when the load was sampled
_SINCE = const(36)  # ticks since then
_LAST_PU = const(37)  # net load at that sample
_LAST_SINCE = const(38)  # ticks from the sample before to it
_SLOPE = const(40)  # of the net load, per tick
_AGES_MS = const(41)  # sum of the load's age at the ticks
_AGES = const(42)  # and of how many
_GAP_PU = const(43)  # where the PCS should be less where it was seen
_SHORT_MS = const(44)
_STOOD_PU = const(45)
_CAN_GIVE = const(46)  # what the PCS really can, as far as is known: its rating
_CAN_TAKE = const(47)
_LET_REST = const(48)
_WAIT = const(49)
_SENT = const(50)  # ring of eight set points, where the PCS should be by now, and at the tick before
_EXPECTED = const(58)
_EXPECTED_BEFORE = const(59)
_LED = const(60)  # the same of the whole feed-forward
_MODEL = const(68)
_BANDS = const(70)  # three of six: share of the filter that takes the rest, of feed-forward, distance, model; two sums
_BANDS_END = const(88)
_BAND = const(6)
_ERROR_MAX = const(88)  # the largest error of the trim that counts
_TURNS = const(89)  # of the model in the fast band lately, times 1,024
_DOWN = const(90)  # 1: below its middle
_NEAREST = const(91)  # this and those behind it: as control.aliased has them
_DOUBTED = const(96)
_CARRY = const(99)  # what a limit has cut off the lead, as far as it is still to be made good
_CLIPPED_PU = const(100)  # the set point that it was cut to
_KICK_REST = const(101)  # of a kick, what is still to be done
_KICK_MOST = const(105)  # of a kick at once, before it: what observe() has compared, for control.witnessed
_PCS_PU = const(106)  # where the PCS is by what has really gone out and when, and 107 to 109: of control.sent
_LAG_US = const(109)
_KICK_USUAL = const(110)  # of a kick at once, where one has led beyond; the others up to 114: as control.sent has them
_WATCHED = const(111)
_CELLS = const(117)  # the last of them control.aliased's


@micropython.viper
def track(trk: ptr32, point: ptr32, lim: ptr32):
    """Set BESS, grid target and reason inside the limits from what aim(), lead() and weigh() have made."""
    point[_TARGET] = trk[_TARGET_PU]
    last_pu = ((point[_WANTED] & _MASK) ^ _HALF) - _HALF
    want_pu = trk[_SHAPED_PU] + trk[_TERM_PU] + trk[_TRIM]
    if (last_pu - trk[_CLIPPED_PU]) & _MASK == 0:
        want_pu += trk[_CARRY]
    want_pu = ((want_pu & _MASK) ^ _HALF) - _HALF
    if want_pu - last_pu <= trk[_DEAD_BAND] and last_pu - want_pu <= trk[_DEAD_BAND]:
        want_pu = last_pu
    least_pu = trk[_PCS_DEAD_BAND]
    if want_pu < least_pu and want_pu > 0 - least_pu:  # to whichever is nearer, nothing or the least it can
        if 2 * want_pu >= least_pu:
            want_pu = least_pu
        else:
            want_pu = 0 - least_pu if 2 * want_pu <= 0 - least_pu else 0
    low_pu = ((lim[_LOW_PU] & _MASK) ^ _HALF) - _HALF
    high_pu = ((lim[_HIGH_PU] & _MASK) ^ _HALF) - _HALF
    low_reason = lim[_LOW_REASON]
    high_reason = lim[_HIGH_REASON]
    if high_pu > trk[_CAN_GIVE]:
        high_pu = trk[_CAN_GIVE] if trk[_CAN_GIVE] > low_pu else low_pu
        high_reason = _PCS_LIMITED
    if low_pu < 0 - trk[_CAN_TAKE]:
        low_pu = 0 - trk[_CAN_TAKE] if 0 - trk[_CAN_TAKE] < high_pu else high_pu
        low_reason = _PCS_LIMITED
    if lim[_CHARGE_PU] > trk[_CAN_TAKE]:
        lim[_CHARGE_PU] = trk[_CAN_TAKE]
    # What is ahead of the load by its lead alone is kept inside too, but that is nothing that the battery lacks.
    plain_pu = (((trk[_AWAY_PU] + trk[_TERM_PU] + trk[_TRIM]) & _MASK) ^ _HALF) - _HALF
    trk[_CUT] = 1 if plain_pu > high_pu or plain_pu < low_pu else 0
    point[_REASON] = high_reason if plain_pu > high_pu else low_reason if plain_pu < low_pu else trk[_FREE_REASON]
    last_pu = high_pu if want_pu > high_pu else low_pu if want_pu < low_pu else want_pu
    point[_WANTED] = last_pu
    trk[_CLIPPED_PU] = last_pu
    want_pu -= last_pu  # by so much a limit cuts the lead: the PCS falls short, and is led for longer instead
    if want_pu:
        want_pu = 0 if trk[_CUT] else _OVER if want_pu > _OVER else 0 - _OVER if want_pu < 0 - _OVER else want_pu
    trk[_CARRY] = want_pu * (_ONE - trk[_PART]) >> 10


class Tracker:
    """Chooses the set point inside the limits. Powers in site power units, times in ms."""

    def __init__(self, control, bess_pu, pull_max_pu=_FULL_SCALE - 1, facts=None):
        """`pull_max_pu` is the baseline's ramp limit times its time constant; `facts` what the tuning is made from."""
        follow_load = control["policy"] == _SELF_CONSUMPTION
        self.facts = facts
        gain = control["trim_permille_per_s"]
        if facts:
            gain = min(gain, tuning.fastest_trim(facts.grid_sample_ms))
        self.cells = array("i", (
            0, 0, bess_pu // _TRIM_SHARE, gain, 1, bess_pu, 1 if follow_load else 0,
            FOLLOW if follow_load else BASELINE, 0, 0, 0, control["baseline_s"] * 1000,
            control["soc_home_permille"], control["homing_permille"], 0, min(max(pull_max_pu, 1), _FULL_SCALE - 1)))
        self.cells.extend(array("i", [0] * (_CELLS - len(self.cells))))
        self.cells[_NEAREST] = aliased.NONE
        self.seen = witnessed.cells(bess_pu, facts) if facts else None
        self._rate(bess_pu, gain)
        self._take(facts.coefficients() if facts else tuning.PLAIN)

    trim_pu = cell(_TRIM)
    free_reason = cell(_FREE_REASON)
    aim_pu = cell(_AIM)  # what the dispatcher adds to the grid's target, -2**19 .. 2**19, import +
    term_pu = cell(_TERM_PU)  # what a learned period adds to the feed-forward, discharge +
    doubted = cell(_DOUBTED)  # 1: the load's meter shows a swing that the grid's does not
    can_give_pu = cell(_CAN_GIVE)  # what the PCS really can, as far as has been seen: else its rating
    can_take_pu = cell(_CAN_TAKE)

    def _rate(self, bess_pu, gain):
        cells, facts = self.cells, self.facts
        cells[_SPAN] = facts.slope_samples() if facts else 1
        cells[_PRIOR] = max(bess_pu // _PRIOR_SHARE, 1)
        cells[_PCS_STEP] = 2 * _FULL_SCALE
        cells[_KICK_USUAL] = cells[_KICK_MOST] = bess_pu * _KICK_SHARE >> 5
        cells[_WATCHED] = 1  # so where control.sent watches, it allows all of the rating from its first tick on
        cells[_CAN_GIVE] = cells[_CAN_TAKE] = bess_pu
        cells[_WAIT] = max(_WAIT_MS, facts.period_ms if facts else 0)
        cells[_ERROR_MAX] = min(1_000_000 // max(gain, 1), max(bess_pu // _ERROR_SHARE, 1))

    def _take(self, found):
        """Take the coefficients of tuning.coefficients()."""
        cells = self.cells
        kick = lag_lead = 0
        if self.facts:
            kick = self.facts.kick()
            lag_lead = tuning.lead_of_lag(self.facts.period_ms, self.facts.lag_ms)
            cells[_LAG_US] = 1000 * max(self.facts.lag_ms, 1)
        cells[_KICK] = kick
        self._leads = found[0] - kick, min(found[0], lag_lead) - kick
        cells[_LEAD], cells[_PART], cells[_EARLY], cells[_BACK], window = found[:5]
        cells[_LEAD] -= kick
        cells[_BANDS + _BAND], cells[_BANDS] = found[5:]  # the slow one keeps its 0: nothing is left for another
        if window != cells[_WINDOW]:  # the sums are of that many ticks
            cells[_WINDOW] = window
            for at in range(_BANDS, _BANDS_END, _BAND):
                cells[at + 4] = cells[at + 5] = cells[_PRIOR] << window

    def bound(self, dead_band_pu, pcs_dead_band_pu, pcs_ramp_pu_per_s):
        """Take the dead bands and the ramp of the PCS, per s, 0 for none."""
        cells, facts = self.cells, self.facts
        cells[_DEAD_BAND], cells[_PCS_DEAD_BAND] = dead_band_pu, pcs_dead_band_pu
        if pcs_ramp_pu_per_s:
            cells[_PCS_STEP] = min(max(pcs_ramp_pu_per_s * facts.period_ms // 1000, 1), cells[_PCS_STEP])

    @micropython.native
    def compare(self, snap, gate=0):
        """Weigh by the grid meter what the feed-forward does, and a term with this gate; return that one's share."""
        return witnessed.compare(self.seen, self.cells, snap.cells, gate)

    def foresees(self, snap, term):
        """Return what is to be done behind each tick: learn from it, and have the `term`, if any, prepare the next."""
        def foresee():
            trust = self.compare(snap, term.open if term else 0)
            if term:
                term.learn(trust)
        return foresee

    def is_aliased(self):
        """Return 1 while the load's meter shows a swing that the grid's does not. Background, once a second."""
        cells = self.cells
        return aliased.look(cells, max(cells[_BESS_PU] // _ALIASED_SHARE, 1), self.facts.period_ms)

    def retune(self, now_ms, sent_ms):
        """Measure the way from a sample to its command, `sent_ms` being when the last one went out after the tick at
        `now_ms`; return a sentence when that changes the tuning, else None. Background, once a second.
        """
        cells, facts = self.cells, self.facts
        # More than a turn in two ticks: beyond a quarter of the sampling rate a lead of the delay only makes it larger.
        cells[_LEAD] = self._leads[cells[_TURNS] >> cells[_WINDOW] > _OFTEN]
        count = cells[_AGES]
        if not facts or count < _TUNE_AFTER:
            return None
        ticks = witnessed.sample_ticks(self.seen)
        news = ticks and facts.take_refresh(ticks * facts.period_ms if ticks > 1 else 0)
        way_ms = (2 * cells[_AGES_MS] + count) // (2 * count) + min(max(diff(sent_ms, now_ms), 0), facts.period_ms)
        cells[_AGES_MS] = cells[_AGES] = 0
        if not facts.take_way(way_ms) and not news:
            return None
        cells[_SPAN] = facts.slope_samples()
        witnessed.tune(self.seen, facts)
        self._take(facts.coefficients())
        return facts.sentence()

    def step(self, setpoint, snap, limits, dt_ms):
        """Set `setpoint` (BESS, grid target, reason) as the control tick does."""
        cells = self.cells
        aim(cells, snap.cells, dt_ms)
        weigh(cells, lead(cells, snap.cells))
        count_turns(cells)
        track(cells, setpoint.cells, limits.cells)

    def observe(self, setpoint, snap, limits, dt_ms):
        """Update the models, the limits of the PCS and the trim as the control tick does."""
        if expect(self.cells, setpoint.cells, snap.cells, dt_ms):
            learn(self.cells, snap.cells, dt_ms, lags(self.cells, snap.cells, dt_ms))
        align(self.cells, snap.cells, dt_ms)
        observe(self.cells, snap.cells, dt_ms)
