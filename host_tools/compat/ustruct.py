"""Stand-in for MicroPython's name of struct, on CPython's path only: umqtt imports it."""

from struct import *  # noqa: F403
