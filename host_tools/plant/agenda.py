"""The order of things in the simulated site: what happens when, in whole microseconds.

A calm event never puts a byte on a line that nobody has foreseen, nor changes one that somebody has: until the first
other one, all that a firmware will hear is known.
"""

from heapq import heappop, heappush


class Agenda:
    """Future events by time; of two at one time, the one entered first runs first."""

    def __init__(self):
        self.now_us = 0
        self.interrupt = False  # set by an event that somebody waits for: run() returns behind it
        self._events = []
        self._surprises = []  # times of those that are not calm
        self._entered = 0

    def at(self, t_us, action, argument=None):
        """Run action(argument) at a time, or at once when that time has passed."""
        self._entered += 1
        heappush(self._events, (t_us, self._entered, action, argument, True))
        heappush(self._surprises, t_us)

    def calmly_at(self, t_us, action, argument=None):
        """Do the same with a calm event; return its number: of two at one time the lower one runs first."""
        self._entered += 1
        heappush(self._events, (t_us, self._entered, action, argument, False))
        return self._entered

    def calm_until_us(self, latest_us):
        """Return the time of the first event that is not calm, at most the latest."""
        surprises = self._surprises
        return surprises[0] if surprises and surprises[0] < latest_us else latest_us

    def run(self, deadline_us):
        """Run events up to a time, or until one sets `interrupt`; now_us is then that event's time."""
        events = self._events
        self.interrupt = False
        while events and events[0][0] <= deadline_us:
            t_us, _, action, argument, surprises = heappop(events)
            if surprises:
                heappop(self._surprises)
            if t_us > self.now_us:
                self.now_us = t_us
            action(argument)
            if self.interrupt:
                return
        if deadline_us > self.now_us:
            self.now_us = deadline_us


class Timer:
    """One action that can be put off again and again without filling the agenda; a calm one."""

    def __init__(self, agenda, action):
        self._agenda = agenda
        self._action = action
        self._due_us = None
        self._entered_us = None

    @property
    def due_us(self):
        """When the action will run, or None."""
        return self._due_us

    def start(self, due_us):
        """Run the action at this time instead of any earlier wish."""
        self._due_us = due_us
        if self._entered_us is None or self._entered_us > due_us:
            self._entered_us = due_us
            self._agenda.calmly_at(due_us, self._ring, due_us)

    def stop(self):
        """Forget the action."""
        self._due_us = None

    def _ring(self, entered_us):
        if entered_us != self._entered_us:
            return  # an earlier entry took over from this one
        self._entered_us = None
        if self._due_us is None:
            return
        if self._due_us > entered_us:
            self.start(self._due_us)
            return
        self._due_us = None
        self._action()
