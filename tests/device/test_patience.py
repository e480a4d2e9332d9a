"""What is done again where memory was short: from its start, a rest in between, and not for ever."""

from firmware.core.background import COLLECTED
from firmware.core.patience import at_once, patiently


class Short:
    """FAKE shortage: so many times the work breaks off at its second step, or at once if `early`."""

    def __init__(self, short, early=False):
        self.short = short
        self.early = early
        self.begun = self.done = 0

    def steps(self, a, b):
        """Take two steps."""
        self.begun += 1
        if self.early:
            self._want()
        yield 7
        self._want()
        self.done += 1
        return a + b

    def _want(self):
        if self.short:
            self.short -= 1
            raise MemoryError

    def call(self, a, b):
        """Do the same without a step."""
        self.begun += 1
        self._want()
        self.done += 1
        return a + b


def ended(generator):
    """Run a generator to its end; return (what it has yielded, what it returns)."""
    yielded = []
    while True:
        try:
            yielded.append(next(generator))
        except StopIteration as stop:
            return yielded, stop.value


def test_steps_are_taken_once_where_there_is_memory():
    work = Short(0)
    assert ended(patiently(work.steps, 3, 4)) == ([7], 7) and work.begun == 1


def test_steps_are_taken_from_the_first_one_on_again():
    for early in (False, True):
        work = Short(2, early)
        yielded, value = ended(patiently(work.steps, 3, 4))
        assert value == 7 and work.begun == 3 and work.done == 1
        rests = [us for us in yielded if us != 7]
        assert rests[1::2] == [COLLECTED, COLLECTED] and min(rests[::2]) > 1_000_000 and len(rests) == 4


def test_a_call_is_made_again():
    work = Short(2)
    yielded, value = ended(patiently(at_once, work.call, 3, 4))
    assert value == 7 and yielded[1::2] == [COLLECTED, COLLECTED] and work.begun == 3 and work.done == 1


def test_the_last_shortage_is_raised():
    for make in (lambda work: patiently(work.steps, 3, 4), lambda work: patiently(at_once, work.call, 3, 4)):
        work = Short(99)
        try:
            ended(make(work))
            raise AssertionError("it never gives up")
        except MemoryError:
            assert 2 < work.begun < 10 and not work.done


def test_what_else_goes_wrong_is_raised_at_once():
    def refused():
        yield
        raise OSError(28)

    generator = patiently(refused)
    next(generator)
    try:
        next(generator)
        raise AssertionError("it is tried again")
    except OSError:
        pass
