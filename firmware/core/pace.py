"""The pace of the control tick: a tick each control period, four in one that is long."""

from micropython import const

_LONG_MS = const(40_000)  # a quarter of it still leaves the slowest bus its time
_TICKS = const(4)


def tick_ms(period_ms):
    """Return the ms from one control tick to the next.

    A set point that stands for a minute misses what the load does in it, and what it misses is exported, or bought. So
    meters are read and set points follow more often than what moves slowly is asked for.
    """
    return period_ms if period_ms < _LONG_MS else period_ms // _TICKS
