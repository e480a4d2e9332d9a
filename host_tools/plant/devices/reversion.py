"""Reversion of a SunSpec 704 control: what a set point becomes when nobody renews it in time."""

from host_tools.plant.agenda import Timer


class FallBack:
    """What a PCS really does when nobody renews its set point, whatever it was configured to do."""

    def __init__(self):
        self.real_s = None  # after this time; 0 never; None as configured
        self.to_w = None  # to this power; None as configured

    def seconds(self, configured_s):
        """Return the time after which it falls back, s; 0 for never."""
        return configured_s if self.real_s is None else self.real_s


class Reversion:
    """The timer behind the RvrtTms, RvrtRem and Rvrt points of one control of model 704."""

    def __init__(self, slave, agenda, name, pairs, changed):
        self._slave = slave
        self._agenda = agenda
        self._name = name
        self._pairs = pairs  # (point, its reversion value)
        self._changed = changed
        self._timer = Timer(agenda, self._expire)
        self.fallen = False  # the time was over, and nobody has written since

    def restart(self, t_us):
        """Start the time anew: a point of the control was written."""
        self.fallen = False
        seconds = self._slave.fall_back.seconds(self._slave.get(704, self._name + "RvrtTms"))
        if seconds and self._slave.get(704, self._name + "Ena"):
            self._timer.start(t_us + round(seconds * 1_000_000))
        else:
            self._timer.stop()

    def show(self, t_us):
        """Bring the remaining seconds up to date, rounded up."""
        due_us = self._timer.due_us
        left_us = due_us - t_us if due_us is not None else 0
        self._slave.put(704, self._name + "RvrtRem", max(-(-left_us // 1_000_000), 0))

    def _expire(self):
        self.fallen = True
        slave = self._slave
        for point, after in self._pairs:
            slave.put(704, point, slave.get(704, after))
        slave.put(704, self._name + "Ena", slave.get(704, self._name + "EnaRvrt"))
        self._changed(self._agenda.now_us)
