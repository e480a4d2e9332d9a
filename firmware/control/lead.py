"""The feed-forward: the net load's distance from its target, led for the lag of the PCS, and faded where it does harm.

Past a delay-limited frequency the battery arrives too late and adds to the swing that it is to take away. Where that
begins depends on the load, so the tracker judges by what it does: it carries a model of what the battery makes of the
whole feed-forward, and weighs, in three bands, how much of the swing the battery follows in step. A band of which less
than all of the battery's swing is of use is scaled down to that share, which leaves |sin| of the phase between them and
so never more than there is without the battery; none of use, none done. Judged is what swings: a step makes too few
turns for that, and one larger than what has been swinging is no part of it: a few times the usual at most is held back.

Weighed are sums of |battery| and of the load in the battery's direction: for a swing of one frequency their ratio is
cos(phase) * load / battery, the best share there is, without a product that would leave 31 bits.

Where the period is shorter than the lag of the PCS, a new sample's step is led by what takes the PCS there within a
period or two and no longer (a kick): led by a slope, the PCS would go beyond and take three lags to come back. What a
load does by steps goes on no further, so there only a slope that two samples have in common is led beyond that.

The tick runs the viper functions on the cells of Tracker. A cell that may be below zero gets its sign back by
((x & MASK) ^ HALF) - HALF.
"""

import micropython
from micropython import const

from firmware.core.types import ptr32

_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)
_LED_MAX = const(0xC0000)  # so that a difference times 1,024 stays in 32 bits
_SLOPE_MAX = const(0x80000)
_WHOLE = const(256)
_TURN = const(1024)
_SWINGING = const(4096)  # a step makes fewer turns than this
_USUAL = const(8)  # times the mean swing: the peak of a swing, led by as much as a lead can

# As in core.types.
_LOAD_STATE = const(7)
_LOAD_AGE_MS = const(14)
_GRID_AGE_MS = const(15)
_NOW_MS = const(26)
_FRESH = const(1)

# As in control.tracker.
_STARTED = const(8)
_NET_PU = const(16)
_AWAY_PU = const(18)
_SHAPED_PU = const(19)
_LEAD = const(23)
_SPAN = const(24)
_PART = const(25)
_KICK = const(28)
_RAW = const(29)
_WINDOW = const(30)
_PRIOR = const(31)
_AT = const(33)
_BEGUN = const(34)
_SAMPLE_MS = const(35)
_SINCE = const(36)
_LAST_PU = const(37)
_LAST_SINCE = const(38)
_SLOPE = const(40)
_LED = const(60)
_MODEL = const(68)
_BANDS = const(70)
_BANDS_END = const(88)
_BAND = const(6)
_TURNS = const(89)
_DOWN = const(90)
_KICK_REST = const(101)
_KICK_MOST = const(105)
_KICK_PU = const(114)


@micropython.viper
def lead(trk: ptr32, snap: ptr32) -> int:
    """Return the whole feed-forward for this snapshot: the distance from the target, led by the net load's slope."""
    net_pu = ((trk[_NET_PU] & _MASK) ^ _HALF) - _HALF
    sample_ms = (snap[_NOW_MS] - (snap[_LOAD_AGE_MS] if snap[_LOAD_STATE] == _FRESH else snap[_GRID_AGE_MS])) & _MASK
    since = (trk[_SINCE] & 0xFFFF) + 1
    slope = ((trk[_SLOPE] & _MASK) ^ _HALF) - _HALF
    kick = ((trk[_KICK_REST] & _MASK) ^ _HALF) - _HALF
    if trk[_BEGUN] == 0:
        trk[_BEGUN] = trk[_STARTED]
        trk[_LAST_PU] = net_pu
    if sample_ms != trk[_SAMPLE_MS]:
        trk[_SAMPLE_MS] = sample_ms
        step_pu = net_pu - (((trk[_LAST_PU] & _MASK) ^ _HALF) - _HALF)
        step_pu = _SLOPE_MAX if step_pu > _SLOPE_MAX else 0 - _SLOPE_MAX if step_pu < 0 - _SLOPE_MAX else step_pu
        was = ((trk[_RAW] & _MASK) ^ _HALF) - _HALF
        slope = step_pu if since == 1 else step_pu // since
        trk[_RAW] = slope
        if trk[_KICK]:
            kick += step_pu * trk[_KICK] >> 8
            if slope > 0:
                slope = 0 if was < 0 else was if was < slope else slope
            else:
                slope = 0 if was > 0 else was if was > slope else slope
        elif trk[_SPAN] != 1:
            slope = slope + was >> 1
        trk[_LAST_PU] = net_pu
        trk[_LAST_SINCE] = since
        since = 0
    elif since > 2 * trk[_LAST_SINCE]:  # the meter is late: its slope is no longer known
        slope = 0
    trk[_SLOPE] = slope
    trk[_SINCE] = since
    led_pu = (((trk[_AWAY_PU] & _MASK) ^ _HALF) - _HALF) + (slope * trk[_LEAD] >> 8)
    trk[_KICK_PU] = 0
    if kick:
        led_pu += int(at_once(trk, kick))
    return _LED_MAX if led_pu > _LED_MAX else 0 - _LED_MAX if led_pu < 0 - _LED_MAX else led_pu


