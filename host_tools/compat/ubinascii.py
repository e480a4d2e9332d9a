"""Stand-in for MicroPython's name of binascii, on CPython's path only: umqtt imports it."""

from binascii import *  # noqa: F403
