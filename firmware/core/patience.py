"""Work that wants memory: where there is none, garbage is collected in its own place, and it is done from its start."""

from micropython import const

from firmware.core.background import COLLECTED

_TRIES = const(6)
_REST_US = const(1_100_000)  # what took the memory may have done its work then


def patiently(steps, *words):
    """Yield what steps(*words) yields, made anew after a MemoryError, the last of which is raised; return its result.

    `steps` must stand being begun again wherever it broke off.
    """
    for _ in range(_TRIES - 1):
        try:
            return (yield from steps(*words))
        except MemoryError:
            pass
        yield _REST_US
        yield COLLECTED
    return (yield from steps(*words))


def at_once(function, *words):
    """Return function(*words) as steps of which there are none: what patiently() makes of a call."""
    return function(*words)
    yield
