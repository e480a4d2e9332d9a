"""When set points really went out: a kick that stood for longer or shorter than was meant is made good.

A set point waits where its line is taken, and comes late where the tick has waited for a meter; one that was led by a
kick (lead.py) then stands for another time than the period it was meant for, and the PCS is left short of its target or
beyond. Here the PCS is reckoned from the times at which set points were given to the wire; what it is off from where
the last tick meant it to be now is led once more, beyond what a kick may usually be, since it is known.

What has gone beyond where nothing may be exported cannot be made good: no set point may exceed the load. So where set
points have lately been late, a part of what is left of a large kick is spared for the next one.

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
_LATE_US = const(2000)  # so late is not on time
_LATELY = const(6)  # over 2 ** 6 set points
_SOME = const(2048)  # times 1,024: two of these
_LONG_US = const(200_000)  # nothing is known of the time before
_FAR = const(3500)  # beyond so many 1,024ths of a lag the fraction in go() is none any more
_SPARED = const(3)  # an eighth

# As in drivers.line.cells and core.types.
_PERIOD = const(26)
_NOW = const(33)
_WANTED = const(0)

# As in control.tracker.
_PART = const(25)
_KICK = const(28)
_KICK_REST = const(101)
_KICK_MOST = const(105)
_PCS_PU = const(106)  # where the PCS is, but for its dead time
_STANDS_PU = const(107)  # the set point that it has got
_TICK_US = const(108)
_LAG_US = const(109)
_KICK_USUAL = const(110)
_SPARED_PU = const(111)
_OFTEN_LATE = const(112)  # set points that were late lately, times 1,024


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
    trk[_OFTEN_LATE] -= trk[_OFTEN_LATE] >> _LATELY
    if late > _LATE_US or since > bus[_PERIOD] + _LATE_US:
        trk[_OFTEN_LATE] += _ONE
    lead_again(trk, meant_pu - (((trk[_PCS_PU] & _MASK) ^ _HALF) - _HALF))


@micropython.viper
def lead_again(trk: ptr32, off_pu: int):
    """Add to what is left of a kick what this distance of the PCS takes; spare some of it where it may be too much."""
    rest_pu = ((trk[_KICK_REST] & _MASK) ^ _HALF) - _HALF
    more_pu = off_pu * trk[_KICK] >> 8
    most_pu = trk[_KICK_USUAL]
    beyond_pu = more_pu if rest_pu > 0 else 0 - more_pu
    trk[_KICK_MOST] = most_pu + beyond_pu if beyond_pu > 0 else most_pu
    rest_pu += more_pu + ((((trk[_SPARED_PU] & _MASK) ^ _HALF) - _HALF) * (_ONE - trk[_PART]) >> 10)
    large = 2 * rest_pu > most_pu or 2 * rest_pu < 0 - most_pu
    more_pu = rest_pu >> _SPARED if large and trk[_OFTEN_LATE] > _SOME else 0
    trk[_SPARED_PU] = more_pu
    trk[_KICK_REST] = rest_pu - more_pu
