"""Times each slice of the uplink's job, apart by step; a module of its own, for it takes heap from what it measures."""

import mps2

from firmware.core import ticks

_LONG_US = 1520  # of a slice that is told: 190,000 instructions
_STEPS = ("hear", "judge", "report", "seal", "events", "records", "keep_alive", "answer")


class Slices:
    """Times each slice of the uplink, and tells those that are longer than any of its kind before."""

    def __init__(self, sender):
        self.longest = {}  # step -> [us of ordinary slices, us of those that said they touch flash]
        self.step = "start"
        self.place = 0
        sender._steps = tuple([self._named(_STEPS[i], step) for i, step in enumerate(sender._steps)])

    def _named(self, name, step):
        def begin():
            self.step, self.place = name, 0
            return step()
        return begin

    def watch(self, generator):
        """Pass the generator on."""
        us = mps2.ticks_us
        rest_us = 0
        while True:
            uncut = rest_us is not None and rest_us < 0
            at_us = us()
            rest_us = next(generator)
            took_us = ticks.diff(us(), at_us)
            row = self.longest.get(self.step)
            if row is None:
                row = self.longest[self.step] = [0, 0]
            if took_us > row[uncut]:
                row[uncut] = took_us
            if took_us > _LONG_US and not uncut:
                print("EVK LONG", took_us, self.step, self.place)
            self.place += 1
            yield rest_us
