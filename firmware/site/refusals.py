"""Say which values are refused, and count them: an event when it begins and one when it has ended. Background only."""

from array import array

from micropython import const

from firmware.core.types import ROLE_NAMES, ROLES

# As in site.doubt.
_MINUS_ONE = const(3)
_ZEROS = const(4)

# What the driver refuses itself stands in the place of no cause.
CODES = ("SENTINEL", "RANGE", "NEGATIVE", "MINUS_ONE", "ZEROS", "STEP", "FROZEN")
_SENTENCES = (
    "answers without a value",
    "%d W is beyond 1.5 times the rating",
    "%d W, and a load cannot be negative",
    "-1 is how an analyser says that it has no reading",
    "zeros that neither a voltage nor the other meters confirm, or beside a fault state",
    "%d W is a step that the next sample has to confirm",
    "%d W has stood still while the power moved",
)
_QUIET = 60  # looks without a new one after which it has ended
_MASK = 0x3FFFFFFF


class Refusals:
    """Follows a Truth and the drivers' own counts; look() is to be called about once a second."""

    def __init__(self, truth, unit_w):
        self._truth = truth
        self._unit_w = unit_w
        # A cell a role and cause: how many have been counted, and the looks since the last one.
        self._counted = array("i", [0] * (ROLES * len(CODES)))
        self._quiet = bytearray([_QUIET] * (ROLES * len(CODES)))
        self.total = [0] * ROLES  # since start

    def look(self, role, invalid, minus_ones=0, blank=0):
        """Return the events [(code, sentence)] that are due, given how many values the driver refused so far.

        `invalid` were none, `minus_ones` a raw -1, `blank` zeros beside a fault state.
        """
        events = []
        for cause in range(len(CODES)):
            count = self._truth.count(role, cause) if cause else invalid
            if cause == _MINUS_ONE:
                count += minus_ones
            if cause == _ZEROS:
                count += blank
            at = role * len(CODES) + cause
            news = count - self._counted[at] & _MASK
            self._counted[at] = count & _MASK
            self.total[role] += news
            quiet = self._quiet[at]
            if news:
                if quiet >= _QUIET:
                    events.append((CODES[cause], "%s: %s; refused" % (ROLE_NAMES[role], self._words(role, cause))))
                self._quiet[at] = 0
            elif quiet < _QUIET:
                self._quiet[at] = quiet + 1
                if quiet + 1 == _QUIET:
                    events.append(("BELIEVED", "%s: no more %s" % (ROLE_NAMES[role], CODES[cause])))
        return events

    def _words(self, role, cause):
        sentence = _SENTENCES[cause]
        return sentence % (self._truth.refused_pu(role) * self._unit_w) if "%" in sentence else sentence
