"""What a record says of each meter: its state, its serial number, and whether it is another one than before."""

from firmware.core.types import FLAG_METER_EXCHANGED, Interval
from firmware.site.hearing import Hearing


class StubRegisters:
    """The registers of the ledger, as far as finish() asks."""

    def __init__(self):
        self.exchanged = 0
        self.refused = [0] * 6

    def sync(self, kept, lost):
        """Nothing was cut."""

    def finish(self, interval):
        """Write no rows."""


class StubField:
    """A field whose counts since the start are set by hand."""

    def __init__(self):
        self.rows = [[0, 0, 0, 0], [1, 0, 0, 0], [2, 0, 0, 0]]
        self.numbers = ["A-1", None, "C-3"]

    def statistics(self):
        """Return [role, answers, time-outs, errors] each."""
        return [list(row) for row in self.rows]

    def serials(self):
        """Return [role, serial number] each."""
        return [[role, number] for role, number in enumerate(self.numbers)]


class StubRefusals:
    """No value was refused but those set by hand."""

    def __init__(self):
        self.total = [0] * 6


def made():
    """Return (field, registers, refusals, the Hearing of them)."""
    field, registers = StubField(), StubRegisters()
    hearing = Hearing(field, None, registers, None, None, 1)
    hearing._refusals = StubRefusals()
    return field, registers, hearing._refusals, hearing


def finished(hearing, silent=0, silent_last=0):
    """Return an Interval filled in."""
    interval = Interval(1)
    interval.silent, interval.silent_last = silent, silent_last
    hearing.finish(interval, 0, 0)
    return interval


def states(interval):
    """Return the state of each meter."""
    return [row[5] for row in interval.meters]


def test_each_state_by_what_an_auditor_must_know_first():
    field, registers, refusals, hearing = made()
    field.rows = [[0, 900, 2, 0], [1, 900, 0, 0], [2, 900, 0, 0]]
    assert states(finished(hearing)) == [0, 0, 0]
    field.rows = [[0, 1800, 2, 0], [1, 900, 40, 0], [2, 1200, 0, 9]]
    refusals.total[0] = 3
    interval = finished(hearing, silent=0b110, silent_last=0b100)
    assert states(interval) == [4, 2, 6] and interval.meters[0][1:5] == [900, 0, 0, 3]
    field.rows = [[0, 2700, 9, 0], [1, 1000, 50, 0], [2, 2100, 0, 9]]
    assert states(finished(hearing, silent=0b111, silent_last=0b001)) == [1, 5, 5]
    field.rows = [[0, 3600, 9, 0], [1, 1900, 50, 0], [2, 3000, 0, 9]]
    registers.exchanged = 0b010
    interval = finished(hearing)
    assert states(interval) == [0, 3, 0] and interval.flags & FLAG_METER_EXCHANGED


def test_another_serial_number_is_another_meter():
    field, _, _, hearing = made()
    first = finished(hearing)
    assert first.serials == [[0, "A-1"], [1, None], [2, "C-3"]] and not first.flags & FLAG_METER_EXCHANGED
    assert finished(hearing).serials is first.serials
    field.numbers = [None, "B-9", "C-3"]  # one is silent, one tells its number at last
    assert not finished(hearing).flags & FLAG_METER_EXCHANGED
    field.numbers = ["A-2", "B-9", "C-3"]
    interval = finished(hearing)
    assert states(interval) == [3, 0, 0] and interval.flags & FLAG_METER_EXCHANGED
    assert states(finished(hearing)) == [0, 0, 0]