@micropython.viper
def at_once(trk: ptr32, kick: int) -> int:
    """Return what of a kick is done by this set point; what is left of the rest by the next one is kept for that."""
    kick = _LED_MAX if kick > _LED_MAX else 0 - _LED_MAX if kick < 0 - _LED_MAX else kick
    swings = trk[_TURNS] > _SWINGING
    most = _LED_MAX if swings else trk[_KICK_MOST]
    most = most if kick > most else 0 - most if kick < 0 - most else kick
    trk[_KICK_PU] = 0 if swings else most
    trk[_KICK_REST] = (kick - most) * (_TURN - trk[_PART]) >> 10
    return most


@micropython.viper
def count_turns(trk: ptr32):
    """Count how often the modelled battery turns in the fast band: past half of what is usual there, the other way.

    Behind each tick.
    """
    fast_pu = (((trk[_MODEL] - trk[_BANDS + 3]) & _MASK) ^ _HALF) - _HALF
    half_pu = trk[_BANDS + 5] >> (trk[_WINDOW] + 1)
    trk[_TURNS] -= trk[_TURNS] >> trk[_WINDOW]
    if fast_pu > half_pu if trk[_DOWN] else fast_pu < 0 - half_pu:
        trk[_DOWN] = 1 - trk[_DOWN]
        trk[_TURNS] += _TURN


@micropython.viper
def weigh(trk: ptr32, led_pu: int):
    """Split feed-forward, distance and modelled battery into bands, fast, middle and slow; leave what is of use."""
    trk[_LED + (trk[_AT] & 7)] = led_pu
    shaped_pu = led_pu
    away_pu = ((trk[_AWAY_PU] & _MASK) ^ _HALF) - _HALF
    bess_pu = ((trk[_MODEL] & _MASK) ^ _HALF) - _HALF
    window = trk[_WINDOW]
    at = _BANDS
    while at < _BANDS_END:
        share = trk[at]
        led_low = ((trk[at + 1] & _MASK) ^ _HALF) - _HALF
        trk[at + 1] = led_low = led_low + (((led_pu - led_low) * share + 512) >> 10)
        away_low = ((trk[at + 2] & _MASK) ^ _HALF) - _HALF
        trk[at + 2] = away_low = away_low + (((away_pu - away_low) * share + 512) >> 10)
        bess_low = ((trk[at + 3] & _MASK) ^ _HALF) - _HALF
        trk[at + 3] = bess_low = bess_low + (((bess_pu - bess_low) * share + 512) >> 10)
        away_pu -= away_low
        bess_pu -= bess_low
        if bess_pu <= 0:
            away_pu = 0 - away_pu if bess_pu else 0
            bess_pu = 0 - bess_pu
        use = ((trk[at + 4] & _MASK) ^ _HALF) - _HALF
        trk[at + 4] = use = use + away_pu + trk[_PRIOR] - (use >> window)
        moved = trk[at + 5]
        trk[at + 5] = moved = moved + bess_pu + trk[_PRIOR] - (moved >> window)
        use += use >> 2  # a quarter more than the best share leaves hardly more swing, and never adds to it
        if use < moved and trk[_TURNS] > _SWINGING:
            held_pu = led_pu - led_low
            held_pu = held_pu * (_WHOLE - use // ((moved >> 8) + 1)) >> 8 if use > 0 else held_pu
            usual_pu = (moved >> window) * _USUAL
            held_pu = usual_pu if held_pu > usual_pu else held_pu
            shaped_pu -= 0 - usual_pu if held_pu < 0 - usual_pu else held_pu
        led_pu = led_low
        away_pu = away_low
        bess_pu = bess_low
        at += _BAND
    trk[_SHAPED_PU] = shaped_pu
