"""Stand-in for MicroPython's built-in module, on CPython's path only: the decorators do nothing here."""


def const(value):
    """Return the value as it is."""
    return value


def native(function):
    """Return the function as it is: CPython has no native emitter."""
    return function


def viper(function):
    """Return the function as it is: CPython has no viper emitter."""
    return function
