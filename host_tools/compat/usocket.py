"""Stand-in for MicroPython's name of socket, on CPython's path only: umqtt imports it."""

from socket import *  # noqa: F403
