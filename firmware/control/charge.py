"""Notices a state of charge that stands still though the battery works. Background only, once a second.

No register says so: a BMS that has lost its cells' bus goes on sending its last number. What the battery has given
since the number last moved is held against its energy; giving and taking cancel out. Only a new sample can be found
guilty: one that merely does not come is old.
"""

from micropython import const

from firmware.core.types import BESS, FRESH

_SOC_AGE_MS = const(20)  # as in core.types
_SHARE_PERMILLE = const(50)  # of its energy, after which any state of charge has moved
_MASK = const(0x3FFFFFFF)
_MOST = const(0x1FFFFFFF)


class Charge:
    """`energy_pus` is the battery's energy in site power units times seconds."""

    def __init__(self, energy_pus):
        self._limit_pus = min(energy_pus * _SHARE_PERMILLE // 1000, _MOST)
        self._at = -1
        self._given_pus = 0
        self._last_ms = 0
        self._sampled_ms = 0
        self._frozen = False

    def look(self, snap):
        """Return whether the state of charge has been standing still for too long."""
        seconds = min(((snap.now_ms - self._last_ms) & _MASK) // 1000, 60)
        self._last_ms = (self._last_ms + 1000 * seconds) & _MASK
        sampled_ms = (snap.now_ms - snap.cells[_SOC_AGE_MS]) & _MASK
        if snap.soc_permille != self._at or snap.soc_state != FRESH:
            self._at = snap.soc_permille
            self._last_ms = snap.now_ms
            self._given_pus = 0
            self._frozen = False
        elif snap.state[BESS] == FRESH:
            given = self._given_pus + snap.power_pu[BESS] * seconds
            self._given_pus = max(min(given, _MOST), -_MOST)
            if sampled_ms != self._sampled_ms:
                self._frozen = abs(self._given_pus) >= self._limit_pus
        self._sampled_ms = sampled_ms
        return self._frozen
