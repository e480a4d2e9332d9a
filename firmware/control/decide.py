"""The control half of the tick, in its order: what came of the last set point, what is allowed, which state this is,
what is wanted, the last word, and the room for the wind.
"""

import micropython
from micropython import const

from firmware.control import (
    baseline,
    follow,
    lead,
    limits,
    periodic,
    sent,
    share,
    stale,
    supervisor,
    tracker,
    wind_limit,
)
from firmware.core.types import ptr32

# In the order in which they are called; what observes stands between the two.
_BEFORE = (sent.make_good, follow.expect, follow.lags, follow.learn, follow.align)
_BEHIND = (limits.narrow, stale.guard, supervisor.judge, baseline.aim, lead.lead, lead.weigh, periodic.repeat,
           tracker.track, share.share, supervisor.have_last_word, sent.watch, wind_limit.limit_wind)
_STANDS_MS = const(10_000)  # the shortest period in which what wind and load go on to do counts
_CHARGE_PU = const(4)  # of control.limits
_RULE = const(0)  # of control.island
_ALLOWED = const(1)  # these of control.states
_COMMANDS = const(2)
_IF_FORMED = const(18)
_MAY = const(2)  # these of control.supervisor
_INPUTS = const(11)
_TERM_PU = const(20)  # these of control.tracker
_WATCHED = const(111)
_KICK_PU = const(114)
_KICKS = const(32)  # beside what the state lets the set point do: it has a large kick in it


def observer(station, snap, limited):
    """Return what observes what came of the last set point; where one stands for long, it looks ahead as well.

    `limited`: the wind's limit acts.
    """
    if station.tracker.facts.period_ms < _STANDS_MS:
        return follow.observe
    from firmware.control.standing import Standing

    return Standing(station, snap, limited).observe


def looked_up(observe, point, snap, lim, sup, missed, trk, per, ring, isl, wind, went):
    """Return what decide() works on, its steps with it: a name of this module would cost it a look-up each time.

    That is what observer() returns, then the cells of set point, snapshot, limits, supervisor, stale inputs, tracker,
    repetitive term, its ring, island and wind limit; None for the term and the last two where the site has none. Then
    what `went` is: cells, and where in them stands when a set point last went out.
    """
    return _BEFORE + (observe,) + _BEHIND + (point, snap, lim, sup, missed, trk, per, ring, isl, wind) + went


@micropython.viper
def decide(on, silent: int, known: int, step_ms: int) -> int:
    """Set the set point, and the limit of wind that can be limited, for a snapshot in which `silent` roles are.

    `on` is what looked_up() returns; `known`: the load is. Returns what the state lets the set point do, as in
    control.states, and whether it has a large kick in it.
    """
    make_good, expect, lags, learn, align, observe, narrow, guard, judge, aim, lead, weigh, repeat, track, share, \
        have_last_word, watch, limit_wind, point, snap, lim, sup, missed, trk, per, ring, isl, wind, bus, went = on
    away = ptr32(isl)[_RULE] if isl else 0  # the grid is: then the genset takes its place, or the battery
    if ptr32(sup)[_MAY] & _COMMANDS:
        make_good(trk, point, bus, went)  # what has not gone out when it was meant to
    if int(expect(trk, point, snap, step_ms)) and away == 0 and ptr32(sup)[_MAY] & _COMMANDS:
        learn(trk, snap, step_ms, lags(trk, snap, step_ms))  # the PCS is not where it was sent
    if silent and ptr32(sup)[_INPUTS] & (1 << _IF_FORMED):
        align(trk, snap, step_ms)
    trim_pu = 0
    if away:
        ptr32(trk)[_TERM_PU] = 0
    else:
        trim_pu = int(observe(trk, snap, step_ms))  # what the last set point has led to
    narrow(lim, snap, trim_pu, 0 if away else known)  # what is allowed
    if known == 0 and away == 0:
        guard(missed, lim, snap, trim_pu)
    may = int(judge(sup, snap))  # which state this is
    aim(trk, snap, step_ms)  # what is wanted
    weigh(trk, lead(trk, snap))
    if per:
        if known and away == 0:
            repeat(per, ring, trk)
        else:
            ptr32(trk)[_TERM_PU] = 0
    track(trk, point, lim)
    if away:
        share(isl, point, snap, lim, known)
    have_last_word(sup, point, lim, step_ms)
    if wind:
        limit_wind(wind, point, snap, known, ptr32(lim)[_CHARGE_PU] if may & _ALLOWED else 0)
    kicked = ptr32(trk)[_KICK_PU] | ptr32(trk)[_WATCHED]  # few ticks have anything to watch
    return may | _KICKS if may & _COMMANDS and kicked and int(watch(trk, point, snap, bus)) else may
