"""When set points really went out: a kick that stood for longer or shorter than was meant is made good.

A set point waits where its line is taken, and comes late where the tick has waited for a meter; one that was led by a
kick (lead.py) then stands for another time than the period it was meant for, and the PCS is left short of its target or
beyond. Here the PCS is reckoned from the times at which set points were given to the wire; what it is off from where
the last tick meant it to be now is led once more, beyond what a kick may usually be, since it is known.

What has gone beyond where nothing may be exported cannot be made good: no set point may exceed the load. So while a
large kick stands the line is kept free for the set point that takes it back, and the next tick comes a whole period
behind this one, whatever meter it may miss. Then a kick may be as deep as the PCS can do. Where one has led beyond, as
the PCS itself shows, the way to it is not to be relied on, and no more than the usual is done at once until some have
landed in a row.

The tick runs the viper functions on the cells of Tracker. A cell that may be below zero gets its sign back by
((x & MASK) ^ HALF) - HALF.
"""

import micropython
from micropython import const

from firmware.core.types import ptr32

_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)
_ONE = const(1024)
_ON_TIME_US = const(1000)  # from a tick to its set point on a free line
_LONG_US = const(200_000)  # nothing is known of the time before
_FAR = const(3500)  # beyond so many 1,024ths of a lag the fraction in go() is none any more
_WATCH = const(12)  # ticks: the dead time of a PCS and three lags
_LITTLE = const(32)  # this part of the rating
_DOUBTS = const(8)  # large kicks

# As in drivers.line.cells and core.types.
_NOW = const(33)
_KEPT = const(47)
_WANTED = const(0)
_BESS = const(2)

# As in control.tracker.
_TRIM = const(0)
_BESS_PU = const(5)
_AWAY_PU = const(18)
_TERM_PU = const(20)
_PART = const(25)
_KICK = const(28)
_KICK_REST = const(101)
_KICK_MOST = const(105)
_PCS_PU = const(106)  # where the PCS is, but for its dead time
_STANDS_PU = const(107)  # the set point that it has got
_TICK_US = const(108)
_LAG_US = const(109)
_KICK_USUAL = const(110)
_WATCHED = const(111)  # ticks left in which to watch where the last large kick leads
_WAY = const(112)  # that it went: 1 or -1
_SHALLOW = const(113)  # large kicks that are still to land before one may be deep again
_KICK_PU = const(114)  # what of a kick the set point has in it


@micropython.viper
def go(trk: ptr32, to_pu: int, time_us: int):
    """Move the PCS for a time towards a set point: 1 - exp(-x) is x / (1 + x/2 + x**2/12), to a thousandth below 1."""
    x = time_us * _ONE // trk[_LAG_US]
    x = x if x < _FAR else _FAR
    pcs_pu = ((trk[_PCS_PU] & _MASK) ^ _HALF) - _HALF
    trk[_PCS_PU] = pcs_pu + ((to_pu - pcs_pu) * (x * _ONE // (_ONE + (x >> 1) + x * x // 12288)) + 512 >> 10)


@micropython.viper
def make_good(trk: ptr32, point: ptr32, bus: ptr32, went: int):
    """Move the PCS on from the last tick to this one by the set points it got, and lead by what it is off.

    `went`: where in the bus's cells stands when a set point was last given to the wire.
    """
    if trk[_KICK] == 0:
        return
    since = (bus[_NOW] - trk[_TICK_US]) & _MASK
    trk[_TICK_US] = bus[_NOW]
    to_pu = ((point[_WANTED] & _MASK) ^ _HALF) - _HALF
    if since > _LONG_US:
        trk[_STANDS_PU] = trk[_PCS_PU] = to_pu
        return
    pcs_pu = ((trk[_PCS_PU] & _MASK) ^ _HALF) - _HALF
    meant_pu = pcs_pu + ((to_pu - pcs_pu) * trk[_PART] + 512 >> 10)
    stood = (bus[_NOW] - bus[went]) & _MASK
    late = since if stood > since else 0 if stood > since - _ON_TIME_US else since - stood
    if late:
        go(trk, ((trk[_STANDS_PU] & _MASK) ^ _HALF) - _HALF, late)
    if stood <= since:  # else it never went
        trk[_STANDS_PU] = to_pu
        go(trk, to_pu, since - late)
    off_pu = meant_pu - (((trk[_PCS_PU] & _MASK) ^ _HALF) - _HALF)
    trk[_KICK_REST] = (((trk[_KICK_REST] & _MASK) ^ _HALF) - _HALF) + (off_pu * trk[_KICK] >> 8)


@micropython.viper
def watch(trk: ptr32, point: ptr32, snap: ptr32, bus: ptr32) -> int:
    """Return 1 where the set point has a large kick in it, and then keep the line free for the one behind it.

    Else watch where the last large kick has led: more than a little beyond the set point, it stood for too long.
    """
    to_pu = ((point[_WANTED] & _MASK) ^ _HALF) - _HALF
    kick_pu = ((trk[_KICK_PU] & _MASK) ^ _HALF) - _HALF
    way = -1 if kick_pu < 0 else 1
    plain_pu = (((trk[_AWAY_PU] + trk[_TERM_PU] + trk[_TRIM]) & _MASK) ^ _HALF) - _HALF
    least_pu = trk[_KICK_USUAL] >> 1
    if way * kick_pu > least_pu and way * (to_pu - plain_pu) > least_pu:  # and no limit has cut it
        trk[_WATCHED] = _WATCH
        trk[_WAY] = way
        bus[_KEPT] = 2  # until this set point and the next have gone
        return 1
    if trk[_WATCHED]:
        trk[_WATCHED] -= 1
        beyond_pu = (((snap[_BESS] & _MASK) ^ _HALF) - _HALF - to_pu) * (((trk[_WAY] & _MASK) ^ _HALF) - _HALF)
        if beyond_pu * _LITTLE > trk[_BESS_PU]:
            trk[_WATCHED] = 0
            trk[_SHALLOW] = _DOUBTS
        elif trk[_WATCHED] == 0 and trk[_SHALLOW]:
            trk[_SHALLOW] -= 1
        trk[_KICK_MOST] = trk[_KICK_USUAL] if trk[_SHALLOW] else trk[_BESS_PU]
    return 0
