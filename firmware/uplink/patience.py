"""Calls that want memory: where there is none, garbage is collected in its own place, and they are made again."""

from micropython import const

_TRIES = const(5)
_REST_US = const(1_100_000)  # a collection is asked for each second


def patiently(function, *words):
    """Yield while calling a function that may be called anew after a MemoryError; return what it returns."""
    for _ in range(_TRIES):
        try:
            return function(*words)
        except MemoryError:
            pass
        yield _REST_US
    return function(*words)


def replace(files, path, data):
    """Yield while replacing a file, from the start again where there was no memory for a part of it."""
    for _ in range(_TRIES):
        try:
            yield from files.replacing(path, data)
            return
        except MemoryError:
            pass
        yield _REST_US
    yield from files.replacing(path, data)
