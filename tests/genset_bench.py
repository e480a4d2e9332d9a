"""A genset's state machine on the bench: an engine that obeys at once, until told otherwise. CPython and the VMs."""

from firmware.control import genset
from firmware.control.genset import ANSWERS, AUTO, LOADED, NOTHING, RUNS, START
from tests.island_rig import settings

WELL = ANSWERS | AUTO
THURSDAY_MIN = 19_723 * 1440  # a day that 1 divides, as all do


class Bench:
    """A genset whose engine obeys at once, until told otherwise; all that it is told is set by hand."""

    def __init__(self, **changed):
        self.genset = genset.Genset(settings("genset", **changed), 12_000, lambda w: w, 100)
        self.status = WELL
        self.obeys = True
        self.soc, self.net_w, self.lost_s, self.alone, self.minute, self.fuel = 500, 4000, 0, False, -1, 800
        self.sent = []
        self.told = []
        self.go(3)
        assert self.genset.state == genset.RESTING
        self.told = []
        self.sent = []

    def go(self, seconds=1, dt_ms=1000):
        for _ in range(seconds):
            changes = self.genset.changes
            if self.lost_s:
                self.lost_s += dt_ms // 1000
            self.genset.step(dt_ms, self.status, self.fuel, self.soc, self.net_w, self.lost_s, self.alone, self.minute)
            command = self.genset.take_command()
            if command != NOTHING:
                self.sent.append(command)
                if self.obeys:
                    self.status = self.status | RUNS if command == START else self.status & ~(RUNS | LOADED)
            if self.genset.changes != changes:
                self.told.append(self.genset.reason)

    def until(self, state, longest=10_000):
        for second in range(longest):
            if self.genset.state == state:
                return second
            self.go()
        raise AssertionError(genset.NAMES[self.genset.state])

    def start(self):
        """Lose the grid with little charge, and come to where the genset carries."""
        self.lost_s, self.soc = 1, 300
        self.until(genset.CARRYING)
