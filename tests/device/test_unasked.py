"""drivers.line.unasked: who speaks on a line without having been asked, from the counts that the bus keeps."""

from array import array

from firmware.drivers.line import cells as k
from firmware.drivers.line.device import Device
from firmware.drivers.line.unasked import Unasked


class Line:
    """A FAKE bus: counts only."""

    def __init__(self, *units):
        self.cells = array("i", [0] * k.HEADER)
        self.devices = [Device(self, unit) for unit in units]

    def lengthen(self, more):
        """Put more cells behind those that there are."""
        self.cells.extend(more)
        return len(self.cells) - len(more)


def _look(watch, seconds):
    return [watch.look() for _ in range(seconds)]


def test_a_unit_that_babbles_is_named_and_forgotten_when_it_is_silent():
    line = Line(3, 4)
    watch = Unasked(line)
    _look(watch, 5)
    assert (watch.disturbed, watch.units) == (False, [])
    for _ in range(8):
        line.cells[line.devices[1].at + k.STRANGE] += 2
        line.cells[k.FOREIGN] += 3
        watch.look()
    assert (watch.disturbed, watch.units) == (True, [4])
    changes = _look(watch, 60)
    assert (watch.disturbed, watch.units) == (False, []) and 1 <= changes.count(True) <= 2


def test_noise_disturbs_the_line_and_names_no_unit():
    line = Line(3, 4)
    watch = Unasked(line)
    for second in range(600):
        line.cells[k.FOREIGN] += 5
        line.cells[line.devices[0].at + k.STRANGE] += second % 50 == 0  # what chance would give it
        watch.look()
        assert watch.units == []
    assert watch.disturbed


def test_an_answer_that_is_merely_late_is_no_babble():
    line = Line(3)
    watch = Unasked(line)
    for second in range(300):  # each request runs out of time, each answer comes after it, some in the next second
        line.cells[line.devices[0].at + k.TIMEOUTS] += 2
        line.cells[line.devices[0].at + k.LATE] += (1, 3)[second % 2] if second else 0
        watch.look()
        assert not watch.disturbed
    for _ in range(20):  # more than it owes
        line.cells[line.devices[0].at + k.TIMEOUTS] += 1
        line.cells[line.devices[0].at + k.LATE] += 3
        watch.look()
    assert (watch.disturbed, watch.units) == (True, [3])


def test_a_rare_burst_disturbs_nothing():
    line = Line(3)
    watch = Unasked(line)
    for second in range(600):
        line.cells[line.devices[0].at + k.STRANGE] += second % 20 == 0
        watch.look()
        assert not watch.disturbed
